import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {
	chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {withInstall} from '../source/commands/completion/install.ts';
import {savedContexts} from '../source/contexts/saved.ts';
import type {Contexts} from '../source/operations/index.ts';
import {
	freshHome, inProcess, type Outcome, temporaryFolder, writeInto,
} from './support/commands.ts';
import {noShell} from './support/shells.ts';
import {openTerminal} from './support/terminal.ts';

const kept = freshHome();
const contexts = savedContexts({env: {}, ...kept}) as Contexts;

/** A person with an empty home folder, whose shell this is. */
function person(shell: string, change: (home: string) => Record<string, string> = () => ({})) {
	const home = temporaryFolder();
	const env = {HOME: home, SHELL: shell, ...change(home)};
	return {home, env, install: async (...words: string[]): Promise<Outcome> => inProcess(contexts, kept, {env})(['completion', ...words])};
}

/** Every file in a folder, by its path there. */
const filesIn = (folder: string): string[] => readdirSync(folder, {recursive: true, withFileTypes: true}).filter(entry => !entry.isDirectory()).map(entry => path.relative(folder, path.join(entry.parentPath, entry.name))).sort();

const expected = {
	bash: ['.local/share/bash-completion/completions/colonies', '.local/share/bash-completion/completions/colonies-tui'],
	zsh: ['.local/share/zsh/site-functions/_colonies'],
	fish: ['.config/fish/completions/colonies-tui.fish', '.config/fish/completions/colonies.fish'],
};

for (const shell of ['bash', 'zsh', 'fish'] as const) {
	test(`the files of ${shell} are where it looks, can be replaced, and removed as is said`, async () => {
		const {home, install} = person(`/usr/bin/${shell}`);
		const first = await install('--install');
		assert.deepEqual([first.code, first.stdout], [0, '']);
		assert.deepEqual(filesIn(home), expected[shell]);
		for (const file of expected[shell]) {
			assert.ok(first.stderr.includes(`Wrote ${path.join(home, file)}\n`), first.stderr);
			assert.equal(lstatSync(path.join(home, file)).mode & 0o777, 0o644); // eslint-disable-line no-bitwise
		}

		// An older version of ours.
		const [file] = expected[shell];
		const now = readFileSync(path.join(home, file!), 'utf8');
		writeFileSync(path.join(home, file!), now.split('\n').slice(0, 2).join('\n'));
		for (const words of [['install'], ['--install'], ['--install', shell], [`--install=${shell}`], ['install', '--shell', shell]]) {
			assert.equal((await install(...words)).code, 0, words.join(' '));
		}

		assert.equal(readFileSync(path.join(home, file!), 'utf8'), now);
		execFileSync('sh', ['-c', /^To undo: (.+)$/m.exec(first.stderr)![1]!]);
		assert.deepEqual(filesIn(home), []);
	});

	test(`in ${shell} a file of somebody else is left alone, and so is everything beside it`, async () => {
		for (const file of expected[shell]) {
			for (const put of [(at: string) => {
				writeFileSync(at, '# my own\n');
			}, (at: string) => {
				mkdirSync(at);
			}, (at: string) => {
				symlinkSync('/nowhere/at/all', at);
			}]) {
				const {home, install} = person(shell);
				const at = path.join(home, file);
				mkdirSync(path.dirname(at), {recursive: true});
				put(at);
				const before = filesIn(home);
				const {code, stderr} = await install('install');
				assert.equal(code, 6, stderr);
				assert.ok(stderr.startsWith(`colonies: ${at} exists and was not written by this command; nothing was changed.\nMove it away`), stderr);
				assert.deepEqual(filesIn(home), before);
				assert.ok(!lstatSync(at).isFile() || readFileSync(at, 'utf8') === '# my own\n');
			}
		}
	});
}

test('folders of the environment are respected, relative ones are not, and a link stays one', async () => {
	for (const [shell, variable, file] of [['bash', 'XDG_DATA_HOME', 'bash-completion/completions/colonies'], ['bash', 'BASH_COMPLETION_USER_DIR', 'completions/colonies'], ['zsh', 'XDG_DATA_HOME', 'zsh/site-functions/_colonies'], ['fish', 'XDG_CONFIG_HOME', 'fish/completions/colonies.fish']] as const) {
		const own = temporaryFolder();
		const {home, install} = person(shell, () => ({[variable]: own}));
		assert.equal((await install('--install')).code, 0);
		assert.deepEqual(filesIn(home), []);
		assert.ok(existsSync(path.join(own, file)), file);

		const relative = person(shell, () => ({[variable]: 'some/where'}));
		assert.equal((await relative.install('--install')).code, 0);
		assert.deepEqual(filesIn(relative.home), expected[shell]);
	}

	const {home, install} = person('fish');
	const [link, target] = [path.join(home, expected.fish[1]!), path.join(home, 'dotfiles.fish')];
	await install('install');
	writeFileSync(target, readFileSync(link).subarray(0, 100));
	execFileSync('rm', [link]);
	symlinkSync(target, link);
	assert.equal((await install('install')).code, 0);
	assert.ok(lstatSync(link).isSymbolicLink());
	assert.ok(readFileSync(target, 'utf8').length > 1000);
});

test('a shell that there is none for is named, with what to do', async () => {
	for (const [shell, said] of [['/bin/tcsh', 'colonies: The variable SHELL is "/bin/tcsh", and there is no completion for that shell.'], ['', 'colonies: The variable SHELL is not set.']] as const) {
		const {code, stderr} = await person(shell).install('--install');
		assert.equal(code, 2);
		assert.equal(stderr, `${said}\nName a shell: colonies completion install --shell bash|zsh|fish\n`);
	}

	const {home, install} = person('bash');
	const {code, stderr} = await install('--install', 'tcsh');
	assert.equal(code, 2);
	assert.match(stderr, /--shell.*bash, zsh, fish/);
	writeInto(home, '.local', 'no folder');
	const blocked = await install('install');
	assert.equal(blocked.code, 2);
	assert.match(blocked.stderr, /cannot be written to: .+\nMake it writable for you/);
});

test('only `completion --install` is rewritten', () => {
	for (const argv of [[], ['completion'], ['completion', 'bash', '--install'], ['computer', '--install'], ['completion', '--installed'], ['computer', 'work', '--', 'completion', '--install']]) {
		assert.deepEqual(withInstall(argv), argv);
	}

	assert.deepEqual(withInstall(['completion', '--install', '--debug']), ['completion', 'install', '--debug']);
	assert.deepEqual(withInstall(['completion', '--install', 'zsh', '--debug']), ['completion', 'install', '--shell', 'zsh', '--debug']);
});

test('the lines for .zshrc are named until they stand there, and nobody writes them', async () => {
	const {home, install} = person('zsh');
	const said = async (): Promise<string[]> => (await install('install')).stderr.split('\n').filter(line => line.startsWith('  ')).map(line => line.trim());
	const both = ['fpath=(~/.local/share/zsh/site-functions $fpath)', 'autoload -Uz compinit && compinit'];
	assert.deepEqual(await said(), both);
	assert.ok(!existsSync(path.join(home, '.zshrc')));
	for (const [text, left] of [
		[`# ${both.join('\n# ')}\n`, both],
		['autoload -U compinit\ncompinit -i\n', [both[0]]],
		[`fpath+=("${home}/.local/share/zsh/site-functions")\n`, [both[1]]],
		['fpath+=$HOME/.local/share/zsh/site-functions\ncompinit\n', []],
		[`${both.join('\n')}\n`, []],
	] as const) {
		writeInto(home, '.zshrc', text);
		assert.deepEqual(await said(), left, text);
		assert.equal(readFileSync(path.join(home, '.zshrc'), 'utf8'), text);
	}
});

/** A folder with the program under both names: shells complete what they can run. */
const programs = temporaryFolder();
for (const name of ['colonies', 'colonies-tui']) {
	chmodSync(writeInto(programs, name, '#!/bin/sh\n'), 0o755);
}

const searched = `${programs}:${process.env.PATH}`;

/** What a person sees who presses tab in a new shell. */
async function tab(command: string[], env: Record<string, string>): Promise<void> {
	for (const name of ['colonies', 'colonies-tui']) {
		const terminal = openTerminal({command, columns: 100, env: {...env, PATH: searched}});
		try {
			await terminal.until('> ');
			terminal.type(`${name} keychain privat\t`);
			await terminal.until(`${name} keychain privatekey`);
			terminal.type('--i\t');
			await terminal.until(`${name} keychain privatekey --id`);
		} finally {
			await terminal.close();
		}
	}
}

const bashCompletion = '/usr/share/bash-completion/bash_completion';

function noBashCompletion(): string | false {
	if (existsSync(bashCompletion)) {
		return noShell('bash');
	}

	const reason = 'bash-completion is not installed.';
	if (process.env.CI === 'true') {
		throw new Error(reason);
	}

	console.error(`\n!!! ${reason} The test of its folder is SKIPPED.\n`);
	return reason;
}

test('a new bash completes both names after the install', {skip: noBashCompletion()}, async () => {
	const {home, env, install} = person('bash');
	await install('--install');
	await tab(['bash', '--rcfile', writeInto(home, 'rc', `PS1='> '\n. ${bashCompletion}\n`), '-i'], env);
});

test('a new bash without bash-completion does so with the line that is said', {skip: noShell('bash')}, async () => {
	const {home, env, install} = person('bash');
	const {stderr} = await install('--install');
	await tab(['bash', '--rcfile', writeInto(home, 'rc', `PS1='> '\n${/^ {2}(\. .+)$/m.exec(stderr)![1]}\n`), '-i'], env);
});

test('a new zsh completes both names with the lines that are said', {skip: noShell('zsh')}, async () => {
	const {home, env, install} = person('zsh', home => ({ZDOTDIR: home, XDG_DATA_HOME: path.join(home, 'of $mine')}));
	const {stderr} = await install('--install');
	const lines = stderr.split('\n').filter(line => line.startsWith('  '));
	assert.equal(lines.length, 2);
	writeInto(home, '.zshrc', `PROMPT='> '\n${lines.join('\n')}\n`);
	await tab(['zsh', '-d', '-i'], env);
});

test('a new fish completes both names after the install', {skip: noShell('fish')}, async () => {
	const {env, install} = person('fish');
	await install('--install');
	for (const name of ['colonies', 'colonies-tui']) {
		const offers = execFileSync('fish', ['-c', `complete -C '${name} keychain privat'`], {encoding: 'utf8', env: {...env, PATH: searched}});
		assert.match(offers, /^privatekey\t/);
	}
});
