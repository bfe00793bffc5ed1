import {randomUUID} from 'node:crypto';
import {backOff, pause} from '../core/backoff.ts';
import {ColoniesError, type ErrorCode, toColoniesError} from '../core/errors.ts';
import {limits} from '../core/limits.ts';
import type {Caller} from './broker.ts';
import type {Context} from './context.ts';
import {
	inputFor, isOfClosed, type Plan, type Seen,
} from './plan.ts';

/**
What became of one entry of a plan: done; left alone, for it had changed since the plan was made, or was gone; refused, with the reason; not tried, for the plan was stopped before;
unknown, when it was stopped while its answer was lost.
*/
export const fates = ['done', 'changed', 'gone', 'refused', 'unknown', 'not-tried'] as const;
export type Fate = (typeof fates)[number];

/** An entry with what became of it. */
export type Reported = Pick<Seen, 'id' | 'label'> & {fate: Fate; reason?: string; code?: ErrorCode};

/** How it goes. `waits`: why it does not go on just now; it tries again by itself. */
export type Progress = {reported: readonly Reported[]; waits?: string};

export type Applying = {
	context: Pick<Context, 'runMany'>;
	caller: Caller;
	plan: Plan;
	/** Rows a second; asked before each list, so that it may change on the way. */
	rate: () => number;
	/** Stops it before the next list. */
	signal: AbortSignal;
	/** Hears of the entries that are done with, each once, and when it waits. */
	tell: (progress: Progress) => void;
};

/** The most that go in one request: the history keeps the whole request with each, but for closed processes that are removed together. */
const largest = 25;

/** How many go in one request at a rate, so that there are some requests a second. `together`: whether the history keeps one row for all of them. */
export const listSize = (rate: number, together = false): number => Math.min(together ? limits.changed : largest, Math.max(1, Math.ceil(rate / 4)));

type Ending = Pick<Reported, 'fate' | 'reason' | 'code'>;

const fateOf = (answer: {result: unknown} | ColoniesError): Ending => {
	if (!(answer instanceof ColoniesError)) {
		return {fate: 'done'};
	}

	return {fate: answer.code === 'conflict' ? 'changed' : (answer.code === 'not-found' ? 'gone' : 'refused'), reason: answer.message, code: answer.code};
};

const report = (entries: readonly Seen[], fate: Ending): Reported[] => entries.map(({id, label}) => ({id, label, ...fate}));

/** What came of a list; `ends`: why nothing after it is tried. */
type Listed = {reported: Reported[]; ends?: {reason: string; code: ErrorCode}};

/**
Carries out one list, and again while no answer comes: under the same idempotency key, so that what was done without our hearing of it is told, and not done twice.
*/
async function applyList({context, caller, plan, signal, tell}: Applying, list: readonly Seen[]): Promise<Listed> {
	const options = {idempotencyKey: randomUUID()};
	let mayBeDone = false;
	for (let attempt = 1; ; attempt++) {
		try {
			const answers = await context.runMany(caller, plan.name, list.map(entry => inputFor(plan, entry)), options); // eslint-disable-line no-await-in-loop
			return {reported: answers.map((answer, index) => ({id: list[index]!.id, label: list[index]!.label, ...fateOf(answer)}))};
		} catch (error) {
			const {code, message, nothingDone} = toColoniesError(error);
			if (code !== 'unavailable') {
				return {reported: report(list, {fate: code === 'internal' && !nothingDone ? 'unknown' : 'refused', reason: message, code}), ends: {reason: message, code}};
			}

			mayBeDone ||= !nothingDone;
			if (signal.aborted) {
				return {reported: report(list, {fate: mayBeDone ? 'unknown' : 'not-tried', reason: message})};
			}

			tell({reported: [], waits: message});
			await pause(backOff(attempt), signal); // eslint-disable-line no-await-in-loop
		}
	}
}

/**
Applies a plan in small lists at a rate: whatever is not any more as the plan saw it is left alone. It waits while the store is away, and goes on where it stood.
@returns what became of each entry, in their order; nothing is thrown
*/
export async function applyPlan(applying: Applying): Promise<Reported[]> {
	const {plan, rate, signal, tell} = applying;
	const reported: Reported[] = [];
	let [ends, next] = [undefined as Listed['ends'], performance.now()];
	while (reported.length < plan.entries.length && !signal.aborted && ends === undefined) {
		await pause(Math.max(0, next - performance.now()), signal); // eslint-disable-line no-await-in-loop
		if (signal.aborted) {
			break;
		}

		const list = plan.entries.slice(reported.length, reported.length + listSize(rate(), isOfClosed(plan)));
		next = Math.max(next, performance.now() - 1000) + (list.length / rate() * 1000);
		const listed = await applyList(applying, list); // eslint-disable-line no-await-in-loop
		reported.push(...listed.reported);
		tell({reported: listed.reported});
		ends = listed.ends;
	}

	const rest = report(plan.entries.slice(reported.length), {fate: 'not-tried', ...ends});
	tell({reported: rest});
	return [...reported, ...rest];
}

/** How many there are of each fate. */
export function tallyOf(reported: readonly Reported[]): Record<Fate, number> {
	const tally = Object.fromEntries(fates.map(fate => [fate, 0])) as Record<Fate, number>;
	for (const {fate} of reported) {
		tally[fate]++;
	}

	return tally;
}

const words: Record<Fate, string> = {
	done: 'done', changed: 'changed since', gone: 'gone', refused: 'refused', unknown: 'not known', 'not-tried': 'not tried',
};

/** The tally in words: `12 done, 2 changed since`. */
export const tallyText = (tally: Readonly<Record<Fate, number>>): string => fates.filter(fate => tally[fate] > 0).map(fate => `${tally[fate]} ${words[fate]}`).join(', ') || 'nothing to do';
