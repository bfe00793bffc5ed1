import {createParser} from 'eventsource-parser';
import {backOff, pause} from '../core/backoff.ts';
import {toColoniesError} from '../core/errors.ts';
import type {Reaching} from '../core/reachability.ts';
import {type Id, type Topic, topics as allTopics} from '../core/types.ts';
import type {Caller} from '../operations/index.ts';
import {
	collect, errorOf, prepare, readBody,
} from './calls.ts';
import type {Connections} from './connections.ts';

/** Milliseconds without a byte after which a stream is taken for dead; the server says something every 15 s. */
const silence = 40_000;
/** Changes that come within this time are told in one, in milliseconds. */
const gathering = 10;
/** Milliseconds between two attempts where somebody answers who is not trusted, or who refuses us: hurry fixes neither. */
export const barredPauseMs = 5000;

const topicOf: Record<string, Topic> = {colony: 'colonies', computer: 'computers', process: 'processes', attribute: 'attributes'};

export type Watch = {caller: Caller; colonyid: Id; hear: (topics: ReadonlySet<Topic>) => void};

/** Follows what changes in a colony as Server-Sent Events, and goes on where it was when the connection is lost, until the signal. Never throws. */
export async function follow(connections: Connections, watch: Watch, reaching: Reaching, signal: AbortSignal): Promise<void> {
	const gathered = new Gathered(watch.hear);
	const state: {last: string | undefined; failures: number} = {last: undefined, failures: 0};
	const hearing: Hearing = {
		opened() {
			state.failures = 0;
			reaching.up();
			// What happened before it stood nobody has told.
			gathered.add(allTopics);
		},
		hear(id, noun) {
			state.last = id;
			gathered.add(noun === undefined ? [] : [topicOf[noun] ?? 'processes']);
		},
	};
	while (!signal.aborted) {
		let isBarred = false;
		try {
			await listen(connections, watch, {...hearing, last: state.last, signal}); // eslint-disable-line no-await-in-loop
		} catch (error) {
			const failure = toColoniesError(error);
			if (failure.code === 'unavailable') {
				reaching.down(failure);
				isBarred = failure.barrier !== undefined;
			} else {
				// Not for this caller any more, or a place that the server does not know: from now on, then.
				state.last = undefined;
				state.failures += 4;
			}
		}

		state.failures++;
		await pause(isBarred ? barredPauseMs : backOff(state.failures), signal); // eslint-disable-line no-await-in-loop
	}
}

type Hearing = {opened: () => void; hear: (id: string, noun: string | undefined) => void};
type Listening = Hearing & {last: string | undefined; signal: AbortSignal};

/** One connection; returns when the server ends it. @throws ColoniesError */
async function listen(connections: Connections, {caller, colonyid}: Watch, {last, signal, opened, hear}: Listening): Promise<void> {
	const signed = prepare(connections, caller, {method: 'GET', target: `/colonies/${colonyid}/events`}, {
		accept: 'text/event-stream', headers: last === undefined ? {} : {'last-event-id': last},
	});
	const response = await connections.send({...signed, signal, silence});
	if (response.status !== 200) {
		throw errorOf(readBody(connections.address, response.status, await collect(response)), response.status);
	}

	opened();
	const parser = createParser({onEvent({id, event, data}) {
		if (id !== undefined) {
			hear(id, event === 'change' ? (parsed(data) as {noun?: string} | undefined)?.noun : undefined);
		}
	}});
	response.stream.setEncoding('utf8');
	for await (const chunk of response.stream) {
		parser.feed(chunk as string);
	}
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

/** Tells topics at once when it is quiet, and gathered when it is not. */
class Gathered {
	readonly #hear: Watch['hear'];
	readonly #topics = new Set<Topic>();
	#timer: NodeJS.Timeout | undefined;

	constructor(hear: Watch['hear']) {
		this.#hear = hear;
	}

	add(topics: readonly Topic[]): void {
		for (const topic of topics) {
			this.#topics.add(topic);
		}

		if (this.#topics.size > 0) {
			this.#timer ??= setTimeout(() => {
				this.#timer = undefined;
				const told = new Set(this.#topics);
				this.#topics.clear();
				this.#hear(told);
			}, gathering);
		}
	}
}
