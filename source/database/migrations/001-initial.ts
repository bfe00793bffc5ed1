import type {Migration} from './migration.ts';

/**
The first tables. Ids and names compare byte by byte (`collate "C"`), so that an order is the same on every machine and a prefix finds its index.
A waiting process points to its demand (what it asks of a computer); a process in any other state points to none.
*/
export const initial: Migration = {
	number: 1,
	name: 'initial',
	script: `
create table installation (
	only_row boolean primary key default true check (only_row),
	root_password text not null
);

create table colonies (
	colony_id text collate "C" primary key,
	name text collate "C" not null,
	registered_at timestamptz not null default statement_timestamp()
);
create index colonies_by_name on colonies (name, colony_id);

create table computers (
	colony_id text collate "C" not null references colonies,
	computer_id text collate "C" not null,
	name text collate "C" not null,
	computer_type text collate "C" not null,
	cpu text not null,
	cores integer not null,
	mem bigint not null,
	gpu text not null,
	gpus integer not null,
	status smallint not null default 0 check (status between 0 and 2),
	registered_at timestamptz not null default statement_timestamp(),
	primary key (colony_id, computer_id)
);
create index computers_by_status on computers (colony_id, status, name, computer_id);

create table demands (
	demand_id bigint generated always as identity primary key,
	colony_id text collate "C" not null references colonies,
	fingerprint text collate "C" not null,
	target_computer_ids text[] not null,
	computer_type text collate "C" not null,
	cores integer not null,
	mem bigint not null,
	gpus integer not null,
	created_at timestamptz not null default statement_timestamp(),
	unique (colony_id, fingerprint)
);
create index demands_by_audience on demands (colony_id, (case cardinality(target_computer_ids) when 0 then '' when 1 then target_computer_ids[1] else '*' end collate "C"), computer_type, cores, mem, gpus);

create table processes (
	process_id text collate "C" primary key,
	colony_id text collate "C" not null references colonies,
	demand_id bigint references demands,
	status smallint not null default 0 check (status between 0 and 3),
	entered_at timestamptz not null,
	submission_time timestamptz not null,
	start_time timestamptz,
	end_time timestamptz,
	deadline timestamptz,
	assigned_computer_id text collate "C",
	target_computer_ids text[] not null,
	computer_type text collate "C" not null,
	timeout integer not null,
	retries integer not null default 0,
	max_retries integer not null,
	mem bigint not null,
	cores integer not null,
	gpus integer not null,
	check ((status = 0) = (demand_id is not null)),
	check ((status = 1) <= (assigned_computer_id is not null)),
	check (status <> 0 or entered_at = submission_time)
);
create index processes_waiting on processes (demand_id, submission_time, process_id) where demand_id is not null;
create index processes_by_status on processes (colony_id, status, entered_at, process_id);
create index processes_by_type on processes (colony_id, computer_type, status, entered_at, process_id);
create index processes_by_computer on processes (colony_id, assigned_computer_id, status, entered_at, process_id) where assigned_computer_id is not null;
create index processes_by_deadline on processes (deadline) where status = 1 and deadline is not null;

create table attributes (
	attribute_id text collate "C" primary key,
	colony_id text collate "C" not null,
	process_id text collate "C" not null references processes on delete cascade,
	attribute_type smallint not null check (attribute_type between 0 and 2),
	position integer not null default 0,
	key text collate "C" not null,
	value text not null
);
create index attributes_by_process on attributes (process_id, attribute_type, position, key);
create index attributes_by_value on attributes (colony_id, key, left(value, 64), process_id);

create table history (
	history_id bigint generated always as identity,
	txid bigint not null default txid_current(),
	at timestamptz not null default statement_timestamp(),
	actor text collate "C" not null,
	colony_id text collate "C",
	noun text not null,
	subject_id text collate "C" not null,
	what text not null,
	from_state text,
	to_state text,
	detail jsonb,
	request text,
	signature text,
	primary key (at, history_id)
);
create index history_by_transaction on history (txid, history_id);
create index history_by_subject on history (subject_id, at);
create index history_by_colony on history (colony_id, at);

create function refuse_change() returns trigger language plpgsql as $body$
begin
	raise exception 'The history is append-only.' using errcode = 'integrity_constraint_violation';
end
$body$;
create trigger history_is_append_only before update on history for each row execute function refuse_change();

do $body$
begin
	if exists (select from pg_extension where extname = 'timescaledb') then
		perform create_hypertable('colonies.history', 'at', chunk_time_interval => interval '1 day');
	end if;
end
$body$;
`,
};
