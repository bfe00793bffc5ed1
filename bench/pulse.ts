// How quickly Pulse reads a long history: what was counted as it happened, beside counting the rows themselves, in the same run and the same database.
// Usage: node --import tsx bench/pulse.ts [rows] [PostgreSQL | embedded | TimescaleDB]
import process from 'node:process';
import {parseSpan} from '../source/core/spans.ts';
import {
	levelFor, pulseSpans, pulseSteps, stepFor,
} from '../source/core/pulse.ts';
import {migrate, pulse, rollPulse} from '../source/database/index.ts';
import type {Database} from '../source/database/types.ts';
import {openFresh, openMemory, openTimescale, startPostgres} from '../test/support/databases.ts';

const rows = Number(process.argv[2] ?? 500_000);
const only = process.argv[3];
const colony = 'c'.repeat(64);
const tries = 5;

/** Milliseconds that the quickest of some tries takes. */
async function timed(work: () => Promise<unknown>): Promise<number> {
	const times: number[] = [];
	for (let index = 0; index < tries; index++) {
		const start = performance.now();
		await work(); // eslint-disable-line no-await-in-loop
		times.push(performance.now() - start);
	}

	return Math.min(...times);
}

/** Half of the rows are in the last day, the others in the thirty days before; five types, twenty computers, the waits and runs of each over a power of ten and a half. */
async function fill(database: Database): Promise<void> {
	for (let from = 0; from < rows; from += 50_000) {
		// eslint-disable-next-line no-await-in-loop
		await database.query(
			`insert into colonies.history (at, actor, colony_id, noun, subject_id, what, from_state, to_state, detail)
			select now() - interval '1 second' - case when n % 2 = 0 then n * interval '1 day' else n * interval '30 days' end / $4, 'somebody', colonies.bytes_of($1), 'process', colonies.bytes_of_any(md5(n::text)), 'process.' || move.what, move.from_state, move.to_state,
				jsonb_strip_nulls(jsonb_build_object('type', 'type' || n % 5, 'computer', case when move.from_state is not null then lpad((n % 20)::text, 64, 'a') end,
					'wait', case when move.to_state = 'running' then (1000 * 10 ^ (n % 5 / 2.0 + n % 997 / 1300.0 + n % 991 / 1300.0))::bigint end, 'run', case when move.from_state = 'running' then (100000 * 10 ^ (n % 5 / 2.0 + n % 983 / 1300.0 + n % 977 / 1300.0))::bigint end))
			from generate_series($2::int + 1, $3::int) n
			join (values (0, 'submit', null, 'waiting'), (1, 'assign', 'waiting', 'running'), (2, 'successful', 'running', 'successful')) as move(kind, what, from_state, to_state) on move.kind = n % 3`,
			[colony, from, Math.min(rows, from + 50_000), rows],
		);
	}

	await database.query('analyze');
}

/** The same numbers out of the history itself, with exact percentiles. */
const naive = `
	with moves as (
		select floor(extract(epoch from at) / $3::float8)::bigint as bucket, coalesce(detail->>'type', detail->>'computertype') as type, from_state, to_state, (detail->>'wait')::bigint as wait, (detail->>'run')::bigint as run
		from colonies.history where colony_id = colonies.bytes_of($1) and noun = 'process' and at >= to_timestamp($2::float8)
	)
	select bucket, type, count(*) filter (where from_state is null) as submitted, count(*) filter (where to_state = 'running') as assigned, count(*) filter (where to_state = 'successful') as successful, count(*) filter (where to_state = 'failed') as failed,
		percentile_disc(array[0.5, 0.95]) within group (order by wait) as wait, percentile_disc(array[0.5, 0.95]) within group (order by run) as run
	from moves group by grouping sets ((bucket, type), (bucket), (type), ())`;

async function measure(name: string, database: Database): Promise<void> {
	await migrate(database);
	await fill(database);
	const start = performance.now();
	while (await rollPulse(database)) { // eslint-disable-line no-await-in-loop
		// There is more.
	}

	console.log(`${name}: ${rows} rows, counted in ${Math.round(performance.now() - start)} ms`);
	for (const text of pulseSpans) {
		const span = parseSpan(text);
		const step = pulseSteps[stepFor(span)];
		const request = {colony, step, level: levelFor(span, stepFor(span)), most: 20, counted: 10_000, span};
		const [one, types, computers] = [await timed(async () => pulse.read(database, {...request, by: 'none'})), await timed(async () => pulse.read(database, {...request, by: 'type'})), await timed(async () => pulse.read(database, {...request, by: 'computer'}))]; // eslint-disable-line no-await-in-loop
		const raw = await timed(async () => database.query(naive, [colony, (Date.now() / 1000) - span, step])); // eslint-disable-line no-await-in-loop
		console.log(`  ${text.padEnd(4)} whole ${one.toFixed(1).padStart(7)} ms   by type ${types.toFixed(1).padStart(7)} ms   by computer ${computers.toFixed(1).padStart(7)} ms   out of the history by type ${raw.toFixed(1).padStart(8)} ms   ${(raw / types).toFixed(1)} times`);
	}

	await database.close();
}

const kinds: Record<string, () => Promise<Database>> = {PostgreSQL: async () => openFresh(await startPostgres()), embedded: openMemory, TimescaleDB: openTimescale};
for (const [name, open] of Object.entries(kinds).filter(([name]) => only === undefined || name === only)) {
	await measure(name, await open()); // eslint-disable-line no-await-in-loop
}
