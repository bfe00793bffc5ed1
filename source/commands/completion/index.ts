import {type CommandEntry, defineCommand} from '../command.ts';
import {print} from '../output.ts';
import {bashCompletion} from './bash.ts';
import {fishCompletion} from './fish.ts';
import {zshCompletion} from './zsh.ts';

const shells = {
	bash: {script: bashCompletion, install: 'source <(colonies completion bash)'},
	zsh: {script: zshCompletion, install: 'source <(colonies completion zsh)'},
	fish: {script: fishCompletion, install: 'colonies completion fish | source'},
};

/** One command for each shell. `all`: every command of the program, these included. */
export const completionCommands = (all: () => readonly CommandEntry[]): readonly CommandEntry[] => Object.entries(shells).map(([shell, {script, install}]) => defineCommand({
	words: ['completion', shell],
	summary: `Print the completion script for ${shell}: \`${install}\`.`,
	flags: {},
	async run({world}) {
		await print(world, script(all()));
	},
}));
