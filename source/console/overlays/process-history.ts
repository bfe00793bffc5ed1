import {shortId, visible} from '../../core/text.ts';
import {formatSpan, formatTime, milliseconds} from '../../core/time.ts';
import type {Process} from '../../core/types.ts';
import {compare, type ConditionAnswer} from '../../core/explanation.ts';
import type {Step} from '../../operations/index.ts';
import type {Ask} from '../answers.ts';
import {answerIn} from '../asking.ts';
import {type Overlay, type State, storeNow} from '../state.ts';
import {accent, bold, danger, dim, success, warning} from '../terminal/style.ts';
import {fit} from '../terminal/width.ts';
import {attributeLines, fold, type Revealed} from '../views/attributes.ts';
import {type Row, rowsOf, shifted} from '../views/rows.ts';
import {wordPieces} from '../views/wrap.ts';

type Detail = Extract<Overlay, {kind: 'detail'}>;

const stepsSlot = 'steps';
const computerSlot = 'assigned';
/** The last steps that are shown; `process history` has them all. */
const shownSteps = 60;

const computerKey = ({assignedcomputerid}: Process, {past}: State): string => `${assignedcomputerid} ${past?.at ?? ''}`;

/** Asks what happened to an open process, and for the computer that it was given to. */
export function askHistory({id, view, process}: Detail, state: State): readonly Ask[] {
	if (view !== 'detail') {
		return [];
	}

	const {colonyid} = state.colony!;
	return [
		{slot: stepsSlot, key: id, operation: 'process.history', input: {colonyid, processid: id, count: shownSteps, direction: 'before', longest: fold + 1}, topics: ['processes'], every: 10_000},
		...(process && process.assignedcomputerid !== ''
			? [{slot: computerSlot, key: computerKey(process, state), operation: 'computer.get' as const, input: {colonyid, computerid: process.assignedcomputerid, at: state.past?.at}, topics: ['computers' as const], every: 10_000}]
			: []),
	];
}

/** The steps up to the moment that is shown. */
const stepsOf = (state: State, steps: readonly Step[]): Step[] => steps.filter(({at}) => state.past === undefined || at <= state.past.at);

const computerOf = ({computername, computerid}: Step): string => visible(computername ?? (computerid ? shortId(computerid) : 'nobody'));

function byWhom({actor, actorname}: Step, {colony}: State): string {
	return actor === colony?.colonyid ? 'the owner' : (actor === 'system' ? 'the system' : visible(actorname ?? shortId(actor)));
}

type Told = {text: string; style: (text: string) => string};

function told(step: Step, state: State): Told {
	switch (step.what) {
		case 'process.submit': {
			return {text: `submitted by ${byWhom(step, state)}`, style: warning};
		}

		case 'process.assign': {
			return {text: `▸ assigned to ${computerOf(step)}`, style: accent};
		}

		case 'process.successful': {
			return {text: `✓ successful on ${computerOf(step)}`, style: success};
		}

		case 'process.failed': {
			return {text: `✗ failed on ${computerOf(step)}`, style: danger};
		}

		case 'process.expire': {
			return {text: `✗ failed: ${step.why ?? 'deadline exceeded'}`, style: danger};
		}

		case 'process.requeue': {
			return {text: `· back to waiting: ${step.why ?? 'taken away'}`, style: warning};
		}

		case 'process.retry': {
			return {text: `· retried by ${byWhom(step, state)}`, style: warning};
		}

		case 'process.cancel': {
			return {text: `✗ cancelled by ${byWhom(step, state)}`, style: danger};
		}

		case 'process.remove': {
			return {text: `removed by ${byWhom(step, state)}`, style: dim};
		}

		default: {
			return {text: visible(step.what), style: dim};
		}
	}
}

const during: Record<string, string> = {waiting: 'waited', running: 'ran', successful: 'was successful for', failed: 'was failed for'};
const still: Record<string, string> = {waiting: 'waits', running: 'runs'};

