import {secondsOfCell} from '../core/durations.ts';
import {
	type Pulse, type PulseCount, pulseCounts, type PulseLevel, type PulsePercentile, pulsePercentiles, type PulseSeries, type PulseTotals,
} from '../core/pulse.ts';
import {type Id, processStates, type Time} from '../core/types.ts';
import type {Client} from './types.ts';

const [waiting, running] = [processStates.indexOf('waiting'), processStates.indexOf('running')];

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

/**
One line of the answer. `rank`: 0 for all together, then the types or computers by volume, the rest under the last; `bucket` null for all buckets. By `kind`:
`move`, that `n` went from one state to another; `wait` and `run`, the cells of its percentiles; `key`, which type or computer a rank is; `rest`, how many share the last rank; `now`, how many are in the state `move`.
*/
type Line = {kind: 'move' | 'wait' | 'run' | 'key' | 'rest' | 'now'; rank: number; bucket: number | null; move: number | null; n: number; p50: number | null; p95: number | null; key: string | null; name: string | null};

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

/** The n-th of a hundredth of `total` things in order, counted from one. */
const place = (hundredths: number): string => `(total * ${hundredths} + 99) / 100`;

/**
Everything that Pulse shows, in one statement, so that its numbers belong together. `$1` the colony, `$2` and `$3` the range, `$4` the step, `$5` the type or null, `$6` how far states are counted.
What went from where to where is summed up by bucket and for all buckets, the wanted percentiles are found by counting through the cells.
*/
const statement = ({by, level, most}: PulseRequest): string => {
	const axis = by === 'computer' ? 1 : 0;
	const named = `union all
	select 'key', rank, null, null, 0, null, null, key, ${by === 'computer' ? '(select name from computers c where c.colony_id = $1 and c.computer_id = key)' : 'null'} from ranked where rank <= ${most}
	union all
	select 'rest', 0, null, null, count(*), null, null, null, null from ranked where rank > ${most}`;
	const isRow = `axis = ${axis} and (axis = 0 or key <> '')`;
	return `
	with scanned as materialized (
		select axis, key, floor((extract(epoch from at)::float8 - $2::float8) / $4::int)::int as bucket, move::int as move, cell::int as cell, n
		from pulse where axis ${axis === 0 ? '= 0' : 'in (0, 1)'} and level = ${level} and colony_id = $1 and at >= to_timestamp($2::float8) and at < to_timestamp($3::float8) and ($5::text is null or key = $5)
	), ranked as materialized (
		select key, row_number() over (order by sum(n) desc, key collate "C")::int as rank from scanned where ${isRow} group by key
	), top as materialized (
		select array_agg(key order by rank) as keys from ranked where rank <= ${most}
	), parts as (
		select 0 as rank, bucket, move, cell, n from scanned where axis = 0
		${by === 'none' ? '' : `union all select coalesce(array_position((select keys from top), key), ${most + 1}), bucket, move, cell, n from scanned where ${isRow}`}
	), summed as materialized (
		select rank, bucket, move, cell, sum(n)::bigint as n from parts group by grouping sets ((rank, bucket, move, cell), (rank, move, cell))
	), measured as (
		select rank, bucket, move % 8 = ${running} as waits, cell, sum(n)::bigint as n from summed where cell >= 0 group by 1, 2, 3, 4
	), places as (
		select *, sum(n) over (partition by rank, bucket, waits order by cell)::bigint as upto, sum(n) over (partition by rank, bucket, waits)::bigint as total from measured
	)
	select 'move' as kind, rank, bucket, move, sum(n)::bigint as n, null::int as p50, null::int as p95, null as key, null as name from summed group by rank, bucket, move
	union all
	select case when waits then 'wait' else 'run' end, rank, bucket, null, max(total), min(cell) filter (where upto >= ${place(50)}), min(cell) filter (where upto >= ${place(95)}), null, null from places group by waits, rank, bucket
	${by === 'none' ? '' : named}
	union all
	select 'now', 0, null, s.status, (select count(*) from (select from processes p where p.colony_id = $1 and p.status = s.status and ($5::text is null or p.computer_type = $5) limit $6::bigint) found), null, null, null, null
	from (values (${waiting}), (${running})) as s(status)`;
};

const zeros = (count: number): number[] => Array.from({length: count}, () => 0);
const nulls = (count: number): Array<number | null> => Array.from({length: count}, () => null);

function each<Name extends string, Value>(names: readonly Name[], make: () => Value): Record<Name, Value> {
	return Object.fromEntries(names.map(name => [name, make()])) as Record<Name, Value>; // eslint-disable-line @typescript-eslint/consistent-type-assertions -- it has exactly these names
}

