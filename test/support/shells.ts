import {execFileSync, spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, rmSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {temporaryFolder, writeInto} from './commands.ts';
import {openTerminal} from './terminal.ts';

export type Shell = 'bash' | 'zsh' | 'fish';

/** For `{skip: noShell(shell)}`: false, or why tests in it cannot run. That is said aloud; with CI=true it is a failure. */
export function noShell(shell: Shell): string | false {
	if (spawnSync(shell, ['--version']).status === 0) {
		return false;
	}

	const reason = `${shell} is not installed.`;
	if (process.env.CI === 'true') {
		throw new Error(reason);
	}

	console.error(`\n!!! ${reason} The tests of its completion are SKIPPED.\n`);
	return reason;
}

type Setting = {
	/** The file of the completion script. */
	script: string;
	/** The folder that the shell works in and finds programs in first. */
	folder: string;
};

export type Offer = {word: string; /** What the shell shows beside the word. */ description?: string};

const separator = '--- next line ---';

const answersOf = (text: string): string[][] => text.split(`${separator}\n`).slice(0, -1).map(answer => answer.split('\n').filter(line => line !== ''));

const environment = (folder: string): NodeJS.ProcessEnv => ({...process.env, PATH: `${folder}:${process.env.PATH}`, HOME: temporaryFolder()});

/** Bash's function is called as bash does, which cuts words at the equals sign; what it offers is read as words again. */
function bashOffers(lines: readonly string[], {script, folder}: Setting): Offer[][] {
	const calls = lines.map(line => {
		const words = line.split(/ |(=)/).filter(word => word !== undefined && !(word === '' && line.endsWith('=')));
		return `COMP_WORDS=(${words.map(word => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _colonies; for each in "\${COMPREPLY[@]}"; do eval "printf '%s\\n' $each"; done; echo '${separator}'`;
	});
	return answersOf(execFileSync('bash', ['--norc', '-c', `source '${script}'\n${calls.join('\n')}`], {encoding: 'utf8', cwd: folder, env: environment(folder)})).map(words => words.map(word => ({word})));
}

const fishProgram = (script: string, questions: string): string => `source '${script}'
while read -l line
	complete -C "$line"
	echo '${separator}'
end < '${questions}'
`;

function fishOffers(lines: readonly string[], {script, folder}: Setting): Offer[][] {
	const own = temporaryFolder();
	const program = writeInto(own, 'ask.fish', fishProgram(script, writeInto(own, 'lines', `${lines.join('\n')}\n`)));
	return answersOf(execFileSync('fish', ['--no-config', program], {encoding: 'utf8', cwd: folder, env: environment(folder)})).map(answer => answer.map(line => {
		const [word, description] = line.split('\t');
		return {word: word!, description};
	}));
}

/** A zsh that completes line after line as for a person who presses tab, except that it puts in every match in place of a menu. What it wrote is read as words again. */
const zshStart = ({script, questions, answers}: {script: string; questions: string; answers: string}): string => `
source '${script}'
insert_every() { compstate[insert]=all; compstate[list]= }
every() { comppostfuncs=(insert_every); _main_complete _complete }
zle -C every complete-word every
zle-line-init() {
	local line
	while IFS= read -r line; do
		BUFFER=$line
		CURSOR=$#BUFFER
		zle every
		print -rl -- "\${(@Q)\${(z)BUFFER}}" '${separator}' >> '${answers}'
	done < '${questions}'
	exit
}
zle -N zle-line-init
`;

async function zshOffers(lines: readonly string[], {script, folder}: Setting): Promise<Offer[][]> {
	const own = temporaryFolder();
	const answers = path.join(own, 'answers');
	writeInto(own, '.zshrc', zshStart({script, questions: writeInto(own, 'lines', `${lines.join('\n')}\n`), answers}));
	const terminal = openTerminal({command: ['zsh', '-d', '-i'], cwd: folder, columns: 200, env: {...environment(folder), ZDOTDIR: own}});
	await terminal.exit();
	await terminal.close();
	if (!existsSync(answers)) {
		throw new Error(`zsh answered nothing:\n${terminal.raw()}`);
	}

	// What was typed comes first, without the word that was being completed.
	return answersOf(readFileSync(answers, 'utf8')).map((words, index) => words.slice(lines[index]!.split(' ').length - 1).map(word => ({word})));
}

/** What a shell offers for each line, whose last word is being typed. */
export async function offersOf(shell: Shell, lines: readonly string[], setting: Setting): Promise<Offer[][]> {
	return {bash: bashOffers, zsh: zshOffers, fish: fishOffers}[shell](lines, setting);
}
