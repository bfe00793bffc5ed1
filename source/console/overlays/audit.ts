import {plural, visible} from '../../core/text.ts';
import {formatClock, formatTime, milliseconds} from '../../core/time.ts';
import {presentSentence, type ResultOf} from '../../operations/index.ts';
import {answerIn} from '../asking.ts';
import type {Ask} from '../answers.ts';
import {
	change, headSlot, object, who,
} from '../screens/audit.ts';
import {type Overlay, type State, storeNow} from '../state.ts';
import {bold, danger, dim, success} from '../terminal/style.ts';
import {fit} from '../terminal/width.ts';
import {
	comparisonOf, nextComparison, presentSlot, type Verdict, verdictOf, verifyKey, verifySlot,
} from '../verification.ts';
import {type Row, rowsOf} from '../views/rows.ts';
import {cellPieces, textPieces, wordPieces} from '../views/wrap.ts';

type EntryOverlay = Extract<Overlay, {kind: 'entry'}>;
type VerifyOverlay = Extract<Overlay, {kind: 'verify'}>;
type Entry = ResultOf<'audit.get'>;

const entrySlot = 'audit-entry';
/** Milliseconds after which what is not sealed is late: a seal is made every second, and told of every five. */
const lateness = 10_000;

/** Asks for the change that is open. It never changes; only its seal comes. */
export const askEntry = ({id}: EntryOverlay, {colony}: State): readonly Ask[] => [{slot: entrySlot, key: id, operation: 'audit.get', input: {colonyid: colony!.colonyid, entry: id}, every: 10_000}];

const pairs = (rows: ReadonlyArray<readonly [label: string, text: string]>, width: number): Row[] =>
	rows.flatMap(([label, text]) => rowsOf(cellPieces(visible(text), Math.max(8, width - 10)), {first: `${dim(fit(label, 8))}  `}));

/** JSON over lines, or the text itself where it is none. */
function jsonLines(value: unknown, width: number): Row[] {
	return rowsOf(textPieces(JSON.stringify(value, undefined, 2), width));
}

/** What was signed: the operation with its input, or over the wire the signature base and the body. */
function requestLines(request: string, width: number): Row[] {
	try {
		const parsed = JSON.parse(request) as {base?: string; body?: string};
		return typeof parsed.base === 'string'
			? [...parsed.base.split('\n').flatMap(line => rowsOf(cellPieces(visible(line), width))), ...(parsed.body === undefined ? [] : ['', ...jsonLines(JSON.parse(parsed.body), width)])]
			: jsonLines(parsed, width);
	} catch {
		return rowsOf(cellPieces(visible(request), width));
	}
}

/** When a change that no seal covers yet will be sealed. */
function unsealedText(state: State): string {
	const since = answerIn(state, headSlot, state.colony?.colonyid ?? '', 'audit.head').result?.unsealed;
	return since && storeNow(state) - milliseconds(since)! > lateness ? `not sealed yet: sealing has come to ${formatTime(since, state.utc)}` : 'not sealed yet: it is, within two seconds';
}

function linesOf(entry: Entry, state: State, width: number): Row[] {
	const {utc} = state;
	const {seal, request, signature, detail} = entry;
	return [
		...pairs([
			['when', formatTime(entry.at, utc)],
			['who', entry.actorname === null ? entry.actor : `${who(entry)}  ${entry.actor}`],
			['what', entry.what],
			['object', entry.name === null ? entry.subject : `${object(entry)}  ${entry.subject}`],
			['change', change(entry) || '-'],
		], width),
		'',
		bold('Seal'),
		...(seal
			? pairs([['number', String(seal.number)], ['made', formatTime(seal.madeat, utc)], ['hash', seal.hash]], width)
			: [dim(unsealedText(state))]),
		'',
		bold('Request'),
		...(request === null ? [dim('none: not an operator\'s change')] : requestLines(request, width)),
		...(signature === null ? (request === null ? [] : [dim('Root signs nothing.')]) : ['', ...pairs([['signed', signature]], width)]),
		'',
		bold('Image'),
		...(detail === null ? [dim('none')] : jsonLines(detail, width)),
	];
}

/** All lines of a change. */
export function entryLines({id}: EntryOverlay, state: State): Row[] {
	const {result, error} = answerIn(state, entrySlot, id, 'audit.get');
	const width = state.columns - 4;
	return result ? linesOf(result, state, width) : (error ? rowsOf(wordPieces(visible(error.message), width), {style: danger}) : ['Loading …']);
}

export const entryTitle = ({id}: EntryOverlay): string => `change ${visible(id)}`;

