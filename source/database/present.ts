import type {AttributeType, Id, Time} from '../core/types.ts';
import {entriesIn} from './attributes.ts';
import {fromImage} from './images.ts';
import type {ColonyRow, ComputerRow, ProcessRow} from './rows.ts';
import type {Client} from './types.ts';
import {bytesOf} from './values.ts';

/** The last row of the history about something, and the image of when it was made; each null where there is none. */
export type Told<Image> = {
	what: string | null;
	to: string | null;
	at: Time | null;
	/** Who wrote it. */
	by: string | null;
	place: string | null;
	detail: {computer?: Id | null; start?: Time | null; retries?: number; run?: number | null} | null;
	image: Image | null;
};

/** A portion of a table, each row with what the history says of it. `end`: the key of the last row that was looked at; undefined at the end of the table. */
export type Portion<Row> = {rows: Row[]; end: string[] | undefined};

const place = (row: string): string => `${row}.txid || '.' || ${row}.history_id`;
const last = (row: string): string => `${row}.what, ${row}.to_state as "to", ${row}.at, colonies.text_of(${row}.actor) as by, ${place(row)} as place`;
/** A database gives numbers to rows in the order in which they were written, whatever the clock says. */
const latest = 'order by h.history_id desc limit 1';

type Ask = {after: readonly string[]; colony: Id | undefined; limit: number};

const keyOf = (id: string | undefined): string => id === undefined ? '' : bytesOf(id);
const ofColony = (colony: Id | undefined): string | undefined => colony === undefined ? undefined : bytesOf(colony);

/** A portion that was full goes on after its last row. */
const portionOf = <Row>(rows: Row[], limit: number, keyOf: (row: Row) => string[]): Portion<Row> => ({rows, end: rows.length < limit ? undefined : keyOf(rows.at(-1)!)});

export type ToldColony = ColonyRow & Told<{name?: string}> & {made: Time};

/** Colonies by id, each with its last row and its name in it. */
export async function colonies(client: Client, {after: [id], colony, limit}: Ask): Promise<Portion<ToldColony>> {
	const {rows} = await client.query<ToldColony>(
		`select c.colony_id, c.name, c.registered_at as made, ${last('l')}, l.detail as image, null as detail
		from (select * from colonies.colonies where colony_id > $1 and ($2::bytea is null or colony_id = $2) order by colony_id limit $3) c
		left join lateral (select * from colonies.history h where h.subject_id = c.colony_id and h.noun = 'colony' ${latest}) l on true
		order by c.colony_id`,
		[keyOf(id), ofColony(colony), limit],
	);
	return portionOf(rows, limit, row => [row.colony_id]);
}

export type ToldComputer = ComputerRow & Told<Record<string, unknown>> & {made: Time};

/** Computers by colony and id, each with its last row and as it was registered. */
export async function computers(client: Client, {after: [of, id], colony, limit}: Ask): Promise<Portion<ToldComputer>> {
	const its = 'h.subject_id = c.computer_id and h.colony_id = c.colony_id';
	const {rows} = await client.query<ToldComputer>(
		`select c.*, c.registered_at as made, ${last('l')}, case when jsonb_typeof(r.detail) = 'object' then r.detail || jsonb_build_object('name', n.name, 'keyid', k.key) end as image, null as detail
		from (select * from colonies.computers where (colony_id, computer_id) > ($1, $2) and ($3::bytea is null or colony_id = $3) order by colony_id, computer_id limit $4) c
		left join lateral (select * from colonies.history h where ${its} and h.noun = 'computer' and h.what not in ('computer.rename', 'computer.rekey') ${latest}) l on true
		left join lateral (select h.detail->>'name' as name from colonies.history h where ${its} and h.what in ('computer.register', 'computer.rename') ${latest}) n on true
		left join lateral (select coalesce(h.detail->>'keyid', encode(h.subject_id, 'hex')) as key from colonies.history h where ${its} and h.what in ('computer.register', 'computer.rekey') ${latest}) k on true
		left join lateral (select * from colonies.history h where ${its} and h.what = 'computer.register' ${latest}) r on true
		order by c.colony_id, c.computer_id`,
		[keyOf(of), keyOf(id), ofColony(colony), limit],
	);
	return portionOf(rows, limit, row => [row.colony_id, row.computer_id]);
}

/** As a process was submitted, without its attributes. */
type Submitted = Partial<Record<'targetcolonyid' | 'computertype' | 'submissiontime' | 'timeout' | 'maxretries' | 'mem' | 'cores' | 'gpus' | 'traceparent', unknown>> & {targetcomputerids?: readonly Id[]};

/** `fits`: whether it waits or runs among those that ask the same; null where it is closed. */
export type ToldProcess = ProcessRow & Told<Submitted> & {fits: boolean | null};

