import {indexesOfChanges} from './005-audit.ts';
import {
	axes, levels, movesOf, rolledTable,
} from './006-pulse.ts';
import type {Migration} from './migration.ts';

const columns = 'history_id, txid, at, since, noun, what, from_state, to_state, detail, request, signature';

const history = `(
	history_id bigint not null default nextval('history_numbers'),
	txid bigint not null default txid_current(),
	at timestamptz not null default statement_timestamp(),
	since timestamptz,
	actor bytea not null,
	colony_id bytea,
	subject_id bytea not null,
	noun text not null,
	what text not null,
	from_state text,
	to_state text,
	detail jsonb,
	request text,
	signature text,
	constraint history_key primary key (at, history_id)
)`;

const counted = 'axis, level, at, colony_id, key, move, cell';

const aggregates = axes.flatMap(({axis}) => levels.map(({level}) => `pulse_${axis}_${level}`));

/**
The history with ids of 32 bytes, in pieces that are dropped at a stroke: by the month in which its rows were written (UTC), or by the day where it is kept for a month at most; hypertables of TimescaleDB have their own.
An actor or subject that is no id, as \`root\`, is its text in bytes: \`text_of\` is what it was before, and what its seal is about.
What Pulse counts lies in \`pulse_rolled\` with every kind of database: continuous aggregates hold their table as it is.
Of the indexes the one on spans goes: which processes have changed since a moment is told by their own rows, and by the images of those that were removed; \`since\` is kept for the seals of before.
*/
export const compactHistory: Migration = {
	number: 10,
	name: 'compact-history',
	script: `
create function text_of(id bytea) returns text language sql immutable parallel safe as
	$body$ select case when octet_length(id) = 32 then encode(id, 'hex') when octet_length(id) < 32 then encode(id, 'escape') else '\\x' || encode(id, 'hex') end $body$;
create function bytes_of_any(id text) returns bytea language sql immutable parallel safe as $body$ select case when id ~ '^[0-9a-f]{64}$' then decode(id, 'hex') else convert_to(id, 'UTF8') end $body$;

lock table history in access exclusive mode;

do $body$
declare
	horizon bigint := txid_snapshot_xmin(txid_current_snapshot()) + (select base from txid_base);
begin
	if to_regclass('colonies.pulse_rolled') is null then
		${rolledTable('bytea')}
		insert into pulse_rolled (${counted}, n) select axis, level, at, decode(colony_id, 'hex'), key, move, cell, sum(n) from pulse where colony_id is not null group by 1, 2, 3, 4, 5, 6, 7;
		-- What transactions have written beside one that is still open is counted later, with what that one writes.
		insert into pulse_rolled (${counted}, n) select ${counted}, -count(*) from (${movesOf('decode(h.colony_id, \'hex\')')} and h.txid >= horizon) m group by 1, 2, 3, 4, 5, 6, 7
			on conflict (colony_id, axis, level, at, key, move, cell) do update set n = pulse_rolled.n + excluded.n;
		delete from pulse_rolled where n <= 0;
		update pulse_place set txid = horizon - 1, history_id = 999999999999999;
		drop view pulse;
		${[...aggregates].reverse().map(name => `drop materialized view ${name};`).join('\n\t\t')}
	else
		drop view pulse;
		drop view pulse_moves;
		alter table pulse_rolled alter colony_id type bytea using decode(colony_id, 'hex');
	end if;
end
$body$;
alter table pulse_place drop rolled_to, drop due_at;

alter table history rename to history_old;
drop index history_by_transaction, history_by_colony_and_transaction, history_by_subject, history_by_span, history_of_members, history_of_changes, history_of_changes_by_colony, history_of_changes_by_what,
	history_of_changes_by_colony_and_what, history_of_changes_by_actor, history_of_changes_by_actor_and_what, history_by_signature, history_of_names;
create sequence history_numbers;
select setval('history_numbers', last_value, is_called) from history_history_id_seq;

-- Makes the piece of "history" for a day (UTC), where there is none yet: of its month, or of the day alone; what was written in it already is moved there.
create function make_piece_of_history(day date, by_day boolean default null) returns boolean language plpgsql set timezone to 'UTC' as $body$
declare
	piece text := 'history_' || to_char(day, 'YYYYMM');
	begins timestamptz := date_trunc('month', day);
	ends timestamptz := date_trunc('month', day) + interval '1 month';
begin
	perform pg_advisory_xact_lock(hashtextextended('colonies.history.pieces', 0));
	if to_regclass('colonies.history_other') is null or to_regclass('colonies.' || piece) is not null then
		return false;
	end if;
	if coalesce(by_day, (select days <= 31 from colonies.retention), false) or exists (select from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = to_regclass('colonies.history') and c.relname ~ ('^' || piece || '\\d\\d$')) then
		piece := 'history_' || to_char(day, 'YYYYMMDD');
		begins := day;
		ends := day + 1;
		if to_regclass('colonies.' || piece) is not null then
			return false;
		end if;
	end if;
	execute format('create table colonies.%I (like colonies.history including defaults including constraints)', piece);
	execute format('with moved as (delete from colonies.history_other where at >= %L and at < %L returning *) insert into colonies.%I select * from moved', begins, ends, piece);
	execute format('alter table colonies.history attach partition colonies.%I for values from (%L) to (%L)', piece, begins, ends);
	return true;
end
$body$;

do $body$
declare
	today date := (now() at time zone 'UTC')::date;
	this_month timestamp := date_trunc('month', today);
	first timestamp := coalesce((select greatest(date_trunc('month', old.began), this_month - interval '2 years') from (select min(at at time zone 'UTC') as began from history_old) old where old.began is not null), this_month);
begin
	if exists (select from pg_extension where extname = 'timescaledb') then
		create table history ${history};
		perform create_hypertable('colonies.history', 'at', chunk_time_interval => interval '1 day');
	else
		create table history ${history} partition by range (at);
		create table history_other partition of history default;
		execute format('create table history_before partition of history for values from (minvalue) to (%L)', first at time zone 'UTC');
		perform make_piece_of_history(month::date, false) from generate_series(first, this_month, interval '1 month') month;
		perform make_piece_of_history(today + days) from generate_series(1, 2) days;
	end if;
end
$body$;
alter sequence history_numbers owned by history.history_id;

insert into history (${columns}, actor, colony_id, subject_id) select ${columns}, bytes_of_any(actor), bytes_of_any(colony_id), bytes_of_any(subject_id) from history_old;
drop table history_old;

create index history_by_transaction on history (txid, history_id);
create index history_by_colony_and_transaction on history (colony_id, txid, history_id);
create index history_by_subject on history (subject_id, at, history_id);
create index history_of_members on history (noun, colony_id, at) where noun in ('colony', 'computer');
create index history_of_removals on history (colony_id, at) where what = 'process.remove';
create index history_of_names on history (subject_id, at) where what in ('colony.register', 'colony.rename', 'colony.remove', 'computer.register', 'computer.rename', 'computer.remove');
create index history_by_signature on history (signature, txid) where signature is not null;${indexesOfChanges}
create trigger history_is_append_only before update on history for each row execute function refuse_change();
analyze history;

do $body$
declare
	after integer := (select compress_after from retention);
begin
	if after is not null and exists (select from pg_extension where extname = 'timescaledb') then
		alter table history set (timescaledb.compress, timescaledb.compress_segmentby = 'what', timescaledb.compress_orderby = 'txid, history_id, at');
		perform add_compression_policy('colonies.history', compress_after => make_interval(days => after));
		perform compress_chunk(chunk) from show_chunks('colonies.history', older_than => now() - make_interval(days => after)) chunk;
	end if;
end
$body$;

create view pulse_moves as ${movesOf('h.colony_id')};
create view pulse as
	select ${counted}, n from pulse_rolled
	union all
	select ${counted}, 1 from pulse_moves where (txid, history_id) > ((select txid from pulse_place), (select history_id from pulse_place));

create index live_returned on live (colony_id, returned_at) where status = 0 and returned_at is not null;
create index live_put_back on live (demand_id, submission_time, process_id) where status = 0 and returned_at is not null;
create index closed_by_time on closed using brin (submission_time, end_time) with (pages_per_range = 32, autosummarize = on);
`,
};
