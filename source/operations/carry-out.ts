import {ColoniesError, Conflict, NothingToAssign, toColoniesError, Unauthenticated} from '../core/errors.ts';
import {quoted, shortId} from '../core/text.ts';
import {type Id, type Topic} from '../core/types.ts';
import {
	type Author, type Change, type ClaimCursors, type Client, type ComputerRow, type Database, demandsOf, type Done, idempotency, isRetryable, processes, record, spendNonce,
} from '../database/index.ts';
import {sha3} from '../identity/index.ts';
import {authorise, type Caller, keptRequest} from './authorise.ts';
import {oneCell} from './cells.ts';
import type {Call} from './define.ts';
import {type Move, movesOf} from './moves.ts';
import type {AnyOperation} from './registry.ts';

/** Hears one sentence that is not an error. */
export type Notice = (sentence: string) => void;

/** What goes along with a call. */
export type RunOptions = {
	/** Hears warnings, one sentence each. */
	notice?: Notice;
	/** Ends the waiting of a call that waits. */
	signal?: AbortSignal;
	/** Of a submission or an assignment that may come twice: the same signer and key get the same processes again. */
	idempotencyKey?: string;
};

/** Calls of one operation by one caller, checked. */
export type Job = {operation: AnyOperation; caller: Caller; inputs: Array<Record<string, any>>; options: RunOptions; /** Whether the nonce of the request was spent by an earlier try. */ isSpent: boolean; /** How often it has looked for what others held. */ looks: number};
export type Answer = {result: unknown} | ColoniesError;
/** What came of one try: an answer for each call, or why all were refused; and what is told after the commit. */
export type Outcome = {answers: Answer[]; computer: ComputerRow | undefined; refusal?: ColoniesError; kept: boolean; topics: Set<Topic>; work: number[]; moves: Move[]};

/** What carrying out needs of its broker. */
export type Tools = {
	verifyRoot: (client: Client, password: string, options: {mayBeFirst: boolean}) => Promise<{kept: boolean}>;
	/** A computer did something. */
	sawComputer: (colony: Id, computer: Id) => void;
	load: Database['load'];
	cursors: ClaimCursors;
};

/** Another request with the same idempotency key was quicker: what it did is the answer. */
export class Overtaken extends Error {}

/** There was nothing but what others hold, who may yet let go of it: it is worth looking again in a moment. */
export class Held extends Error {}

/** How often it is looked again. */
const mostLooks = 4;

const topicOf = {colony: 'colonies', computer: 'computers', process: 'processes', attribute: 'attributes', installation: 'colonies'} as const satisfies Record<Change['noun'], Topic>;

/** The same for requests that ask the same; how long one waits makes no difference, nor the trace that a repetition belongs to. */
export const fingerprintOf = ({name}: AnyOperation, inputs: ReadonlyArray<Record<string, unknown>>): string => sha3(JSON.stringify([name, inputs.map(input => ({...input, ...(input.spec === undefined ? {} : {spec: {...input.spec as object, traceparent: undefined}}), wait: undefined}))]));

/**
A request that was signed for the wire is good once: its nonce is spent with the change, or with the refusal, so that a captured one is never carried out later.
*/
export async function carryOut(client: Client, job: Job, tools: Tools): Promise<Outcome> {
	const {caller, operation, isSpent} = job;
	const spends = 'signer' in caller && !isSpent && !operation.route.startsWith('GET ');
	if (!spends) {
		return handle(client, job, tools);
	}

	const {id, nonce, created} = caller.signer;
	// Pipelined with the statement that authorizes: nothing is changed before the nonce is known to be fresh.
	const spending = checkSpent(spendNonce(client, {signer: id, nonce, created}));
	// A refusal awaits it as well; until then a rejection must not count as unhandled.
	spending.catch(() => undefined);
	const [isSaved, handled] = [client.query('savepoint before_the_call'), handle(client, job, tools, spending)];
	try {
		const [outcome] = await Promise.all([handled, isSaved]);
		return outcome;
	} catch (error) {
		await Promise.allSettled([handled, isSaved]);
		await spending;
		const refusal = toColoniesError(error);
		if (error instanceof Overtaken || error instanceof Held || isRetryable(error) || refusal.code === 'unavailable' || refusal.code === 'internal') {
			throw error;
		}

		await client.query('rollback to savepoint before_the_call');
		return {answers: [], computer: undefined, refusal, kept: false, topics: new Set(), work: [], moves: []};
	}
}

/** @throws Held, unless it has looked often enough */
function lookAgain({looks}: Job): void {
	if (looks < mostLooks) {
		throw new Held();
	}
}

/** @throws Unauthenticated where a nonce was spent before */
async function checkSpent(spending: Promise<boolean>): Promise<void> {
	if (!await spending) {
		throw new Unauthenticated('This request was carried out or refused before, or its time is over.', {hint: 'Sign each request anew, with a nonce of its own.'});
	}
}