/** Asks for the next step of verifying, until it is through: in sight, it goes on by itself. */
export function askVerification({time, compares}: VerifyOverlay, state: State): readonly Ask[] {
	const {colonyid} = state.colony!;
	const known = verdictOf(state);
	const [after, dropped] = known?.time === time ? (known.result?.more ? [known.to, known.dropped] : state.answers[verifySlot]!.key.split(' ').slice(2).map(Number)) : [];
	const verifying: Ask = {slot: verifySlot, key: verifyKey(colonyid, time, after ?? 0, dropped ?? 0), operation: 'audit.verify', input: {colonyid, after: after ?? 0}, every: Number.POSITIVE_INFINITY};
	return compares === true ? [verifying, askComparison(time, state)] : [verifying];
}

function askComparison(time: number, state: State): Ask {
	const {colonyid} = state.colony!;
	const {key, position} = nextComparison(state, colonyid, time);
	return {slot: presentSlot, key, operation: 'audit.present', input: {colonyid, ...(position === undefined ? {} : {position})}, every: Number.POSITIVE_INFINITY};
}

const barWidth = 40;

const bar = (share: number): string => `${'█'.repeat(Math.floor(share * barWidth))}${'░'.repeat(barWidth - Math.floor(share * barWidth))}`;

function progressLine({to, last}: Verdict): string {
	const share = last === undefined || last === 0 ? 0 : Math.min(1, to / last);
	return `${bar(share)}  seal ${to}${last === undefined ? '' : ` of ${last}`}`;
}

/** How it goes with comparing the present, and what came of it. */
function comparisonLines({time, compares}: VerifyOverlay, state: State): Styled[] {
	const comparison = comparisonOf(state, time);
	if (comparison === undefined) {
		return compares === true ? [['Comparing …']] : [['p compares colonies, computers, processes and attributes as they are now with the history.']];
	}

	const {state: kind, deviations, compared, share} = comparison;
	const progress: Styled = [`${bar(share)}  ${plural(compared.processes, 'process')} compared`];
	return {
		running: (): Styled[] => [progress],
		stopped: (): Styled[] => [progress, [visible(state.answers[presentSlot]?.error?.message ?? ''), danger]],
		agrees: (): Styled[] => [[`✓ ${presentSentence(compared)}`, text => success(bold(text))]],
		differs: (): Styled[] => [
			['✗ Something is not as the history says.', text => danger(bold(text))],
			...deviations.map(({message}): Styled => [visible(message)]),
			['There may be more: colonies audit verify --present looks at everything.'],
		],
	}[kind]();
}

type Styled = readonly [text: string, style?: (text: string) => string];

function verdictLines({state: kind, result, to, dropped}: Verdict, state: State): Styled[] {
	if (kind === 'broken') {
		return [['✗ The history is not intact.', text => danger(bold(text))], [visible(result!.fault!.message)], [''], ['Every seal and row before it is as it was sealed.'], ['Whoever keeps heads elsewhere finds out since when: colonies audit verify --head HASH']];
	}

	if (kind === 'intact') {
		return to === 0
			? [['Nothing is sealed yet.']]
			: [[`✓ The history is intact up to seal ${to}.`, text => success(bold(text))], ...(dropped === 0 ? [] : [[`Retention has dropped ${plural(dropped, 'row')} of it.`] as const]), [`It was made at ${formatTime(result!.last!.madeat, state.utc)}. Its head, to be kept elsewhere:`], [result!.last!.hash], [''], ['Only a head that was kept elsewhere tells whether something was cut off: colonies audit verify --head HASH']];
	}

	return kind === 'running'
		? [['Checking seals, rows, and the signatures of operators\' changes …']]
		: [[visible(state.answers[verifySlot]?.error?.message ?? 'It was left before its end.'), danger], ['v on 7 Audit begins anew.']];
}

/** How it goes with verifying, and the verdict. */
export function verifyLines(overlay: VerifyOverlay, state: State): Row[] {
	const verdict = verdictOf(state);
	const width = state.columns - 4;
	const styled = (lines: readonly Styled[]) => lines.flatMap(([text, style]) => text === '' ? [''] : rowsOf(wordPieces(text, width), {style}));
	return verdict
		? [progressLine(verdict), '', ...styled(verdictLines(verdict, state)), ...(verdict.state === 'intact' ? ['', ...styled(comparisonLines(overlay, state))] : []), ...(verdict.at === undefined ? [] : ['', dim(`as of ${formatClock(verdict.at, state.utc)}`)])]
		: ['Verifying …'];
}
