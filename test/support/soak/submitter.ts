import {randomUUID} from 'node:crypto';
import {setTimeout as pause} from 'node:timers/promises';
import {backOff} from '../../../source/core/backoff.ts';
import {ColoniesError} from '../../../source/core/errors.ts';
import type {Id} from '../../../source/core/types.ts';
import type {Client} from '../../../source/index.ts';
import type {Ledger} from './ledger.ts';

/** The type that the computers of each half have, and the processes for them ask for. */
export const typesOfHalves = ['one', 'two'] as const;

/** Submissions that are under way at once. */
const laneCount = 4;
/** Processes in one submission, as many for each half. */
const listLength = 4;
/** After so long the same is submitted to the other server, under the same key. */
const answerTimeoutMs = 5000;
/** Work of so long may wait; more is not submitted. */
const backlogSeconds = 30;
/** Tries after which the pause before the next one does not grow any more: it is 800 ms then. */
const longestBackOff = 5;

/** Why something is submitted again: the store is away, or its answer did not come in time. */
const againCodes = new Set(['unavailable', 'internal', 'disk-full', 'cancelled', 'nothing-to-assign']);

/** Submits at a steady rate to whichever server answers, each list under a key of its own until it is acknowledged. */
export class Submitter {
	readonly #clients: readonly Client[];
	readonly #colonyid: Id;
	readonly #rate: number;
	#ledger: Ledger | undefined;
	#number = 0;
	#nextAt = 0;
	#running: Promise<unknown> = Promise.resolve();

	/** `clients`: of each server one. `rate`: processes a second. */
	constructor({clients, colonyid, rate}: {clients: readonly Client[]; colonyid: Id; rate: number}) {
		this.#clients = clients;
		this.#colonyid = colonyid;
		this.#rate = rate;
	}

	/** Begins; what is acknowledged is entered into the ledger. */
	start(ledger: Ledger): void {
		this.#ledger = ledger;
		this.#nextAt = performance.now();
		this.#running = Promise.all(Array.from({length: laneCount}, async (_, lane) => this.#keepSubmitting(ledger, lane)));
		// Whoever stops it hears of what went wrong.
		this.#running.catch(() => undefined);
	}

	/** Ends when all that was begun is acknowledged. @throws what a server said that is no reason to try again */
	async stop(): Promise<void> {
		this.#ledger = undefined;
		await this.#running;
	}

	async #keepSubmitting(ledger: Ledger, lane: number): Promise<void> {
		let server = lane % this.#clients.length;
		while (await this.#isDue(ledger)) {
			server = await this.#submit(ledger, server);
		}
	}

	/** Submits a list until it is acknowledged. @returns the server that did */
	async #submit(ledger: Ledger, first: number): Promise<number> {
		const numbers = Array.from({length: listLength}, () => String(this.#number++));
		const inputs = numbers.map((number, index) => ({spec: {targetcolonyid: this.#colonyid, computertype: typesOfHalves[index % typesOfHalves.length], in: {number}}}));
		const idempotencyKey = randomUUID();
		for (let [tries, server] = [0, first]; ; tries++) {
			try {
				const answers = await this.#clients[server]!.runMany('process.submit', inputs, {idempotencyKey, signal: AbortSignal.timeout(answerTimeoutMs)});
				for (const [index, answer] of answers.entries()) {
					if (answer instanceof ColoniesError) {
						throw answer;
					}

					ledger.acknowledge(numbers[index]!, answer.result.processid);
				}

				return server;
			} catch (error) {
				if (!(error instanceof ColoniesError && againCodes.has(error.code))) {
					throw error;
				}

				ledger.fail(`${error.code}: ${error.message}`);
				server = (server + 1) % this.#clients.length;
				await pause(backOff(Math.min(tries, longestBackOff)));
			}
		}
	}

	/** Waits until the next list is due; false when it was stopped. What could not be submitted in time is not made up for. */
	async #isDue(ledger: Ledger): Promise<boolean> {
		const span = listLength * 1000 / this.#rate;
		const now = performance.now();
		this.#nextAt = Math.max(this.#nextAt + span, now);
		await pause(this.#nextAt - now);
		while (this.#ledger === ledger && ledger.acknowledged.size - ledger.closed.size > this.#rate * backlogSeconds) {
			await pause(span);
		}

		return this.#ledger === ledger;
	}
}
