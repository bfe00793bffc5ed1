import {AsyncLocalStorage} from 'node:async_hooks';
import {ColoniesError, storeUnavailable} from '../../core/errors.ts';
import {backOff, pause} from '../../core/backoff.ts';
import {describeServer} from '../describe.ts';
import {Reaching} from '../../core/reachability.ts';
import {defaultSchema, statementsIn} from '../schema.ts';
import {
	begin, executeWithin, settingOnePlan, transact, type Session,
} from '../session.ts';
import {afterCommit, translate, undone} from '../sqlstate.ts';
import {Turns} from '../turns.ts';
import type {
	Client, Database, Load, Reachability, Rows, Statement,
} from '../types.ts';
import {parserOf, toText} from '../values.ts';
import type {Engine} from './engine.ts';
import type {Answer} from './protocol.js';

type Hearer = {hear: (payload: string) => void; onGap: (() => void) | undefined};

export type EmbeddedParts = {
	engine: Engine;
	/** Where it lives, for people. */
	place: string;
	/** The schema that it works in; `colonies` unless given. */
	schema?: string;
	/** Starts another engine on the same data when one has stopped by itself. Not given: then it stays down. */
	restart?: () => Promise<Engine>;
	/** Runs when the last statement is done, before the engine is closed. */
	beforeClose?: (client: Client) => Promise<void>;
	/** Runs when everything is closed. */
	afterClose?: () => Promise<void>;
	/** Hears that a statement ran. */
	onUse?: () => void;
};

function toRows({columns, rows, rowCount}: Answer): Rows<Record<string, unknown>> {
	const readers = columns.map(({name, oid}) => ({name, parse: parserOf(oid)}));
	return {
		rowCount,
		rows: rows.map(row => {
			const read: Record<string, unknown> = {};
			for (const [index, {name, parse}] of readers.entries()) {
				const text = row[index]!;
				read[name] = text === null ? null : parse(text);
			}

			return read;
		}),
	};
}

/** Holds for the transaction that it is sent with. */
const onePlanLeg = {name: 'colonies_settings', text: settingOnePlan, values: []};

function sessionOn(engine: Engine, statementOf: (text: string) => string): Session {
	const query: Session['query'] = async (text, values) => {
		try {
			return toRows(await engine.query(statementOf(text), values.map(value => toText(value))));
		} catch (error) {
			throw translate(error);
		}
	};

	return {
		query,
		async begin() {
			await query(begin, []);
		},
		async flight(statements) {
			const legs = [onePlanLeg, ...statements.map(({name, text, values}) => ({name, text: statementOf(text), values: values.map(value => toText(value))}))];
			try {
				const [, ...answers] = await engine.flight(legs);
				return answers.map(answer => toRows(answer));
			} catch (error) {
				throw translate(error);
			}
		},
		async execute(script) {
			try {
				await engine.execute(statementOf(script));
			} catch (error) {
				throw translate(error);
			}
		},
	};
}

const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const isRead = (text: string): boolean => /^\s*(?:select|show|explain)\b/i.test(text);

/** A database of one session: statements go beside each other, transactions one after another. */
export class EmbeddedDatabase implements Database {
	readonly schema: string;
	readonly #statementOf: (text: string) => string;
	readonly #parts: EmbeddedParts;
	readonly #turns = new Turns();
	readonly #reaching = new Reaching(true);
	readonly #hearers = new Map<string, Set<Hearer>>();
	readonly #transaction = new AsyncLocalStorage<{isOpen: boolean}>();
	readonly #stopping = new AbortController();
	readonly #running: Promise<void>;
	#engine: Engine;
	#closing: Promise<void> | undefined;

	constructor(parts: EmbeddedParts) {
		this.#parts = parts;
		this.schema = parts.schema ?? defaultSchema;
		this.#statementOf = statementsIn(this.schema);
		this.#engine = parts.engine;
		this.#hearFrom(parts.engine);
		this.#running = this.#keepRunning();
	}

	get kind() {
		return 'embedded' as const;
	}

