import type {Pulse, PulseLevel} from '../core/pulse.ts';
import type {Id, Time} from '../core/types.ts';
import {
	Gathered, type Line, levelsOf, running, waiting,
} from './pulse-numbers.ts';
import {countOf} from './process-statements.ts';
import type {Client} from './types.ts';
import {bytesOf} from './values.ts';

/** What is to be read: `step` in seconds, `level` one that the step is made of, `most` rows apart from the others, states counted to `counted` and no further. */
export type PulseRequest = {
	colony: Id;
	by: Pulse['by'];
	computertype?: string | undefined;
	step: number;
	level: PulseLevel;
	most: number;
	counted: number;
};

/** Begin and end of the buckets in seconds since 1970, both multiples of the step. */
type Range = {now: Time; from: number; to: number};

/** The buckets of the last `span` seconds, counted from 1970 on; the last one is under way. */
async function rangeOf(client: Client, span: number, step: number): Promise<Range> {
	const {rows: [row]} = await client.query<{now: Time; to: number}>(
		'select statement_timestamp() as now, ((floor(extract(epoch from statement_timestamp())::float8 / $1::int) + 1) * $1::int)::bigint as "to"',
		[step],
	);
	return {now: row!.now, to: row!.to, from: row!.to - (Math.ceil(span / step) * step)};
}

/**
What is counted, and what is still to be. The place up to which it is counted is told as a number too, for the planner then knows how little comes after it; that it may be further by now is looked at as well.
*/
async function sourceOf(client: Client): Promise<string> {
	const {rows: [place]} = await client.query<{txid: number; history_id: number}>('select txid, history_id from colonies.pulse_place');
	const columns = 'axis, level, at, colony_id, key, move, cell';
	return `(
		select ${columns}, n from colonies.pulse_rolled
		union all
		select ${columns}, 1 from colonies.pulse_moves where (txid, history_id) > (${place!.txid}::bigint, ${place!.history_id}::bigint) and (txid, history_id) > ((select txid from colonies.pulse_place), (select history_id from colonies.pulse_place))
	) counted`;
}

/**
Everything that Pulse shows, in one statement, so that its numbers belong together. `$1` the colony, `$2` and `$3` the range, `$4` the step, `$5` the type or null, `$6` how far states are counted.
Rows of types are all of a colony between them; rows of computers are not, so the whole is read beside them.
*/
const statement = ({by, level, most, computertype}: PulseRequest, source: string): string => {
	const counting = {colony: '$1', limit: '$6::bigint', type: computertype === undefined ? undefined : '$5::text'};
	const axis = by === 'computer' ? 1 : 0;
	const isRow = `axis = ${axis} and (axis = 0 or key <> '')`;
	const whole = 'select 0 as rank, bucket, move, cell, n from scanned where axis = 0';
	const rows = `select coalesce(array_position((select keys from top), key), ${most + 1}) as rank, bucket, move, cell, n from scanned where ${isRow}`;
	const parts = {none: whole, type: rows, computer: `${whole} union all ${rows}`}[by];
	const ranked = `ranked as materialized (
		select key, row_number() over (order by sum(n) desc, key collate "C")::int as rank from scanned where ${isRow} group by key
	), top as materialized (
		select array_agg(key order by rank) as keys from ranked where rank <= ${most}
	),`;
	const named = `union all
	select 'key', rank, 0, 0, 0, null, key, ${by === 'computer' ? '(select name from colonies.computers c where c.colony_id = $1 and c.computer_id = colonies.bytes_of(key))' : 'null'} from ranked where rank <= ${most}
	union all
	select 'rest', 0, 0, 0, count(*), null, null, null from ranked where rank > ${most}`;
	return `
	with scanned as materialized (
		select axis, key, floor((date_part('epoch', at) - $2::float8) / $4::int)::int as bucket, move::int as move, cell::int as cell, n
		from ${source} where axis ${axis === 0 ? '= 0' : 'in (0, 1)'} and level = ${level} and colony_id = $1 and at >= to_timestamp($2::float8) and at < to_timestamp($3::float8) and ($5::text is null or key = $5)
	), ${by === 'none' ? '' : ranked} parts as (
		${parts}
	), summed as (
		select rank, bucket, move, cell, sum(n)::bigint as n from parts group by rank, bucket, move, cell
	)
	select 'move' as kind, rank, bucket, move, sum(n)::bigint as n, string_agg(cell || ' ' || n, ' ') filter (where cell >= 0) as cells, null as key, null as name from summed group by rank, bucket, move
	${by === 'none' ? '' : named}
	union all
	select 'now', 0, 0, s.status, s.count, null, null, null
	from (values (${waiting}, ${countOf('waiting', counting)}), (${running}, ${countOf('running', counting)})) as s(status, count)`;
};

const timeOf = (seconds: number): Time => new Date(seconds * 1000).toISOString().replace('.000Z', '.000000Z');

/** What was counted in one colony in the last `span` seconds. Where rows are by computer, what no computer had is in the whole alone. */
export async function read(client: Client, {span, ...request}: PulseRequest & {span: number}): Promise<Pulse> {
	return readRange(client, request, await rangeOf(client, span, request.step));
}

/** The same from one time to another. */
export async function readRange(client: Client, request: PulseRequest, {now, from, to}: Range): Promise<Pulse> {
	const {colony, by, computertype, step, most, counted} = request;
	const count = (to - from) / step;
	const {rows: lines} = await client.query<Line>(statement(request, await sourceOf(client)), [bytesOf(colony), from, to, step, computertype, counted]);
	const ranks = Array.from({length: most + 2}, () => new Gathered(count));
	for (const line of lines.filter(({kind}) => kind === 'move')) {
		ranks[line.rank]!.add(line);
	}

	const whole = ranks[0]!;
	for (const part of by === 'type' ? ranks.slice(1) : []) {
		whole.addAll(part);
	}

	const present = (state: number): number => lines.find(({kind, move}) => kind === 'now' && move === state)!.n;
	const keys = lines.filter(({kind}) => kind === 'key').sort((one, other) => one.rank - other.rank);
	const rest = lines.find(({kind}) => kind === 'rest')?.n ?? 0;
	return {
		colonyid: colony,
		by,
		from: timeOf(from),
		to: timeOf(to),
		now,
		step,
		waiting: levelsOf(present(waiting), whole.grew.waiting),
		running: levelsOf(present(running), whole.grew.running),
		...whole.numbers(),
		rows: keys.map(({key, name, rank}) => ({key: key!, ...(name === null ? {} : {name}), ...ranks[rank]!.numbers()})),
		...(rest > 0 ? {others: {keys: rest, ...ranks[most + 1]!.numbers()}} : {}),
	};
}
