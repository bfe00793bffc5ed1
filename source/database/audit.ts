import {InvalidInput} from '../core/errors.ts';
import {quoted} from '../core/text.ts';
import type {Id, Time} from '../core/types.ts';
import {type Place, placeText} from './events.ts';
import {decodePosition, encodePosition, type Key, type Page, type PageRequest, readingOrder, toPage} from './pages.ts';
import {lastSeal} from './seals.ts';
import {inFull} from './images.ts';
import type {Client} from './types.ts';
import {bytesOf, bytesOfAny, bytesOfAnyAll} from './values.ts';

/** Who changed something, when and what. `actorname`, `name`: of the colony or computer, also of one that is gone; null where there is none. */
export type AuditEntry = {
	/** Where it stands in the history, as an event's. */
	id: string;
	at: Time;
	actor: string;
	actorname: string | null;
	what: string;
	noun: string;
	subject: string;
	name: string | null;
	colonyid: Id | null;
	from: string | null;
	to: string | null;
	/** Whether the request that was signed is kept with it. */
	signed: boolean;
	/** Whether a seal covers it. */
	sealed: boolean;
	/** In which cell, where all are listed. */
	cell?: string;
};

/** An entry with all that is kept of it. `request`: what was signed, or asked by root. */
export type FullEntry = AuditEntry & {detail: unknown; request: string | null; signature: string | null};

/** Which entries. `all`: not operators' changes alone. */
export type AuditFilter = {
	colony?: Id;
	all: boolean;
	actor?: string;
	subject?: string;
	whats?: readonly string[];
	/** In the name, or at the start of the id, of the colony or computer that changed something or was changed. */
	text?: string;
};

/** What operators changed; as the indexes have it (005-audit.ts). */
const isChange = '(what <> \'process.requeue\' and what <> \'attribute.add\' and ((request is not null and (actor <> \'root\' or noun not in (\'computer\', \'process\'))) or (noun = \'installation\' and actor <> \'system\')))';
const namesWhats = '(what in (\'colony.register\', \'colony.rename\', \'colony.remove\', \'computer.register\', \'computer.rename\', \'computer.remove\'))';

/** A row of a colony that went to another cell is told there. */
const livesHere = '(colony_id is null or colony_id not in (select d.colony_id from colonies.departures d union all select a.colony_id from colonies.arrivals a))';

/** Names that a text may be part of. */
const mostNamed = 1000;
/** Rows that are looked through at once for what no index finds, and how often. */
const window = {rows: 5000, times: 20};

type Row = {
	txid: number; history_id: number; at: Time; actor: string; colony_id: Id | null; noun: string; subject_id: string; what: string; from_state: string | null; to_state: string | null; signed: boolean;
};

const selected = 'txid, history_id, at, colonies.text_of(actor) as actor, colony_id, noun, colonies.text_of(subject_id) as subject_id, what, from_state, to_state, signature is not null as signed';

/** Colonies and computers, of now and of once, whose name has a text or whose id begins with it. @throws InvalidInput when they are too many */
async function named(client: Client, text: string, colony: Id | undefined): Promise<Id[]> {
	if (/^[\da-f]{64}$/.test(text)) {
		return [text];
	}

	const fits = (name: string, id: string) => `(position(lower($1 collate "C") in lower(${name})) > 0 or left(${id}, length($1)) = lower($1 collate "C"))`;
	const {rows} = await client.query<{id: Id}>(
		`select id from (
			select encode(computer_id, 'hex') as id from colonies.computers where ($2::bytea is null or colony_id = $2) and ${fits('name', 'encode(computer_id, \'hex\')')}
			union select encode(colony_id, 'hex') from colonies.colonies where ($2::bytea is null or colony_id = $2) and ${fits('name', 'encode(colony_id, \'hex\')')}
			union select encode(subject_id, 'hex') from colonies.history where ${namesWhats} and ($2::bytea is null or colony_id = $2) and ${fits('(detail->>\'name\')', 'encode(subject_id, \'hex\')')}
		) found limit $3`,
		[text, colony === undefined ? undefined : bytesOf(colony), mostNamed + 1],
	);
	if (rows.length > mostNamed) {
		throw new InvalidInput(`More than ${mostNamed} colonies and computers have ${quoted(text)} in their names.`, {hint: 'Give more of the name.'});
	}

	return rows.map(({id}) => id);
}

/** By what a list is ordered: by time, as its indexes are; where it is walked row by row, by where the rows stand. */
type Order = {columns: readonly [string, string]; types: readonly [string, string]; key: Key; keyOf: (row: Row) => [string | number, number]};

const byTime: Order = {columns: ['at', 'history_id'], types: ['timestamptz', 'bigint'], key: ['time', 'row'], keyOf: row => [row.at, row.history_id]};
const byPlace: Order = {columns: ['txid', 'history_id'], types: ['bigint', 'bigint'], key: ['row', 'row'], keyOf: row => [row.txid, row.history_id]};

