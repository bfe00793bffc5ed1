import {visible} from '../../core/text.ts';
import {layoutOf} from '../layout.ts';
import type {Overlay, State} from '../state.ts';
import {bold, dim} from '../terminal/style.ts';
import {fitAnsi} from '../terminal/width.ts';
import {type Row, rowsOf} from '../views/rows.ts';
import {cellPieces, wordPieces} from '../views/wrap.ts';

type CommandLine = Extract<Overlay, {kind: 'command-line'}>;

/** All rows of the page. The lines stand at the left edge and run over its whole width, so that they can be marked with a mouse. */
export function commandLineRows({lines}: CommandLine, {columns}: State): Row[] {
	return [
		...lines.flatMap(({about, text}) => [bold(visible(about)), ...rowsOf(cellPieces(visible(text), columns)), '']),
		...rowsOf(wordPieces('For a POSIX shell; c copies it. Passwords are asked for when it runs, and values of secret keys are ***.', columns), {style: dim}),
	];
}

export function commandLinePage({scroll}: CommandLine, state: State, lines: readonly string[]): string[] {
	const {body} = layoutOf(state);
	return Array.from({length: body}, (_, index) => fitAnsi(lines[scroll + index] ?? '', state.columns));
}
