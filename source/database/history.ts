import type {
	AttributeKind, ComputerState, Id, ProcessState, Time,
} from '../core/types.ts';
import {needsNumbers} from './citus.ts';
import {type Given, NumbersBehind, numbersFor} from './numbering.ts';
import type {Attempt, Lists} from './rows.ts';
import type {Client} from './types.ts';
import {bytesOf, bytesOfAny} from './values.ts';

type About = {
	subject: Id;
	colony?: Id;
	/** What was done: the operation's name, or `process.requeue` and `process.expire`. */
	what: string;
};

/** Of a process that waits now: what it asks, as a row of `demands`, for telling computers that wait for work. It is not kept. */
type Waiting = {demand?: number};

/** There is something that was not there. `image`: all of it. */
export type Created = About & Waiting & {kind: 'created'; noun: 'colony' | 'computer' | 'process'; to?: 'pending' | 'waiting'; image: object};

/** A computer went from one state to another. */
type ComputerMoved = About & {kind: 'moved'; noun: 'computer'; from: ComputerState; to: ComputerState};

/** A process went from one state to another. One that waits again leaves what its attempt had written; of one that never ran, `closed` says when it ended. */
export type ProcessMoved = About & Waiting & {kind: 'moved'; noun: 'process'; from: ProcessState} & (
	| {to: 'waiting'; attempt: Attempt & {end: Time | null; attributes: Lists}}
	| {to: 'running'; attempt: Attempt & {deadline: Time | null; wait: number}}
	| {to: 'successful' | 'failed'; attempt: Attempt & {run: number | null; deadline?: Time | null; closed?: Time}}
);

/** Something was otherwise before: only what was changed, each with its former value. */
export type Edited<Fields extends object = Record<string, string | number>> = About & {kind: 'edited'; noun: 'colony' | 'computer'; before: Fields; after: Fields};

/** An attribute was written. `before`: the value that it replaced; null where there was none. */
export type Written = About & {kind: 'written'; noun: 'attribute'; attribute: {type: AttributeKind; key: string; value: string}; before: string | null};

/** Something is there no longer. `image`: all of it, as it was. */
export type Removed = About & {kind: 'removed'; image: object} & ({noun: 'colony'} | {noun: 'computer'; from: ComputerState} | {noun: 'process'; from: ProcessState});

/** Something happened to the installation itself. */
export type Noted = About & {kind: 'noted'; noun: 'installation'; from?: string; to?: string; detail?: object};

/**
Something that changed, as the append-only history keeps it (domain.md, "History"). Each kind says what lists of the past (database/past/) need to undo it; one that leaves it out does not compile.
*/
export type Change = Created | ComputerMoved | ProcessMoved | Edited | Written | Removed | Noted;

/** The rows of `demands` of the processes that wait now. */
export const demandsOf = (changes: readonly Change[]): number[] => changes.flatMap(change => 'demand' in change ? change.demand ?? [] : []);

/** What a change says beside its row. An edit keeps the new values as an image does, so that both are read alike. */
function detailOf(change: Change): unknown {
	switch (change.kind) {
		case 'created':
		case 'removed': {
			return change.image;
		}

		case 'moved': {
			return change.noun === 'process' ? change.attempt : undefined;
		}

		case 'edited': {
			return {...change.after, before: change.before};
		}

		case 'written': {
			return {...change.attribute, ...(change.before === null ? {} : {before: change.before})};
		}

		case 'noted': {
			return change.detail;
		}
	}
}

/** A row of the history, as it is handed to the database. */
export type Row = {id: number; noun: string; subject: string; colony: string | null; what: string; from: string | null; to: string | null; detail: string | null};

/** A change as a row of the history. */
function toRow(change: Change, id: number): Row {
	const {noun, subject, colony, what} = change;
	const {from = null, to = null} = change as {from?: string; to?: string};
	const detail = detailOf(change);
	return {id, noun, subject: bytesOfAny(subject), colony: colony === undefined ? null : bytesOf(colony), what, from, to, detail: detail === undefined ? null : JSON.stringify(detail)};
}

/** What an operation did: its answer, and the changes to record in the same transaction. */
export type Done<Result> = {result: Result; changes: Change[]};

/** Who changed something: an identity, `root`, or `system` for deadlines. With an operator's change, what was signed. */
export type Author = {
	actor: Id | 'root' | 'system';
	request?: string;
	signature?: string;
};

