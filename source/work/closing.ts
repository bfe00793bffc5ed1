import {ColoniesError, toColoniesError} from '../core/errors.ts';
import {limits} from '../core/limits.ts';
import {statusOf} from '../core/states.ts';
import type {Id, Process} from '../core/types.ts';
import type {Caller, Context} from '../operations/index.ts';
import {type Clock, persist} from './waiting.ts';

export type Ending = 'successful' | 'failed';

/** What a computer works through: the operations, in its own name. `computerid`: as far as it is known, for the key may prove another id. */
export type Store = {context: Pick<Context, 'run' | 'runMany'>; caller: Caller; colonyid: Id; computerid: Id; clock: Clock};

type Waiting = {processid: Id; resolve: () => void; reject: (error: unknown) => void};

/**
Closes processes. Those that are to be closed while an earlier request is under way go together in the next one, so that a computer with much room does not pay a round trip for each.
*/
export class Closing {
	readonly #store: Store;
	readonly #queues: Record<Ending, Waiting[]> = {successful: [], failed: []};
	readonly #busy: Record<Ending, boolean> = {successful: false, failed: false};

	constructor(store: Store) {
		this.#store = store;
	}

	/**
	Closes a process, however long the store is away, until the signal comes.
	@throws ColoniesError when it is not this computer's any more, or it is not known what came of it
	*/
	async close(process: Process, to: Ending, signal: AbortSignal): Promise<void> {
		await persist({clock: this.#store.clock, signal}, async again => {
			try {
				await this.#enqueue(process.processid, to);
			} catch (error) {
				// It may be closed already, by a request whose answer was lost.
				if (!again || toColoniesError(error).code !== 'conflict' || !await this.#isClosed(process, to)) {
					throw error;
				}
			}
		});
	}

	/** Whether this very attempt stands closed like this. */
	async #isClosed({processid, starttime}: Process, to: Ending): Promise<boolean> {
		const {context, caller, colonyid, computerid} = this.#store;
		const found = await context.run(caller, 'process.get', {colonyid, processid});
		return found.status === statusOf(to) && found.assignedcomputerid === computerid && found.starttime === starttime;
	}

	async #enqueue(processid: Id, to: Ending): Promise<void> {
		return new Promise((resolve, reject) => {
			this.#queues[to].push({processid, resolve, reject});
			void this.#send(to);
		});
	}

	async #send(to: Ending): Promise<void> {
		if (this.#busy[to]) {
			return;
		}

		this.#busy[to] = true;
		for (let batch = this.#queues[to].splice(0, limits.batch); batch.length > 0; batch = this.#queues[to].splice(0, limits.batch)) {
			const answers = await this.#answers(to, batch.map(({processid}) => processid)); // eslint-disable-line no-await-in-loop
			for (const [index, {resolve, reject}] of batch.entries()) {
				const answer = answers[index];
				if (answer instanceof Error) {
					reject(answer);
				} else {
					resolve();
				}
			}
		}

		this.#busy[to] = false;
	}

	/** For each process why it was not closed, or undefined. Never throws. */
	async #answers(to: Ending, processids: readonly Id[]): Promise<Array<ColoniesError | undefined>> {
		const {context, caller, colonyid} = this.#store;
		const inputs = processids.map(processid => ({colonyid, processid}));
		try {
			if (inputs.length === 1) {
				await context.run(caller, `process.${to}`, inputs[0]!);
				return [undefined];
			}

			const answers = await context.runMany(caller, `process.${to}`, inputs);
			return inputs.map((_, index) => {
				const answer = answers[index] ?? new ColoniesError('internal', 'The answer is shorter than the list.');
				return 'result' in answer ? undefined : answer;
			});
		} catch (error) {
			return inputs.map(() => toColoniesError(error));
		}
	}
}
