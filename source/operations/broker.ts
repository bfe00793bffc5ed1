import {randomUUID} from 'node:crypto';
import {allows} from '../core/authority.ts';
import {
	ColoniesError, NotAllowed, toColoniesError, Unauthenticated,
} from '../core/errors.ts';
import {limits} from '../core/limits.ts';
import {quoted, shortId} from '../core/text.ts';
import {
	type Author, type Client, type Database, expire, isRetryable, record, removeUnusedDemands, type Standing, standingOf,
} from '../database/index.ts';
import {attributeId, Identity} from '../identity/index.ts';
import type {Topic} from '../core/types.ts';
import type {Who} from './define.ts';
import {News} from './news.ts';
import {parseInput} from './parse.ts';
import {
	type AnyOperation, type InputOf, type OperationName, type ResultOf, operations,
} from './registry.ts';
import {RootPasswords} from './root-password.ts';

/** Whoever wants something done: somebody who proved an identity, or gives the root password. */
export type Caller = {identity: Identity} | {root: string};

/** Hears one sentence that is not an error. */
export type Notice = (sentence: string) => void;

type BrokerOptions = {
	/** Whether callers are on this machine: only they may set the first root password. */
	local: boolean;
};

const tries = 5;

/** The operations on one database. `run` is the only way in. */
export class Broker {
	readonly news: News;
	readonly #database: Database;
	readonly #local: boolean;
	readonly #rootPasswords = new RootPasswords();

	constructor(database: Database, {local}: BrokerOptions) {
		this.#database = database;
		this.#local = local;
		this.news = new News(database);
	}

	/**
	Carries out an operation: parse → begin → authorise, handle, record → commit → tell the watchers. All of it or nothing.
	@throws ColoniesError
	*/
	async run<Name extends OperationName>(caller: Caller, name: Name, input: InputOf<Name>, notice: Notice = () => undefined): Promise<ResultOf<Name>> {
		const operation: AnyOperation = operations[name];
		const {value, unknown} = parseInput(operation.input, input);
		if (unknown.length > 0) {
			notice(`Unknown ${unknown.length === 1 ? 'field' : 'fields'} left out: ${unknown.map(field => quoted(field)).join(', ')}.`);
		}

		const signed = operation.operator ? signRequest(caller, operation, value) : {};
		const {answer, kept, told} = await this.#retrying(async () => this.#database.transaction(async client => {
			const told = new Set<Topic>();
			const tell = (topics: readonly Topic[]): void => {
				for (const topic of topics) {
					told.add(topic);
				}
			};

			const {who, kept} = await this.#authorise(client, operation, caller, value);
			const author: Author = {actor: who.actor, ...signed};
			const [answer] = await operation.answer({client, calls: [{who, input: value, author}], tell});
			if (answer && !(answer instanceof ColoniesError)) {
				await record(client, author, answer.changes);
				tell(operation.changes);
			}

			return {answer: answer!, kept, told};
		}));
		if (kept) {
			notice('This root password is the first given to this database, and was kept: from now on it is the one.');
		}

		this.news.announce([...told]);
		if (answer instanceof ColoniesError) {
			throw answer;
		}

		return answer.result as ResultOf<Name>;
	}

	/** Ends attempts whose deadline has passed, in all colonies, a bounded number at once. @returns how many */
	async endExpired(): Promise<number> {
		const changes = await this.#retrying(async () => this.#database.transaction(async client => {
			const changes = await expire(client, {limit: limits.expired, idOf: attributeId});
			await record(client, {actor: 'system'}, changes);
			return changes;
		}));
		if (changes.length > 0) {
			this.news.announce(['processes', 'attributes']);
		}

		return changes.filter(({noun}) => noun === 'process').length;
	}

	/** Clears away what nothing points to any more. */
	async tidy(): Promise<void> {
		await this.#retrying(async () => removeUnusedDemands(this.#database));
	}

	/** Keeps a root password when it is the first, and checks it otherwise. @throws Unauthenticated */
	async verifyRoot(password: string): Promise<{kept: boolean}> {
		return this.#database.transaction(async client => this.#verify(client, password));
	}

	/** The first password is an event of the installation's history; the password itself never is. */
	async #verify(client: Client, password: string): Promise<{kept: boolean}> {
		const {kept} = await this.#rootPasswords.verify(client, password, {local: this.#local});
		if (kept) {
			await record(client, {actor: 'root'}, [{noun: 'installation', subject: 'root', what: 'database.firstrootpassword'}]);
		}

		return {kept};
	}

	async #authorise(client: Client, operation: AnyOperation, caller: Caller, input: any): Promise<{who: Who; kept: boolean}> {
		if ('root' in caller) {
			if (!allows(operation.allow, 'root', false)) {
				throw new NotAllowed(operation.allow.refusal, {hint: 'Root looks after the installation; the work of a colony belongs to its owner.'});
			}

			const {kept} = await this.#verify(client, caller.root);
			return {who: {actor: 'root', role: 'root'}, kept};
		}

		if (!Identity.isProved(caller.identity)) {
			throw new Unauthenticated('The caller has not proved an identity.');
		}

		const {id} = caller.identity;
		const colony = operation.colony?.(input);
		const standing: Standing = colony === undefined ? {role: 'stranger'} : await standingOf(client, colony, id, {hold: operation.changes.length > 0});
		if (!allows(operation.allow, standing.role, operation.self?.(input, id) ?? false)) {
			throw refusal(operation, standing.role, id, colony);
		}

		return {who: {actor: id, ...standing}, kept: false};
	}

	/** Does it again when another transaction was in the way; a bounded number of times. */
	async #retrying<Result>(work: () => Promise<Result>): Promise<Result> {
		for (let attempt = 1; ; attempt++) {
			try {
				return await work(); // eslint-disable-line no-await-in-loop
			} catch (error) {
				if (attempt === tries || !isRetryable(error)) {
					throw toColoniesError(error);
				}
			}
		}
	}
}

function refusal(operation: AnyOperation, role: Who['role'], id: string, colony: string | undefined): ColoniesError {
	if (colony === undefined || role === 'owner' || role === 'approved') {
		const hint = operation.allow.self.includes('approved') ? 'It must be signed by that computer itself: give its id with --computerid.' : 'Give the key of somebody who may.';
		return new NotAllowed(operation.allow.refusal, {hint: colony === undefined ? 'Give the root password.' : hint});
	}

	return role === 'stranger'
		? new NotAllowed(`${quoted(shortId(id))} is neither the owner nor a computer of the colony ${quoted(shortId(colony))}, if there is one.`, {hint: 'Check the colony id, and which key signs (--id).'})
		: new NotAllowed(`${operation.allow.refusal} This computer is ${role}.`, {hint: 'The colony owner lets it in with `colonies computer approve`.'});
}

/**
The request as its caller signs it and the history keeps it: operation, input, time and a nonce. Root signs nothing, and its password is never part of it.
The input is the checked one, without secrets: a field that the operation does not know may hold one.
*/
function signRequest(caller: Caller, operation: AnyOperation, input: unknown): {request: string; signature?: string} {
	const given = Object.fromEntries(Object.entries(input as Record<string, unknown>).filter(([name, value]) => value !== undefined && operation.input[name]?.kind !== 'secret'));
	const request = JSON.stringify({
		operation: operation.name, input: given, created: new Date().toISOString(), nonce: randomUUID(),
	});
	return {request, ...('identity' in caller ? {signature: caller.identity.sign(request)} : {})};
}
