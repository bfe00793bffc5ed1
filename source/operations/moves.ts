import {microseconds} from '../core/time.ts';
import type {Id, Process, Topic} from '../core/types.ts';
import type {Author, Change} from '../database/index.ts';

/**
A step of a process that was committed, for metrics. Seconds: from submission or return to assignment, and from start to end; undefined for one that never ran.
A process is requeued because its deadline passed, because its computer was taken away, or because its owner retried it.
*/
export type Move = {colony: Id} & (
	| {kind: 'submitted'}
	| {kind: 'assigned'; seconds: number}
	| {kind: 'closed'; outcome: 'successful' | 'failed' | 'cancelled' | 'expired'; seconds: number | undefined}
	| {kind: 'requeued'; reason: 'deadline' | 'computer' | 'retry'}
);

/** What was committed: steps of processes, and of a group how many calls of which operation shared the transaction. */
export type Committed = {moves: readonly Move[]; group?: {operation: string; calls: number}};

/** What a transaction did, told after its commit. `took`: milliseconds since it began, where computers may claim what it left waiting. */
export type Commit = Committed & {topics: Iterable<Topic>; work: readonly number[]; took?: number};

const microsecond = 1_000_000;

const outcomes = {'process.cancel': 'cancelled', 'process.expire': 'expired'} as const;

function moveOf(change: Change, {actor}: Pick<Author, 'actor'>): Move[] {
	if (change.noun !== 'process' || change.colony === undefined) {
		return [];
	}

	const {colony, what} = change;
	if (change.kind === 'created') {
		return [{colony, kind: 'submitted'}];
	}

	if (change.kind !== 'moved') {
		return [];
	}

	switch (change.to) {
		case 'waiting': {
			return [{colony, kind: 'requeued', reason: what === 'process.retry' ? 'retry' : (actor === 'system' ? 'deadline' : 'computer')}];
		}

		case 'running': {
			return [{colony, kind: 'assigned', seconds: change.attempt.wait / microsecond}];
		}

		case 'successful':
		case 'failed': {
			const outcome = Object.hasOwn(outcomes, what) ? outcomes[what as keyof typeof outcomes] : change.to;
			const {run} = change.attempt;
			return [{colony, kind: 'closed', outcome, seconds: run === null ? undefined : run / microsecond}];
		}
	}
}

/** The steps among changes by one author. */
export const movesOf = (changes: readonly Change[], author: Pick<Author, 'actor'>): Move[] => changes.flatMap(change => moveOf(change, author));

/** Seconds that a closed process ran. */
export function secondsOfRun({starttime, endtime}: Process): number | undefined {
	const [start, end] = [microseconds(starttime), microseconds(endtime)];
	return start === undefined || end === undefined ? undefined : Math.max(0, Number(end - start)) / microsecond;
}
