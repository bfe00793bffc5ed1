import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {type ColoniesError, Conflict, InvalidInput} from '../../core/errors.ts';
import {quoted} from '../../core/text.ts';
import {fileError, systemCode} from '../../keychain/index.ts';
import {shellWord, singleQuoted} from './quoting.ts';

export const shellNames = ['bash', 'zsh', 'fish'] as const;
export type ShellName = (typeof shellNames)[number];

/** What every file of ours has in it, in its first lines. Files without it are left alone. */
const marker = '# Written by `colonies completion install`, which replaces this file.';

type Environment = Readonly<Record<string, string | undefined>>;

/** A file to write. */
type Script = {file: string; text: string};

/** The shell of the caller. @throws InvalidInput where SHELL names none of those that there are completions for */
export function shellOf({SHELL = ''}: Environment): ShellName {
	const name = path.basename(SHELL);
	const found = shellNames.find(each => each === name);
	if (found === undefined) {
		throw new InvalidInput(SHELL === '' ? 'The variable SHELL is not set.' : `The variable SHELL is ${quoted(SHELL)}, and there is no completion for that shell.`, {hint: `Name a shell: colonies completion install --shell ${shellNames.join('|')}`});
	}

	return found;
}

/** The home folder. @throws InvalidInput where the user has none */
function homeOf({HOME = ''}: Environment): string {
	try {
		return HOME === '' ? os.homedir() : HOME;
	} catch (error) {
		throw new InvalidInput('This user has no home folder.', {hint: 'Set HOME, or print the script and put it where the shell looks: colonies completion SHELL', cause: error});
	}
}

/** A base folder of the XDG specification, which says to ignore a relative path. */
const baseFolder = (env: Environment, variable: string, ...otherwise: string[]): string => path.isAbsolute(env[variable] ?? '') ? env[variable]! : path.join(homeOf(env), ...otherwise);

const dataFolder = (env: Environment): string => baseFolder(env, 'XDG_DATA_HOME', '.local', 'share');

/** The folder where each shell looks by itself, or, for zsh, where `fpath` is to point. */
export const folderOf: Readonly<Record<ShellName, (env: Environment) => string>> = {
	// Newer versions take several, separated by colons.
	bash: env => path.join(env.BASH_COMPLETION_USER_DIR?.split(':').find(folder => path.isAbsolute(folder)) ?? path.join(dataFolder(env), 'bash-completion'), 'completions'),
	zsh: env => path.join(dataFolder(env), 'zsh', 'site-functions'),
	fish: env => path.join(baseFolder(env, 'XDG_CONFIG_HOME', '.config'), 'fish', 'completions'),
};

/** The files of a shell, for both names of the program. Bash and fish look for a file by the name of the command. */
export function scriptsOf(shell: ShellName, env: Environment, script: string): Script[] {
	const folder = folderOf[shell](env);
	const inFolder = (name: string): string => path.join(folder, name);
	switch (shell) {
		case 'bash': {
			return [
				{file: inFolder('colonies'), text: `${marker}\n${script}`},
				{file: inFolder('colonies-tui'), text: `${marker}\n. "\${BASH_SOURCE[0]%/*}/colonies"\n`},
			];
		}

		case 'zsh': {
			// The line #compdef, which names both, has to be the first.
			return [{file: inFolder('_colonies'), text: script.replace('\n', `\n${marker}\n`)}];
		}

		case 'fish': {
			return [
				{file: inFolder('colonies.fish'), text: `${marker}\n${script}`},
				{file: inFolder('colonies-tui.fish'), text: `${marker}\ncomplete -c colonies-tui -w colonies\n`},
			];
		}
	}
}

/** What a failed write means. The hint of the keychain's files does not fit here. */
function unwritable(file: string, error: unknown): ColoniesError {
	const failure = fileError(file, error);
	return failure.code === 'invalid-input' ? new InvalidInput(failure.message, {hint: 'Make it writable for you, or print the script and put it elsewhere: colonies completion SHELL', cause: error}) : failure;
}

/** Whether a file is one of ours; undefined where there is none. @throws InvalidInput where that cannot be read */
function isOurs(file: string): boolean | undefined {
	try {
		return fs.lstatSync(file, {throwIfNoEntry: false}) === undefined ? undefined : fs.readFileSync(file, 'utf8').split('\n', 3).includes(marker);
	} catch (error) {
		// A folder, or a link to nothing.
		if (systemCode(error) === 'EISDIR' || systemCode(error) === 'ENOENT') {
			return false;
		}

		throw unwritable(file, error);
	}
}

