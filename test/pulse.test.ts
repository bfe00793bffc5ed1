import assert from 'node:assert/strict';
import {after, before, suite, test} from 'node:test';
import {cellBounds, cellError, secondsOfCell} from '../source/core/durations.ts';
import {
	levelFor, type Pulse, pulseCounts, type PulseLevel, pulseLevels, pulsePercentiles, pulseSpans, pulseStepNames, pulseSteps, stepFor,
} from '../source/core/pulse.ts';
import {parseSpan} from '../source/core/spans.ts';
import {
	forgetOldPulse, migrate, pulse, record, rollPulse,
} from '../source/database/index.ts';
import type {Database} from '../source/database/types.ts';
import {Broker} from '../source/operations/index.ts';
import {type Colony, openColony, refused} from './support/colony.ts';
import {
	noPostgres, openMemory, openPlain, openTimescale,
} from './support/databases.ts';
import {Random} from './support/random.ts';

const colony = 'c'.repeat(64);
const other = 'd'.repeat(64);

/** A change of a process as the history has it. `at` in milliseconds since 1970, spans in microseconds. */
type Move = {at: number; colony: string; from: string | null; to: string | null; type: string; computer: string | null; wait?: number; run?: number};

const paths: ReadonlyArray<readonly [from: string | null, to: string | null]> = [[null, 'waiting'], ['waiting', 'running'], ['waiting', 'running'], ['running', 'successful'], ['running', 'failed'], ['running', 'waiting'], ['failed', 'waiting'], ['waiting', 'failed'], ['running', null]];

const spread = 40 * 86_400_000;
const start = Date.now() - spread;

/** Changes at random, many of them close together, some on the boundary of a bucket. */
function randomMoves(random: Random, count: number): Move[] {
	return Array.from({length: count}, (): Move => {
		const [from, to] = random.pick(paths);
		const at = start + Math.floor((1 - (random.next() ** 12)) * spread);
		const span = Math.floor(10 ** (random.next() * 11));
		return {
			at: random.next() < 0.2 ? Math.floor(at / 10_000) * 10_000 : at,
			colony: random.next() < 0.9 ? colony : other,
			from,
			to,
			type: random.next() < 0.2 ? '' : `type ${Math.floor(random.next() * random.next() * 40)}`,
			computer: from === 'running' || to === 'running' ? String(Math.floor(random.next() * 30)).padStart(64, 'a') : null,
			...(to === 'running' ? {wait: span} : {}),
			...(from === 'running' && to !== 'waiting' && to !== null ? {run: span} : {}),
		};
	});
}

async function write(database: Database, moves: readonly Move[]): Promise<void> {
	await database.query(
		`insert into colonies.history (at, actor, colony_id, noun, subject_id, what, from_state, to_state, detail)
		select to_timestamp(m.at / 1000.0), 'somebody', colonies.bytes_of(m.colony), 'process', 'p', 'process.something', m."from", m."to", jsonb_strip_nulls(jsonb_build_object('type', m.type, 'computer', m.computer, 'wait', m.wait, 'run', m.run))
		from jsonb_to_recordset($1::jsonb) as m(at bigint, colony text, "from" text, "to" text, type text, computer text, wait bigint, run bigint)`,
		[JSON.stringify(moves)],
	);
}

/** The nearest-rank percentile of spans in microseconds, in seconds. */
function percentile(spans: readonly number[], share: number): number | null {
	const sorted = [...spans].sort((one, other) => one - other);
	return sorted.length === 0 ? null : sorted[Math.ceil(sorted.length * share) - 1]! / 1_000_000;
}

type Numbers = Record<string, number | null>;

/** What moves come to, counted one by one. */
function numbersOf(moves: readonly Move[]): Numbers {
	const count = (wanted: (move: Move) => boolean) => moves.filter(move => wanted(move)).length;
	const waits = moves.flatMap(({to, wait}) => to === 'running' ? wait! : []);
	const runs = moves.flatMap(({from, to, run}) => from === 'running' && (to === 'successful' || to === 'failed') ? run! : []);
	return {
		submitted: count(({from, to}) => from === null && to === 'waiting'),
		assigned: count(({to}) => to === 'running'),
		successful: count(({to}) => to === 'successful'),
		failed: count(({to}) => to === 'failed'),
		requeued: count(({from, to}) => from !== null && to === 'waiting'),
		waitp50: percentile(waits, 0.5),
		waitp95: percentile(waits, 0.95),
		runp50: percentile(runs, 0.5),
		runp95: percentile(runs, 0.95),
	};
}

