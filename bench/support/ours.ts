import {randomUUID} from 'node:crypto';
import process from 'node:process';
import {keepTime} from '../../source/contexts/keep-time.ts';
import {toColoniesError} from '../../source/core/errors.ts';
import {openPostgres} from '../../source/database/postgres.ts';
import type {Database} from '../../source/database/types.ts';
import {type Identity, verifyHttp} from '../../source/identity/index.ts';
import type {Caller, InputOf, OperationName, ResultOf} from '../../source/operations/index.ts';
import {type Colony, openColony} from '../../test/support/colony.ts';
import {freshDatabase, type Server} from '../../test/support/databases.ts';
import {authority, signed, wire} from '../../test/support/server.ts';
import {callersFor} from './measure.ts';
import {given} from './peers.ts';

/** Ours, as a peer of the others: a colony on a database of its own, with its deadlines, seals, counts and vacuum under way. */
export type Ours = {
	database: Database;
	colony: Colony;
	computers: Identity[];
	/** Lives in this process, by somebody who holds the key. `signs`: each call is signed and verified as a request is. */
	run: (callers: number, seconds: number, options?: {signs?: boolean}) => Promise<number>;
	close: () => Promise<void>;
};

/** A call as the client library makes it, with an idempotency key of its own. */
export async function call<Name extends OperationName>(colony: Colony, identity: Identity, name: Name, input: InputOf<Name>, signs = false): Promise<ResultOf<Name>> {
	const options = name === 'process.submit' || name === 'process.assign' ? {idempotencyKey: randomUUID()} : {};
	const caller: Caller = signs ? {signer: verifyHttp({...signed(identity, wire(name, input), options), authority}, {now: Date.now()})} : {identity};
	return colony.broker.run(caller, name, input, options);
}

export const openOurs = async (server: Server, options?: {computers?: number}): Promise<Ours> => openOursOn(await openPostgres({...await freshDatabase(server), poolSize: 8}), options);

/** The same on a database that is open; it is closed with it. */
export async function openOursOn(database: Database, {computers: many = 32}: {computers?: number} = {}): Promise<Ours> {
	const colony = await openColony(database);
	const computers = await Promise.all(Array.from({length: many}, async () => colony.computer()));
	const stop = keepTime(colony.broker);
	const assign = async (computer: Identity, signs: boolean) => {
		for (;;) {
			try {
				return await call(colony, computer, 'process.assign', {colonyid: colony.id}, signs); // eslint-disable-line no-await-in-loop
			} catch (error) {
				if (toColoniesError(error).code !== 'nothing-to-assign') {
					throw error;
				}
			}
		}
	};

	return {
		database, colony, computers,
		run: async (callers, seconds, {signs = false} = {}) => callersFor(seconds, callers, async caller => {
			const computer = computers[caller % computers.length]!;
			await call(colony, colony.owner, 'process.submit', {spec: {targetcolonyid: colony.id, timeout: 600, maxretries: 1, in: given}}, signs);
			const {processid} = await assign(computer, signs);
			await call(colony, computer, 'process.successful', {colonyid: colony.id, processid}, signs);
		}),
		async close() {
			await stop();
			await colony.broker.close();
			await database.close();
		},
	};
}

/** Commits of a database so far, as its statistics say; they are written down with a delay. */
export async function commitsOf(database: Database): Promise<number> {
	await new Promise(resolve => {
		setTimeout(resolve, 1200);
	});
	const {rows: [row]} = await database.query<{commits: number}>('select xact_commit::float8 as commits from pg_stat_database where datname = current_database()');
	return row!.commits;
}

/** Bytes of WAL that a server has written so far. */
export async function walOf(database: Database): Promise<number> {
	const {rows: [row]} = await database.query<{wal: number}>('select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), \'0/0\')::float8 as wal');
	return row!.wal;
}

export const seconds = Number(process.env.BENCH_SECONDS ?? 2);
export const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
