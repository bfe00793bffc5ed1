import {limits} from '../../core/limits.ts';
import {printable, visible} from '../../core/text.ts';
import type {Chord} from './keys.ts';
import {inverse} from './style.ts';
import {
	graphemesOf, graphemeWidth, isPlainCells, segmenter,
} from './width.ts';

/** A text and the place of the cursor in it, in UTF-16 units, always between two graphemes. */
export type EditState = {
	readonly text: string;
	readonly cursor: number;
	/** Where the last key or paste did not fit whole: how many characters the field takes. */
	readonly full?: number;
};

export const emptyText: EditState = {text: '', cursor: 0};

/** A text with the cursor at its end. */
export const textOf = (text: string): EditState => ({text, cursor: text.length});

/** Longest text that a field takes, in UTF-16 units. `word`: a name, a count, a moment. `long`: JSON that goes into a process. */
export const textLimits = {word: 500, filter: 4096, secret: limits.secret, long: 64 * 1024} as const;

/** What is said where a text did not fit into its field; undefined where it did. */
export const fullText = ({full}: EditState): string | undefined => full === undefined ? undefined : `This field takes ${full.toLocaleString('en-US')} characters; what did not fit was left out.`;

/** The last boundary between graphemes before `index`. */
function previous(text: string, index: number): number {
	return index <= 0 ? 0 : segmenter.segment(text).containing(index - 1)!.index;
}

/** The next boundary between graphemes after `index`. */
function next(text: string, index: number): number {
	const found = segmenter.segment(text).containing(index);
	return found ? found.index + found.segment.length : text.length;
}

/** The boundary at `index`, or the next one where a joined character lies across it. */
function snap(text: string, index: number): number {
	const found = segmenter.segment(text).containing(index);
	return !found || found.index === index ? index : found.index + found.segment.length;
}

/** The boundary at `index`, or the one before where a joined character lies across it. */
const floor = (text: string, index: number): number => index <= 0 ? 0 : segmenter.segment(text).containing(index)?.index ?? text.length;

/** One line of text that a person may enter: newlines and tabs become spaces, what is not printable goes. */
const oneLine = (text: string): string => printable(text.replaceAll(/[\n\r\t]+/g, ' '));

function insert({text, cursor}: EditState, added: string, limit: number): EditState {
	const line = oneLine(added);
	const entered = line.slice(0, floor(line, Math.max(0, limit - text.length)));
	const joined = text.slice(0, cursor) + entered + text.slice(cursor);
	return {text: joined, cursor: snap(joined, cursor + entered.length), ...(entered.length < line.length ? {full: limit} : {})};
}

function remove({text}: EditState, from: number, to: number): EditState {
	const left = text.slice(0, from) + text.slice(to);
	return {text: left, cursor: snap(left, from)};
}

/** Where the word before the cursor begins. */
function wordStart({text, cursor}: EditState): number {
	const word = /\S*\s*$/u.exec(text.slice(0, cursor))!;
	return floor(text, word.index);
}

/** Where the word after the cursor ends. */
function wordEnd({text, cursor}: EditState): number {
	return snap(text, cursor + /^\s*\S*/u.exec(text.slice(cursor))![0].length);
}

const move = ({text}: EditState, cursor: number): EditState => ({text, cursor});

const actions: Record<string, (state: EditState) => EditState> = {
	backspace: state => remove(state, previous(state.text, state.cursor), state.cursor),
	delete: state => remove(state, state.cursor, next(state.text, state.cursor)),
	left: state => move(state, previous(state.text, state.cursor)),
	right: state => move(state, next(state.text, state.cursor)),
	home: state => move(state, 0),
	end: state => move(state, state.text.length),
	'ctrl-left': state => move(state, wordStart(state)),
	'ctrl-right': state => move(state, wordEnd(state)),
	'ctrl-w': state => remove(state, wordStart(state), state.cursor),
	'ctrl-u': state => remove(state, 0, state.cursor),
	'ctrl-k': state => remove(state, state.cursor, state.text.length),
};

const synonyms: Record<string, string> = {
	'ctrl-a': 'home', 'ctrl-e': 'end', 'ctrl-b': 'left', 'ctrl-f': 'right', 'ctrl-d': 'delete', 'alt-backspace': 'ctrl-w', 'alt-b': 'ctrl-left', 'alt-f': 'ctrl-right',
};

/** Whether a text field takes this key for itself. */
export const isEditKey = ({key, text}: Chord): boolean => text !== undefined || (synonyms[key] ?? key) in actions;

/**
The text after a key press, or a paste; what does not fit into `limit` is left out, and the state says so. Keys that a field has no use for leave the state as it is, the very object.
A grapheme is never split.
*/
export function editText(state: EditState, {key, text}: Chord, limit: number = textLimits.long): EditState {
	const after = text === undefined ? actions[synonyms[key] ?? key]?.(state) ?? state : insert(state, text, limit);
	return after.text === state.text && after.cursor === state.cursor && after.full === state.full ? state : after;
}

export type FieldOptions = {
	/** Cells. */
	width: number;
	/** Shown instead of every character, for secrets. */
	mask?: string | undefined;
	/** Whether the cursor is drawn. */
	focused?: boolean;
};

/**
The part of the text around the cursor, in exactly `width` cells, with the cursor as an inverse cell. It scrolls by half a field, so that it stands still while one types.
*/
export function drawField({text, cursor}: EditState, {width, mask, focused = true}: FieldOptions): string {
	const draw = (grapheme: string): string => mask ?? visibleCell(grapheme);
	const before = text.slice(0, cursor);
	const at = text.slice(cursor, next(text, cursor));
	const under = at === '' ? ' ' : draw(at);
	const beyond = cellsOf(before, draw) + graphemeWidth(under) - width;
	const step = Math.max(1, Math.floor(width / 2));
	const start = beyond > 0 ? Math.ceil(beyond / step) * step : 0;
	let column = 0;
	let drawn = '';
	let used = 0;
	const put = (cell: string, style: (text: string) => string): void => {
		const from = column - start;
		column += graphemeWidth(cell);
		const to = column - start;
		if (from >= 0 && to <= width) {
			drawn += style(cell);
			used = to;
			return;
		}

		// A wide character across an edge leaves its half blank.
		const half = Math.min(Math.max(0, to), width) - used;
		if (half > 0) {
			drawn += ' '.repeat(half);
			used += half;
		}
	};

	for (const grapheme of graphemesOf(before)) {
		put(draw(grapheme), plain);
	}

	put(under, focused ? inverse : plain);
	for (const grapheme of graphemesOf(text.slice(cursor + at.length))) {
		if (column - start >= width) {
			break;
		}

		put(draw(grapheme), plain);
	}

	return drawn + ' '.repeat(Math.max(0, width - used));
}

const plain = (text: string): string => text;

/** Cells of a text as it is drawn. */
function cellsOf(text: string, draw: (grapheme: string) => string): number {
	let cells = 0;
	for (const grapheme of graphemesOf(text)) {
		cells += graphemeWidth(draw(grapheme));
	}

	return cells;
}

/** A grapheme as it is drawn: never nothing, so that the cursor can stand on it. */
const visibleCell = (grapheme: string): string => isPlainCells(grapheme) ? grapheme : `${visible(grapheme)}${graphemeWidth(grapheme) === 0 ? ' ' : ''}`;