/** The processes after an id, of all colonies, so that a portion is bounded; of these the ones of a colony. */
const looked = `look as materialized (select * from colonies.processes where process_id > $1 order by process_id limit $3),
	ours as materialized (select * from look where $2::bytea is null or colony_id = $2),
	ends as (select (select process_id from look order by process_id desc limit 1) as "end", (select count(*) from look) as looked)`;

const ofSome = 'h.subject_id = any (array(select process_id from ours))';

type Ends = {end: string | null; looked: number};

const endOf = ({end, looked}: Ends, limit: number): string[] | undefined => looked < limit ? undefined : [end!];

/** Processes by id, each with its last row and as it was submitted. */
export async function processes(client: Client, {after: [id], colony, limit}: Ask): Promise<Portion<ToldProcess>> {
	const {rows} = await client.query<Ends & (ToldProcess | {process_id: null})>(
		`with ${looked}, told as materialized (
			select h.subject_id, h.colony_id, h.txid, h.history_id, h.at, h.actor, h.what, h.to_state, h.detail - '{in,out,err,attributes}'::text[] as detail from colonies.history h where ${ofSome} and h.noun = 'process'
		), latest as (select distinct on (subject_id) * from told order by subject_id, history_id desc),
		submitted as (select distinct on (subject_id) subject_id, colony_id, detail from told where what = 'process.submit' order by subject_id, history_id desc)
		select e."end", e.looked, p.*, ${last('l')}, case when jsonb_typeof(l.detail) = 'object' then l.detail end as detail, case when jsonb_typeof(s.detail) = 'object' then s.detail end as image, s.colony_id as image_colony,
			case when p.status < 2 then exists (
				select from colonies.demands d where d.demand_id = p.demand_id and (d.colony_id, d.computer_type, d.cores, d.mem, d.gpus) = (p.colony_id, p.computer_type, p.cores, p.mem, p.gpus)
					and d.target_computer_ids @> p.target_computer_ids and d.target_computer_ids <@ p.target_computer_ids
			) end as fits
		from ends e left join ours p on true left join latest l on l.subject_id = p.process_id left join submitted s on s.subject_id = p.process_id
		order by p.process_id`,
	[keyOf(id), ofColony(colony), limit],
	);
	const found = rows.filter((row): row is Ends & ToldProcess & {image_colony: Id | null} => row.process_id !== null);
	return {rows: found.map(({image_colony: of, ...row}) => ({...row, image: row.image && fromImage(row.process_id, of ?? '', row.image)})), end: endOf(rows[0]!, limit)};
}

/** An attribute that is not as the history says: `there`, `told`: whether it is in the table, and in the history. `at`, `place`: of the row that tells of it. */
export type WrongAttribute = {
	process_id: Id; colony_id: Id; key: string; type: AttributeType; there: boolean; told: boolean; at: Time | null; place: string | null;
	/** Of the process: its status, when its attempt began by the history, and whether its submission is in there. */
	status: number; begun: Time | null; submitted: boolean;
};

const list = 'case when jsonb_typeof(t.detail->\'in\') = \'array\' then t.detail->\'in\' else \'[]\' end';
const sha = (text: string): string => `sha256(convert_to(coalesce(${text}, ''), 'UTF8'))`;

