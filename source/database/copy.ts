import {ColoniesError, Conflict} from '../core/errors.ts';
import {dropSchema, migrate} from './migrate.ts';
import {raiseBase} from './numbering.ts';
import {timeOfPieces} from './pieces.ts';
import {lastSeal, type Seal} from './seals.ts';
import type {Client, Database} from './types.ts';

/** What was copied: the rows of each table, and the last seal of the history, which is the same in both. */
export type Copied = {rows: number; tables: Array<{table: string; rows: number}>; head: Pick<Seal, 'number' | 'hash'> | null};

/** Hears how many rows of how many are copied. */
export type Tell = (done: number, total: number) => void;

/** Bytes, as they are stored, that are held in memory at once; and the size from which a row is large. */
const [portionBytes, largeBytes] = [8_388_608, 16_384];

/** Tables that a migration puts rows into. A copy replaces these, also when each migration was done, for no history is older; rows in any other one make a target not empty. */
const filledByMigrations = new Set(['migrations', 'pulse_place', 'txid_base']);

const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const inSchema = (name: string): string => `colonies.${quoteName(name)}`;

type Column = {name: string; type: string};
type Table = {name: string; columns: Column[]; after: string[]};

/** The tables of the schema, without the pieces that some are made of. `after`: those that its foreign keys point to. */
async function readTables(client: Client): Promise<Table[]> {
	const {rows} = await client.query<Table>(`
		select c.relname as name,
			(select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) order by a.attname)
				from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
			coalesce((select json_agg(distinct r.relname)
				from pg_catalog.pg_constraint k join pg_catalog.pg_class r on r.oid = k.confrelid where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid), '[]') as after
		from pg_catalog.pg_class c where c.relnamespace = to_regnamespace('colonies') and c.relkind in ('r', 'p') and not c.relispartition
		order by c.relname`);
	return rows;
}

/** Tables in an order in which each comes after those that its rows point to. */
function inOrder(tables: readonly Table[]): Table[] {
	const ordered: Table[] = [];
	for (let left = [...tables]; left.length > 0;) {
		const names = new Set(left.map(({name}) => name));
		const next = left.filter(({after}) => !after.some(name => names.has(name)));
		// Of a circle all at once: what points to what is not there yet is refused by the database.
		const some = next.length === 0 ? left : next;
		ordered.push(...some);
		left = left.filter(table => !some.includes(table));
	}

	return ordered;
}

/** @throws ColoniesError where the two do not have the same tables with the same columns */
function refuseDifferent(source: readonly Table[], target: readonly Table[]): void {
	const columnsOf = (tables: readonly Table[]) => tables.flatMap(({name, columns}) => columns.map(column => `${name}.${column.name} ${column.type}`));
	const [ours, theirs] = [columnsOf(source), columnsOf(target)];
	const odd = [...ours.filter(column => !theirs.includes(column)), ...theirs.filter(column => !ours.includes(column))];
	if (odd.length > 0) {
		throw new ColoniesError('unavailable', `The tables of the two databases differ: ${odd[0]!} is in one of them only.`, {hint: 'Was something changed by hand? Nothing was copied.'});
	}
}

/** The name of a table that has rows; undefined where all are empty but for what migrations put in. */
async function findFilled(client: Client): Promise<string | undefined> {
	const tables = await readTables(client);
	for (const {name} of tables.filter(({name}) => !filledByMigrations.has(name))) {
		const {rows: [row]} = await client.query<{filled: boolean}>(`select exists (select from ${inSchema(name)}) as filled`); // eslint-disable-line no-await-in-loop
		if (row!.filled) {
			return name;
		}
	}

	return undefined;
}

/** @throws Conflict */
async function refuseFilled(client: Client): Promise<void> {
	const name = await findFilled(client);
	if (name !== undefined) {
		throw new Conflict(`The target is not empty: its table ${name} has rows.`, {hint: 'Copy to an empty place, or drop what is there with `colonies database drop`. Nothing was changed.'});
	}
}

/** Keeps everybody else from writing to the target until the transaction ends. */
const lockTarget = async (client: Client): Promise<unknown> => client.query('lock table colonies.migrations, colonies.colonies, colonies.history in share row exclusive mode');

/** What the transactions of a copy need, which take their time and read texts that the other database understands. */
async function setUp(client: Client): Promise<void> {
	for (const setting of ['statement_timeout = 0', 'idle_in_transaction_session_timeout = 0', 'datestyle = \'ISO\'', 'timezone = \'UTC\'', 'bytea_output = \'hex\'', 'extra_float_digits = 1']) {
		await client.query(`set local ${setting}`); // eslint-disable-line no-await-in-loop
	}
}

