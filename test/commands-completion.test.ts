import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {chmodSync, existsSync, readdirSync} from 'node:fs';
import path from 'node:path';
import {suite, test} from 'node:test';
import {type CommandEntry, defineCommand, flagsOf} from '../source/commands/command.ts';
import {bashCompletion} from '../source/commands/completion/bash.ts';
import {fishCompletion} from '../source/commands/completion/fish.ts';
import {zshCompletion} from '../source/commands/completion/zsh.ts';
import {commands, nouns} from '../source/commands/entries.ts';
import {savedContexts} from '../source/contexts/saved.ts';
import {choice, flag, line} from '../source/operations/fields.ts';
import type {Contexts} from '../source/operations/index.ts';
import {
	freshHome, inProcess, temporaryFolder, writeInto,
} from './support/commands.ts';
import {noShell, offersOf, type Shell} from './support/shells.ts';
import {openTerminal} from './support/terminal.ts';

const home = freshHome();
const run = inProcess(savedContexts({env: {}, ...home}) as Contexts, home);
const folder = temporaryFolder();

const [colony, computer] = [(await home.keychain.create()).identity.id, (await home.keychain.create()).identity.id];
await home.keychain.describe(colony, {kind: 'colony', name: 'a, "colony"', colonyid: colony});
await home.keychain.describe(computer, {kind: 'computer', name: 'computer', colonyid: colony});

/** A name of a context that a shell would obey if it were not quoted. */
const trap = 'it\'s "my", $(touch pwned) `touch pwned` *';
await home.settings.saveContext('lab', {kind: 'server', host: 'lab.example', port: 8080});
await home.settings.saveContext(trap, {kind: 'server', host: 'trap.example', port: 8080});

// A program that answers as the real one does, so that completing needs no start of Node.
const answers = await Promise.all(['keychain', 'context'].map(async noun => {
	const {stdout} = await run([noun, 'ls', '--output', 'csv']);
	return `'${noun} ls --output csv') cat '${writeInto(folder, noun === 'keychain' ? 'keys.csv' : 'contexts.csv', stdout)}' ;;`;
}));
const program = writeInto(folder, 'colonies', `#!/bin/sh\ncase "$*" in\n${answers.join('\n')}\nesac\n`);
chmodSync(program, 0o755);
writeInto(folder, 'spec of mine.json', '{}');

const makers = {bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion};

/** Texts with everything that ends a quotation, a description or a word in some shell. */
const odd = String.raw`it's '\' a \ [b] c: "d" $(touch pwned) ` + '`touch pwned` $HOME ~ * {a,b} %d !! ; & | < > # \\';
const oddCommands: readonly CommandEntry[] = [
	defineCommand({
		words: ['odd', 'verb'], summary: odd, flags: {switch: flag('Switch', odd), text: line(odd, odd), pick: choice('Pick', odd, ['plain', 'it\'s', '$(touch pwned)', 'a b'])}, run: async () => undefined,
	}),
	defineCommand({words: ['odd', 'other'], summary: 'Another one.', flags: {}, run: async () => undefined}),
];

