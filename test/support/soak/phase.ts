import type {Fault, Beats} from './faults.ts';
import {rateBetween, secondsToRecover} from './recovery.ts';
import type {Soak, Verdict} from './soak.ts';

/** How long the parts of a phase last. */
export type Pace = {
	/** While all goes well, before the fault. */
	before(soak: Soak): Promise<void>;
	beats(soak: Soak): Beats;
	/** After the fault. `seconds`: to recover, once it is so. */
	after(soak: Soak, seconds: () => number | undefined): Promise<void>;
};

/** What came of a fault. `before`: closings a second while all went well; `seconds`: to get back to 90 % of that, by each half of the computers. */
export type Outcome = Verdict & {fault: string; before: number; seconds: number | undefined};

/** Milliseconds over which closings are averaged. */
const windowMs = 3000;

/** Processes that each half closes before its rate is measured: the first wait for connections to be made. */
const steadyCount = 6;

/** Brings one fault upon a soak, and tells what came of it. */
export async function meet(soak: Soak, fault: Fault, pace: Pace): Promise<Outcome> {
	await soak.begin();
	const strike = await fault.prepare(soak);
	const head = await soak.head();
	await soak.until(() => soak.ledger.closings.every(({length}) => length >= steadyCount), 'both halves of the computers worked');
	const began = Date.now();
	await pace.before(soak);
	const struck = Date.now();
	const {closings} = soak.ledger;
	const before = closings.map(times => rateBetween(times, began, struck));
	await strike(pace.beats(soak));
	const healedAt = Date.now();
	const seconds = () => secondsToRecover({closings, before, healedAt, now: Date.now(), window: windowMs});
	await pace.after(soak, seconds);
	const recovered = seconds();
	const verdict = await soak.finish(head);
	return {fault: fault.name, before: before[0]! + before[1]!, seconds: recovered, ...verdict};
}
