import {pause} from '../core/backoff.ts';
import {type ColoniesError, toColoniesError} from '../core/errors.ts';
import {type Database, migrate} from '../database/index.ts';
import type {Context} from '../operations/index.ts';
import {type BrokerContext, brokerContext} from './local.ts';
import {Gate, holdOn, socketOf} from './socket.ts';

/** The embedded database of a folder, and who asks for it. */
export type Embedded = {folder: string; /** A short folder for its socket. */ run: string; name: 'embedded' | 'demo'; version: string};

/** One way to the embedded database: this process has it open and serves the others, or another one does. `gone`: it does no more. */
export type Way = {context: Context; gone: Promise<void>; isHost: boolean; leave(): Promise<void>};

/** Milliseconds for which a holder that serves nobody is waited for: it may be starting, or on its way out. */
const patience = 8000;
const firstPause = 10;
const longestPause = 100;

/** Opens the database of a folder in this process and serves it on its socket. @throws ColoniesError, `in-use` when another process has it */
export async function host({folder, run, name, version}: Embedded): Promise<{context: BrokerContext; database: Database; close(): Promise<void>}> {
	const {openEmbedded} = await import('../database/embedded/index.ts');
	const gate = new Gate(socketOf(folder, run), version);
	let database: Database | undefined;
	try {
		database = await openEmbedded({folder, onHeld: async () => gate.listen()});
		await migrate(database);
	} catch (error) {
		await gate.close();
		await database?.close();
		throw error;
	}

	// Whoever hosts sees to the deadlines of all, however short it stays.
	const context = brokerContext(database, {kind: 'embedded', name, local: true, attended: true});
	gate.open(context);
	return {
		context, database,
		async close() {
			await gate.close();
			await context.close();
		},
	};
}

/** Asks the process that has the database open. Undefined where nobody answers. */
async function visit({folder, run, name}: Embedded): Promise<Way | undefined> {
	const socket = socketOf(folder, run);
	const held = await holdOn(socket);
	if (!held) {
		return undefined;
	}

	const {openRemote} = await import('../remote/index.ts');
	try {
		const context = await openRemote({address: {socket, place: `the embedded database in ${folder}`}, kind: 'embedded', name, tries: 1});
		return {
			context, gone: held.gone, isHost: false,
			async leave() {
				held.release();
				await context.close();
			},
		};
	} catch (error) {
		held.release();
		if (toColoniesError(error).code !== 'unavailable') {
			throw error;
		}

		return undefined;
	}
}

/** This process is gone when it is gone. */
const never = new Promise<void>(() => undefined); // eslint-disable-line no-promise-executor-return

async function tryToHost(embedded: Embedded): Promise<Way | ColoniesError> {
	try {
		const {context, close} = await host(embedded);
		return {context, gone: never, isHost: true, leave: close};
	} catch (error) {
		const failure = toColoniesError(error);
		if (failure.code !== 'in-use') {
			throw failure;
		}

		return failure;
	}
}

/** Whichever comes first: to have the database, or somebody who has it. @throws ColoniesError, `in-use` when its holder serves nobody */
export async function findWay(embedded: Embedded, signal: AbortSignal): Promise<Way> {
	const until = performance.now() + patience;
	for (let wait = firstPause; ; wait = Math.min(wait * 2, longestPause)) {
		/* eslint-disable no-await-in-loop */
		// First the way that costs nothing where somebody is there already.
		const way = await visit(embedded) ?? await tryToHost(embedded);
		if ('context' in way) {
			return way;
		}

		if (performance.now() > until || signal.aborted) {
			throw way;
		}

		await pause(wait, signal);
		/* eslint-enable no-await-in-loop */
	}
}

/** Has the database to itself for serving it, when whoever has it now goes within a moment. @throws ColoniesError `in-use` */
export async function hostAlone(embedded: Embedded): Promise<Awaited<ReturnType<typeof host>>> {
	const until = performance.now() + 2000;
	for (;;) {
		try {
			return await host(embedded); // eslint-disable-line no-await-in-loop
		} catch (error) {
			if (toColoniesError(error).code !== 'in-use' || performance.now() > until) {
				throw error;
			}
		}

		await pause(longestPause, new AbortController().signal); // eslint-disable-line no-await-in-loop
	}
}