/** How large a row is as it is stored, but for what is little: no column is read in full for it. */
const sizeOf = ({columns}: Table): string => columns.map(({name, type}) => `coalesce(${type === 'text' || type === 'bytea' ? 'octet_length' : 'pg_column_size'}(${quoteName(name)}), 0)`).join(' + ');

type Measure = {rows: number; largest: number};

async function measure(client: Client, table: Table): Promise<Measure> {
	const {rows: [row]} = await client.query<Measure>(`select count(*) as rows, coalesce(max(${sizeOf(table)}), 0) as largest from ${inSchema(table.name)}`);
	return row!;
}

const countRows = async (client: Client, {name}: Table): Promise<number> => {
	const {rows: [row]} = await client.query<{rows: number}>(`select count(*) as rows from ${inSchema(name)}`);
	return row!.rows;
};

type Row = Record<string, string | null>;

/** The rows of a table as texts, in portions that fit into memory: small rows many at once, large ones few. */
async function * readRows(client: Client, table: Table, largest: number): AsyncGenerator<Row[]> {
	const passes = [
		{which: `${sizeOf(table)} <= ${largeBytes}`, atOnce: portionBytes / largeBytes},
		...(largest > largeBytes ? [{which: `${sizeOf(table)} > ${largeBytes}`, atOnce: Math.max(1, Math.floor(portionBytes / largest))}] : []),
	];
	const columns = table.columns.map(({name}) => `${quoteName(name)}::text`).join(', ');
	/* eslint-disable no-await-in-loop */
	for (const {which, atOnce} of passes) {
		await client.query(`declare rows_to_copy no scroll cursor for select ${columns} from ${inSchema(table.name)} where ${which}`);
		for (;;) {
			const {rows} = await client.query<Row>(`fetch forward ${atOnce} from rows_to_copy`);
			if (rows.length > 0) {
				yield rows;
			}

			if (rows.length < atOnce) {
				break;
			}
		}

		await client.query('close rows_to_copy');
	}
	/* eslint-enable no-await-in-loop */
}

async function writeRows(client: Client, {name, columns}: Table, rows: readonly Row[]): Promise<void> {
	const names = columns.map(column => quoteName(column.name)).join(', ');
	await client.query(
		`insert into ${inSchema(name)} (${names}) overriding system value
		select ${columns.map((column, index) => `u.c${index}::${column.type}`).join(', ')}
		from unnest(${columns.map((_, index) => `$${index + 1}::text[]`).join(', ')}) as u(${columns.map((_, index) => `c${index}`).join(', ')})`,
		columns.map(column => rows.map(row => row[column.name])),
	);
}

/** Sequences go on where they were. */
async function copySequences(from: Client, to: Client): Promise<void> {
	const {rows: sequences} = await from.query<{name: string}>('select relname as name from pg_catalog.pg_class where relnamespace = to_regnamespace(\'colonies\') and relkind = \'S\'');
	for (const {name} of sequences) {
		/* eslint-disable no-await-in-loop */
		const {rows: [state]} = await from.query<{last: string; called: boolean}>(`select last_value::text as last, is_called as called from ${inSchema(name)}`);
		await to.query(`select setval('${inSchema(name)}', $1::bigint, $2::boolean)`, [state!.last, state!.called]);
		/* eslint-enable no-await-in-loop */
	}
}

/** Makes pieces in the empty target for the months of what is copied, two years back at most; what is older lies together. */
async function makePieces(from: Client, to: Client): Promise<void> {
	for (const [table, at] of Object.entries(timeOfPieces)) {
		/* eslint-disable no-await-in-loop */
		const before = `${table}_before`;
		const {rows: [there]} = await to.query<{pieces: boolean}>(`select to_regclass('${inSchema(before)}') is not null as pieces`);
		const {rows: [oldest]} = await from.query<{month: string | null}>(`
			select greatest(date_trunc('month', min(${at}) at time zone 'UTC'), date_trunc('month', now() at time zone 'UTC') - interval '2 years')::date::text as month from ${inSchema(table)} having count(*) > 0`);
		if (there!.pieces && oldest) {
			const {rows: [first]} = await to.query<{month: string}>('select least($1::date, date_trunc(\'month\', now() at time zone \'UTC\')::date)::text as month', [oldest.month]);
			await to.query(`drop table ${inSchema(before)}`);
			await to.query(`create table ${inSchema(before)} partition of ${inSchema(table)} for values from (minvalue) to ('${first!.month} 00:00:00+00')`);
			await to.query(`select colonies.make_piece('${table}', '${at}', month::date, false) from generate_series($1::timestamp, date_trunc('month', now() at time zone 'UTC'), interval '1 month') month`, [first!.month]);
		}
		/* eslint-enable no-await-in-loop */
	}
}