/** Writes a file whole or not at all: beside it first, then under its name. A link stays a link. */
function replace({file, text}: Script): void {
	const target = fs.existsSync(file) ? fs.realpathSync(file) : file;
	const beside = `${target}.${process.pid}.new`;
	try {
		fs.writeFileSync(beside, text, {flag: 'wx', mode: 0o644});
		fs.renameSync(beside, target);
	} catch (error) {
		fs.rmSync(beside, {force: true});
		throw error;
	}
}

/** Writes scripts over files that there are none of, or that are ours. @throws Conflict, InvalidInput; nothing is written where one of them is somebody else's */
export function writeScripts(scripts: readonly Script[]): void {
	const foreign = scripts.find(({file}) => isOurs(file) === false)?.file;
	if (foreign !== undefined) {
		throw new Conflict(`${foreign} exists and was not written by this command; nothing was changed.`, {hint: 'Move it away and try again, or print the script and put it elsewhere: colonies completion SHELL'});
	}

	for (const script of scripts) {
		try {
			fs.mkdirSync(path.dirname(script.file), {recursive: true});
			replace(script);
		} catch (error) {
			throw unwritable(script.file, error);
		}
	}
}

/** A path as a person writes it for a shell, from the home folder. */
function fromHome(folder: string, env: Environment): string {
	const home = homeOf(env);
	return folder.startsWith(`${home}/`) ? `~/${folder.slice(home.length + 1).split('/').map(part => shellWord(part)).join('/')}` : shellWord(folder);
}

/** The lines that zsh still needs in its .zshrc, which is read and never written. */
function zshLines(env: Environment): {file: string; lines: string[]} {
	const folder = folderOf.zsh(env);
	const file = path.join(path.isAbsolute(env.ZDOTDIR ?? '') ? env.ZDOTDIR! : homeOf(env), '.zshrc');
	let text = '';
	try {
		text = fs.readFileSync(file, 'utf8');
	} catch {
		// Then nothing stands in it that is known here.
	}

	const home = homeOf(env);
	const inside = folder.startsWith(`${home}/`) ? folder.slice(home.length) : undefined;
	const spellings = [folder, ...(inside === undefined ? [] : [`~${inside}`, `$HOME${inside}`, `\${HOME}${inside}`])];
	const said = text.split('\n').filter(line => !line.trimStart().startsWith('#'));
	return {file, lines: [
		...(said.some(line => /fpath/i.test(line) && spellings.some(each => line.includes(each))) ? [] : [`fpath=(${fromHome(folder, env)} $fpath)`]),
		...(said.some(line => /\bcompinit\b/.test(line)) ? [] : ['autoload -Uz compinit && compinit']),
	]};
}

/** What is left to do once the files are there, in lines. */
export function nextSteps(shell: ShellName, env: Environment, scripts: readonly Script[]): string[] {
	const undo = `To undo: rm ${scripts.map(({file}) => singleQuoted(file)).join(' ')}`;
	switch (shell) {
		case 'bash': {
			return ['New shells load it through bash-completion. Without that package, add this line to ~/.bashrc:', `  . ${singleQuoted(scripts[0]!.file)}`, undo];
		}

		case 'zsh': {
			const {file, lines} = zshLines(env);
			const isFirst = lines[0]?.startsWith('fpath') === true && lines.length === 1;
			return [
				...(lines.length === 0 ? ['New shells load it.'] : [`Add ${lines.length === 1 ? 'this line' : 'these lines'} to ${file}${isFirst ? ', before compinit runs' : ''}:`, ...lines.map(line => `  ${line}`)]),
				undo,
			];
		}

		case 'fish': {
			return ['New shells load it.', undo];
		}
	}
}

/** `completion --install [SHELL]`, with or without an equals sign, as the command that it stands for: `completion install [--shell SHELL]`. Any other command line stays as it is. */
export function withInstall(argv: readonly string[]): readonly string[] {
	const [noun, flag = '', next, ...rest] = argv;
	if (noun !== 'completion' || !/^--install(?:=|$)/.test(flag)) {
		return argv;
	}

	const command = ['completion', 'install'];
	if (flag.includes('=')) {
		return [...command, `--shell${flag.slice('--install'.length)}`, ...argv.slice(2)];
	}

	return next === undefined || next.startsWith('-') ? [...command, ...argv.slice(2)] : [...command, '--shell', next, ...rest];
}
