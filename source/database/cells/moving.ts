import {ColoniesError, Conflict} from '../../core/errors.ts';
import {quoted} from '../../core/text.ts';
import type {Id} from '../../core/types.ts';
import {type Author, record} from '../history.ts';
import {raiseBaseAbove} from '../numbering.ts';
import {waitForHold} from '../process-retention.ts';
import {lastSeal} from '../seals.ts';
import type {Client, Database} from '../types.ts';
import {bytesOf} from '../values.ts';
import * as parts from './parts.ts';

/** A cell on either end of a move. */
export type End = {name: string; database: Database};

/** A move of one colony. `author`: root with its request, for the history. */
export type Move = {colony: Id; source: End; target: End; author: Author};

/** How far the copy of a colony has come, in rows of its history and closed processes; `total` is roughly what there are. */
export type Copying = {done: number; total: number};

/** Numbers of the target start so far above those of the source: more than the source gives away while a colony is copied. */
const margin = 1_000_000_000;

/** Rows of the history from which on it is worth copying more before the colony stands still: one that works writes others meanwhile. */
const enough = 500;

/** Seconds for which nobody is admitted, while those who are there finish; then the lock keeps others out. */
const leavingSeconds = 5;

/** Milliseconds that the colony may stand still while the program that moves it does nothing: then the database lets go of it. */
const stillMs = 60_000;

const copyRestarted = (colony: Id) => new ColoniesError('unavailable', `The copy of the colony ${quoted(colony)} was begun by somebody else meanwhile.`, {hint: 'Run the command again; it goes on where the other one is.'});

/**
Begins a copy, or goes on with one: from here on the target remembers how far it is.
The numbers of the target's history are raised above those of the source, so that the ids of a colony's events only ever grow.
@throws Conflict where a colony of that id lives in the target
*/
async function begin({colony, source, target, author}: Move): Promise<void> {
	const newest = await parts.newestNumber(source.database);
	await raiseBaseAbove(target.database, newest, margin);
	await target.database.transaction(async client => {
		const {rows: [there]} = await client.query<{lives: boolean; begun: string | null}>('select exists (select from colonies.colonies where colony_id = $1) as lives, (select from_cell from colonies.arrivals where colony_id = $1 for update) as begun', [bytesOf(colony)]);
		if (there!.lives) {
			throw new Conflict(`The colony ${quoted(colony)} lives in the cell ${quoted(target.name)} already.`, {hint: 'See where colonies live: colonies colony ls.'});
		}

		if (there!.begun === source.name) {
			// A transaction that waited while the colony stood still may have a lower number than what was copied then.
			await client.query('update colonies.arrivals set txid = frozen_txid, frozen_txid = null, repeats = true where colony_id = $1 and frozen_txid is not null', [bytesOf(colony)]);
			return;
		}

		await parts.forgetCopy(client, colony);
		await client.query('insert into colonies.arrivals (colony_id, from_cell, repeats) values ($1, $2, exists (select from colonies.departures where colony_id = $1))', [bytesOf(colony), source.name]);
		await record(client, author, [{kind: 'noted', noun: 'installation', subject: 'cells', colony, what: 'colony.move', to: 'arriving', detail: {from: source.name}}]);
	});
}

/** Copies the next rows of the history, whole transactions of the source. @returns how many; 0 at the end */
async function copyHistory({colony, source, target}: Move, from: Client, isFrozen: boolean): Promise<number> {
	return target.database.transaction(async to => {
		const begun = await parts.arrivalOf(to, colony);
		if (begun?.from !== source.name) {
			throw copyRestarted(colony);
		}

		const portion = await parts.nextHistory(from, colony, begun.txid, isFrozen);
		if (portion === undefined) {
			return 0;
		}

		const written = await parts.writeHistory(to, colony, portion);
		if (written.digest !== portion.digest) {
			throw new ColoniesError('internal', `Rows of the history up to ${portion.upto.txid}.${portion.upto.row} are not in the cell ${quoted(target.name)} as they were sent.`, {hint: 'Nothing of the colony was changed where it is. Report this.'});
		}

		return portion.count;
	});
}

/** Makes an hour of the closed processes in the target what it is in the source. */
async function copyHour({colony, source, target}: Move, from: Client, hour: string): Promise<number> {
	return target.database.transaction(async to => {
		const begun = await parts.arrivalOf(to, colony);
		if (begun?.from !== source.name) {
			throw copyRestarted(colony);
		}

		return parts.replaceHour({from, to, colony, hour});
	});
}

/** Hours whose closed processes differ, by the digests of both ends. */
async function differingHours(from: Client, to: Client, colony: Id): Promise<string[]> {
	const [ours, theirs] = [await parts.closedHours(from, colony), await parts.closedHours(to, colony)];
	return [...new Set([...ours.keys(), ...theirs.keys()])].filter(hour => ours.get(hour) !== theirs.get(hour)).sort();
}

/**
Copies what of a colony does not change any more: its history and closed processes. The colony works on meanwhile. Harmless when it stops anywhere, and when it is done again.
@throws ColoniesError
*/
export async function * copyColony(move: Move): AsyncGenerator<Copying> {
	const {colony, source, target} = move;
	if (!(await parts.presenceIn(source.database, colony))) {
		return;
	}

	await begin(move);
	const total = await parts.countOf(source.database, colony);
	let done = await parts.countOf(target.database, colony);
	/* eslint-disable no-await-in-loop */
	for (let count = enough; count >= enough;) {
		count = await source.database.transaction(async from => copyHistory(move, from, false));
		done += count;
		yield {done, total: Math.max(done, total)};
	}

	for (const hour of await differingHours(source.database, target.database, colony)) {
		done += await source.database.transaction(async from => copyHour(move, from, hour));
		yield {done, total: Math.max(done, total)};
	}
	/* eslint-enable no-await-in-loop */
}

