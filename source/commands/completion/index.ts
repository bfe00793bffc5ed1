import {choice, optional} from '../../operations/fields.ts';
import {type CommandEntry, defineCommand} from '../command.ts';
import {print, say} from '../output.ts';
import {bashCompletion} from './bash.ts';
import {fishCompletion} from './fish.ts';
import {
	nextSteps, scriptsOf, shellNames, shellOf, writeScripts,
} from './install.ts';
import {zshCompletion} from './zsh.ts';

const shells = {
	bash: {script: bashCompletion, install: 'source <(colonies completion bash)'},
	zsh: {script: zshCompletion, install: 'source <(colonies completion zsh)'},
	fish: {script: fishCompletion, install: 'colonies completion fish | source'},
};

const installCommand = (all: () => readonly CommandEntry[]): CommandEntry => defineCommand({
	words: ['completion', 'install'],
	summary: 'Install the completion script where the shell looks for it; `completion --install [SHELL]` is short for it.',
	flags: {shell: optional(choice('Shell', 'Which shell; that of the variable SHELL unless given', shellNames))},
	async run({world, flags}) {
		const shell = flags.shell ?? shellOf(world.env);
		const scripts = scriptsOf(shell, world.env, shells[shell].script(all()));
		writeScripts(scripts);
		for (const {file} of scripts) {
			await say(world, `Wrote ${file}`); // eslint-disable-line no-await-in-loop
		}

		for (const line of nextSteps(shell, world.env, scripts)) {
			await say(world, line); // eslint-disable-line no-await-in-loop
		}
	},
});

/** One command that installs, and one for each shell that prints. `all`: every command of the program, these included. */
export const completionCommands = (all: () => readonly CommandEntry[]): readonly CommandEntry[] => [installCommand(all), ...Object.entries(shells).map(([shell, {script, install}]) => defineCommand({
	words: ['completion', shell],
	summary: `Print the completion script for ${shell}: \`${install}\`.`,
	flags: {},
	async run({world}) {
		await print(world, script(all()));
	},
}))];
