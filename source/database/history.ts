import type {Id, Time} from '../core/types.ts';
import type {Client} from './types.ts';

/** Something that changed, as the append-only history keeps it (domain.md, "History"). */
export type Change = {
	noun: 'colony' | 'computer' | 'process' | 'attribute' | 'installation';
	subject: Id;
	colony?: Id;
	/** What was done: the operation's name, or `process.requeue` and `process.expire`. */
	what: string;
	from?: string;
	to?: string;
	/** Of a process: when it had entered the state that it leaves, or earlier. */
	since?: Time;
	/** A full image of what was created or removed, or what else belongs to the change. */
	detail?: unknown;
	/** Of a process that waits now: what it asks, as a row of `demands`, for telling computers that wait for work. It is not kept. */
	demand?: number;
};

/** What an operation did: its answer, and the changes to record in the same transaction. */
export type Done<Result> = {result: Result; changes: Change[]};

/** Who changed something: an identity, `root`, or `system` for deadlines. With an operator's change, what was signed. */
export type Author = {
	actor: Id | 'root' | 'system';
	request?: string;
	signature?: string;
};

const step = ['from', 'since'];

/**
What each kind of change must say for lists of the past (database/past/) to undo it: which fields, and which of `detail`. A kind that is not here would make its record vanish from them;
one that edits a record needs the record as it was, and statements in past/ that put it back.
*/
const neededFields: Readonly<Record<string, {fields?: readonly string[]; detail?: readonly string[]}>> = {
	'colony.register': {},
	'colony.remove': {detail: ['name']},
	'computer.register': {},
	'computer.approve': {fields: ['from']},
	'computer.disapprove': {fields: ['from']},
	'computer.remove': {fields: ['from'], detail: ['name', 'cores', 'mem', 'gpus']},
	'process.submit': {},
	'process.assign': {fields: step},
	'process.successful': {fields: step},
	'process.failed': {fields: step},
	'process.cancel': {fields: step},
	'process.expire': {fields: step},
	'process.requeue': {fields: step, detail: ['attributes']},
	'process.retry': {fields: step, detail: ['attributes']},
	'process.remove': {fields: step, detail: ['submissiontime', 'status', 'retries']},
	'attribute.add': {detail: ['type', 'key', 'value']},
};

/** @throws Error for a change that lists of the past could not undo: a fault of the operation that made it */
function checkUndoable(change: Change): void {
	if (change.noun === 'installation') {
		return;
	}

	if (!Object.hasOwn(neededFields, change.what)) {
		throw new Error(`Lists of the past cannot undo ${change.what}: say in database/history.ts what its history must hold, and in database/past/ how it is undone.`);
	}

	const {fields = [], detail = []} = neededFields[change.what]!;
	const missing = [
		...fields.filter(name => change[name as keyof Change] === undefined),
		...detail.filter(name => (change.detail as Record<string, unknown> | undefined)?.[name] === undefined).map(name => `detail.${name}`),
	];
	if (missing.length > 0) {
		throw new Error(`Lists of the past cannot undo ${change.what} without ${missing.join(', ')}.`);
	}
}

/** Writes changes to the history, in the transaction that made them. @throws Error for one that lists of the past could not undo */
export async function record(client: Client, author: Author, changes: readonly Change[]): Promise<void> {
	if (changes.length === 0) {
		return;
	}

	for (const change of changes) {
		checkUndoable(change);
	}

	for (const some of inPortions(changes)) {
		await write(client, author, some); // eslint-disable-line no-await-in-loop
	}
}

/** Text that one statement takes at most, in UTF-16 units; far below what a json value may hold. */
const portion = 33_554_432;

/** The changes as JSON texts, gathered into lists that one statement can take. */
function inPortions(changes: readonly Change[]): string[] {
	const portions: string[] = [];
	let texts: string[] = [];
	let length = 0;
	for (const text of changes.map(change => JSON.stringify(change))) {
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

/** A little before, for the submission times of a list reach past the moment at which it is written down. */
async function write(client: Client, author: Author, changes: string): Promise<void> {
	await client.query(
		`insert into history (actor, request, signature, noun, subject_id, colony_id, what, from_state, to_state, since, detail)
		select $1, $2, $3, c.noun, c.subject, c.colony, c.what, c."from", c."to", c.since - interval '1 millisecond', c.detail
		from jsonb_to_recordset($4::jsonb) as c(noun text, subject text, colony text, what text, "from" text, "to" text, since timestamptz, detail jsonb)`,

		[author.actor, author.request ?? null, author.signature ?? null, changes],
	);
}

/** The image of what was removed last under an id, as the history has it; undefined when nothing was. */
export async function imageOfRemoved<Image>(client: Client, {colony, subject, what}: {colony: Id; subject: Id; what: 'process.remove' | 'computer.remove'}): Promise<Image | undefined> {
	const {rows} = await client.query<{detail: Image}>('select detail from history where subject_id = $1 and colony_id = $2 and what = $3 order by at desc, history_id desc limit 1', [subject, colony, what]);
	return rows[0]?.detail;
}
