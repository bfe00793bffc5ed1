import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';
import fc from 'fast-check';
import {
	isOutcomeUnknown, isRetryable, sqlstateOf,
} from '../source/database/sqlstate.ts';
import type {Database} from '../source/database/types.ts';
import {bytesOf, bytesOfAll} from '../source/database/values.ts';
import {
	noPostgres, openBare, openOwn, openTimescale,
} from './support/databases.ts';
import {closeAfter, failureOf, happening} from './support/outcomes.ts';

type Kind = {name: string; skip: string | false; open: () => Promise<Database>};

const kinds: Kind[] = [
	{name: 'PostgreSQL', skip: noPostgres, open: openOwn},
	{name: 'embedded', skip: false, open: openBare},
	{name: 'TimescaleDB', skip: false, open: async () => openTimescale({schema: 'colonies'})},
];

const values: Array<[expression: string, expected: unknown]> = [
	['timestamptz \'2021-12-21 22:04:07.807378+01\'', '2021-12-21T21:04:07.807378Z'],
	['timestamptz \'2021-12-21 21:04:07.8+00\'', '2021-12-21T21:04:07.800000Z'],
	['timestamptz \'2021-12-21 21:04:07+00\'', '2021-12-21T21:04:07.000000Z'],
	['timestamptz \'0001-01-01 00:00:00+00\'', '0001-01-01T00:00:00.000000Z'],
	['timestamptz \'12021-12-21 00:00:00+00\'', '12021-12-21T00:00:00.000000Z'],
	['timestamptz \'infinity\'', 'infinity'],
	['timestamptz \'-infinity\'', '-infinity'],
	['timestamptz \'0044-03-15 00:00:00+00 BC\'', '0044-03-15 00:00:00+00 BC'],
	['array[timestamptz \'2021-12-21 21:04:07.5+00\', null]', ['2021-12-21T21:04:07.500000Z', null]],
	['9007199254740991::int8', 9_007_199_254_740_991],
	['count(*)', 1],
	['2.50::numeric', 2.5],
	['sum(2::int8)', 2],
	['1::int2', 1],
	['0.1::float8', 0.1],
	['\'NaN\'::float8', Number.NaN],
	['true', true],
	['null::boolean', null],
	['\'{"a": [1, null, "x"]}\'::jsonb', {a: [1, null, 'x']}],
	['\'"text"\'::json', 'text'],
	['\'null\'::json', null],
	['array[\'{"a": 1}\'::jsonb]', [{a: 1}]],
	['\'{}\'::text[]', []],
	[String.raw`array['a', 'b c', '"quoted"', 'back\slash', '', null, 'NULL', '{}', ',']`, ['a', 'b c', '"quoted"', String.raw`back\slash`, '', null, 'NULL', '{}', ',']],
	['array[[1, 2], [3, 4]]', [[1, 2], [3, 4]]],
	['array[1::int8, 2]', [1, 2]],
	['\'[0:1]={7,8}\'::int[]', [7, 8]],
	[String.raw`'\x00ff10'::bytea`, '00ff10'],
	[String.raw`'\x'::bytea`, ''],
	[String.raw`array['\x00ff'::bytea, null, '\x10']`, ['00ff', null, '10']],
	['\'6c9b1c2e-0e5b-4b1a-9c56-0d6a5b8f5f10\'::uuid', '6c9b1c2e-0e5b-4b1a-9c56-0d6a5b8f5f10'],
	['\'äöü €😀\'', 'äöü €😀'],
	['interval \'1 day\'', '1 day'],
	['date \'2021-12-21\'', '2021-12-21'],
];

const parameters: Array<[type: string, value: unknown, expected?: unknown]> = [
	['text', undefined, null],
	['text', null],
	['text', ''],
	['text', String.raw`it's "a" \ {b}`],
	['int', 42],
	['int8', 9_007_199_254_740_991],
	['float8', -0.5],
	['boolean', false],
	['boolean', true],
	['text[]', []],
	['text[]', ['a', null, 'NULL', '', '"', '\\', '{', ',', ' ', 'ä😀', 'new\nline']],
	['int[]', [1, 2, 3]],
	['jsonb', '{"a":1}', {a: 1}],
	['jsonb', {b: [true, null]}],
	['bytea', Buffer.from([0, 1, 254]), '0001fe'],
	['bytea', bytesOf('0001fe'), '0001fe'],
	['bytea[]', bytesOfAll(['00', 'ff5c']), ['00', 'ff5c']],
	['timestamptz', '2021-12-21T21:04:07.807378Z'],
	['timestamptz', new Date('2021-12-21T21:04:07.807Z'), '2021-12-21T21:04:07.807000Z'],
	['timestamptz[]', ['2021-12-21T21:04:07.807378Z']],
];

