import type {Difference} from '../../core/differences.ts';
import {shortId, visible} from '../../core/text.ts';
import type {Ask} from '../answers.ts';
import {answerIn} from '../asking.ts';
import type {Overlay, State} from '../state.ts';
import {bold, danger, dim} from '../terminal/style.ts';
import {fit, padAnsi, withoutStyle} from '../terminal/width.ts';
import {type Cell, type Row, rowsOf} from '../views/rows.ts';
import {
	cellPieces, type Piece, textPieces, wordPieces,
} from '../views/wrap.ts';

type DifferenceOverlay = Extract<Overlay, {kind: 'difference'}>;

const slot = 'difference';

/** Asks what differs between an open process and the last successful one of its type. */
export const askDifference = ({id}: DifferenceOverlay, {colony}: State): readonly Ask[] => [
	{slot, key: id, operation: 'process.compare', input: {colonyid: colony!.colonyid, processid: id}, topics: ['processes'], every: 10_000},
];

const headings: Record<Difference['part'], string> = {process: 'Process', spec: 'What it asks', in: 'In', computer: 'Computer', times: 'Times', out: 'Out', err: 'Err'};

/** Lines of one value at most; the commands print all of it. */
const most = 8;

const none = '(none)';

const shown = (value: string | null): string => value === null ? none : (value === '' ? '(empty)' : value);

function side(value: string | null, width: number): Piece[] {
	const lines = textPieces(shown(value).slice(0, width * (most + 1)), width);
	return lines.length > most ? [...lines.slice(0, most - 1), {text: '…', indent: 0}] : lines;
}

/** A row of columns, each a text of its own; the first one names them. */
function besideEachOther(pieces: ReadonlyArray<Piece | undefined>, widths: readonly number[]): Row {
	const cells: Cell[] = [];
	let drawn = '  ';
	for (const [column, piece = {text: '', indent: 0}] of pieces.entries()) {
		const [from, {text, indent, joint}] = [withoutStyle(drawn).length, piece];
		cells.push({from: from + (joint === undefined ? 0 : indent), to: from + text.length, joint});
		const fitted = fit(text, widths[column]!);
		drawn += `${column === 0 ? padAnsi(dim(fitted), widths[0]!) : fitted}${column === pieces.length - 1 ? '' : ' '}`;
	}

	return {drawn, cells};
}

function rowLines({name, value, other}: Difference, width: number): Row[] {
	const label = Math.min(18, Math.floor(width / 4));
	const room = Math.max(8, Math.floor((width - label - 4) / 2));
	const columns = [cellPieces(visible(name), label), side(name === 'processid' && value ? shortId(value) : value, room), side(name === 'processid' && other ? shortId(other) : other, room)];
	return Array.from({length: Math.max(...columns.map(({length}) => length))}, (_, index) => besideEachOther(columns.map(pieces => pieces[index]), [label, room, room]));
}

/** What differs, part by part: the open process at the left, the successful one at the right. */
export function differenceLines({id}: DifferenceOverlay, state: State): Row[] {
	const width = state.columns - 4;
	const {result, error} = answerIn(state, slot, id, 'process.compare');
	if (!result) {
		return error ? [...rowsOf(wordPieces(visible(error.message), width), {style: danger}), ...rowsOf(wordPieces(visible(error.hint ?? ''), width))] : ['Comparing …'];
	}

	const lines: Row[] = [];
	for (const [index, difference] of result.entries()) {
		if (difference.part !== result[index - 1]?.part) {
			lines.push(...(index === 0 ? [] : ['']), bold(headings[difference.part]));
		}

		lines.push(...rowLines(difference, width));
	}

	return result.some(({part}) => part !== 'process' && part !== 'times') ? lines : [...lines, '', ...rowsOf(wordPieces('Nothing differs in what was asked, what went in, where it ran and what came out.', width), {style: dim})];
}

export const differenceTitle = ({id}: DifferenceOverlay): string => `${id.slice(0, 8)} beside the last success of its type`;
