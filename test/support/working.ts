import {after} from 'node:test';
import {brokerContext} from '../../source/contexts/index.ts';
import {NothingToAssign, Unavailable} from '../../source/core/errors.ts';
import type {Database} from '../../source/database/types.ts';
import type {Identity} from '../../source/identity/index.ts';
import type {Context, OperationName} from '../../source/operations/index.ts';
import type {Handler, Progress, WorkOptions} from '../../source/work/index.ts';
import type {Clock} from '../../source/work/waiting.ts';
import {work} from '../../source/work/work.ts';
import {type Colony, openColony} from './colony.ts';
import {happening} from './outcomes.ts';

type Calls = Pick<Context, 'run' | 'runMany'>;

/** How a call fails: `away`, it is not carried out; `lost`, it is, but its answer does not come. */
export type Fault = 'away' | 'lost';

/** A call as it was made, for looking at afterwards. */
export type Call = {name: OperationName; count: number; options: {idempotencyKey?: string; signal?: AbortSignal} | undefined; input: Record<string, unknown>};

/** A store between which and its user something can break. */
export class FragileStore implements Calls {
	readonly calls: Call[] = [];
	/** Decides for each call how it fails. */
	fault: (call: Call) => Fault | undefined = () => undefined;
	/** Waited for before a call is carried out. */
	before: (call: Call) => Promise<void> = async () => undefined;
	/** Whether a call that is no longer waited for ends without its answer, as one over a network does. */
	cuts = false;
	readonly #context: Calls;

	constructor(context: Calls) {
		this.#context = context;
	}

	/** Lets the next calls of an operation fail, one after the other. */
	failNext(name: OperationName, ...faults: Fault[]): void {
		const others = this.fault;
		this.fault = call => call.name === name && faults.length > 0 ? faults.shift() : others(call);
	}

	named(name: OperationName): Call[] {
		return this.calls.filter(call => call.name === name);
	}

	run: Context['run'] = async (caller, name, input, options) => this.#through({name, count: 1, options, input: input as Record<string, unknown>}, async () => this.#context.run(caller, name, input, options));

	runMany: Context['runMany'] = async (caller, name, inputs, options) => this.#through({name, count: inputs.length, options, input: inputs[0] as Record<string, unknown>}, async () => this.#context.runMany(caller, name, inputs, options));

	async #through<Answer>(call: Call, carryOut: () => Promise<Answer>): Promise<Answer> {
		this.calls.push(call);
		const fault = this.fault(call);
		await this.before(call);
		if (fault === 'away') {
			throw new Unavailable('The store is away.');
		}

		const answer = await carryOut();
		if (fault === 'lost') {
			throw new Unavailable('The answer was lost.');
		}

		if (this.cuts && call.options?.signal?.aborted) {
			throw new NothingToAssign('No process was assigned: it was not waited for any longer.');
		}

		return answer;
	}
}

/** Time in which pauses take no time; `pauses` are those that were made. */
export function hurriedClock(): Clock & {pauses: number[]} {
	const pauses: number[] = [];
	return {
		pauses,
		now: () => performance.now(),
		async pause(milliseconds, signal) {
			pauses.push(milliseconds);
			if (!signal.aborted) {
				await new Promise(resolve => {
					setTimeout(resolve, 1);
				});
			}
		},
	};
}

export type Yard = {colony: Colony; context: Calls; store: FragileStore};

/** A colony on a database, with a store to work on that can break. */
export async function openYard(database: Database): Promise<Yard> {
	const context = brokerContext(database, {kind: 'database', name: 'test', local: true});
	after(async () => context.close());
	const colony = await openColony(database, context.broker);
	return {colony, context, store: new FragileStore(context)};
}

/** Starts a computer of a colony; `ended` gives what became of its processes, one after the other. It is stopped after the tests of the file. */
export function startComputer({colony, store}: Yard, identity: Identity, handler: Handler, options: WorkOptions & {clock?: Clock; heartbeat?: number} = {}) {
	const [notices, reports] = [[] as string[], [] as Progress[]];
	const ending = happening<Progress>();
	const starting = happening<Progress>();
	const noticing = happening<string>();
	const worker = work({
		context: store, identity, colonyid: colony.id, handler, clock: hurriedClock(),
		notice(sentence) {
			notices.push(sentence);
			noticing.tell(sentence);
		},
		report(progress) {
			reports.push(progress);
			(progress.state === 'started' ? starting : ending).tell(progress);
		},
		...options,
	});
	after(async () => {
		await Promise.all([worker.stop(), worker.stop()]);
	});
	return {worker, notices, reports, ended: ending.next, started: starting.next, noticed: noticing.next};
}
