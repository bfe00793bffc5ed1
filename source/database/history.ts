import type {
	AttributeKind, ComputerState, Id, ProcessState, Time,
} from '../core/types.ts';
import {currentNumber, NumbersBehind} from './numbering.ts';
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

/** A change as a row of the history. */
function toRow(change: Change): Record<string, unknown> {
	const {noun, subject, colony, what} = change;
	const {from, to} = change as {from?: string; to?: string};
	return {noun, subject: bytesOfAny(subject), colony: colony === undefined ? undefined : bytesOf(colony), what, from, to, detail: detailOf(change)};
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

	const txid = await currentNumber(client);
	for (const some of inPortions(changes)) {
		await write(client, author, some, txid); // eslint-disable-line no-await-in-loop
	}
}

/** Text that one statement takes at most, in UTF-16 units; far below what a json value may hold. */
const portion = 33_554_432;

/** The changes as JSON texts, gathered into lists that one statement can take. */
function inPortions(changes: readonly Change[]): string[] {
	const portions: string[] = [];
	let texts: string[] = [];
	let length = 0;
	for (const text of changes.map(change => JSON.stringify(toRow(change)))) {
		if (length > 0 && length + text.length > portion) {
			portions.push(`[${texts.join(',')}]`);
			texts = [];
			length = 0;
		}

		texts.push(text);
		length += text.length;
	}

	return [...portions, `[${texts.join(',')}]`];
}

/** @throws NumbersBehind where the row would come before rows that are sealed */
async function write(client: Client, author: Author, changes: string, txid: number): Promise<void> {
	const {rowCount} = await client.query(
		`insert into colonies.history (txid, actor, request, signature, noun, subject_id, colony_id, what, from_state, to_state, detail)
		select $5::bigint + b.base, $1::bytea, $2, $3, c.noun, c.subject, c.colony, c.what, c."from", c."to", c.detail
		from jsonb_to_recordset($4::jsonb) as c(noun text, subject bytea, colony bytea, what text, "from" text, "to" text, detail jsonb), colonies.txid_base b
		where $5::bigint + b.base > b.sealed`,
		[bytesOfAny(author.actor), author.request ?? null, author.signature ?? null, changes, txid],
	);
	if (rowCount === 0) {
		throw new NumbersBehind();
	}
}

/** The image of what was removed last under an id, as the history has it; undefined when nothing was. */
export async function imageOfRemoved<Image>(client: Client, {colony, subject, what}: {colony: Id; subject: Id; what: 'process.remove' | 'computer.remove'}): Promise<Image | undefined> {
	const {rows} = await client.query<{detail: Image}>('select detail from colonies.history where subject_id = $1 and colony_id = $2 and what = $3 order by at desc, history_id desc limit 1', [bytesOf(subject), bytesOf(colony), what]);
	return rows[0]?.detail;
}
