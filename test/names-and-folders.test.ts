import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {test} from 'node:test';
import {resolveTarget} from '../source/contexts/resolve.ts';
import {makeFolder as makeDataFolder} from '../source/database/embedded/folder.ts';
import {openEmbedded} from '../source/database/embedded/index.ts';
import {makePrivateFolder} from '../source/keychain/index.ts';
import {npmEnvironment} from './support/packed.ts';
import {temporaryFolder} from './support/commands.ts';

/** Names that every object knows. */
const inherited = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'];

test('a current context that the settings do not keep is refused, and nothing goes to another store', () => {
	for (const current of ['gone', ...inherited]) {
		assert.throws(() => resolveTarget({}, {}, {contexts: {lab: {kind: 'server', host: 'lab.example', port: 8080}}, current, console: {}}), {
			code: 'invalid-input', message: `The settings say that the current context is "${current}", and keep none of that name.`, hint: 'Choose one that there is with `colonies context use`: "embedded", "lab".',
		});
	}

	assert.deepEqual(resolveTarget({}, {}, {contexts: {}, current: undefined, console: {}}), {kind: 'embedded', name: 'embedded'});
	// What is said is stronger than what is kept, also than what is kept wrongly.
	assert.equal(resolveTarget({host: 'other.example'}, {}, {contexts: {}, current: 'gone', console: {}}).kind, 'server');
});

test('a name that every object knows is no context, and no switch', () => {
	for (const name of inherited) {
		const target = resolveTarget({dbhost: name}, {}, {contexts: {}, current: undefined, console: {}});
		assert.ok(target.kind === 'database' && target.password === undefined && target.ssl === false && target.name === name);
		assert.throws(() => resolveTarget({}, {COLONIES_DBHOST: 'db', COLONIES_DBSSL: name}, {contexts: {}, current: undefined, console: {}}), {code: 'invalid-input', message: `COLONIES_DBSSL must be true or false, not "${name}".`});
	}
});

test('a folder that cannot be made is refused at once, where Node would try for ever', {skip: existsSync('/proc/self') ? false : 'There is no /proc here.'}, async () => {
	assert.throws(() => {
		makePrivateFolder('/proc/nope/config');
	}, {code: 'unavailable', message: '/proc/nope/config cannot be written to: ENOENT.'});
	await assert.rejects(openEmbedded({folder: '/proc/nope/data/embedded'}), {code: 'unavailable', message: 'The folder /proc/nope/data/embedded cannot be made: /proc takes none.'});
	const folder = temporaryFolder();
	makePrivateFolder(`${folder}/a/b/c`);
	await makeDataFolder(`${folder}/a/b/d/e`);
	await makeDataFolder(`${folder}/a/b/d/e`);
	assert.ok(existsSync(`${folder}/a/b/c`) && existsSync(`${folder}/a/b/d/e`));
});

test('npm installs with the settings of whoever runs the tests', () => {
	const given = {npm_config_registry: 'http://127.0.0.1:9/', npm_config_cafile: '/etc/company.pem', npm_config_local_prefix: '/elsewhere', npm_lifecycle_event: 'test', NODE_EXTRA_CA_CERTS: '/etc/company.pem', NODE_OPTIONS: '--import tsx', COLONIES_HOME: '/own'};
	const env = npmEnvironment('/home', given);
	assert.deepEqual(Object.fromEntries(Object.keys(given).map(name => [name, env[name]])), {
		npm_config_registry: 'http://127.0.0.1:9/', npm_config_cafile: '/etc/company.pem', npm_config_local_prefix: undefined, npm_lifecycle_event: undefined, NODE_EXTRA_CA_CERTS: '/etc/company.pem', NODE_OPTIONS: undefined, COLONIES_HOME: '/home',
	});
	assert.equal(execFileSync('npm', ['config', 'get', 'registry'], {env, encoding: 'utf8', cwd: '/'}).trim(), 'http://127.0.0.1:9/');
});