function assertNear(actual: number | null, expected: number | null, name: string): void {
	if (actual === null || expected === null) {
		assert.equal(actual, expected, name);
	} else if (expected < 0.001) {
		assert.ok(actual < 0.001, `${name}: ${actual} for ${expected}`);
	} else {
		assert.ok(Math.abs(actual - expected) <= expected * cellError, `${name}: ${actual} for ${expected}`);
	}
}

function assertNumbers(actual: Pick<Pulse, 'totals' | 'series'>, moves: readonly Move[], {from, step}: {from: number; step: number}): void {
	const check = (numbers: Record<string, unknown>, expected: Numbers, what: string) => {
		for (const name of pulseCounts) {
			assert.equal(numbers[name], expected[name], `${what}: ${name}`);
		}

		for (const name of pulsePercentiles) {
			assertNear(numbers[name] as number | null, expected[name]!, `${what}: ${name}`);
		}
	};

	check(actual.totals, numbersOf(moves), 'in all');
	for (const bucket of actual.series.submitted.keys()) {
		const inside = moves.filter(({at}) => Math.floor((at - from) / 1000 / step) === bucket);
		check(Object.fromEntries(Object.entries(actual.series).map(([name, values]) => [name, values[bucket]])), numbersOf(inside), `bucket ${bucket}`);
	}
}

/** Checks an answer against the moves themselves. */
function assertAnswer(answer: Pulse, {computertype}: {computertype?: string}, all: readonly Move[]): void {
	const [from, to] = [Date.parse(answer.from), Date.parse(answer.to)];
	const range = {from, step: answer.step};
	const moves = all.filter(({colony: owner, at, type}) => owner === colony && at >= from && at < to && (computertype === undefined || computertype === type));
	assertNumbers(answer, moves, range);
	if (answer.by === 'none') {
		assert.deepEqual(answer.rows, []);
		return;
	}

	const keyOf = answer.by === 'type' ? ({type}: Move) => type : ({computer}: Move) => computer;
	const keys = [...new Set(moves.map(move => keyOf(move)).filter(key => key !== null))];
	const volume = (key: string) => moves.filter(move => keyOf(move) === key).length;
	const expected = keys.sort((one, other) => volume(other) - volume(one) || (one < other ? -1 : 1));
	assert.deepEqual(answer.rows.map(({key}) => key), expected.slice(0, 5));
	for (const row of answer.rows) {
		assertNumbers(row, moves.filter(move => keyOf(move) === row.key), range);
	}

	assert.equal(answer.others?.keys ?? 0, Math.max(0, expected.length - 5));
	if (answer.others) {
		assertNumbers(answer.others, moves.filter(move => expected.slice(5).includes(keyOf(move)!)), range);
	}
}

/** Each level, each kind of row; the last buckets end at the end of all that was written. */
const requests: Array<{by: Pulse['by']; level: PulseLevel; step: number; buckets: number; computertype?: string}> = [
	...(['none', 'type', 'computer'] as const).flatMap(by => pulseLevels.map(({level}) => ({by, level, step: level, buckets: 12}))),
	{by: 'type', level: 60, step: 300, buckets: 40},
	{by: 'type', level: 7200, step: 43_200, buckets: 60},
	{by: 'computer', level: 7200, step: 86_400, buckets: 30},
	{by: 'none', level: 7200, step: 86_400, buckets: 60, computertype: 'type 0'},
	{by: 'type', level: 7200, step: 86_400, buckets: 60, computertype: ''},
];

const answersOf = async (database: Database): Promise<Pulse[]> => Promise.all(requests.map(async ({by, level, step, buckets, computertype}) => {
	const to = Math.ceil((start + spread) / 1000 / step) * step;
	return pulse.readRange(database, {colony, by, level, step, computertype, most: 5, counted: 100}, {now: '2026-03-01T00:00:00.000000Z', from: to - (buckets * step), to});
}));

/** Lets it count until there is nothing more. */
async function roll(database: Database): Promise<void> {
	while (await rollPulse(database)) {
		// There is more.
	}
}

const opened: Database[] = [];
const kinds: ReadonlyArray<readonly [name: string, skip: string | false, open: () => Promise<Database>]> = [
	['the embedded database', false, openMemory],
	['PostgreSQL', noPostgres, openPlain],
	['TimescaleDB', false, openTimescale],
];

