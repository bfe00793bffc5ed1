import {InvalidInput, Unavailable} from '../core/errors.ts';
import {isLoopback} from '../core/loopback.ts';
import {quoted} from '../core/text.ts';
import {cells, type Database, distributeSchema, migrate} from '../database/index.ts';
import type {SavedSettings} from '../keychain/index.ts';
import type {HostedContext, Notice} from '../operations/index.ts';
import {cellsContext} from './cells.ts';
import {type BrokerContext, brokerContext} from './local.ts';
import {type DatabaseTarget, nameOf} from './resolve.ts';

/** How a database is connected to, and refused where it is none of ours. */
export type Ways = {
	connect: (target: DatabaseTarget, startUnreachable?: boolean, statementTimeout?: number) => Promise<Database>;
	check: (database: Database, target: DatabaseTarget) => Promise<void>;
	/** What is saved on this machine: passwords of databases elsewhere. */
	saved: SavedSettings;
};

/**
The database of a cell, as it is connected to from the first one. The password of one elsewhere is that of a saved context for the very database and user, or the first one's.
*/
export function targetOf(first: DatabaseTarget, cell: cells.Cell, {contexts}: SavedSettings): DatabaseTarget {
	const {place, schema, name} = cell;
	if (place === null) {
		return {...first, name, schema};
	}

	const saved = Object.values(contexts).find(each => each.kind === 'database' && each.host === place.host && each.port === place.port && each.user === place.user && each.database === place.database);
	const known = saved?.kind === 'database' ? saved : undefined;
	return {kind: 'database', name, ...place, schema, password: known?.password ?? first.password, pool: known?.pool ?? first.pool, prepare: known?.prepare ?? first.prepare, target: known?.target, ...(known?.listen !== undefined && {listen: known.listen})};
}

/** @throws InvalidInput where the schema is a cell of an installation, and not its first */
export function refuseCell({of}: cells.Membership, target: DatabaseTarget): void {
	if (of) {
		throw new InvalidInput(`The schema ${quoted(target.schema)} is the cell ${quoted(of.name)} of an installation.`, {hint: `Open that: its first cell is ${of.place}.`});
	}
}

type FirstOptions = {target: DatabaseTarget; local: boolean; isLocal?: boolean; attended: boolean; ways: Ways};

/** An installation by its first cell, which is connected to; the others are when they are needed, or at once where deadlines are seen to. */
export function installationContext(first: {database: Database; context: BrokerContext}, membership: cells.Membership, {target, local, isLocal = true, attended, ways}: FirstOptions): HostedContext {
	return cellsContext({
		first, attended,
		async open(cell) {
			const place = targetOf(target, cell, ways.saved);
			const database = await ways.connect(place, true);
			const check = async () => ways.check(database, place);
			if (!attended) {
				try {
					await check();
				} catch (error) {
					await database.close();
					throw error;
				}
			}

			return {database, context: brokerContext(database, {kind: 'database', name: cell.name, local, isLocal, attended, ...(attended && {check}), first: first.context.broker})};
		},
	}, membership);
}

/** `PostgreSQL database DATABASE on HOST:PORT, schema SCHEMA`, for people. */
const placeOf = ({database, host, port, schema}: DatabaseTarget): string => `the schema ${schema} of the database ${database} on ${host}:${port}`;

type Adding = {target: DatabaseTarget; name: string; place: cells.CellPlace | null; /** Whether Citus places it. */ citus?: boolean};