/** @param mayAct rejects where the request is not good; nothing is done before */
async function handle(client: Client, job: Job, tools: Tools, mayAct?: Promise<void>): Promise<Outcome> {
	const {operation, caller, inputs, options} = job;
	const [topics, work, moves] = [new Set<Topic>(), [] as number[], [] as Move[]];
	let isHeld = false;
	const also = async (author: Author, changes: readonly Change[]): Promise<void> => {
		await record(client, author, changes);
		work.push(...demandsOf(changes));
		moves.push(...movesOf(changes, author));
		for (const {noun} of changes) {
			topics.add(topicOf[noun]);
		}
	};

	const {who, kept} = await authorise(client, {operation, caller, inputs, verifyRoot: async (password, options) => tools.verifyRoot(client, password, options)});
	await mayAct;
	if (inputs[0]!.cell !== undefined) {
		throw oneCell();
	}

	if (who.computer && operation.work) {
		tools.sawComputer(who.computer.colony_id, who.computer.computer_id);
	}

	const keyed = operation.keyed && options.idempotencyKey !== undefined
		? {signer: who.actor, key: options.idempotencyKey, fingerprint: fingerprintOf(operation, inputs)}
		: undefined;
	const earlier = keyed && await idempotency.findKept(client, keyed);
	if (earlier) {
		// Without a computer, for there is nothing more to wait for.
		return {answers: await again(client, {operation, inputs}, earlier, keyed), computer: undefined, kept, topics, work, moves};
	}

	if (operation.waits && options.signal?.aborted) {
		// Nobody is there any more to take what would be assigned.
		throw new NothingToAssign('No process was assigned: it was not waited for any longer.');
	}

	const author: Author = {actor: who.actor, ...(operation.operator ? keptRequest(caller, operation, inputs) : {})};
	const calls = inputs.map((input): Call<Record<string, unknown>> => ({who, input, author}));
	const held = () => {
		isHeld = true;
	};

	const answers = await operation.answer({client, calls: calls as never, also, load: tools.load, cursors: tools.cursors, held}) as Array<Done<unknown> | ColoniesError>;
	const done = answers.filter((answer): answer is Done<unknown> => !(answer instanceof ColoniesError));
	if (isHeld && done.length === 0) {
		lookAgain(job);
	}

	if (done.length > 0) {
		await also(author, done.flatMap(({changes}) => changes));
		for (const topic of operation.changes) {
			topics.add(topic);
		}
	}

	// That there was nothing is kept, too, by a request that does not wait: an earlier one with its key, which may wait somewhere with nobody to hear its answer, gets nothing any more.
	const isLastWord = done.length > 0 || (operation.waits === true && !(inputs[0]!.wait > 0));
	if (keyed && isLastWord && !await idempotency.keep(client, keyed, done.map(({result}) => subjectOf(result)))) {
		throw new Overtaken();
	}

	return {answers: answers.map(answer => answer instanceof ColoniesError ? answer : {result: answer.result}), computer: who.computer, kept, topics, work, moves};
}

const subjectOf = (result: unknown): Id => {
	const {processid, computerid} = result as {processid?: Id; computerid?: Id};
	return processid ?? computerid!;
};

/** What an earlier request with the same key did, told again: nothing is done twice. */
async function again(client: Client, {operation, inputs}: Pick<Job, 'operation' | 'inputs'>, {fingerprint, subjects}: {fingerprint: string; subjects: readonly Id[]}, keyed: {key: string; fingerprint: string}): Promise<Answer[]> {
	if (fingerprint !== keyed.fingerprint) {
		throw new Conflict(`The idempotency key ${quoted(keyed.key)} was used for another request.`, {hint: 'Use a key once, and again only to repeat the very same request.'});
	}

	const answers: Answer[] = [];
	if (operation.again) {
		for (const input of inputs) {
			answers.push(await answeredAgain(client, operation, input, subjects)); // eslint-disable-line no-await-in-loop
		}

		return answers;
	}

	if (subjects.length === 0) {
		return inputs.map(() => new NothingToAssign('No process was assigned.'));
	}

	for (const subject of subjects) {
		answers.push({result: await processes.get(client, operation.colony!(inputs[0]!), subject)}); // eslint-disable-line no-await-in-loop
	}

	return answers;
}

/** The answer to one call of several that came before. */
async function answeredAgain(client: Client, {again}: AnyOperation, input: Record<string, any>, subjects: readonly Id[]): Promise<Answer> {
	const {subject, done, now} = again!;
	try {
		if (subjects.includes(subject(input))) {
			return {result: await done(client, input)};
		}

		await now(client, input);
		return new Conflict(`The change of ${quoted(shortId(subject(input)))} was refused when this request first came; nothing was changed.`, {hint: 'Look at it, and ask for it anew with another key.'});
	} catch (error) {
		const failure = toColoniesError(error);
		if (failure.code === 'not-found') {
			return failure;
		}

		throw error;
	}
}
