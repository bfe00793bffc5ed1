import type {Difference} from '../../core/differences.ts';
import {shortId, visible} from '../../core/text.ts';
import type {Ask} from '../answers.ts';
import {answerIn} from '../asking.ts';
import type {Overlay, State} from '../state.ts';
import {bold, danger, dim} from '../terminal/style.ts';
import {fit, padAnsi} from '../terminal/width.ts';
import {page} from '../views/page.ts';
import {wrap, wrapText, wrapWords} from '../views/wrap.ts';

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

function side(value: string | null, width: number): string[] {
	const lines = wrapText(shown(value).slice(0, width * (most + 1)), width);
	return lines.length > most ? [...lines.slice(0, most - 1), '…'] : lines;
}

function rowLines({name, value, other}: Difference, width: number): string[] {
	const label = Math.min(18, Math.floor(width / 4));
	const room = Math.max(8, Math.floor((width - label - 4) / 2));
	const [names, mine, theirs] = [wrap(visible(name), label), side(name === 'processid' && value ? shortId(value) : value, room), side(name === 'processid' && other ? shortId(other) : other, room)];
	return Array.from({length: Math.max(names.length, mine.length, theirs.length)}, (_, index) => `  ${padAnsi(dim(fit(names[index] ?? '', label)), label)} ${fit(mine[index] ?? '', room)} ${fit(theirs[index] ?? '', room)}`);
}

/** What differs, part by part: the open process at the left, the successful one at the right. */
export function differenceLines({id}: DifferenceOverlay, state: State, width: number): string[] {
	const {result, error} = answerIn(state, slot, id, 'process.compare');
	if (!result) {
		return error ? [danger(visible(error.message)), ...wrapWords(visible(error.hint ?? ''), width)] : ['Comparing …'];
	}

	const lines: string[] = [];
	for (const [index, difference] of result.entries()) {
		if (difference.part !== result[index - 1]?.part) {
			lines.push(...(index === 0 ? [] : ['']), bold(headings[difference.part]));
		}

		lines.push(...rowLines(difference, width));
	}

	return result.some(({part}) => part !== 'process' && part !== 'times') ? lines : [...lines, '', dim('Nothing differs in what was asked, what went in, where it ran and what came out.')];
}

/** The comparison over the whole body. */
export function differencePage(overlay: DifferenceOverlay, state: State): string[] {
	return page(`${overlay.id.slice(0, 8)} beside the last success of its type`, differenceLines(overlay, state, state.columns - 4), overlay.scroll, state);
}