/** Makes the schema of a cell and lists it in the first one. Harmless when repeated. @throws ColoniesError */
export async function addCell(first: {database: Database; target: DatabaseTarget}, {target, name, place, citus = false}: Adding, {connect}: Ways, notice: Notice): Promise<void> {
	const database = await connect(target);
	try {
		const {cells: own} = await cells.membership(first.database);
		if (own.length === 0 || !own.some(each => each.name === name)) {
			await migrate(database);
			if (citus) {
				await distributeSchema(database);
			}
		}

		const installation = await cells.installationId(first.database, first.database);
		await database.transaction(async client => cells.joinInstallation(client, {installation, name, place: placeOf(first.target)}));
	} finally {
		await database.close();
	}

	const isNew = await first.database.transaction(async client => cells.addCell(client, {name, schema: target.schema, place}));
	notice(isNew ? `Added the cell ${quoted(name)}: ${placeOf(target)}.` : `The cell ${quoted(name)} is there already.`);
}

/** The name and schema of the cell with a number beside the first one: `colonies_01`. */
const nameOfCell = (schema: string, number: number): string => `${schema}_${String(number).padStart(2, '0')}`;

/** Makes cells beside the first one, in its database, until there are so many. @throws InvalidInput where there are more */
export async function makeCells(first: {database: Database; target: DatabaseTarget}, {count, citus}: {count: number; citus: boolean}, ways: Ways, notice: Notice): Promise<void> {
	const {cells: own} = await cells.membership(first.database);
	if (own.length > count) {
		throw new InvalidInput(`There are ${own.length} cells already.`, {hint: `Give --cells ${own.length}, or more.`});
	}

	const names = new Set(own.map(({name}) => name));
	for (let [made, number] = [Math.max(1, own.length), 1]; made < count; number++) {
		const name = nameOfCell(first.target.schema, number);
		if (!names.has(name)) {
			await addCell(first, {target: {...first.target, name, schema: name}, name, place: null, citus}, ways, notice); // eslint-disable-line no-await-in-loop
			made++;
		}
	}
}

/** Adds a cell that lies in another database. @throws InvalidInput where it is the first one */
export async function addCellElsewhere(first: {database: Database; target: DatabaseTarget}, target: DatabaseTarget, name: string | undefined, ways: Ways, notice: Notice): Promise<void> {
	const {host, port, user, database, schema, ssl, url} = target;
	if (url !== undefined) {
		throw new InvalidInput('A cell is given by its parts, not by a connection string.', {hint: 'Give --dbhost, --dbport, --dbuser, --dbname and --dbpassword.'});
	}

	const isSame = first.target.host === host && first.target.port === port && first.target.database === database;
	if (isSame && schema === first.target.schema) {
		throw new InvalidInput(`That is the first cell: ${placeOf(target)}.`, {hint: 'Give another database with --dbhost, or another schema with --dbschema.'});
	}

	if (isLoopback(host) && !isLoopback(first.target.host) && !first.target.host.startsWith('/')) {
		notice(`Servers on other machines will look for ${host} on their own machine.`);
	}

	await addCell(first, {target, name: name ?? nameOf(target), place: isSame ? null : {host, port, user, database, ssl: ssl ?? false}}, ways, notice);
}

/** Brings all cells up to date. @throws ColoniesError */
export async function migrateCells(first: {database: Database; target: DatabaseTarget}, ways: Ways, notice: Notice): Promise<void> {
	const {cells: own} = await cells.membership(first.database);
	for (const cell of own.filter(each => each.cell !== cells.firstCell)) {
		/* eslint-disable no-await-in-loop */
		const database = await ways.connect(targetOf(first.target, cell, ways.saved));
		try {
			const done = await migrate(database);
			if (done.length > 0) {
				notice(`Brought the cell ${quoted(cell.name)} up to date.`);
			}
		} finally {
			await database.close();
		}
		/* eslint-enable no-await-in-loop */
	}
}

/** @throws Unavailable where a store has several cells, and only one was meant to be dealt with */
export function refuseSeveral({cells: own}: cells.Membership, what: string): void {
	if (own.length > 1) {
		throw new Unavailable(`This installation has ${own.length} cells, and ${what}.`, {hint: 'Dump each cell with pg_dump --schema, or move the colonies into one first: colonies colony move.'});
	}
}