const orderOf = ({all, subject}: AuditFilter): Order => all && subject === undefined ? byPlace : byTime;

/** A statement in the making: its values, and where and in which order its page is. */
class Listing {
	readonly values: unknown[] = [];
	readonly sorted: string;
	readonly #comparison: string[];

	constructor(page: PageRequest, {columns, types, key}: Order) {
		const {comparison, order} = readingOrder(page, true);
		this.sorted = `order by ${columns.map(column => `${column} ${order}`).join(', ')}`;
		const position = page.position === undefined ? undefined : decodePosition(page.position, key);
		this.#comparison = position === undefined ? [] : [`(${columns.join(', ')}) ${comparison} (${position.map((part, index) => `${this.given(part)}::${types[index]!}`).join(', ')})`];
	}

	given(value: unknown): string {
		return `$${this.values.push(value)}`;
	}

	/** Values of a column, as a list. */
	names(column: string, values: readonly string[]): string {
		return column === 'what' ? `${this.given(values)}::text[]` : `${this.given(bytesOfAnyAll(values))}::bytea[]`;
	}

	/** The first rows that fit, of each of the keys by its index. */
	first(keys: readonly IndexKey[], conditions: readonly string[], limit: string): string {
		const where = [...keys.map(({column}) => `h.${column} = key_${column}.value`), ...this.#comparison, ...conditions];
		const found = `(select h.* from colonies.history h ${where.length === 0 ? '' : `where ${where.join(' and ')}`} ${this.sorted} limit ${limit}) found`;
		const froms = keys.map(({column, values}) => `unnest(${this.names(column, values)}) as key_${column}(value)`);
		return `select found.* from ${[...froms, froms.length === 0 ? found : `lateral ${found}`].join(' cross join ')}`;
	}
}

/** A column that an index begins with, and its values. */
type IndexKey = {column: string; values: readonly string[]};
/** What is sought by one index. */
type Part = {keys: IndexKey[]; conditions?: string[]};

/** By which indexes the entries are found; no entry is found by two. */
function partsOf({all, colony, actor, subject, whats}: AuditFilter, ids: readonly Id[] | undefined): Part[] {
	const byWhat = !all && whats ? [{column: 'what', values: whats}] : [];
	if (subject !== undefined) {
		return [{keys: [{column: 'subject_id', values: [subject]}]}];
	}

	if (actor !== undefined) {
		return [{keys: [{column: 'actor', values: [actor]}, ...byWhat]}];
	}

	if (ids !== undefined) {
		return [{keys: [{column: 'subject_id', values: ids}]}, {keys: [{column: 'actor', values: ids}, ...byWhat]}];
	}

	return [{keys: [...(colony === undefined ? [] : [{column: 'colony_id', values: [colony]}]), ...byWhat]}];
}

/** What an entry must be besides. */
function conditionsOf(listing: Listing, {all, colony, actor, subject, whats}: AuditFilter, ids: readonly Id[] | undefined): string[] {
	const equal = (column: string, value: string | undefined) => value === undefined ? [] : [`${column} = ${listing.given(bytesOfAny(value))}`];
	return [
		...(all ? [] : [isChange]),
		...(colony === undefined ? [livesHere] : []),
		...equal('colony_id', colony),
		...equal('actor', actor),
		...equal('subject_id', subject),
		...(whats === undefined ? [] : [`what = any (${listing.names('what', whats)})`]),
		...(ids === undefined || (actor === undefined && subject === undefined) ? [] : [`(subject_id = any (${listing.names('subject_id', ids)}) or actor = any (${listing.names('actor', ids)}))`]),
	];
}

async function read(client: Client, filter: AuditFilter, page: PageRequest, ids: readonly Id[] | undefined): Promise<Row[]> {
	const listing = new Listing(page, orderOf(filter));
	const limit = listing.given(page.count + 1);
	const conditions = conditionsOf(listing, filter, ids);
	const parts = partsOf(filter, ids).map(({keys}, index) => listing.first(keys, index === 0 ? conditions : [...conditions, `subject_id <> all (${listing.names('subject_id', ids!)})`], limit));
	const {rows} = await client.query<Row>(`select ${selected} from (${parts.join(' union all ')}) found ${listing.sorted} limit ${limit}`, listing.values);
	return rows;
}

type Found = Pick<Page<AuditEntry>, 'looked'> & {rows: Row[]};

/** What is asked of rows that no index finds among all there are; undefined where an index does. */
function soughtAmongAll({all, subject, actor, whats}: AuditFilter, ids: readonly Id[] | undefined): ((row: Row) => boolean) | undefined {
	return !all || subject !== undefined || [actor, whats, ids].every(part => part === undefined)
		? undefined
		: row => (actor === undefined || row.actor === actor) && (whats?.includes(row.what) ?? true) && (ids === undefined || ids.includes(row.subject_id) || ids.includes(row.actor));
}

/** Rows that no index finds: they are sought among so many at once, from the latest or the position on, and not further than it takes. `looked`: where the list goes on behind those. */
async function search(client: Client, {all, colony}: AuditFilter, page: PageRequest, isSought: (row: Row) => boolean): Promise<Found> {
	const found: Row[] = [];
	let next: PageRequest = {...page, count: window.rows};
	for (let times = 0; times < window.times && found.length <= page.count; times++) {
		const rows = await read(client, {all, ...(colony === undefined ? {} : {colony})}, next, undefined); // eslint-disable-line no-await-in-loop
		found.push(...rows.slice(0, window.rows).filter(row => isSought(row)));
		if (rows.length <= window.rows) {
			return {rows: found};
		}

		next = {...next, position: encodePosition(byPlace.keyOf(rows[window.rows - 1]!)), direction: page.direction === 'before' ? 'before' : 'after'};
	}

	return {rows: found, ...(found.length > page.count ? {} : {looked: {count: window.rows * window.times, position: next.position}})};
}

type Named = {colony: Id | null; id: string};

/** What colonies and computers are called, or were when they were removed: a name for each that is known. */
async function namesOf(client: Client, asked: readonly Named[]): Promise<Map<string, string>> {
	const pairs = [...new Map(asked.map(each => [`${each.colony} ${each.id}`, each])).values()];
	const {rows} = await client.query<{colony: Id | null; id: string; name: string | null}>(
		`select a.colony, colonies.text_of(a.id) as id, coalesce(
			(select c.name from colonies.colonies c where c.colony_id = a.id and a.id = a.colony),
			(select c.name from colonies.computers c where c.colony_id = a.colony and c.computer_id = a.id),
			(select h.detail->>'name' from colonies.history h where h.subject_id = a.id and h.colony_id = a.colony and ${namesWhats} order by h.at desc limit 1)
		) as name from unnest($1::bytea[], $2::bytea[]) as a(colony, id)`,
		[pairs.map(({colony}) => colony === null ? null : bytesOf(colony)), bytesOfAnyAll(pairs.map(({id}) => id))],
	);
	return new Map(rows.flatMap(({colony, id, name}) => name === null ? [] : [[`${colony} ${id}`, name]]));
}

/** Rows as entries, with the names of who and what. */
async function toEntries(client: Client, rows: readonly Row[]): Promise<AuditEntry[]> {
	const names = await namesOf(client, rows.flatMap(({colony_id: colony, actor, noun, subject_id}) => [...(actor.length === 64 ? [{colony, id: actor}] : []), ...(noun === 'process' || noun === 'attribute' ? [] : [{colony, id: subject_id}])]));
	const last = await lastSeal(client);
	const isSealed = ({txid, history_id}: Row) => last !== undefined && (txid < last.to.txid || (txid === last.to.txid && history_id <= last.to.row));
	return rows.map(row => ({
		id: placeText({txid: row.txid, row: row.history_id}),
		at: row.at,
		actor: row.actor,
		actorname: names.get(`${row.colony_id} ${row.actor}`) ?? null,
		what: row.what,
		noun: row.noun,
		subject: row.subject_id,
		name: names.get(`${row.colony_id} ${row.subject_id}`) ?? null,
		colonyid: row.colony_id,
		from: row.from_state,
		to: row.to_state,
		signed: row.signed,
		sealed: isSealed(row),
	}));
}

/** A page of what was changed, the latest first. @throws InvalidInput */
export async function list(client: Client, filter: AuditFilter, page: PageRequest): Promise<Page<AuditEntry>> {
	const ids = filter.text === undefined ? undefined : await named(client, filter.text, filter.colony);
	const isSought = soughtAmongAll(filter, ids);
	const {rows, looked}: Found = ids?.length === 0 ? {rows: []} : await (isSought ? search(client, filter, page, isSought) : {rows: await read(client, filter, page, ids)});
	const {rows: shown, positions, more} = toPage(rows, page, orderOf(filter).keyOf);
	return {rows: await toEntries(client, shown), positions, more, ...(looked ? {looked} : {})};
}

/** One entry with all that is kept of it; undefined where there is none in this colony, or anywhere. */
export async function get(client: Client, {txid, row}: Place, colony: Id | undefined): Promise<FullEntry | undefined> {
	const {rows: [found]} = await client.query<Row & Pick<FullEntry, 'detail' | 'request' | 'signature'>>(
		`select ${selected}, detail, request, signature from colonies.history where txid = $1 and history_id = $2 and ($3::bytea is null or colony_id = $3)`,
		[txid, row, colony === undefined ? undefined : bytesOf(colony)],
	);
	if (found === undefined) {
		return undefined;
	}

	const [entry] = await toEntries(client, [found]);
	return {...entry!, detail: inFull({what: found.what, subject: found.subject_id, colony: found.colony_id}, found.detail), request: found.request, signature: found.signature};
}
