import {randomUUID} from 'node:crypto';
import {Conflict} from '../../core/errors.ts';
import {quoted} from '../../core/text.ts';
import type {Id} from '../../core/types.ts';
import {record} from '../history.ts';
import type {Client, Database} from '../types.ts';
import {bytesOf, bytesOfAll, bytesOfAny} from '../values.ts';

/** Where a cell is that does not lie in the database of the first one. Never with a password. */
export type CellPlace = {host: string; port: number; user: string; database: string; ssl: boolean};

/** A cell: one schema with everything in it. The first has the number 1. `place`: null in the database of the first. */
export type Cell = {cell: number; name: string; schema: string; place: CellPlace | null};

/** The number of the cell that lists the others, and where a colony lives that no row says anything about. */
export const firstCell = 1;

type CellRow = {cell: number; name: string; schema: string; host: string | null; port: number; db_user: string; database: string; ssl: boolean};

const toCell = ({cell, name, schema, host, port, db_user: user, database, ssl}: CellRow): Cell => ({cell, name, schema, place: host === null ? null : {host, port, user, database, ssl}});

/** What a schema is in its installation. `cells`: of the first, all of them with itself, none where it stands alone; `of`: of another one, where the first is. */
export type Membership = {cells: Cell[]; of: {name: string; place: string} | undefined};

/** Which cells there are, by the schema that is asked. One statement. */
export async function membership(client: Client): Promise<Membership> {
	const {rows} = await client.query<CellRow & {of_name: string | null; of_place: string | null}>(`select c.cell, c.name, c.schema, c.host, c.port, c.db_user, c.database, c.ssl, o.name as of_name, o.place as of_place
		from colonies.cells c full join colonies.cell_of o on false order by c.cell`);
	const of = rows.find(({of_name: name}) => name !== null);
	return {cells: rows.filter(({cell}) => cell !== null).map(row => toCell(row)), of: of && {name: of.of_name!, place: of.of_place!}};
}

/** The id of an installation, which its first cell makes when it gets a second one. */
export async function installationId(client: Client, {schema}: Pick<Database, 'schema'>): Promise<string> {
	await client.query('insert into colonies.cells (cell, name, schema, installation) values ($1, $2, $2, $3) on conflict do nothing', [firstCell, schema, randomUUID()]);
	const {rows: [row]} = await client.query<{installation: string}>('select installation from colonies.cells where cell = $1', [firstCell]);
	return row!.installation;
}

/**
Says in a schema whose cell it is; harmless when repeated.
@throws Conflict where it is the cell of another installation, or holds colonies of its own
*/
export async function joinInstallation(client: Client, {installation, name, place}: {installation: string; name: string; place: string}): Promise<void> {
	const {rows: [found]} = await client.query<{place: string | null; own: boolean; used: boolean}>(
		`select o.place, coalesce(o.installation = $1::uuid, false) as own,
			exists (select from colonies.colonies) or exists (select from colonies.cells) or exists (select from colonies.installation) as used
		from (select) as always left join colonies.cell_of o on true`,
		[installation],
	);
	const {place: known, own, used} = found!;
	if (known === null && used) {
		throw new Conflict(`The schema of the cell ${quoted(name)} is in use: it has colonies, cells or a root password of its own.`, {hint: 'Give a schema that is empty with --dbschema. Nothing was changed.'});
	}

	if (known !== null && !own) {
		throw new Conflict(`The schema of the cell ${quoted(name)} belongs to another installation, at ${known}.`, {hint: 'Give a schema that is empty with --dbschema. Nothing was changed.'});
	}

	await client.query('insert into colonies.cell_of (installation, name, place) values ($1, $2, $3) on conflict (only_row) do update set name = excluded.name, place = excluded.place', [installation, name, place]);
}

/** Lists a cell in the first one. @returns whether it was not there yet. @throws Conflict where another one has its name */
export async function addCell(client: Client, {name, schema, place}: Omit<Cell, 'cell'>): Promise<boolean> {
	await client.query(registering);
	const {rows} = await client.query<CellRow>('select * from colonies.cells order by cell');
	const known = rows.map(row => toCell(row)).find(cell => cell.name === name);
	if (known === undefined) {
		await client.query(
			'insert into colonies.cells (cell, name, schema, host, port, db_user, database, ssl) values ($1, $2, $3, $4, $5, $6, $7, $8)',
			[rows.at(-1)!.cell + 1, name, schema, place?.host ?? null, place?.port ?? null, place?.user ?? null, place?.database ?? null, place?.ssl ?? null],
		);
		await record(client, {actor: 'root'}, [{kind: 'noted', noun: 'installation', subject: 'cells', what: 'cell.add', detail: {name, schema, ...(place && {place})}}]);
		return true;
	}

	if (known.schema !== schema || known.place?.host !== place?.host || known.place?.port !== place?.port || known.place?.database !== place?.database) {
		throw new Conflict(`There is a cell ${quoted(name)} already, elsewhere.`, {hint: 'Give another name with --name. Nothing was changed.'});
	}

	return false;
}

