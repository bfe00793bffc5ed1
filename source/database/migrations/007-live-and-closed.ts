import type {Migration} from './migration.ts';

/** Columns of the tables that stay whose ids and hashes were 64 digits: one each, and a list of them. */
const columns: Readonly<Record<string, {ids: readonly string[]; list?: string}>> = {
	colonies: {ids: ['colony_id']},
	computers: {ids: ['colony_id', 'computer_id']},
	demands: {ids: ['colony_id', 'fingerprint'], list: 'target_computer_ids'},
	seen: {ids: ['colony_id', 'computer_id']},
	idempotency_keys: {ids: ['signer', 'fingerprint'], list: 'subjects'},
};

const compact = Object.entries(columns).map(([table, {ids, list}]) => {
	const changes = [...ids.map(column => `alter ${column} type bytea using decode(${column}, 'hex')`), ...(list === undefined ? [] : [`alter ${list} type bytea[] using bytes_of_all(${list})`])];
	return `alter table ${table} ${changes.join(', ')};`;
}).join('\n');

/** Of a nonce that was spent what database/nonces.ts keeps of it. */
const proofs = [0, 1, 2, 3].map(slot => `alter table nonces_${slot} drop constraint nonces_${slot}_pkey, add proof bytea;
update nonces_${slot} set proof = substring(sha256(convert_to(signer || ' ' || created || ' ' || nonce, 'UTF8')) for 16);
alter table nonces_${slot} drop nonce, drop signer, drop created, add primary key (proof);`).join('\n');

/** The columns that a process keeps however it goes on. */
export const lasting = 'process_id, colony_id, submission_time, start_time, deadline, assigned_computer_id, target_computer_ids, computer_type, timeout, retries, max_retries, mem, cores, gpus';

/** The same of a process \`p\` of before. */
const before = 'decode(p.process_id, \'hex\'), decode(p.colony_id, \'hex\'), p.submission_time, p.start_time, p.deadline, decode(p.assigned_computer_id, \'hex\'), bytes_of_all(p.target_computer_ids), p.computer_type, p.timeout, p.retries, p.max_retries, p.mem, p.cores, p.gpus';

// Wide ones first, so that little room is lost between them.
const types = `
	process_id bytea not null,
	colony_id bytea not null,
	assigned_computer_id bytea,
	submission_time timestamptz not null,
	start_time timestamptz,
	deadline timestamptz,
	mem bigint not null,
	timeout integer not null,
	retries integer not null default 0,
	max_retries integer not null,
	cores integer not null,
	gpus integer not null,
	computer_type text collate "C" not null,
	target_computer_ids bytea[] not null,
	attributes jsonb`;

const closed = `(${types},
	status smallint not null check (status between 2 and 3),
	end_time timestamptz not null,
	primary key (process_id, end_time)
)`;

/** A list of attributes of a process `p` of before as its row keeps them, `[{"key": "value"}, …]` in their order; null where there are none. */
const listOf = (type: number): string => `(
	select jsonb_agg(jsonb_build_object(a.key, a.value) order by a.position, a.key) from attributes a where a.process_id = p.process_id and a.attribute_type = ${type}
)`;

const rowOf = (...names: string[]): string => `nullif(jsonb_strip_nulls(jsonb_build_object(${names.map((name, type) => `'${name}', ${listOf(type)}`).join(', ')})), '{}')`;

/** What a process of before asks, by its fingerprint (database/demands.ts). */
const fingerprint = `sha256(convert_to('[' || to_json(p.computer_type)::text || ',' || p.cores || ',' || p.mem || ',' || p.gpus || ',['
	|| coalesce((select string_agg('"' || t.id || '"', ',' order by t.id collate "C") from (select distinct unnest(p.target_computer_ids) as id) t), '') || ']]', 'UTF8'))`;

/** What a running process has written so far, beside what went in. */
export const withOutputs = `nullif(coalesce(l.attributes, '{}') || coalesce((
	select jsonb_object_agg(o.name, o.list) from (
		select case attribute_type when 1 then 'out' else 'err' end as name, jsonb_agg(jsonb_build_object(key, value) order by key) as list
		from outputs where process_id = l.process_id group by attribute_type
	) o
), '{}'), '{}')`;

