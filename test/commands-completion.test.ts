import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {chmodSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {suite, test} from 'node:test';
import {flagsOf} from '../source/commands/command.ts';
import {commands, nouns} from '../source/commands/entries.ts';
import {savedContexts} from '../source/contexts/saved.ts';
import type {Contexts} from '../source/operations/index.ts';
import {
	freshHome, inProcess, temporaryFolder, writeInto,
} from './support/commands.ts';

const home = freshHome();
const run = inProcess(savedContexts({env: {}, ...home}) as Contexts, home);
const folder = temporaryFolder();
const script = async (shell: string): Promise<string> => {
	const {code, stdout, stderr} = await run(['completion', shell]);
	assert.deepEqual({code, stderr}, {code: 0, stderr: ''});
	return stdout;
};

const [colony, computer] = [(await home.keychain.create()).identity.id, (await home.keychain.create()).identity.id];
await home.keychain.describe(colony, {kind: 'colony', name: 'a, "colony"', colonyid: colony});
await home.keychain.describe(computer, {kind: 'computer', name: 'computer', colonyid: colony});

await home.settings.saveContext('lab', {kind: 'server', host: 'lab.example', port: 8080});

// A program that answers as the real one does, so that completing needs no start of Node.
const answers = await Promise.all(['keychain', 'context'].map(async noun => {
	const {stdout} = await run([noun, 'ls', '--output', 'csv']);
	return `'${noun} ls --output csv') cat '${writeInto(folder, noun === 'keychain' ? 'keys.csv' : 'contexts.csv', stdout)}' ;;`;
}));
const program = writeInto(folder, 'colonies', `#!/bin/sh\ncase "$*" in\n${answers.join('\n')}\nesac\n`);
chmodSync(program, 0o755);
const file = writeInto(folder, 'colonies.bash', await script('bash'));

/** What bash offers for a line; the last word is being typed. Words are cut at the equals sign, as bash does. */
function complete(line: string): string[] {
	const words = line.split(/ |(=)/).filter(word => word !== undefined && !(word === '' && line.endsWith('=')));
	const quoted = words.map(word => `'${word}'`).join(' ');
	const answer = execFileSync('bash', ['--norc', '-c', `source '${file}'; COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _colonies; printf '%s\\n' "\${COMPREPLY[@]}"`], {
		encoding: 'utf8', cwd: folder, env: {...process.env, PATH: `${folder}:${process.env.PATH}`},
	});
	return answer.split('\n').filter(text => text !== '');
}

suite('completion in bash', () => {
	test('of nouns and verbs', () => {
		assert.deepEqual(complete('colonies '), [...nouns, 'help']);
		assert.deepEqual(complete('colonies comp'), ['computer', 'completion']);
		assert.deepEqual(complete('colonies computer dis'), ['disapprove']);
		assert.deepEqual(complete('colonies help process ps'), ['psw', 'ps', 'pss', 'psf']);
		assert.deepEqual(complete('colonies --dbhost localhost --debug computer appr'), ['approve']);
		assert.deepEqual(complete('colonies --dbhost=localhost computer appr'), ['approve']);
	});

	test('of the flags of every command', () => {
		for (const entry of commands) {
			assert.deepEqual(complete(`colonies ${entry.words.join(' ')} --`), Object.keys(flagsOf(entry)).map(name => `--${name}`));
		}
	});

	test('of the names of contexts', () => {
		assert.deepEqual(complete('colonies context use '), ['embedded', 'lab']);
		assert.deepEqual(complete('colonies context remove l'), ['lab']);
		assert.deepEqual(complete('colonies context use lab --de'), ['--debug']);
		assert.ok(!complete('colonies context use lab ').includes('embedded'));
		assert.ok(!complete('colonies context add ').includes('lab'));
	});

	test('of choices, files, and ids from the keychain', () => {
		assert.deepEqual(complete('colonies process ls --state '), ['waiting', 'running', 'successful', 'failed']);
		assert.deepEqual(complete('colonies process ls --output=c'), ['csv']);
		assert.deepEqual(complete('colonies process ls --output='), ['json', 'table', 'csv']);
		assert.deepEqual(complete('colonies process submit --spec k'), ['keys.csv']);
		assert.deepEqual(complete('colonies server start --tlscert k'), ['keys.csv']);
		assert.deepEqual(complete('colonies process ls --colonyid '), [colony]);
		assert.deepEqual(complete(`colonies process psw --colonyid ${colony} --computerid=`), [computer]);
		assert.deepEqual(complete('colonies keychain privatekey --id ').sort(), [colony, computer].sort());
		assert.deepEqual(complete('colonies process get --processid '), []);
	});
});

for (const shell of ['zsh', 'fish']) {
	const isThere = spawnSync(shell, ['--version']).status === 0;
	test(`completion in ${shell} names everything`, async () => {
		const text = await script(shell);
		for (const entry of commands) {
			assert.ok(text.includes(entry.words[1]));
			for (const name of Object.keys(flagsOf(entry))) {
				assert.match(text, shell === 'zsh' ? new RegExp(`'--${name}[=[]`) : new RegExp(`'__colonies_is ${entry.words.join(' ')}' -l ${name}\\b`));
			}
		}
	});

	test(`completion in ${shell} is a script`, {skip: !isThere && `${shell} is not installed.`}, async () => {
		execFileSync(shell, ['-n', writeInto(folder, `colonies.${shell}`, await script(shell))]);
	});
}

test('completion is offered for shells that there are', async () => {
	const {code, stderr} = await run(['completion', 'tcsh']);
	assert.equal(code, 2);
	assert.match(stderr, /bash/);
	assert.equal(path.basename(program), 'colonies');
});
