import {cellBounds} from '../../core/durations.ts';
import type {Migration} from './migration.ts';

/** Seconds of a bucket of each level, finest first, each a multiple of the one before; and the pieces in which TimescaleDB keeps it. */
export const levels = [
	{level: 10, chunk: '6 hours'},
	{level: 60, chunk: '1 day'},
	{level: 900, chunk: '2 days'},
	{level: 7200, chunk: '30 days'},
] as const;

/** By what is counted: 0 the type that a process asks for, 1 the computer that it runs or ran on. */
export const axes = [
	{axis: 0, key: 'coalesce(detail->>\'type\', detail->>\'computertype\', \'\')'},
	{axis: 1, key: 'coalesce(detail->>\'computer\', detail->>\'assignedcomputerid\', \'\')'},
] as const;

const isMove = 'noun = \'process\' and coalesce(from_state, to_state) is not null';
const states = ['waiting', 'running', 'successful', 'failed'];
const stateOf = (column: string) => `case ${column} ${states.map((state, place) => `when '${state}' then ${place}`).join(' ')} else ${states.length} end`;
// From which state to which, as 8 times the first and the second; 4 stands for none.
const move = `(8 * ${stateOf('from_state')} + ${stateOf('to_state')})::smallint`;
const cellOf = (name: string) => `coalesce(width_bucket((detail->>'${name}')::bigint, '{${cellBounds.join(',')}}'::bigint[]), -1)`;
// How long it waited when it is assigned, how long it ran when it is closed; of nothing else, and of rows that do not say so, a span is counted.
const cell = `(case when to_state = 'running' then ${cellOf('wait')} when from_state = 'running' and to_state in ('successful', 'failed') then ${cellOf('run')} else -1 end)::smallint`;

/** The table that portions of the history are counted into. `id`: the type of a colony's id. */
export const rolledTable = (id: string): string => `create table pulse_rolled (
	axis smallint not null,
	level integer not null,
	at timestamptz not null,
	colony_id ${id} not null,
	key text collate "C" not null,
	move smallint not null,
	cell smallint not null,
	n bigint not null,
	primary key (colony_id, axis, level, at, key, move, cell)
) with (fillfactor = 70);
create index pulse_rolled_by_age on pulse_rolled (level, at);`;

/** The moves in the rows of the history, by what they are counted and at which level. `colony`: how the id of a row's colony is had. */
export const movesOf = (colony: string): string => `select h.txid, h.history_id, ${colony} as colony_id, a.axis, l.level, to_timestamp(floor(date_part('epoch', h.at) / l.level) * l.level) as at, a.key, ${move} as move, ${cell} as cell
	from history h cross join lateral (values ${axes.map(({axis, key}) => `(${axis}::smallint, ${key} collate "C")`).join(', ')}) as a(axis, key) cross join (values ${levels.map(({level}) => `(${level})`).join(', ')}) as l(level)
	where ${isMove} and h.colony_id is not null`;

const each = (make: (axis: number, key: string, place: number) => string): string => axes.flatMap(({axis, key}) => levels.map((_, place) => make(axis, key, place))).join('\n');
const nameOf = (axis: number, place: number): string => `pulse_${axis}_${levels[place]!.level}`;

/** A continuous aggregate: the finest over the history, each other over the one before it, so that what is not yet made of it is little. */
const aggregate = (axis: number, key: string, place: number): string => {
	const {level, chunk} = levels[place]!;
	const bucket = (column: string) => `time_bucket(interval '${level} seconds', ${column}) as bucket`;
	const select = place === 0
		? `select ${bucket('at')}, colony_id, ${key} as key, ${move} as move, ${cell} as cell, count(*) as n from history where ${isMove}`
		: `select ${bucket('bucket')}, colony_id, key, move, cell, sum(n)::bigint as n from ${nameOf(axis, place - 1)}`;
	return `
		execute $create$create materialized view ${nameOf(axis, place)} with (timescaledb.continuous, timescaledb.materialized_only = false) as
			${select} group by 1, 2, 3, 4, 5 with no data$create$;
		perform set_chunk_time_interval(format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)::regclass, interval '${chunk}')
			from timescaledb_information.continuous_aggregates where view_schema = 'colonies' and view_name = '${nameOf(axis, place)}';`;
};

const aggregated = (axis: number, _: string, place: number): string => `select ${axis}::smallint as axis, ${levels[place]!.level} as level, bucket as at, colony_id, key, move, cell, n from ${nameOf(axis, place)}`;

/**
What Pulse reads: how many processes of a colony went from one state to another in a stretch of time (`level` seconds from `at` on), by type and by computer, and how long they had waited or run.
Where TimescaleDB makes continuous aggregates over others (2.9), it does. Elsewhere portions of the history are counted into `pulse_rolled`, up to the transaction and row in `pulse_place`; what came after that is added from the history itself.
*/
export const pulse: Migration = {
	number: 6,
	name: 'pulse',
	script: `
alter table processes add column returned_at timestamptz;

create table pulse_place (
	only_row boolean primary key default true check (only_row),
	txid bigint not null default 0,
	history_id bigint not null default 0,
	rolled_to timestamptz,
	due_at timestamptz not null default '-infinity'
);
insert into pulse_place default values;

do $body$
begin
	if exists (
		select from pg_extension where extname = 'timescaledb'
		and string_to_array(substring(extversion from '^\\d+\\.\\d+'), '.')::integer[] >= array[2, 9] and current_setting('timescaledb.license', true) = 'timescale'
	) then
		${each(aggregate)}
		create view pulse as ${each(aggregated).split('\n').join(' union all ')};
	else
		${rolledTable('text collate "C"')}
		create view pulse_moves as ${movesOf('h.colony_id')};
		create view pulse as
			select axis, level, at, colony_id, key, move, cell, n from pulse_rolled
			union all
			select axis, level, at, colony_id, key, move, cell, 1 from pulse_moves where (txid, history_id) > ((select txid from pulse_place), (select history_id from pulse_place));
	end if;
end
$body$;
`,
};