/** The attributes of the same processes, those alone that are not as the history says, and how many there are. What a process brought with it is told by its submission; the rest by the rows since its attempt began. */
export async function attributes(client: Client, {after: [id], colony, limit}: Ask, most: number): Promise<{wrong: WrongAttribute[]; compared: number}> {
	const {rows} = await client.query<{compared: number} & (WrongAttribute | {process_id: null})>(
		`with ${looked}, told as materialized (
			select h.subject_id, h.txid, h.history_id, h.at, h.what, h.from_state,
				case h.what when 'process.submit' then jsonb_build_object('in', coalesce(h.detail->'attributes'->'in', h.detail->'in')) when 'attribute.add' then h.detail - 'before' end as detail
			from colonies.history h where ${ofSome} and h.what in ('process.submit', 'process.assign', 'process.requeue', 'process.retry', 'process.cancel', 'attribute.add')
		), back as (select subject_id, max(history_id) as row from told where what in ('process.requeue', 'process.retry') group by subject_id),
		begun as (
			select t.subject_id, min(t.at) as at from told t left join back b on b.subject_id = t.subject_id
			where (t.what = 'process.assign' or (t.what = 'process.cancel' and t.from_state = 'waiting')) and (b.row is null or t.history_id > b.row) group by t.subject_id
		), brought as (
			select t.subject_id, 0 as type, a.key, ${sha('a.value')} as hash, t.at, ${place('t')} as place
			from told t cross join lateral jsonb_array_elements(${list}) e cross join lateral (
				select e->>'key' as key, e->>'value' as value where e ?& '{attributeid,targetid}'::text[]
				union all select s.key, s.value from jsonb_each_text(case when jsonb_typeof(e) = 'object' and not e ?& '{attributeid,targetid}'::text[] then e else '{}' end) s
			) a where t.what = 'process.submit'
		), added as (
			select distinct on (t.subject_id, t.detail->>'type', t.detail->>'key') t.subject_id, array_position(array['in', 'out', 'err'], t.detail->>'type') - 1 as type,
				t.detail->>'key' as key, ${sha('t.detail->>\'value\'')} as hash, t.at, ${place('t')} as place
			from told t left join back b on b.subject_id = t.subject_id where t.what = 'attribute.add' and (b.row is null or t.history_id > b.row)
			order by t.subject_id, t.detail->>'type', t.detail->>'key', t.history_id desc
		), expected as (select * from brought union all select * from added),
		actual as (select p.process_id, array_position(array['in', 'out', 'err'], t.kind) - 1 as type, a.key, ${sha('a.value')} as hash from ours p cross join ${entriesIn('p')}),
		wrong as (
			select coalesce(a.process_id, e.subject_id) as process_id, coalesce(a.key, e.key) as key, coalesce(a.type, e.type) as type, a.process_id is not null as there, e.subject_id is not null as told, e.at, e.place
			from expected e full join actual a on a.process_id = e.subject_id and a.type = e.type and a.key = e.key
			where a.process_id is null or e.subject_id is null or a.hash is distinct from e.hash
		)
		select (select count(*)::int from actual) as compared, w.*, p.colony_id, p.status, b.at as begun, exists (select from told t where t.subject_id = w.process_id and t.what = 'process.submit') as submitted
		from (select) always left join (wrong w join ours p on p.process_id = w.process_id) on true left join begun b on b.subject_id = w.process_id
		order by w.process_id, w.key limit $4`,
	[keyOf(id), ofColony(colony), limit, most],
	);
	return {wrong: rows.filter((row): row is {compared: number} & WrongAttribute => row.process_id !== null), compared: rows[0]!.compared};
}

/** Something that the history has last left in place, and that is not there. */
export type Absent = {noun: 'colony' | 'computer' | 'process'; subject: Id; colony: Id; what: string; to: string | null; at: Time; place: string; name: string | null};

/** What is told of in rows of the history after a place, by time, and is not there. `until`: rows that were written later are left for another time. */
export async function absent(client: Client, {after: [at, row], until, colony, limit}: Ask & {until: Time}): Promise<Portion<Absent> & {rowsLooked: number}> {
	const {rows} = await client.query<{looked: number; end_at: Time | null; end_row: string | null} & (Absent | {subject: null})>(
		`with look as materialized (
			select at, history_id, noun, subject_id, colony_id from colonies.history
			where (at, history_id) > ($1::timestamptz, $2::bigint) and at <= $3::timestamptz and ($4::bytea is null or colony_id = $4) order by at, history_id limit $5
		), named as (select distinct noun, subject_id, colony_id from look where noun in ('colony', 'computer', 'process')),
		gone as materialized (
			select * from named n where case n.noun
				when 'process' then not exists (select from colonies.processes p where p.process_id = n.subject_id)
				when 'computer' then not exists (select from colonies.computers c where c.colony_id = n.colony_id and c.computer_id = n.subject_id)
				else not exists (select from colonies.colonies c where c.colony_id = n.subject_id) end
		), absent as (
			select g.noun, colonies.text_of(g.subject_id) as subject, g.colony_id as colony, l.what, l.to_state as "to", l.at, ${place('l')} as place, l.detail->>'name' as name from gone g cross join lateral (
				select * from colonies.history h where h.subject_id = g.subject_id and h.noun = g.noun and h.colony_id is not distinct from g.colony_id ${latest}
			) l where l.what <> g.noun || '.remove' and exists (select from look k where (k.at, k.history_id) = (l.at, l.history_id))
		)
		select (select count(*)::int from look) as looked, e.at as end_at, e.history_id::text as end_row, a.*
		from (select) always left join (select at, history_id from look order by at desc, history_id desc limit 1) e on true left join absent a on true`,
	[at ?? '-infinity', row ?? '0', until, ofColony(colony), limit],
	);
	const {looked, end_at: endAt, end_row: endRow} = rows[0]!;
	return {rows: rows.filter((row): row is (typeof rows)[number] & Absent => row.subject !== null), end: looked < limit ? undefined : [endAt!, endRow!], rowsLooked: looked};
}

/** The present moment, and when the history begins. */
export async function times(client: Client): Promise<{now: Time; begins: Time | null}> {
	const {rows: [row]} = await client.query<{now: Time; begins: Time | null}>('select statement_timestamp() as now, (select at from colonies.history order by at limit 1) as begins');
	return row!;
}