const headOf = async (client: Client): Promise<Copied['head']> => {
	const seal = await lastSeal(client);
	return seal ? {number: seal.number, hash: seal.hash} : null;
};

const differing = (what: string, there: unknown, here: unknown) =>
	new ColoniesError('internal', `The copy is not the same as its source: ${what} ${String(there)}, in the source ${String(here)}.`, {hint: 'The target was left as it was. Report this.'});

/** @throws ColoniesError where the target does not have what the source has */
async function checkCopy(from: Client, to: Client, tables: ReadonlyArray<Table & Measure>): Promise<Copied> {
	for (const table of tables) {
		const count = await countRows(to, table); // eslint-disable-line no-await-in-loop
		if (count !== table.rows) {
			throw differing(`the table ${table.name} has so many rows:`, count, table.rows);
		}
	}

	const [head, copied] = [await headOf(from), await headOf(to)];
	if (copied?.hash !== head?.hash || copied?.number !== head?.number) {
		throw differing('the last seal of the history is', copied?.hash, head?.hash);
	}

	return {rows: tables.reduce((sum, {rows}) => sum + rows, 0), tables: tables.map(({name, rows}) => ({table: name, rows})), head};
}

type Options = {tell?: Tell | undefined; signal?: AbortSignal | undefined};

/** Copies all rows, from one snapshot into one transaction. */
async function copyRows(from: Client, to: Client, {tell, signal}: Options): Promise<Copied> {
	const tables = inOrder(await readTables(from));
	refuseDifferent(tables, await readTables(to));
	const measured: Array<Table & Measure> = [];
	/* eslint-disable no-await-in-loop */
	for (const table of tables) {
		measured.push({...table, ...await measure(from, table)});
	}

	const total = measured.reduce((sum, {rows}) => sum + rows, 0);
	let done = 0;
	await makePieces(from, to);
	for (const table of measured) {
		if (filledByMigrations.has(table.name)) {
			await to.query(`delete from ${inSchema(table.name)}`);
		}

		for await (const rows of readRows(from, table, table.largest)) {
			if (signal?.aborted) {
				throw new ColoniesError('cancelled', 'The copy was interrupted; the target was left as it was.');
			}

			await writeRows(to, table, rows);
			done += rows.length;
			tell?.(done, total);
		}
	}
	/* eslint-enable no-await-in-loop */

	await copySequences(from, to);
	const copied = await checkCopy(from, to, measured);
	await raiseBase(to);
	return copied;
}

/** Drops a schema that this copy has made, unless somebody has put something in since. */
async function dropEmpty(target: Database): Promise<void> {
	const isEmpty = await target.transaction(async client => {
		await lockTarget(client);
		const isEmpty = await findFilled(client) === undefined;
		if (isEmpty) {
			await dropSchema(target, client);
		}

		return isEmpty;
	}).catch(() => false);
	if (!isEmpty) {
		// Its tables were not all made, so there is nothing in them.
		const {rows: [row]} = await target.query<{started: boolean}>('select to_regclass(\'colonies.history\') is null and to_regnamespace(\'colonies\') is not null as started');
		if (row!.started) {
			await dropSchema(target);
		}
	}
}

/**
Copies everything in the schema from one database to another, of whichever kinds: of one moment, all of it or nothing. The source is not changed.
@param tell hears how far it is
@param signal interrupts it
@throws Conflict for a target that is not empty; ColoniesError `cancelled`; both leave the target as it was
*/
export async function copyInstallation(source: Database, target: Database, options: Options = {}): Promise<Copied> {
	const {rows: [before]} = await target.query<{made: boolean}>('select to_regnamespace(\'colonies\') is not null as made');
	await refuseFilled(target);
	try {
		await migrate(target);
		const copied = await source.transaction(async from => {
			await from.query('set transaction isolation level repeatable read, read only');
			await setUp(from);
			return target.transaction(async to => {
				await setUp(to);
				await lockTarget(to);
				await refuseFilled(to);
				return copyRows(from, to, options);
			});
		});
		for (const {table} of copied.tables) {
			// The planner knows nothing of the new rows yet.
			await target.query(`analyze ${inSchema(table)}`); // eslint-disable-line no-await-in-loop
		}

		return copied;
	} catch (error) {
		if (!before!.made) {
			await dropEmpty(target).catch(() => undefined);
		}

		throw error;
	}
}
