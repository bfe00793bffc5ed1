import {visible} from '../../core/text.ts';
import {layoutOf} from '../layout.ts';
import type {Overlay, State} from '../state.ts';
import {bold, dim} from '../terminal/style.ts';
import {fitAnsi} from '../terminal/width.ts';
import {wrap, wrapWords} from '../views/wrap.ts';

type CommandLine = Extract<Overlay, {kind: 'command-line'}>;

/** All rows of the page. The lines stand at the left edge and run over its whole width, so that they can be marked with a mouse. */
export function commandLineRows({lines}: CommandLine, {columns}: State): string[] {
	return [
		...lines.flatMap(({about, text}) => [bold(visible(about)), ...wrap(visible(text), columns), '']),
		...wrapWords('For a POSIX shell; c copies it. Passwords are asked for when it runs, and values of secret keys are ***.', columns).map(line => dim(line)),
	];
}

export function commandLinePage(overlay: CommandLine, state: State): string[] {
	const {body} = layoutOf(state);
	const rows = commandLineRows(overlay, state).slice(overlay.scroll, overlay.scroll + body);
	return Array.from({length: body}, (_, index) => fitAnsi(rows[index] ?? '', state.columns));
}
