import {roughly} from './explanation.ts';
import {limits} from './limits.ts';
import type {Id} from './types.ts';

export const changesForetold = ['approve', 'disapprove', 'remove'] as const;
export type ChangeForetold = (typeof changesForetold)[number];

/** What a change of a computer does to the processes of its colony. Numbers above the limit mean that there are more. */
export type Forecast = {
	computerid: Id;
	name: string;
	change: ChangeForetold;
	/** Waiting processes that it may run once it is approved. */
	fitting: number;
	/** Of these, those that no other approved computer may run: so many fewer wait for nobody. */
	runnable: number;
	/** Processes that wait for nobody then and did not before: only this computer could run them. Those that go back to waiting are among them. */
	stranded: number;
	/** Running processes that go back to waiting. */
	requeued: number;
};

/** `1 waiting process`, `~10k waiting processes`. */
const processes = (count: number, kind: string): string => `${roughly(Math.min(count, limits.counted), count > limits.counted)} ${kind} ${count === 1 ? 'process' : 'processes'}`;

/** What comes of a change, in a sentence each; for the question before it. */
export function forecastSentences({change, fitting, runnable, stranded, requeued}: Forecast): string[] {
	if (change === 'approve') {
		return [
			runnable === 0 ? 'No process waits for it alone.' : `${processes(runnable, 'waiting')} can run then that nobody else could.`,
			fitting === 0 ? 'It may run nothing of what waits now.' : `It may run ${processes(fitting, 'waiting')} in all.`,
		];
	}

	return [
		requeued === 0 ? 'Nothing runs on it.' : `${processes(requeued, 'running')} ${requeued === 1 ? 'goes' : 'go'} back to waiting.`,
		stranded === 0 ? 'Nothing waits for it alone.' : `That leaves ${processes(stranded, 'waiting')} that nobody can run.`,
	];
}