for (const shell of ['bash', 'zsh', 'fish'] as const satisfies readonly Shell[]) {
	const skip = noShell(shell);
	// Shells sort what they offer, each in its way.
	const same = (offered: readonly string[], expected: readonly string[]): void => {
		assert.deepEqual([...offered].sort(), [...expected].sort());
	};

	suite(`completion in ${shell}`, {skip}, () => {
		let script: string;
		const parse = (file: string): void => {
			execFileSync(shell, ['-n', file], {stdio: 'pipe'});
		};

		const complete = async (...lines: string[]): Promise<string[][]> => (await offersOf(shell, lines, {script, folder})).map(offers => offers.map(({word}) => word));

		test('is a script that the shell can read', async () => {
			const {code, stdout, stderr} = await run(['completion', shell]);
			assert.deepEqual({code, stderr}, {code: 0, stderr: ''});
			script = writeInto(folder, `script.${shell}`, stdout);
			parse(script);
		});

		test('of nouns and verbs', async () => {
			const [all, some, verb, help] = await complete('colonies ', 'colonies comp', 'colonies computer dis', 'colonies help process ps');
			same(all!, [...nouns, 'help']);
			same(some!, ['computer', 'completion']);
			same(verb!, ['disapprove']);
			same(help!, ['psw', 'ps', 'pss', 'psf']);
		});

		test('of the flags of every command', async () => {
			const lines = commands.map(entry => `colonies ${entry.words.join(' ')} --`);
			const offered = await complete(...lines);
			for (const [index, entry] of commands.entries()) {
				// Zsh and fish may end a flag with the equals sign that its value comes after.
				same([...new Set(offered[index]!.map(word => word.replace(/=.*$/, '')))], Object.keys(flagsOf(entry)).map(name => `--${name}`));
			}
		});

		test('of choices, files, and ids from the keychain', async () => {
			const [states, written, begun, file, colonies, computers, keys, nothing] = await complete('colonies process ls --state ', 'colonies process ls --output=c', 'colonies process ls --output=', 'colonies process submit --spec k', 'colonies process ls --colonyid ', `colonies process psw --colonyid ${colony} --computerid=`, 'colonies keychain privatekey --id ', 'colonies process get --processid ');
			const bare = (words: readonly string[]) => words.map(word => word.replace(/^.*=/, ''));
			same(states!, ['waiting', 'running', 'successful', 'failed']);
			same(bare(written!), ['csv']);
			same(bare(begun!), ['json', 'table', 'csv']);
			same(file!, ['keys.csv']);
			same(colonies!, [colony]);
			same(bare(computers!), [computer]);
			same(keys!, [colony, computer]);
			same(nothing!, []);
		});

		test('of the names of contexts and files, which the shell takes as they are', async () => {
			const [names, some, after, spec] = await complete('colonies context use ', 'colonies context remove l', 'colonies context use lab --de', 'colonies process submit --spec sp');
			same(names!, ['embedded', 'lab', trap]);
			same(some!, ['lab']);
			same(after!, ['--debug']);
			same(spec!, ['spec of mine.json']);
			assert.ok(!existsSync(path.join(folder, 'pwned')));
		});

		test('with a text in it that has every character that means something to a shell', async () => {
			const file = writeInto(folder, `odd.${shell}`, makers[shell](oddCommands));
			parse(file);
			const [verbs, flags, picks] = await offersOf(shell, ['colonies odd ', 'colonies odd verb --', 'colonies odd verb --pick '], {script: file, folder});
			const words = (offers: typeof verbs) => offers!.map(({word}) => word);
			same(words(verbs), ['verb', 'other']);
			for (const name of ['--switch', '--text', '--pick']) {
				assert.ok(words(flags).some(word => word.startsWith(name)), name);
			}

			same(words(picks), ['plain', 'it\'s', '$(touch pwned)', 'a b']);
			if (shell === 'fish') {
				assert.equal(verbs!.find(({word}) => word === 'verb')!.description, odd);
				assert.equal(flags!.find(({word}) => word === '--switch')!.description, odd);
			}

			assert.deepEqual(readdirSync(folder).filter(name => name.includes('pwned')), []);
		});
	});
}

test('in a terminal zsh shows the commands and flags with their summaries, without any completion having been started before', {skip: noShell('zsh')}, async () => {
	const own = temporaryFolder();
	writeInto(own, '.zshrc', `PROMPT='> '\nsource '${writeInto(own, 'odd.zsh', zshCompletion(oddCommands))}'\n`);
	const terminal = openTerminal({command: ['zsh', '-d', '-i'], cwd: folder, columns: 200, env: {ZDOTDIR: own, HOME: own}});
	try {
		await terminal.until('> ');
		terminal.type('colonies odd \t');
		await terminal.until(`-- ${odd}`);
		terminal.type('verb --sw\t');
		await terminal.until('colonies odd verb --switch');
		terminal.press('ctrl-u');
		terminal.type('colonies odd verb --\t');
		await terminal.until(screen => screen.some(row => row.includes('--text') && row.includes(`-- ${odd}`)));
	} finally {
		await terminal.close();
	}
});

test('in bash flags before the noun, and what stands after an operand', {skip: noShell('bash')}, async () => {
	const file = writeInto(folder, 'colonies.bash', bashCompletion(commands));
	const [before, written, after, added] = (await offersOf('bash', [
		'colonies --dbhost localhost --debug computer appr', 'colonies --dbhost=localhost computer appr', 'colonies context use lab ', 'colonies context add ',
	], {script: file, folder})).map(offers => offers.map(({word}) => word));
	assert.deepEqual(before, ['approve']);
	assert.deepEqual(written, ['approve']);
	assert.ok(!after!.includes('embedded'));
	assert.ok(!added!.includes('lab'));
});

test('completion is offered for shells that there are', async () => {
	const {code, stderr} = await run(['completion', 'tcsh']);
	assert.equal(code, 2);
	assert.match(stderr, /bash/);
});