/** Lets nothing of a colony change until the transaction ends: nobody is admitted, and no deadline comes. */
async function freeze(client: Client, colony: Id): Promise<boolean> {
	await client.query(`set local idle_in_transaction_session_timeout = ${stillMs}`);
	await client.query('set local statement_timeout = 0');
	const {rowCount} = await client.query('select from colonies.colonies where colony_id = $1 for update', [bytesOf(colony)]);
	await client.query('select count(*) from (select from colonies.live where colony_id = $1 for update) held', [bytesOf(colony)]);
	await waitForHold(client);
	return rowCount === 1;
}

/**
Moves a colony that was copied: it stands still, what changed since the copy follows, both ends are compared, and with one commit it lives in the target.
Before that commit it is in the source as it was, also where something fails; after it, any call of `arrive` finishes the move.
@returns false where it is not in the source any more
@throws ColoniesError
*/
export async function switchColony(move: Move): Promise<boolean> {
	const {colony, source, target} = move;
	// Who comes now is asked to come again, so that the last of those who are there go: they share the row, and would let nobody have it alone.
	const admit = async (until: string): Promise<unknown> => source.database.query(`update colonies.colonies set leaving_until = ${until} where colony_id = $1`, [bytesOf(colony)]);
	await target.database.query('update colonies.arrivals set frozen_txid = txid where colony_id = $1 and frozen_txid is null', [bytesOf(colony)]);
	await admit(`statement_timestamp() + interval '${leavingSeconds} seconds'`);
	try {
		return await source.database.transaction(async from => standStill(move, from));
	} catch (error) {
		await admit('statement_timestamp()').catch(() => undefined);
		throw error;
	}
}

/** What is done while the colony stands still. @returns false where it is not in the source any more */
async function standStill(move: Move, from: Client): Promise<boolean> {
	const {colony, target, author} = move;
	if (!await freeze(from, colony)) {
		return false;
	}

	/* eslint-disable no-await-in-loop */
	while (await copyHistory(move, from, true) > 0) {
		// Until nothing is left.
	}

	for (const hour of await differingHours(from, target.database, colony)) {
		await copyHour(move, from, hour);
	}
	/* eslint-enable no-await-in-loop */

	const seal = await lastSeal(from);
	await parts.park({from, target: target.database, colony, head: seal ? `${seal.number} ${seal.hash}` : null});
	const wrong = (await differingHours(from, target.database, colony))[0] ?? await parts.difference(from, target.database, colony);
	if (wrong !== undefined) {
		throw new ColoniesError('internal', `The copy of the colony ${quoted(colony)} in the cell ${quoted(target.name)} is not the same as the colony: ${wrong}.`, {hint: 'The colony stays where it is. Report this.'});
	}

	await record(from, author, [{kind: 'noted', noun: 'installation', subject: 'cells', colony, what: 'colony.move', to: 'away', detail: {to: target.name, ...(seal && {head: {number: seal.number, hash: seal.hash}})}}]);
	await parts.leave(from, colony, target.name);
	return true;
}

/**
Lets a colony live in the target that has left the source for it. Harmless when repeated.
@returns whether this call did it
*/
export async function arrive({colony, source, target}: Pick<Move, 'colony' | 'source' | 'target'>): Promise<boolean> {
	const {rows: [gone]} = await source.database.query<{to_cell: string}>('select to_cell from colonies.departures where colony_id = $1', [bytesOf(colony)]);
	if (gone?.to_cell !== target.name) {
		return false;
	}

	return target.database.transaction(async client => {
		const begun = await parts.arrivalOf(client, colony);
		if (begun?.from !== source.name || !begun.isParked) {
			return false;
		}

		await client.query('set local statement_timeout = 0');
		await parts.unpark(client, colony);
		await record(client, {actor: 'system'}, [{
			kind: 'noted', noun: 'installation', subject: 'cells', colony, what: 'colony.arrive',
			detail: {from: source.name, rows: begun.rows, ...(begun.head && {head: {number: Number(begun.head.split(' ')[0]), hash: begun.head.split(' ')[1]}})},
		}]);
		return true;
	});
}

/** Removes what a colony that has left leaves behind besides its history, a portion. @returns whether there may be more */
export const clearDeparted = async ({database}: End, colony: Id): Promise<boolean> => database.transaction(async client => parts.clearPortion(client, colony));

/** Goes on clearing away what colonies have left here whose move was cut off, some portions of it. */
export async function clearLeft(database: Database): Promise<void> {
	const {rows} = await database.query<{colony_id: Id}>('select colony_id from colonies.departures where not is_cleared limit 10');
	/* eslint-disable no-await-in-loop */
	for (const {colony_id: colony} of rows) {
		for (let [more, portions] = [true, 0]; more && portions < 50; portions++) {
			more = await database.transaction(async client => parts.clearPortion(client, colony));
		}
	}
	/* eslint-enable no-await-in-loop */
}

/** Forgets the copy of a colony that did not move after all. Its rows of the history stay, and say so. */
export async function forgetArrival({database}: End, colony: Id): Promise<void> {
	await database.transaction(async client => {
		if (await parts.arrivalOf(client, colony) !== undefined) {
			await parts.forgetCopy(client, colony);
		}
	});
}