	async query<Row>(text: string, values: readonly unknown[] = []): Promise<Rows<Row>> {
		this.#refuse();
		return this.#turns.share(async () => {
			try {
				return await this.#session().query(text, values) as Rows<Row>;
			} catch (error) {
				throw isRead(text) ? error : afterCommit(error);
			}
		});
	}

	async transaction<Result>(work: (client: Client) => Promise<Result>): Promise<Result> {
		this.#refuse();
		return this.#turns.run(async () => {
			const state = {isOpen: true};
			try {
				return await transact(this.#session(), async client => this.#transaction.run(state, async () => work(client)));
			} catch (error) {
				throw undone(error);
			} finally {
				state.isOpen = false;
			}
		});
	}

	async flight(statements: readonly Statement[]): Promise<Rows[]> {
		this.#refuse();
		return this.#turns.run(async () => {
			try {
				return await this.#session().flight(statements);
			} catch (error) {
				throw undone(afterCommit(error));
			}
		});
	}

	async execute(client: Client, script: string): Promise<void> {
		const within = executeWithin(client, script);
		if (within) {
			return within;
		}

		this.#refuse();
		await this.#turns.run(async () => this.#session().execute(script));
	}

	async listen(channel: string, hear: (payload: string) => void, onGap?: () => void): Promise<() => Promise<void>> {
		this.#refuseClosed();
		const hearer: Hearer = {hear, onGap};
		const hearers = this.#hearers.get(channel) ?? new Set();
		hearers.add(hearer);
		this.#hearers.set(channel, hearers);
		await this.#tryTo(`listen ${quoteName(channel)}`);
		return async () => {
			if (hearers.delete(hearer) && hearers.size === 0) {
				this.#hearers.delete(channel);
				await this.#tryTo(`unlisten ${quoteName(channel)}`);
			}
		};
	}

	async notify(channel: string, payload: string): Promise<void> {
		this.#refuseClosed();
		await this.#turns.share(async () => this.#session().query('select pg_notify($1, $2)', [channel, payload]));
	}

	watchReachability(tell: (state: Reachability) => void): () => void {
		return this.#reaching.watch(tell);
	}

	load(): Load {
		const {waiting, isIdle} = this.#turns;
		return {connections: 1, idle: isIdle ? 1 : 0, waiting, listening: this.#reaching.state.reachable, deaf: false, prepares: true, noChanges: undefined};
	}

	async describe(): Promise<{place: string; server: string; timescale: string | undefined}> {
		return {place: this.#parts.place, ...await describeServer(this)};
	}

	async close(): Promise<void> {
		this.#closing ??= this.#finish();
		await this.#closing;
	}

	async #finish(): Promise<void> {
		await this.#turns.run(async () => {
			this.#stopping.abort();
			try {
				const session = sessionOn(this.#engine, this.#statementOf);
				await this.#parts.beforeClose?.({query: async <Row>(text: string, values: readonly unknown[] = []) => await session.query(text, values) as Rows<Row>});
				await this.#engine.close();
			} catch {
				// It has stopped by itself; what it had committed is kept.
			}
		});
		// An engine that was just starting is closed there.
		await this.#running;
		this.#reaching.down({message: 'The database is closed.'});
		await this.#parts.afterClose?.();
	}

	#session(): Session {
		this.#parts.onUse?.();
		return sessionOn(this.#engine, this.#statementOf);
	}

	#refuseClosed(): void {
		if (this.#closing) {
			throw undone(new ColoniesError('unavailable', 'The embedded database is closed.'));
		}
	}

	#refuse(): void {
		this.#refuseClosed();
		const {reachable, reason} = this.#reaching.state;
		if (!reachable) {
			throw undone(new ColoniesError('unavailable', reason!, {hint: this.#parts.restart ? 'It is being started again; try it again in a moment.' : 'Start the program again.', outward: storeUnavailable}));
		}

		// It would wait for its own transaction for ever.
		if (this.#transaction.getStore()?.isOpen) {
			throw new ColoniesError('internal', 'A statement was run beside the transaction that it belongs to.', {hint: 'Run it on the client of the transaction.'});
		}
	}

	/** A channel that cannot be heard now is heard when the engine is back. */
	async #tryTo(text: string): Promise<void> {
		try {
			await this.#turns.share(async () => this.#session().query(text, []));
		} catch {}
	}

	#hearFrom(engine: Engine): void {
		engine.onNotification((channel, payload) => {
			for (const {hear} of this.#hearers.get(channel) ?? []) {
				queueMicrotask(() => {
					hear(payload);
				});
			}
		});
	}

	/** Watches the engine, and starts another one when it stops by itself. */
	async #keepRunning(): Promise<void> {
		while (!this.#stopping.signal.aborted) {
			const {message} = await this.#engine.gone; // eslint-disable-line no-await-in-loop
			if (this.#stopping.signal.aborted) {
				return;
			}

			this.#reaching.down({message: `The embedded database stopped: ${message}.`});
			if (this.#parts.restart === undefined) {
				return;
			}

			await this.#restart(this.#parts.restart); // eslint-disable-line no-await-in-loop
		}
	}

	async #restart(start: () => Promise<Engine>): Promise<void> {
		for (let attempt = 0; !this.#stopping.signal.aborted; attempt++) {
			/* eslint-disable no-await-in-loop */
			await pause(backOff(attempt), this.#stopping.signal);
			try {
				const engine = await start();
				await (this.#stopping.signal.aborted ? engine.close() : this.#resume(engine));

				return;
			} catch (error) {
				this.#reaching.down(error as Error);
			}
			/* eslint-enable no-await-in-loop */
		}
	}

	async #resume(engine: Engine): Promise<void> {
		this.#hearFrom(engine);
		try {
			// Before anything else runs on it.
			for (const channel of this.#hearers.keys()) {
				await engine.query(`listen ${quoteName(channel)}`, []); // eslint-disable-line no-await-in-loop
			}
		} catch (error) {
			// The next one must find its folder free.
			await engine.close();
			throw error;
		}

		this.#engine = engine;
		this.#reaching.up();
		for (const {onGap} of [...this.#hearers.values()].flatMap(hearers => [...hearers])) {
			if (onGap) {
				queueMicrotask(onGap);
			}
		}
	}
}