for (const kind of kinds) {
	void describe(kind.name, {skip: kind.skip}, () => {
		let database: Database;

		before(async () => {
			database = await kind.open();
			await database.execute(database, 'create schema colonies; create table colonies.numbers (number integer primary key check (number < 1000), note text)');
		});

		after(async () => {
			await database.close();
		});

		const numbers = async (): Promise<unknown[]> => {
			const {rows} = await database.query<{number: number}>('select number from colonies.numbers order by number');
			return rows.map(({number}) => number);
		};

		void test('gives every type alike', async () => {
			for (const [expression, expected] of values) {
				const {rows, rowCount} = await database.query(`select ${expression} as value`);
				assert.deepEqual(rows, [{value: expected}], expression);
				assert.equal(rowCount, 1);
			}
		});

		void test('takes every type alike', async () => {
			for (const [type, value, expected = value] of parameters) {
				const {rows} = await database.query(`select $1::${type} as value`, [value]);
				assert.deepEqual(rows, [{value: expected}], type);
			}
		});

		void test('brings any text and any array of texts back as it was', async () => {
			const text = fc.oneof(fc.string({unit: 'binary'}), fc.constantFrom('NULL', 'null', '{}', '""', '\\', ' ')).filter(value => !value.includes('\0'));
			await fc.assert(fc.asyncProperty(text, fc.array(fc.option(text)), async (one, many) => {
				const {rows} = await database.query('select $1::text as one, $2::text[] as many, to_jsonb($2::text[]) as json', [one, many]);
				assert.deepEqual(rows, [{one, many, json: many}]);
			}), {numRuns: 60});
		});

		void test('has times in the order in which things happened, also within a millisecond', {skip: kind.name === 'TimescaleDB' && 'It counts milliseconds in this thread.'}, async () => {
			const times: string[] = [];
			for (let index = 0; index < 50; index++) {
				const {rows} = await database.query<{time: string}>('select clock_timestamp() as time');
				times.push(rows[0]!.time);
			}

			assert.deepEqual(times, [...times].sort());
			assert.equal(new Set(times).size, 50);
		});

		void test('counts the rows that a statement changed or returned', async () => {
			const counts: number[] = [];
			for (const statement of ['insert into colonies.numbers values (901), (902)', 'update colonies.numbers set note = number', 'select * from colonies.numbers', 'delete from colonies.numbers where number = 901 returning *', 'delete from colonies.numbers', 'create temporary table counted ()']) {
				const {rowCount} = await database.query(statement);
				counts.push(rowCount);
			}

			assert.deepEqual(counts, [2, 2, 2, 1, 1, 0]);
		});

		void test('commits what succeeded and rolls back what threw', async () => {
			await database.transaction(async client => {
				await client.query('insert into colonies.numbers values (1)');
			});
			const thrown = new Error('changed my mind');
			const failure = await failureOf(database.transaction(async client => {
				await client.query('insert into colonies.numbers values (2)');
				throw thrown;
			}));
			assert.equal(failure, thrown);
			assert.deepEqual(await numbers(), [1]);
		});

		void test('undoes a transaction whose failed statement was swallowed, and says why', async () => {
			const failure = await failureOf(database.transaction(async client => {
				await client.query('insert into colonies.numbers values (3)');
				await failureOf(client.query('insert into colonies.numbers values (1)'));
			}));
			assert.equal(sqlstateOf(failure), '23505');
			assert.deepEqual(await numbers(), [1]);
		});

		void test('goes on after a savepoint', async () => {
			await database.transaction(async client => {
				await client.query('insert into colonies.numbers values (4)');
				await client.query('savepoint before');
				await failureOf(client.query('insert into colonies.numbers values (1)'));
				await client.query('rollback to savepoint before');
			});
			assert.deepEqual(await numbers(), [1, 4]);
		});

		void test('lets no statement run after the end of its transaction, and awaits those before', async () => {
			const late = await database.transaction(async client => {
				void client.query('insert into colonies.numbers values (5)');
				return async () => client.query('insert into colonies.numbers values (6)');
			});
			assert.match((await failureOf(late())).message, /after the end of its transaction/);
			assert.deepEqual(await numbers(), [1, 4, 5]);
		});

		void test('keeps transactions apart', async () => {
			await database.query('insert into colonies.numbers values (10, \'0\')');
			await Promise.all(Array.from({length: 20}, async () => database.transaction(async client => {
				const {rows} = await client.query<{note: string}>('select note from colonies.numbers where number = 10 for update');
				await client.query('update colonies.numbers set note = $1 where number = 10', [Number(rows[0]!.note) + 1]);
			})));
			const {rows} = await database.query('select note from colonies.numbers where number = 10');
			assert.deepEqual(rows, [{note: '20'}]);
		});

		void test('runs a script in a transaction, with all of it or nothing', async () => {
			await failureOf(database.transaction(async client => {
				await database.execute(client, 'create table colonies.half (); insert into colonies.numbers values (20); insert into colonies.numbers values (1);');
			}));
			await database.transaction(async client => {
				await database.execute(client, 'create table colonies.whole (); insert into colonies.numbers values (21);');
			});
			const {rows} = await database.query('select to_regclass(\'colonies.half\') as half, to_regclass(\'colonies.whole\') as whole');
			assert.deepEqual(rows, [{half: null, whole: 'colonies.whole'}]);
			assert.deepEqual((await numbers()).slice(-1), [21]);
		});

		void test('translates what the database refuses', async () => {
			const expected: Array<[statement: string, values: unknown[], code: string, sqlstate: string]> = [
				['insert into colonies.numbers values (1)', [], 'conflict', '23505'],
				['insert into colonies.numbers values (1000)', [], 'invalid-input', '23514'],
				['insert into colonies.numbers values (null)', [], 'invalid-input', '23502'],
				['select $1::text', ['a\0b'], 'invalid-input', '22021'],
				['select $1::jsonb', [String.raw`"\u0000"`], 'invalid-input', '22P05'],
				['select $1::int', ['many'], 'invalid-input', '22P02'],
				['select * from nowhere.to_be_found', [], 'unavailable', '42P01'],
				['create table nowhere.table (a int)', [], 'unavailable', '3F000'],
				['selec 1', [], 'internal', '42601'],
				['select 1; select 2', [], 'internal', '42601'],
			];
			for (const [statement, parameter, code, sqlstate] of expected) {
				const failure = await failureOf(database.query(statement, parameter));
				assert.deepEqual([failure.code, sqlstateOf(failure)], [code, sqlstate], statement);
				assert.ok(failure.cause instanceof Error);
				assert.ok(!isRetryable(failure) && !isOutcomeUnknown(failure));
			}

			assert.match((await failureOf(database.query('select * from missing'))).hint ?? '', /colonies database create/);
		});

		void test('hears notifications, those of a statement too, until it stops listening', async () => {
			const heard = happening<string>();
			const stop = await database.listen('a "strange" channel', heard.tell);
			const stopOther = await database.listen('another', heard.tell);
			await database.notify('a "strange" channel', 'first');
			assert.equal(await heard.next(), 'first');
			await database.transaction(async client => {
				await client.query('select pg_notify($1, $2)', ['a "strange" channel', 'second']);
			});
			assert.equal(await heard.next(), 'second');
			await stop();
			await database.notify('a "strange" channel', 'unheard');
			await database.notify('another', 'third');
			assert.equal(await heard.next(), 'third');
			await stopOther();
		});

		void test('says what it is', async () => {
			const {server, timescale, place} = await database.describe();
			assert.match(server, /^PostgreSQL \d+\.\d+$/);
			assert.equal(timescale === undefined, kind.name !== 'TimescaleDB');
			assert.ok(place.length > 0);
		});
	});
}

void test('a closed database refuses, and may be closed again', async t => {
	const database = await openBare();
	closeAfter(t, database);
	const states: boolean[] = [];
	database.watchReachability(({reachable}) => {
		states.push(reachable);
	});
	await database.close();
	await database.close();
	assert.equal((await failureOf(database.query('select 1'))).code, 'unavailable');
	assert.deepEqual(states, [true, false]);
});

void test('an embedded statement beside its own transaction is refused instead of waiting for ever', async t => {
	const database = await openBare();
	closeAfter(t, database);
	const failure = await failureOf(database.transaction(async () => database.query('select 1')));
	assert.match(failure.message, /beside the transaction/);
	await database.close();
});
