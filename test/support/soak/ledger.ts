import type {Id} from '../../../source/core/types.ts';

/** A process as the database has it after a phase: the steps of its history in their order, each with who took it. */
export type Found = {
	processid: Id;
	/** The number that it was submitted with. */
	number: string;
	status: number;
	assigned: Id | null;
	result: string | null;
	steps: string[];
	actors: Id[];
};

/** What was lost and what was done twice, a sentence each. */
export type Judgement = {lost: string[]; doubled: string[]};

/** What a handler makes of the number of a process. */
export const resultOf = (number: string): string => `done ${number}`;

const usual = 'process.submit process.assign process.successful';

/** What those who submit and work were told in one phase: each acknowledgment that they got, and when. */
export class Ledger {
	/** The processes that were acknowledged, by the numbers that they were submitted with. */
	readonly acknowledged = new Map<string, Id>();
	/** How often a handler was run, by process. */
	readonly started = new Map<Id, number>();
	/** How often it was acknowledged that a process is closed. */
	readonly closed = new Map<Id, number>();
	/** When they were, in milliseconds since 1970, by the half of the computers that did it. */
	readonly closings: [number[], number[]] = [[], []];
	/** What clients heard in place of an acknowledgment, and how often. */
	readonly failures = new Map<string, number>();
	/** Grows with everything that happens. */
	activity = 0;

	/** Submissions that failed so far, to be tried again. */
	get failed(): number {
		return [...this.failures.values()].reduce((sum, count) => sum + count, 0);
	}

	acknowledge(number: string, processid: Id): void {
		this.acknowledged.set(number, processid);
		this.activity++;
	}

	fail(reason: string): void {
		this.failures.set(reason, (this.failures.get(reason) ?? 0) + 1);
		this.activity++;
	}

	start(processid: Id): void {
		this.started.set(processid, (this.started.get(processid) ?? 0) + 1);
		this.activity++;
	}

	close(processid: Id, at: number, half: 0 | 1): void {
		this.closed.set(processid, (this.closed.get(processid) ?? 0) + 1);
		this.closings[half].push(at);
		this.activity++;
	}

	/** Whether all that was acknowledged was also closed. */
	get isDone(): boolean {
		return [...this.acknowledged.values()].every(processid => this.closed.has(processid));
	}

	/** Holds what was acknowledged against what the database has. */
	judge(found: readonly Found[]): Judgement {
		const rows = new Map(found.map(row => [row.processid, row]));
		const [lost, doubled] = [[] as string[], [] as string[]];
		for (const [number, processid] of this.acknowledged) {
			const row = rows.get(processid);
			if (row === undefined) {
				lost.push(`${number} was acknowledged as ${processid}, which is not there`);
			} else if (row.number !== number) {
				lost.push(`${number} was acknowledged as ${processid}, which is ${row.number}`);
			} else if (row.steps.join(' ') !== usual && !row.steps.includes('process.successful')) {
				lost.push(`${number} was never closed: ${row.steps.join(' ')}`);
			}
		}

		for (const [processid, times] of this.closed) {
			const row = rows.get(processid);
			if (row?.status !== 2 || !row.steps.includes('process.successful')) {
				lost.push(`the closing of ${processid} was acknowledged, and it stands ${row ? `in state ${row.status}: ${row.steps.join(' ')}` : 'nowhere'}`);
			} else if (row.result !== resultOf(row.number)) {
				lost.push(`the result of ${processid} is ${row.result ?? 'nothing'}`);
			}

			if (times > 1) {
				doubled.push(`the closing of ${processid} was acknowledged ${times} times`);
			}
		}

		for (const row of found) {
			doubled.push(...this.#doubled(row));
		}

		return {lost, doubled};
	}

	#doubled({processid, number, steps, actors, assigned}: Found): string[] {
		const count = (what: string) => steps.filter(step => step === what).length;
		const [submitted, taken, closed, worked] = [count('process.submit'), count('process.assign'), count('process.successful') + count('process.failed'), this.started.get(processid) ?? 0];
		const [taker, closer] = [actors[steps.indexOf('process.assign')], actors[steps.indexOf('process.successful')]];
		return [
			...(this.acknowledged.get(number) === processid ? [] : [`${number} is there twice: ${processid} was not acknowledged`]),
			...(submitted > 1 || taken > 1 || closed > 1 ? [`${number} went ${steps.join(' ')}`] : []),
			...(worked > 1 ? [`${number} was worked on ${worked} times`] : []),
			...(closed === 1 && (taker !== closer || assigned !== closer) ? [`${number} was taken by ${taker}, closed by ${closer} and is ${assigned ?? 'nobody'}'s`] : []),
		];
	}
}
