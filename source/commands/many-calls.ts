import {Buffer} from 'node:buffer';
import {randomUUID} from 'node:crypto';
import {ColoniesError, toColoniesError} from '../core/errors.ts';
import {limits} from '../core/limits.ts';
import type {Caller, Notice} from '../operations/broker.ts';
import type {Context} from '../operations/context.ts';
import {patiently} from '../operations/patiently.ts';
import type {AnyOperation, OperationName} from '../operations/registry.ts';
import {startProgress} from './progress.ts';
import type {World} from './world.ts';

type Input = Readonly<Record<string, unknown>>;

/** Bytes of JSON in one portion: a request of more than 1 MiB is refused. */
const mostBytes = 900_000;

/** Cuts a list of inputs into portions that fit into one request each, in their order. One that is larger alone makes a portion by itself. */
export function portionsOf(inputs: readonly Input[], {most = limits.batch, bytes: mostTogether = mostBytes}: {most?: number; bytes?: number} = {}): Input[][] {
	const portions: Input[][] = [];
	let room = 0;
	for (const input of inputs) {
		const size = Buffer.byteLength(JSON.stringify(input)) + 1;
		if (portions.length === 0 || portions.at(-1)!.length === most || size > room) {
			portions.push([]);
			room = mostTogether;
		}

		portions.at(-1)!.push(input);
		room -= size;
	}

	return portions;
}

type Calls = {world: World; context: Context; caller: Caller; operation: AnyOperation; notice: Notice};

/** What makes a request that may come twice the same one; a portion that is tried again has the one that it had. */
const keyFor = ({keyed}: AnyOperation): {idempotencyKey?: string} => keyed ? {idempotencyKey: randomUUID()} : {};

const answered = async <Result>({operation, notice}: Calls, work: () => Promise<Result>): Promise<Result> => operation.keyed ? patiently(work, notice) : work();

/** Carries out one call; one that may come twice is tried again when no answer comes. @throws ColoniesError */
export async function runOne(calls: Calls, input: Input): Promise<unknown> {
	const {context, caller, operation, notice} = calls;
	const options = {notice, ...keyFor(operation)};
	return answered(calls, async () => context.run(caller, operation.name as OperationName, input, options));
}

async function runPortion(calls: Calls, portion: readonly Input[]): Promise<unknown[]> {
	const {context, caller, operation, notice} = calls;
	const options = {notice, ...keyFor(operation)};
	const answers = await answered(calls, async () => context.runMany(caller, operation.name as OperationName, portion, options));
	const results = answers.flatMap(answer => answer instanceof ColoniesError ? [] : [answer.result]);
	const [first] = answers;
	if (results.length === 0 && first instanceof ColoniesError) {
		throw first;
	}

	return results;
}

/** Why a list was not done to its end, and how far it was. */
function stopped(error: unknown, {done, portion, total}: {done: number; portion: number; total: number}): ColoniesError {
	const {code, message, hint} = toColoniesError(error);
	const unknown = code === 'unavailable' ? ` Whether the next ${portion} were is not known.` : '';
	return new ColoniesError(code, total === portion && unknown === '' ? message : `${message} ${done} of ${total} were done before.${unknown}`, {hint, cause: error});
}

/**
Carries out many calls in portions, each of them all or none, one after the other.
@param keep gets the results of each portion as soon as it is done, also when a later one fails
@throws ColoniesError, which says how many were done before
*/
export async function runMany(calls: Calls, inputs: readonly Input[], keep: (results: readonly unknown[]) => void): Promise<void> {
	const portions = portionsOf(inputs);
	const progress = portions.length > 1 ? startProgress(calls.world, inputs.length) : undefined;
	const said = new Set<string>();
	const notice = (sentence: string) => {
		if (!said.has(sentence)) {
			said.add(sentence);
			progress?.end();
			calls.notice(sentence);
		}
	};

	let done = 0;
	let size = 0;
	try {
		for (const portion of portions) {
			progress?.show(done);
			size = portion.length;
			keep(await runPortion({...calls, notice}, portion)); // eslint-disable-line no-await-in-loop
			done += size;
		}
	} catch (error) {
		throw stopped(error, {done, portion: size, total: inputs.length});
	} finally {
		progress?.end();
	}
}