async function opening(open: () => Promise<Database>): Promise<Database> {
	const database = await open();
	opened.push(database);
	await migrate(database);
	return database;
}

after(async () => Promise.all(opened.map(async database => database.close())));

const moves = randomMoves(new Random(7), 6000).sort((one, other) => one.at - other.at);
// Between two buckets of every level.
const cut = Math.floor(moves[4000]!.at / 7_200_000) * 7_200_000;
const [early, late] = [moves.filter(({at}) => at < cut), moves.filter(({at}) => at >= cut)];
const answers = new Map<string, {counted: Pulse[]; added: Pulse[]; again: Pulse[]}>();

for (const [name, skip, open] of kinds) {
	suite(name, {skip}, () => {
		let database: Database;
		before(async () => {
			database = await opening(open);
			await write(database, early);
			await roll(database);
			const counted = await answersOf(database);
			await write(database, late);
			const added = await answersOf(database);
			await roll(database);
			answers.set(name, {counted, added, again: await answersOf(database)});
		});

		test('what was counted is what the history has, one by one', () => {
			for (const [index, answer] of answers.get(name)!.counted.entries()) {
				assertAnswer(answer, requests[index]!, early);
			}
		});

		test('what is not counted yet is added from the history', () => {
			for (const [index, answer] of answers.get(name)!.added.entries()) {
				assertAnswer(answer, requests[index]!, moves);
			}
		});

		test('counting it too changes nothing', async () => {
			const {added, again} = answers.get(name)!;
			assert.deepEqual(again, added);
			await roll(database);
			assert.deepEqual(await answersOf(database), added);
		});

		test('what was counted outlives the history, and is forgotten in its own time', async () => {
			await database.query('delete from colonies.history where at < statement_timestamp() - interval \'1 day\'');
			await roll(database);
			assert.deepEqual(await answersOf(database), answers.get(name)!.again);
			await forgetOldPulse(database);
			const {rows} = await database.query<{level: number; oldest: string}>('select level, min(at) as oldest from colonies.pulse_rolled group by level');
			for (const {level, oldest} of rows) {
				const {kept} = pulseLevels.find(one => one.level === level)!;
				assert.ok(Date.now() - Date.parse(oldest) < 1000 * (kept + 600), `${level} from ${oldest}`);
			}
		});
	});
}

test('all of them give equal answers', {skip: noPostgres}, () => {
	const [embedded, ...rest] = kinds.map(([name]) => answers.get(name)!);
	for (const one of rest) {
		assert.deepEqual(one, embedded);
	}
});