/** Writes changes to the history, in the transaction that made them. */
export async function record(client: Client, author: Author, changes: readonly Change[]): Promise<void> {
	if (changes.length === 0) {
		return;
	}

	if (!needsNumbers(client)) {
		for (const some of inPortions(changes.map(change => toRow(change, 0)))) {
			await writeAtOnce(client, author, some); // eslint-disable-line no-await-in-loop
		}

		return;
	}

	const {txid, now, rows: numbers} = await numbersFor(client, changes.length);
	for (const some of inPortions(changes.map((change, index) => toRow(change, numbers[index]!)))) {
		await write(client, {...author, txid, now}, some); // eslint-disable-line no-await-in-loop
	}
}

/** Text that one statement takes at most, in UTF-16 units; far below what PostgreSQL takes in one message. */
const portion = 33_554_432;

/** Rows gathered into lists that one statement can take. */
function inPortions(rows: readonly Row[]): Row[][] {
	const portions: Row[][] = [];
	let length = Infinity;
	for (const row of rows) {
		const size = row.detail?.length ?? 0;
		if (length + size > portion) {
			portions.push([]);
			length = 0;
		}

		portions.at(-1)!.push(row);
		length += size;
	}

	return portions;
}

/**
Inserts rows of the history whose transaction, `$1`, comes after what is sealed. All that it needs is given: so Citus hands it on to where the table lies, and commits in one phase.
What it gathers first it commits in two, and the rows come into sight after the transaction has ended for those who read by its number.
*/
export const insertingRows = `insert into colonies.history (history_id, txid, at, actor, request, signature, noun, subject_id, colony_id, what, from_state, to_state, detail)
	select i.id, $1::bigint + b.base, $2::timestamptz, i.actor, $3::text, $4::text, i.noun, i.subject, nullif(i.colony, ''), i.what, nullif(i."from", ''), nullif(i."to", ''), nullif(i.detail, 'null')
	from unnest($5::bigint[], $6::bytea[], $7::text[], $8::bytea[], $9::bytea[], $10::text[], $11::text[], $12::text[], $13::jsonb[]) as i(id, actor, noun, subject, colony, what, "from", "to", detail), colonies.txid_base b
	where $1::bigint + b.base > b.sealed`;

/** The same where rows may take their numbers as they are written. @throws NumbersBehind */
async function writeAtOnce(client: Client, {actor, request, signature}: Author, rows: readonly Row[]): Promise<void> {
	const [, ...values] = valuesOfRows(rows.map(row => ({...row, actor: bytesOfAny(actor)})));
	const {rowCount} = await client.query(
		`insert into colonies.history (txid, actor, request, signature, noun, subject_id, colony_id, what, from_state, to_state, detail)
		select txid_current() + b.base, i.actor, $1::text, $2::text, i.noun, i.subject, nullif(i.colony, ''), i.what, nullif(i."from", ''), nullif(i."to", ''), nullif(i.detail, 'null')
		from unnest($3::bytea[], $4::text[], $5::bytea[], $6::bytea[], $7::text[], $8::text[], $9::text[], $10::jsonb[]) as i(actor, noun, subject, colony, what, "from", "to", detail), colonies.txid_base b
		where txid_current() + b.base > b.sealed`,
		[request ?? null, signature ?? null, ...values],
	);
	if (rowCount === 0) {
		throw new NumbersBehind();
	}
}

/** @throws NumbersBehind where the rows would come before rows that are sealed */
async function write(client: Client, {actor, request, signature, txid, now}: Author & Pick<Given, 'txid' | 'now'>, rows: readonly Row[]): Promise<void> {
	const {rowCount} = await client.query(insertingRows, [txid, now, request ?? null, signature ?? null, ...valuesOfRows(rows.map(row => ({...row, actor: bytesOfAny(actor)})))]);
	if (rowCount === 0) {
		throw new NumbersBehind();
	}
}

/** Rows as the lists that `insertingRows` takes, without nulls: `array_nulls` may be off. */
export const valuesOfRows = (rows: ReadonlyArray<Row & {actor: string}>): unknown[] => [
	rows.map(({id}) => id), rows.map(({actor}) => actor), rows.map(({noun}) => noun), rows.map(({subject}) => subject), rows.map(({colony}) => colony ?? bytesOf('')), rows.map(({what}) => what), rows.map(({from}) => from ?? ''), rows.map(({to}) => to ?? ''), rows.map(({detail}) => detail ?? 'null'),
];

/** The image of what was removed last under an id, as the history has it; undefined when nothing was. */
export async function imageOfRemoved<Image>(client: Client, {colony, subject, what}: {colony: Id; subject: Id; what: 'process.remove' | 'computer.remove'}): Promise<Image | undefined> {
	const {rows} = await client.query<{detail: Image}>('select detail from colonies.history where subject_id = $1 and colony_id = $2 and what = $3 order by at desc, history_id desc limit 1', [bytesOf(subject), bytesOf(colony), what]);
	return rows[0]?.detail;
}