/** What happened to the process as a line from step to step, with how long it was in each state. */
function timeLine(steps: readonly Step[], state: State, {width, more}: {width: number; more: boolean}): Row[] {
	const lines: Row[] = more ? [dim('… earlier steps: process history has them')] : [];
	for (const [index, step] of steps.entries()) {
		const next = steps[index + 1];
		const {text, style} = told(step, state);
		const isLast = next === undefined && still[step.to ?? ''] === undefined;
		const isFirst = index === 0 && !more;
		const mark = isLast ? (isFirst ? '─' : '└') : (isFirst ? '┌' : '├');
		const time = formatTime(step.at, state.utc);
		lines.push(...rowsOf(wordPieces(text, Math.max(8, width - time.length - 4)), {style, first: `${dim(time)} ${mark}─ `, rest: `${' '.repeat(time.length)} ${isLast ? ' ' : '│'}  `}));
		if (!isLast) {
			const end = next ? milliseconds(next.at)! : storeNow(state);
			const span = formatSpan(end - milliseconds(step.at)!);
			const verb = next ? during[step.to ?? ''] ?? '' : still[step.to!]!;
			lines.push(`${' '.repeat(time.length)} ${next ? '│' : '┆'}  ${dim(`${verb} ${next ? '' : 'for '}${span}`)}`);
		}
	}

	return lines;
}

type Attempt = {begin: Step; end: Step; /** The step that put away what it had written. */ away: Step};

/** The attempts whose attributes were put away, the last one first. */
function attemptsOf(steps: readonly Step[]): Attempt[] {
	const attempts: Attempt[] = [];
	let begin: Step | undefined;
	let end: Step | undefined;
	for (const step of steps) {
		if (step.what === 'process.assign') {
			begin = step;
			end = undefined;
		} else if (step.from === 'running') {
			end = step;
		}

		if (begin && end && step.to === 'waiting') {
			attempts.unshift({begin, end, away: step});
			begin = undefined;
		}
	}

	return attempts;
}

function attemptLines({begin, end, away}: Attempt, number: number, state: State, {width, revealed}: {width: number; revealed: Revealed}): Row[] {
	const span = formatSpan(milliseconds(end.at)! - milliseconds(begin.at)!);
	const {text, style} = told(end, state);
	const heading = `${number}  ${computerOf(begin)}  ${formatTime(begin.starttime ?? begin.at, state.utc)}  ran ${span}  `;
	return [
		...rowsOf(wordPieces(`${heading}${text}`, width), {style}),
		...attributeLines(away.attributes ?? [], {width: width - 3, revealed}).map(line => shifted(line, 3)),
	];
}

const asked = ({name, asks}: ConditionAnswer): string => asks === '' ? 'any' : (name === 'target' && /^[\da-f]{64}$/.test(String(asks)) ? shortId(String(asks)) : `${asks}${name === 'mem' ? ' MB' : ''}`);
const had = ({name, has}: ConditionAnswer): string => name === 'target' ? shortId(String(has)) : (has === '' ? 'any' : `${has}${name === 'mem' ? ' MB' : ''}`);

/** What the process asks beside what its computer has, condition by condition. */
function requirements(process: Process, state: State, width: number): string[] {
	if (process.assignedcomputerid === '') {
		return [];
	}

	const {result, error} = answerIn(state, computerSlot, computerKey(process, state), 'computer.get');
	if (!result) {
		return ['', bold('Requirements'), dim(error ? `  ${error.code === 'not-found' ? 'Its computer has been removed.' : visible(error.message)}` : '  …')];
	}

	const room = Math.max(8, Math.floor((width - 14) / 2));
	return ['', bold(`Requirements beside ${visible(result.name)}`), ...compare(result, process).conditions.map(answer => {
		const text = `${answer.ok ? '✓' : '✗'} ${fit(answer.name, 9)} ${fit(`asks ${visible(asked(answer))}`, room)} ${fit(`has ${visible(had(answer))}`, room)}`;
		return `  ${answer.ok ? text : danger(text)}`;
	})];
}

/** The time line of an open process, above its attributes; and below them what it asks of its computer, and its earlier attempts. */
export function historyLines(process: Process, state: State, {width, revealed}: {width: number; revealed: Revealed}): {above: Row[]; below: Row[]} {
	const {result, error} = answerIn(state, stepsSlot, process.processid, 'process.history');
	const steps = stepsOf(state, result?.rows ?? []);
	const line = result ? timeLine(steps, state, {width, more: result.more.before}) : [error ? danger(visible(error.message)) : dim('…')];
	const attempts = attemptsOf(steps);
	return {
		above: ['', bold('Time line'), ...line],
		below: [...requirements(process, state, width), ...(attempts.length === 0 ? [] : ['', bold('Earlier attempts, the last one first'), ...attempts.flatMap((attempt, index) => attemptLines(attempt, attempts.length - index, state, {width, revealed}))])],
	};
}