suite('a colony at work', {skip: noPostgres}, () => {
	let database: Database;
	let brokers: Broker[];
	before(async () => {
		database = await opening(openPlain);
		brokers = [1, 2, 3].map(() => new Broker(database, {local: true}));
	});

	const counted = ({totals}: Pulse) => pulseCounts.map(name => totals[name]);
	const inAll = async (colony: Colony, input: Record<string, unknown> = {}): Promise<Pulse> => colony.own('pulse.get', {span: '1h', ...input});

	test('what happens to processes is counted, with how long they waited and ran', async () => {
		const colony = await openColony(database, brokers[0]);
		const computer = await colony.computer({computertype: 'gpu'});
		const [first, second, third] = [await colony.submit({computertype: 'gpu'}), await colony.submit({computertype: 'gpu', timeout: 100, maxretries: 1}), await colony.submit({computertype: 'gpu'})];
		await database.query('update colonies.live set submission_time = submission_time - interval \'10 minutes\', entered_at = entered_at - interval \'10 minutes\' where process_id = colonies.bytes_of($1)', [first.processid]);
		await colony.assign(computer);
		await database.query('update colonies.live set start_time = start_time - interval \'90 seconds\' where process_id = colonies.bytes_of($1)', [first.processid]);
		await colony.close(computer, first);
		await colony.assign(computer);
		await colony.passDeadlines(second);
		await brokers[1]!.endExpired();
		// It has waited since it went back, not since it was submitted.
		await database.query('update colonies.live set submission_time = submission_time - interval \'5 days\', entered_at = entered_at - interval \'5 days\' where process_id = colonies.bytes_of($1)', [second.processid]);
		await colony.assign(computer);
		await colony.close(computer, second, 'failed');
		await colony.own('process.cancel', {processid: third.processid});
		const by = async (name: string) => inAll(colony, {by: name});
		const answer = await by('type');
		assert.deepEqual(counted(answer), [3, 3, 1, 2, 1]);
		assert.deepEqual(answer.rows.map(row => [row.key, ...pulseCounts.map(name => row.totals[name])]), [['gpu', 3, 3, 1, 2, 1]]);
		assertNear(answer.totals.waitp95, 600, 'wait');
		assert.ok(answer.totals.waitp50! < 60);
		assertNear(answer.totals.runp95, 90, 'run');
		assert.deepEqual([answer.waiting.at(-1), answer.running.at(-1), answer.waiting[0], answer.running[0]], [0, 0, 0, 0]);
		const {rows: [row]} = await by('computer');
		assert.deepEqual([row!.key, row!.name, ...pulseCounts.map(name => row!.totals[name])], [computer.id, 'lab', 0, 3, 1, 1, 1]);
		await refused(inAll(colony, {by: 'computer', computertype: 'gpu'}), 'invalid-input', /types are not counted apart/);
		await refused(inAll(colony, {span: '1d', step: '10s'}), 'invalid-input', /has 8640 steps of 10s; an answer has at most 500/);
		await refused(inAll(colony, {span: 'a while'}), 'invalid-input', /span from 1m00s to 366d00h/);
	});

	test('how many waited is told from how many wait', async () => {
		const colony = await openColony(database, brokers[0]);
		const computer = await colony.computer();
		for (let index = 0; index < 5; index++) {
			await colony.submit();
		}

		await colony.assign(computer);
		const {waiting, running} = await inAll(colony);
		assert.deepEqual([waiting.at(-1), running.at(-1), waiting[0], running[0]], [4, 1, 0, 0]);
	});

	test('many servers count each change once, also of a transaction that was slow', async () => {
		const colony = await openColony(database, brokers[0]);
		let commit = () => undefined as void;
		const slow = database.transaction(async client => {
			await record(client, {actor: 'system'}, [{kind: 'created', noun: 'process', subject: 'p', colony: colony.id, what: 'process.submit', to: 'waiting', image: {computertype: 'slow'}}]);
			await new Promise<void>(resolve => {
				commit = resolve;
			});
		});
		const rollAll = async () => Promise.all(brokers.map(async broker => broker.rollPulse()));
		for (let index = 0; index < 4; index++) {
			await colony.submit({computertype: 'quick'});
			await rollAll();
		}

		const types = async () => (await inAll(colony, {by: 'type'})).rows.map(({key, totals}) => [key, totals.submitted]);
		assert.deepEqual(await types(), [['quick', 4]]);
		commit();
		await slow;
		assert.deepEqual(await types(), [['quick', 4], ['slow', 1]]);
		await rollAll();
		assert.deepEqual(await types(), [['quick', 4], ['slow', 1]]);
		const {rows: [row]} = await database.query<{n: number}>('select sum(n)::int as n from colonies.pulse_rolled where colony_id = colonies.bytes_of($1) and axis = 0 and level = 60', [colony.id]);
		assert.equal(row!.n, 5);
	});
});

suite('steps and cells', () => {
	test('every span that the console offers has some sixty to a hundred and twenty buckets, and its level is kept for so long', () => {
		for (const name of pulseSpans) {
			const span = parseSpan(name);
			const buckets = span / pulseSteps[stepFor(span)];
			assert.ok(buckets >= 60 && buckets <= 120, `${name}: ${buckets}`);
			assert.doesNotThrow(() => levelFor(span, stepFor(span)));
		}
	});

	test('each level divides the next, and each step is made of one', () => {
		for (const [place, {level}] of pulseLevels.entries()) {
			assert.equal((pulseLevels[place + 1]?.level ?? level) % level, 0);
		}

		for (const step of pulseStepNames) {
			assert.ok(pulseLevels.some(({level}) => pulseSteps[step] % level === 0), step);
		}
	});

	test('a cell stands for what is in it, to within its error', () => {
		for (const [place, from] of cellBounds.entries()) {
			const to = (cellBounds[place + 1] ?? from + 1) - 1;
			for (const microseconds of [from, to]) {
				assertNear(secondsOfCell(place + 1), microseconds / 1_000_000, `cell ${place + 1}`);
			}
		}

		assert.ok(secondsOfCell(0) < 0.001);
		assert.ok(cellBounds.at(-1)! >= 315_360_000 * 1_000_000);
	});
});
