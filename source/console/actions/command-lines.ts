import {toColoniesError} from '../../core/errors.ts';
import {type CommandLine, commandLinesOf} from '../command-lines.ts';
import {resultText} from '../overlays/result.ts';
import {closeTop, over} from '../stack.ts';
import type {State, Step} from '../state.ts';
import {textOf} from '../terminal/text-edit.ts';
import {type Action, quiet, say} from './action.ts';

/** Shows the command that does what is in sight, or what is asked about. */
export function showCommandLine(state: State): Step {
	if (state.overlays.at(-1)?.kind === 'command-line') {
		return quiet(closeTop(state));
	}

	let lines: CommandLine[];
	try {
		lines = commandLinesOf(state);
	} catch (error) {
		// A filter with a fault in it shows nothing either.
		return quiet(say(state, `There is no command for this: ${toColoniesError(error).message}`));
	}

	return quiet(lines.length === 0 ? say(state, 'No command shows this: choose a colony first (4).') : over(state, {kind: 'command-line', lines, scroll: 0}));
}

/** The command line that does the same. */
export const commandLines: Record<string, Action> = {
	'command-line': showCommandLine,
	palette: state => [over(state, {kind: 'palette', edit: textOf(''), cursor: 0}), [{type: 'list-contexts'}]],
	'copy-result'(state) {
		const top = state.overlays.at(-1);
		const text = top?.kind === 'result' ? resultText(top, state) : undefined;
		return text === undefined ? quiet(say(state, 'It is still loading.')) : [state, [{type: 'copy', text, what: 'the JSON'}]];
	},
	'copy-command-line'(state) {
		const top = state.overlays.at(-1);
		return top?.kind === 'command-line' ? [state, [{type: 'copy', text: top.lines.map(({text}) => text).join('\n'), what: 'the command line'}]] : quiet(state);
	},
};
