import assert from 'node:assert/strict';
import {after} from 'node:test';
import {inspect} from 'node:util';
import {ColoniesError, type ErrorCode, toColoniesError} from '../../source/core/errors.ts';
import {type Id, type Process, type ProcessSpec, type ProcessState, processStates} from '../../source/core/types.ts';
import {inFull} from '../../source/database/images.ts';
import {migrate} from '../../source/database/index.ts';
import type {Database} from '../../source/database/types.ts';
import {createIdentity, type Identity} from '../../source/identity/index.ts';
import {
	Broker, type Caller, type InputOf, type OperationName, type ResultOf,
} from '../../source/operations/index.ts';
import {noPostgres, openMemory, openPlain} from './databases.ts';

export const rootPassword = 'correct horse battery staple';
export const root: Caller = {root: rootPassword};

/**
Room for one installation on a PostgreSQL, or in the database that is named for the tests; where no PostgreSQL is installed, the embedded one in memory. It is closed after the tests of the file.
*/
export async function openAny(): Promise<Database> {
	const opened: Database[] = [];
	// Before the server is started, so that the database is closed before that is stopped.
	after(async () => Promise.all(opened.map(async database => database.close())));
	const database = noPostgres ? await openMemory() : await openPlain();
	opened.push(database);
	return database;
}

type ComputerOptions = {state?: 'pending' | 'approved' | 'disapproved'; computertype?: string; cores?: number; mem?: number; gpus?: number; name?: string};
type Spec = Partial<ProcessSpec>;

/** A row of the history, as it is kept. */
export type HistoryRow = {
	history_id: number; txid: number; at: string; actor: string; colony_id: Id | null; noun: string; subject_id: string; what: string;
	from_state: string | null; to_state: string | null; detail: any; request: string | null; signature: string | null;
};

/** A registered colony with the identity of its owner, and what its people and computers do, in short. */
export class Colony {
	readonly database: Database;
	readonly broker: Broker;
	readonly owner: Identity;
	/** For looking whether it is kept anywhere. */
	readonly privateKeys: string[] = [];
	readonly id: Id;

	constructor(database: Database, broker: Broker) {
		const {identity, privateKey} = createIdentity();
		this.database = database;
		this.broker = broker;
		this.owner = identity;
		this.id = identity.id;
		this.privateKeys.push(privateKey);
	}

	/** The same colony, reached through another server. */
	through(broker: Broker): Colony {
		return Object.assign(Object.create(Colony.prototype) as Colony, this, {broker});
	}

	/** Runs an operation as somebody who has a key. */
	async as<Name extends OperationName>(identity: Identity, name: Name, input: InputOf<Name>): Promise<ResultOf<Name>> {
		return this.broker.run({identity}, name, input);
	}

	/** Runs an operation of this colony as its owner. */
	async own<Name extends OperationName>(name: Name, input: Record<string, unknown> = {}): Promise<ResultOf<Name>> {
		return this.as(this.owner, name, {colonyid: this.id, ...input});
	}

	/** Registers a computer, approved unless told otherwise. */
	/** As if the computer had last been at work so long ago. */
	async sees({id}: Pick<Identity, 'id'>, ago = '0 s'): Promise<void> {
		await this.database.query(
			'insert into colonies.seen (colony_id, computer_id, seen_at) values (colonies.bytes_of($1), colonies.bytes_of($2), now() - $3::interval) on conflict (colony_id, computer_id) do update set seen_at = excluded.seen_at',
			[this.id, id, ago],
		);
	}

	async computer({state = 'approved', ...spec}: ComputerOptions = {}): Promise<Identity> {
		const {identity, privateKey} = createIdentity();
		this.privateKeys.push(privateKey);
		await this.own('computer.register', {computerid: identity.id, spec: {name: 'lab', cores: 8, mem: 8000, gpus: 1, ...spec}});
		if (state !== 'pending') {
			await this.own(`computer.${state === 'approved' ? 'approve' : 'disapprove'}`, {computerid: identity.id});
		}

		return identity;
	}

	async submit(spec: Spec = {}, by = this.owner): Promise<Process> {
		return this.as(by, 'process.submit', {spec: {targetcolonyid: this.id, ...spec}});
	}

	async assign(computer: Identity): Promise<Process> {
		return this.as(computer, 'process.assign', {colonyid: this.id});
	}

	/** A process that runs on a computer. Nothing else that it may run waits before it. */
	async running(computer: Identity, spec: Spec = {}): Promise<Process> {
		await this.submit({targetcomputerids: [computer.id], ...spec});
		return this.assign(computer);
	}

	async close(computer: Identity, {processid}: Pick<Process, 'processid'>, to: 'successful' | 'failed' = 'successful'): Promise<Process> {
		return this.as(computer, `process.${to}`, {colonyid: this.id, processid});
	}

	async add(computer: Identity, {processid}: Pick<Process, 'processid'>, attribute: {key: string; value: string; type?: 'out' | 'err'}) {
		return this.as(computer, 'attribute.add', {colonyid: this.id, processid, ...attribute});
	}

	async get({processid}: Pick<Process, 'processid'>): Promise<Process> {
		return this.own('process.get', {processid});
	}

