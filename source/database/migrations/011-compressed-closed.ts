import {lasting, withOutputs} from './007-live-and-closed.ts';
import type {Migration} from './migration.ts';

/**
Closed processes are compressed with the history, where TimescaleDB is and somebody has said after how many days (database/compression.ts).
Pieces of both tables are made by one function; `pulse`, which nothing reads any more, goes.
*/
export const compressedClosed: Migration = {
	number: 11,
	name: 'compressed-closed',
	script: `
do $body$
declare
	after integer := (select compress_after from retention);
begin
	if after is not null and exists (select from pg_extension where extname = 'timescaledb') then
		alter table closed set (timescaledb.compress, timescaledb.compress_segmentby = 'colony_id, status', timescaledb.compress_orderby = 'end_time, process_id');
		perform add_compression_policy('colonies.closed', compress_after => make_interval(days => after));
	end if;
end
$body$;

-- Of a column that a view of several tables selects twice, TimescaleDB (2.23.1) gives null for compressed rows: the second is an expression.
create or replace view processes as
select ${lasting}, demand_id, status, entered_at, null::timestamptz as end_time, returned_at, case when status = 1 then ${withOutputs} else attributes end as attributes from live l
union all
select ${lasting}, null, status, end_time, greatest(end_time), null, attributes from closed;

drop view pulse;
drop function make_month_of_closed(date);
drop function make_piece_of_history(date, boolean);
-- Makes the piece of a table for a day (UTC), where there is none yet: of its month, or of the day alone; what lies there already of that time is moved there.
create function make_piece(parent text, by_column text, day date, by_day boolean) returns boolean language plpgsql set timezone to 'UTC' as $body$
declare
	piece text := parent || '_' || to_char(day, 'YYYYMM');
	other text := parent || '_other';
	begins timestamptz := date_trunc('month', day);
	ends timestamptz := date_trunc('month', day) + interval '1 month';
begin
	perform pg_advisory_xact_lock(hashtextextended('colonies.make_piece', 0));
	if to_regclass('colonies.' || other) is null or to_regclass('colonies.' || piece) is not null then
		return false;
	end if;
	if by_day or exists (select from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = to_regclass('colonies.' || parent) and c.relname ~ ('^' || piece || '\\d\\d$')) then
		piece := parent || '_' || to_char(day, 'YYYYMMDD');
		begins := day;
		ends := day + 1;
		if to_regclass('colonies.' || piece) is not null then
			return false;
		end if;
	end if;
	execute format('create table colonies.%I (like colonies.%I including defaults including constraints)', piece, parent);
	execute format('with moved as (delete from colonies.%I where %I >= %L and %I < %L returning *) insert into colonies.%I select * from moved', other, by_column, begins, by_column, ends, piece);
	execute format('alter table colonies.%I attach partition colonies.%I for values from (%L) to (%L)', parent, piece, begins, ends);
	return true;
end
$body$;
`,
};
