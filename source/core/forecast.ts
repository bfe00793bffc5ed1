import {roughly} from './explanation.ts';
import {limits} from './limits.ts';
import type {Id} from './types.ts';

export const changesForetold = ['approve', 'disapprove', 'remove'] as const;
export type ChangeForetold = (typeof changesForetold)[number];

/** What a change of computers does to the processes of their colony. Numbers above the limit mean that there are more. */
export type ForecastEffects = {
	change: ChangeForetold;
	/** Waiting processes that they may run once they are approved. */
	fitting: number;
	/** Of these, those that no other approved computer may run: so many fewer wait for nobody. */
	runnable: number;
	/** Processes that wait for nobody then and did not before: only these computers could run them. Those that go back to waiting are among them. */
	stranded: number;
	/** Running processes that go back to waiting. */
	requeued: number;
};

/** What a change of one computer does. */
export type Forecast = ForecastEffects & {computerid: Id; name: string};

/** What the same change of many computers does, all together. */
export type ForecastOfMany = ForecastEffects & {computers: number};

/** `1 waiting process`, `~10k waiting processes`. */
const processes = (count: number, kind: string): string => `${roughly(Math.min(count, limits.counted), count > limits.counted)} ${kind} ${count === 1 ? 'process' : 'processes'}`;

/** What comes of a change, in a sentence each; for the question before it. */
export function forecastSentences({change, fitting, runnable, stranded, requeued, ...about}: Forecast | ForecastOfMany): string[] {
	const it = 'computers' in about && about.computers !== 1 ? 'them' : 'it';
	if (change === 'approve') {
		return [
			runnable === 0 ? `No process waits for ${it} alone.` : `${processes(runnable, 'waiting')} can run then that nobody else could.`,
			fitting === 0 ? `${it === 'it' ? 'It' : 'They'} may run nothing of what waits now.` : `${it === 'it' ? 'It' : 'They'} may run ${processes(fitting, 'waiting')} in all.`,
		];
	}

	return [
		requeued === 0 ? `Nothing runs on ${it}.` : `${processes(requeued, 'running')} ${requeued === 1 ? 'goes' : 'go'} back to waiting.`,
		stranded === 0 ? `Nothing waits for ${it} alone.` : `That leaves ${processes(stranded, 'waiting')} that nobody can run.`,
	];
}