	async state(process: Pick<Process, 'processid'>): Promise<ProcessState> {
		const {status} = await this.get(process);
		return processStates[status];
	}

	/** Sets back the deadlines of running processes, as if their time had passed. */
	async passDeadlines(...processes: Array<Pick<Process, 'processid'>>): Promise<void> {
		const {rowCount} = await this.database.query(
			'update colonies.live set deadline = statement_timestamp() - interval \'1 second\' where process_id = any (colonies.bytes_of_all($1)) and deadline is not null',
			[processes.map(({processid}) => processid)],
		);
		assert.equal(rowCount, processes.length);
	}

	/** The history of this colony, or of one subject, in the order in which it was written, with its details as people are told of them. */
	async history(subject?: string): Promise<HistoryRow[]> {
		const {rows} = await this.database.query<HistoryRow>(
			`select history_id, txid, at, since, colonies.text_of(actor) as actor, colony_id, noun, colonies.text_of(subject_id) as subject_id, what, from_state, to_state, detail, request, signature
			from colonies.history where colony_id = colonies.bytes_of($1) and ($2::text is null or subject_id = colonies.bytes_of_any($2)) order by history_id`,
			[this.id, subject],
		);
		return rows.map(row => ({...row, detail: inFull({what: row.what, subject: row.subject_id, colony: row.colony_id}, row.detail)}));
	}
}

/** A database brought up to date with a registered colony in it. */
export async function openColony(database: Database, broker = new Broker(database, {local: true})): Promise<Colony> {
	await migrate(database);
	const colony = new Colony(database, broker);
	await broker.run(root, 'colony.register', {colonyid: colony.id, spec: {name: 'mycolony'}});
	return colony;
}

const tableNames = async (database: Database): Promise<string[]> => {
	const {rows} = await database.query<{name: string}>('select format(\'%I.%I\', schemaname, tablename) as name from pg_catalog.pg_tables where schemaname = \'colonies\' order by 1');
	return rows.map(({name}) => name);
};

/** Everything that is kept in any table of the schema, as text, one line a row. */
export async function dump(database: Database): Promise<string> {
	const tables = await tableNames(database);
	const {rows} = await database.query<{row: string}>(tables.map(name => `select '${name} ' || to_jsonb(t)::text as row from ${name} t`).join(' union all '));
	return rows.map(({row}) => row).join('\n');
}

/** Checks that something is refused with a code, and gives the error. */
export async function refused(work: Promise<unknown>, code: ErrorCode, pattern?: RegExp): Promise<ColoniesError> {
	let error: unknown;
	try {
		await work;
	} catch (error_) {
		error = error_;
	}

	assert.ok(error instanceof ColoniesError, error === undefined ? `It was allowed; ${code} was expected.` : inspect(error));
	assert.equal(error.code, code, error.stack);
	if (pattern) {
		assert.match(error.message, pattern);
	}

	return error;
}

/** For each table what is in it, in short: two that are equal hold the same rows. When computers were last seen, seals of the history and what Pulse counts are written now and then, whatever anybody asks for. */
export async function contents(database: Database): Promise<Record<string, string>> {
	const tables = (await tableNames(database)).filter(name => !['seen', 'seals', 'pulse_place', 'pulse_rolled', 'txid_base'].includes(name.split('.')[1]!));
	const {rows} = await database.query<{name: string; hash: string}>(tables.map(name => `select '${name}' as name, count(*) || ' rows, ' || coalesce(md5(string_agg(t::text, e'\n' order by t::text)), '') as hash from ${name} t`).join(' union all '));
	return Object.fromEntries(rows.map(({name, hash}) => [name, hash]));
}

/** Checks that something is refused with a code and leaves every table as it was. */
export async function refusedUnchanged(database: Database, work: () => Promise<unknown>, code: ErrorCode, pattern?: RegExp): Promise<ColoniesError> {
	const before = await contents(database);
	const error = await refused(work(), code, pattern);
	assert.deepEqual(await contents(database), before);
	return error;
}

/** What became of something: `done`, or the code of the error. */
export async function outcomeOf(work: Promise<unknown>): Promise<ErrorCode | 'done'> {
	try {
		await work;
		return 'done';
	} catch (error) {
		return toColoniesError(error).code;
	}
}

/** Waits until something that was begun stands before a lock of the database. Fails when it is done before. */
export async function untilBlocked(database: Database, begun: Promise<unknown>): Promise<void> {
	let isDone = false;
	const settle = () => {
		isDone = true;
	};

	void begun.then(settle).catch(settle);
	for (let blocked = 0; blocked === 0;) {
		assert.ok(!isDone, 'It did not wait.');
		const {rows: [row]} = await database.query<{blocked: number}>('select count(*)::int as blocked from pg_stat_activity where datname = current_database() and wait_event_type = \'Lock\'');
		blocked = row!.blocked;
	}
}

/** A moment of the database after which nothing has happened yet. */
export async function momentOf(database: Database): Promise<string> {
	const clock = async () => (await database.query<{at: string}>('select clock_timestamp() as at')).rows[0]!.at;
	const at = await clock();
	for (let now = at; now <= at;) {
		now = await clock();
	}

	return at;
}