/** The cell in which a colony lives, as the first one says; undefined where it says nothing. */
export async function cellOf(client: Client, colony: Id): Promise<number | undefined> {
	const {rows: [row]} = await client.query<{cell: number}>('select cell from colonies.colony_cells where colony_id = $1', [bytesOf(colony)]);
	return row?.cell;
}

/** Says in the first cell where a colony lives now. */
export async function setCellOf(client: Client, colony: Id, cell: number): Promise<void> {
	await client.query('insert into colonies.colony_cells (colony_id, cell) values ($1, $2) on conflict (colony_id) do update set cell = excluded.cell where colony_cells.cell <> excluded.cell', [bytesOf(colony), cell]);
}

/** Held in the first cell while a colony is registered, so that it never is in two. */
export const registering = 'select pg_advisory_xact_lock(hashtextextended(\'colonies.colony_cells\', 0))';

/** Whether another cell has a place for the colony `$1`. */
export const isElsewhere = `exists (select from colonies.colony_cells where colony_id = $1 and cell <> ${firstCell})`;

/**
Keeps a place for a colony that is about to be registered. In a transaction on the first cell.
@returns the cell: the one given, or where it has a place already
*/
export async function reserve(client: Client, colony: Id, cell: number): Promise<number> {
	await client.query(registering);
	const known = await cellOf(client, colony);
	if (known !== undefined) {
		return known;
	}

	const {isHere} = await presence(client, colony);
	const place = isHere ? firstCell : cell;
	await setCellOf(client, colony, place);
	return place;
}

/** Colonies in each cell, as the first one says; those of the first that no row tells of are counted there. */
export async function coloniesByCell(client: Client): Promise<Map<number, number>> {
	const {rows} = await client.query<{cell: number; count: number}>(`select cell, count(*)::int as count from (
			select cell from colonies.colony_cells where cell <> ${firstCell} union all select ${firstCell} from colonies.colonies
		) c group by cell`);
	return new Map(rows.map(({cell, count}) => [cell, count]));
}

/** The schema of a cell, bytes of what it holds, and how many colonies live there. */
export async function sizeOf(client: Client): Promise<{schema: string; bytes: number; colonies: number}> {
	const {rows: [row]} = await client.query<{schema: string; bytes: number; colonies: number}>(`select 'colonies' as schema, coalesce(sum(pg_total_relation_size(c.oid)), 0)::float8 as bytes, (select count(*)::int from colonies.colonies) as colonies
		from pg_catalog.pg_class c where c.relnamespace = to_regnamespace('colonies') and c.relkind in ('r', 'm')`);
	return row!;
}

/** Those of some colonies that are not in this cell by its history: they left, or never came to live here. */
export async function elsewhere(client: Client, colonies: readonly Id[]): Promise<Set<Id>> {
	const {rows} = await client.query<{id: Id}>(
		`select i.id from unnest($1::bytea[]) as i(id) where (
			select h.what from colonies.history h where h.subject_id = $2 and h.colony_id = i.id and h.what in ('colony.move', 'colony.arrive') order by h.txid desc, h.history_id desc limit 1
		) = 'colony.move'`,
		[bytesOfAll(colonies), bytesOfAny('cells')],
	);
	return new Set(rows.map(({id}) => id));
}

/** Whether a colony lives in this cell, and whether it came or was about to go within the last minute, so that a call may have missed it; `to`: where it went from here. */
export async function presence(client: Client, colony: Id): Promise<{isHere: boolean; isNew: boolean; to: string | undefined}> {
	const {rows: [row]} = await client.query<{here: boolean; new: boolean; to: string | null}>(
		`select exists (select from colonies.colonies where colony_id = $1) as here, (select nullif(to_cell, '') from colonies.departures where colony_id = $1) as "to",
			exists (select from colonies.history where subject_id = $2 and colony_id = $1 and what = 'colony.arrive' and at > statement_timestamp() - interval '1 minute')
				or exists (select from colonies.colonies where colony_id = $1 and leaving_until > statement_timestamp() - interval '1 minute') as new`,
		[bytesOf(colony), bytesOfAny('cells')],
	);
	const {here, new: isNew, to} = row!;
	return {isHere: here, isNew, to: here ? undefined : to ?? undefined};
}
