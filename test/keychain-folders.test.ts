
import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {execFile} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import fc from 'fast-check';
import {folders} from '../source/keychain/folder.ts';

const linux = {
	platform: 'linux', home: '/home/ada', temporary: '/tmp', user: 1000,
} as const;

test('on Linux keys and settings lie in ~/.config, data in ~/.local/share', () => {
	const found = folders({}, linux);
	assert.equal(found.config, '/home/ada/.config/colonies-tui');
	assert.equal(found.keys, '/home/ada/.config/colonies-tui/keys');
	assert.equal(found.data, '/home/ada/.local/share/colonies-tui');
	assert.equal(found.cache, '/home/ada/.cache/colonies-tui');
	assert.match(found.run, /^\/tmp\/colonies-1000-[\da-f]{12}$/);
});

test('the XDG variables are obeyed, and taken as unset when they are empty or relative', () => {
	const {config, data, run} = folders({XDG_CONFIG_HOME: '/c', XDG_DATA_HOME: '/d', XDG_RUNTIME_DIR: '/run/user/1000'}, linux);
	assert.deepEqual([config, data, path.dirname(run)], ['/c/colonies-tui', '/d/colonies-tui', '/run/user/1000']);
	assert.equal(folders({XDG_CONFIG_HOME: '', XDG_DATA_HOME: 'd', XDG_RUNTIME_DIR: 'r'}, linux).data, folders({}, linux).data);
	assert.deepEqual(folders({XDG_CONFIG_HOME: 'c', XDG_RUNTIME_DIR: 'r'}, linux), folders({}, linux));
});

test('macOS and Windows have places of their own', () => {
	const mac = folders({}, {...linux, platform: 'darwin', home: '/Users/ada'});
	assert.deepEqual([mac.config, mac.data], ['/Users/ada/Library/Preferences/colonies-tui', '/Users/ada/Library/Application Support/colonies-tui']);
	const windows = folders({APPDATA: String.raw`C:\Users\ada\AppData\Roaming`}, {
		platform: 'win32', home: String.raw`C:\Users\ada`, temporary: String.raw`C:\Temp`, user: 0,
	});
	assert.equal(windows.keys, String.raw`C:\Users\ada\AppData\Roaming\colonies-tui\Config\keys`);
	assert.equal(windows.data, String.raw`C:\Users\ada\AppData\Local\colonies-tui\Data`);
	assert.deepEqual([mac.cache, windows.cache], ['/Users/ada/Library/Caches/colonies-tui', String.raw`C:\Users\ada\AppData\Local\colonies-tui\Cache`]);
	assert.equal(folders({XDG_CACHE_HOME: '/x'}, linux).cache, '/x/colonies-tui');
	assert.equal(folders({COLONIES_HOME: '/somewhere'}, linux).cache, '/somewhere/cache');
});

test('COLONIES_HOME holds everything, also when it is given relative; empty it is unset', () => {
	const {config, keys, data} = folders({COLONIES_HOME: '/somewhere', XDG_CONFIG_HOME: '/c'}, linux);
	assert.deepEqual([config, keys, data], ['/somewhere', '/somewhere/keys', '/somewhere/data']);
	assert.equal(folders({COLONIES_HOME: 'here'}, {...linux, platform: process.platform}).config, path.resolve('here'));
	assert.deepEqual(folders({COLONIES_HOME: ''}, linux), folders({}, linux));
});

test('without COLONIES_HOME the keychain lies where conf puts its files', async () => {
	const home = fs.mkdtempSync(path.join(os.tmpdir(), 'colonies-folders-'));
	try {
		const env = {
			...process.env, HOME: home, XDG_CONFIG_HOME: path.join(home, 'settings'), COLONIES_HOME: '',
		};
		const program = 'import Conf from \'conf\'; console.log(new Conf({projectName: \'colonies-tui\', projectSuffix: \'\'}).path)';
		const {stdout} = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {env, cwd: fileURLToPath(new URL('..', import.meta.url))});
		assert.equal(path.dirname(stdout.trim()), folders(env).config);
	} finally {
		fs.rmSync(home, {recursive: true});
	}
});

test('the folder for sockets is always short, absolute, and another one for other data', () => {
	const absolute = fc.string({minLength: 1, maxLength: 200}).map(text => `/${text.replaceAll(/[\0/]/g, '-')}`);
	fc.assert(fc.property(absolute, absolute, absolute, (home, runtime, temporary) => {
		const {run} = folders({COLONIES_HOME: home, XDG_RUNTIME_DIR: runtime}, {...linux, temporary});
		assert.ok(path.isAbsolute(run) && Buffer.byteLength(run) <= 80, run);
	}));
	assert.notEqual(folders({COLONIES_HOME: '/a'}, linux).run, folders({COLONIES_HOME: '/b'}, linux).run);
});