/** What a change of state counts as; `from` and `to` are states, or nothing beyond them. */
function countOf(from: number, to: number): PulseCount | undefined {
	if (to === waiting) {
		return processStates[from] === undefined ? 'submitted' : 'requeued';
	}

	const state = processStates[to];
	return state === 'running' ? 'assigned' : (state === 'successful' || state === 'failed' ? state : undefined);
}

/** The numbers of one rank, gathered line by line. */
class Gathered {
	readonly totals: PulseTotals = {...each(pulseCounts, () => 0), ...each(pulsePercentiles, () => null)};
	readonly series: PulseSeries;
	/** By how many the waiting and the running ones grew in each bucket. */
	readonly grew: {waiting: number[]; running: number[]};

	constructor(count: number) {
		this.series = {...each(pulseCounts, () => zeros(count)), ...each(pulsePercentiles, () => nulls(count))};
		this.grew = {waiting: zeros(count), running: zeros(count)};
	}

	add(line: Line): void {
		const {kind, bucket, p50, p95} = line;
		if (kind === 'wait' || kind === 'run') {
			this.#measure(`${kind}p50`, bucket, p50);
			this.#measure(`${kind}p95`, bucket, p95);
		} else if (kind === 'move') {
			this.#count(line);
		}
	}

	#count({bucket, move, n}: Line): void {
		const [from, to] = [Math.floor(move! / 8), move! % 8];
		const name = countOf(from, to);
		if (bucket === null) {
			if (name !== undefined) {
				this.totals[name] += n;
			}

			return;
		}

		if (name !== undefined) {
			this.series[name][bucket]! += n;
		}

		for (const [name, state] of [['waiting', waiting], ['running', running]] as const) {
			this.grew[name][bucket]! += (to === state ? n : 0) - (from === state ? n : 0);
		}
	}

	#measure(name: PulsePercentile, bucket: number | null, cell: number | null): void {
		const seconds = cell === null ? null : secondsOfCell(cell);
		if (bucket === null) {
			this.totals[name] = seconds;
		} else {
			this.series[name][bucket] = seconds;
		}
	}
}

/** How many there were at the end of each bucket, from how many there are now and by how many they grew; at least so many where they were not counted to the end. */
function levelsOf(now: number, grew: readonly number[]): number[] {
	const levels: number[] = [];
	let level = 0;
	for (const growth of [...grew].reverse()) {
		levels.unshift(level);
		level -= growth;
	}

	const last = Math.max(now, -Math.min(...levels));
	return levels.map(level => level + last);
}

const timeOf = (seconds: number): Time => new Date(seconds * 1000).toISOString().replace('.000Z', '.000000Z');

/** What was counted in one colony in the last `span` seconds. Where rows are by computer, what no computer had is in the whole alone. */
export async function read(client: Client, {span, ...request}: PulseRequest & {span: number}): Promise<Pulse> {
	return readRange(client, request, await rangeOf(client, span, request.step));
}

/** The same from one time to another. */
export async function readRange(client: Client, request: PulseRequest, {now, from, to}: Range): Promise<Pulse> {
	const {colony, by, computertype, step, most, counted} = request;
	const count = (to - from) / step;
	const {rows: lines} = await client.query<Line>(statement(request), [colony, from, to, step, computertype, counted]);
	const ranks = Array.from({length: most + 2}, () => new Gathered(count));
	for (const line of lines) {
		ranks[line.rank]!.add(line);
	}

	const present = (state: number): number => lines.find(({kind, move}) => kind === 'now' && move === state)!.n;
	const keys = lines.filter(({kind}) => kind === 'key').sort((one, other) => one.rank - other.rank);
	const rest = lines.find(({kind}) => kind === 'rest')?.n ?? 0;
	const {totals, series, grew} = ranks[0]!;
	const numbersOf = (rank: number) => ({totals: ranks[rank]!.totals, series: ranks[rank]!.series});
	return {
		colonyid: colony,
		by,
		from: timeOf(from),
		to: timeOf(to),
		now,
		step,
		waiting: levelsOf(present(waiting), grew.waiting),
		running: levelsOf(present(running), grew.running),
		totals,
		series,
		rows: keys.map(({key, name, rank}) => ({key: key!, ...(name === null ? {} : {name}), ...numbersOf(rank)})),
		...(rest > 0 ? {others: {keys: rest, ...numbersOf(most + 1)}} : {}),
	};
}