/**
Work that waits or runs, apart from work that is closed: \`live\` stays as small as what is under way, \`closed\` only grows, by the month in which a process ended (UTC), and a month is dropped at a stroke.
Months, not days: the planner looks at every piece for each statement, and of days there would be hundreds.
Attributes lie in the row of their process; what a running one has written so far in \`outputs\`. The view \`processes\` shows both tables as one.
Of the history two indexes go: what they found is found by the one on colony and transaction, or among the latest rows.
Ids take 32 bytes, not 64 digits, in their rows and in every index that has them; the history, whose seals are about its texts, keeps them as they were: \`bytes_of\` turns one of its ids into one of the other tables, and what is no id, as \`root\`, into null.
*/
export const liveAndClosed: Migration = {
	number: 7,
	name: 'live-and-closed',
	script: `
create function bytes_of(id text) returns bytea language sql immutable parallel safe as $body$ select case when id ~ '^[0-9a-f]{64}$' then decode(id, 'hex') end $body$;
create function bytes_of_all(ids text[]) returns bytea[] language sql immutable parallel safe as $body$ select array(select decode(i.id, 'hex') from unnest(ids) with ordinality as i(id, place) order by i.place) $body$;

drop index demands_by_audience;
alter table computers drop constraint computers_colony_id_fkey;
alter table demands drop constraint demands_colony_id_fkey;
alter table processes drop constraint processes_colony_id_fkey;
${compact}
alter table computers add constraint computers_colony_id_fkey foreign key (colony_id) references colonies;
alter table demands add constraint demands_colony_id_fkey foreign key (colony_id) references colonies;
create index demands_by_audience on demands (colony_id, (case cardinality(target_computer_ids) when 0 then '' when 1 then target_computer_ids[1] else '*' end), computer_type, cores, mem, gpus);

${proofs}

create table live (${types},
	demand_id bigint not null,
	status smallint not null default 0 check (status between 0 and 1),
	entered_at timestamptz not null,
	returned_at timestamptz,
	primary key (process_id),
	foreign key (colony_id) references colonies,
	check ((status = 1) = (assigned_computer_id is not null)),
	check (status <> 0 or entered_at = submission_time)
) with (fillfactor = 80);

create table outputs (
	process_id bytea not null,
	attribute_type smallint not null check (attribute_type between 1 and 2),
	key text collate "C" not null,
	value text not null,
	primary key (process_id, attribute_type, key)
);

-- Makes the piece of "closed" for the month of a day (UTC), where there is none yet; what has ended in it already is moved there.
create function make_month_of_closed(day date) returns boolean language plpgsql set timezone to 'UTC' as $body$
declare
	piece text := 'closed_' || to_char(day, 'YYYYMM');
	begins timestamptz := date_trunc('month', day);
	ends timestamptz := date_trunc('month', day) + interval '1 month';
begin
	perform pg_advisory_xact_lock(hashtextextended('colonies.closed', 0));
	if to_regclass('colonies.' || piece) is not null or to_regclass('colonies.closed_other') is null then
		return false;
	end if;
	execute format('create table colonies.%I (like colonies.closed including defaults including constraints)', piece);
	execute format('with moved as (delete from colonies.closed_other where end_time >= %L and end_time < %L returning *) insert into colonies.%I select * from moved', begins, ends, piece);
	execute format('alter table colonies.closed attach partition colonies.%I for values from (%L) to (%L)', piece, begins, ends);
	return true;
end
$body$;

do $body$
declare
	this_month timestamp := date_trunc('month', now() at time zone 'UTC');
	first timestamp := coalesce((select greatest(date_trunc('month', old.ended), this_month - interval '2 years') from (select min(end_time at time zone 'UTC') as ended from processes where status > 1) old where old.ended is not null), this_month);
begin
	if exists (select from pg_extension where extname = 'timescaledb') then
		create table closed ${closed};
		perform create_hypertable('colonies.closed', 'end_time', chunk_time_interval => interval '30 days');
	else
		create table closed ${closed} partition by range (end_time);
		create table closed_other partition of closed default;
		-- Apart from what is for no month yet: that is looked through whenever a month is made, and all of the past would be.
		execute format('create table closed_before partition of closed for values from (minvalue) to (%L)', first at time zone 'UTC');
		perform make_month_of_closed(month::date) from generate_series(first, this_month + interval '1 month', interval '1 month') month;
	end if;
end
$body$;

insert into demands (colony_id, fingerprint, target_computer_ids, computer_type, cores, mem, gpus)
select distinct on (p.colony_id, ${fingerprint}) decode(p.colony_id, 'hex'), ${fingerprint}, bytes_of_all(p.target_computer_ids), p.computer_type, p.cores, p.mem, p.gpus
from processes p where p.status = 1 on conflict do nothing;

insert into live (${lasting}, demand_id, status, entered_at, returned_at, attributes)
select ${before}, coalesce(p.demand_id, (select d.demand_id from demands d where d.colony_id = decode(p.colony_id, 'hex') and d.fingerprint = ${fingerprint})), p.status, p.entered_at, p.returned_at, ${rowOf('in')}
from processes p where p.status < 2;

insert into outputs (process_id, attribute_type, key, value)
select l.process_id, a.attribute_type, a.key, a.value from live l join attributes a on a.process_id = encode(l.process_id, 'hex') where a.attribute_type > 0;

insert into closed (${lasting}, status, end_time, attributes)
select ${before}, p.status, p.end_time, ${rowOf('in', 'out', 'err')}
from processes p where p.status > 1;

drop table attributes;
drop table processes;

create index live_waiting on live (demand_id, submission_time, process_id) where status = 0;
create index live_by_status on live (colony_id, status, entered_at, process_id);
create index live_by_type on live (colony_id, computer_type, status, entered_at, process_id);
create index live_by_computer on live (colony_id, assigned_computer_id, status, entered_at, process_id) where assigned_computer_id is not null;
create index live_by_deadline on live (deadline) where status = 1 and deadline is not null;
create index live_last_try on live (colony_id, start_time, process_id) where status = 1 and max_retries > 0 and retries >= max_retries;
create index live_by_attribute on live using gin (attributes jsonb_path_ops);
create index closed_by_status on closed (colony_id, status, end_time, process_id);
create index closed_by_type on closed (colony_id, computer_type, status, end_time, process_id);
create index closed_by_computer on closed (colony_id, assigned_computer_id, status, end_time, process_id) where assigned_computer_id is not null;
create index closed_spent on closed (colony_id, end_time, process_id) where status = 3 and end_time >= deadline;
create index closed_by_attribute on closed using gin (attributes jsonb_path_ops);

drop index history_by_colony;
drop index history_by_actor;
drop index history_of_names;
create index history_of_names on history (subject_id, at) where what in ('colony.register', 'colony.rename', 'colony.remove', 'computer.register', 'computer.rename', 'computer.remove');

create view processes as
select ${lasting}, demand_id, status, entered_at, null::timestamptz as end_time, returned_at, case when status = 1 then ${withOutputs} else attributes end as attributes from live l
union all
select ${lasting}, null, status, end_time, end_time, null, attributes from closed;
`,
};
