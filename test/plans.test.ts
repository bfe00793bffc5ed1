import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {processStates, type Id} from '../source/core/types.ts';
import type {Database} from '../source/database/types.ts';
import type {Identity} from '../source/identity/index.ts';
import {Broker} from '../source/operations/index.ts';
import {noPostgres, openFresh, startPostgres} from './support/databases.ts';
import {openColony, type Colony} from './support/colony.ts';
import {bulk, explained} from './support/plans.ts';

const skip = noPostgres;

type Colonies = {
	/** With many processes of all states, each with attributes, on fifty computers. */
	colony: Colony;
	/** Where very many wait which ask for the same, for one of many types, computers or sizes: nothing that a computer there could run. */
	alike: Colony;
	typed: Colony;
	pinned: Colony;
	large: Colony;
	/** Where thousands wait that all ask for something else, and that a computer there can run. */
	varied: Colony;
};

async function fill(database: Database, {colony, alike, typed, pinned, large, varied}: Colonies): Promise<void> {
	await bulk(database, async client => {
		await client.query(`insert into colonies.computers (colony_id, computer_id, name, computer_type, cpu, cores, mem, gpu, gpus, status)
			select colonies.bytes_of($1), colonies.bytes_of(md5('c' || n) || md5('d' || n)), 'lab' || n, 'type' || n % 5, '', 8, 8000, '', 1, 1 from generate_series(0, 49) n`, [colony.id]);
		await client.query(`insert into colonies.demands (colony_id, fingerprint, target_computer_ids, computer_type, cores, mem, gpus)
			select colonies.bytes_of($1), sha256(('kind ' || n)::bytea), '{}', 'type' || n % 5, n / 5, 1000, 0 from generate_series(0, 19) n`, [colony.id]);
		// One key that tells all apart, and one with a value that half of all have, another that one in sixteen has, and rare ones.
		const columns = 'process_id, colony_id, status, submission_time, start_time, deadline, assigned_computer_id, target_computer_ids, computer_type, timeout, max_retries, mem, cores, gpus, attributes';
		const rows = `colonies.bytes_of(md5(n::text) || md5('x' || n)), colonies.bytes_of($1), made.status, at, case when made.status > 0 then at end,
				case when made.status = 1 then now() + interval '1 hour' end, case when made.status > 0 then c.computer_id end, '{}', d.computer_type, 3600, 0, d.mem, d.cores, d.gpus, jsonb_build_object('in', jsonb_build_array(
					jsonb_build_object('job', md5(n::text) || md5('x' || n)),
					jsonb_build_object('stage', case when md5(n::text) < '8' then 'half' when md5(n::text) < '9' then 'sixteenth' else left(md5(n::text), 2) end)
				))`;
		const made = `(select n, now() - n * interval '1 second' as at, case when n % 100 < 10 then 0 when n % 100 < 11 then 1 when n % 100 < 70 then 2 else 3 end as status from generate_series(1, 50000) n) made
			join colonies.demands d on d.colony_id = colonies.bytes_of($1) and d.fingerprint = sha256(('kind ' || n / 7 % 20)::bytea) join colonies.computers c on c.colony_id = colonies.bytes_of($1) and c.name = 'lab' || n / 3 % 50`;
		await client.query(`insert into colonies.live (${columns}, demand_id, entered_at) select ${rows}, d.demand_id, at from ${made} where made.status < 2 order by 1`, [colony.id]);
		await client.query(`insert into colonies.closed (${columns}, end_time) select ${rows}, at from ${made} where made.status > 1 order by 1`, [colony.id]);
		await client.query('insert into colonies.outputs (process_id, attribute_type, key, value) select process_id, 1, \'step\' || step, \'done\' from colonies.live cross join generate_series(1, 4) step where status = 1 order by 1');
		const wait = async (colony: Colony, kinds: string, count: number): Promise<void> => {
			const {rowCount} = await client.query(`insert into colonies.demands (colony_id, fingerprint, target_computer_ids, computer_type, cores, mem, gpus) ${kinds}`, [colony.id]);
			await client.query(`insert into colonies.live (process_id, colony_id, demand_id, status, entered_at, submission_time, target_computer_ids, computer_type, timeout, max_retries, mem, cores, gpus)
				select colonies.bytes_of(md5($1 || n) || md5('x' || n)), colonies.bytes_of($1), d.demand_id, 0, at, at, d.target_computer_ids, d.computer_type, -1, 0, d.mem, d.cores, 0
				from (select n, now() - interval '1 hour' + n * interval '1 microsecond' as at from generate_series(1, $2::int) n) made
				join (select *, row_number() over (order by demand_id) - 1 as kind from colonies.demands where colony_id = colonies.bytes_of($1)) d on d.kind = n::bigint * 7919 % $3 order by 1`, [colony.id, count, rowCount]);
		};

		await wait(alike, 'values (colonies.bytes_of($1), sha256(\'same\'), \'{}\', \'\', 99, 0, 0)', 100_000);
		await wait(typed, 'select colonies.bytes_of($1), sha256(n::text::bytea), \'{}\', \'type\' || n, 0, 0, 0 from generate_series(1, 5000) n', 100_000);
		await wait(pinned, 'select colonies.bytes_of($1), sha256(n::text::bytea), array[sha256((\'c\' || n)::bytea)], \'\', 0, 0, 0 from generate_series(1, 5000) n', 5000);
		await wait(large, 'select colonies.bytes_of($1), sha256(n::text::bytea), \'{}\', \'\', 0, 10000 + n, 0 from generate_series(1, 5000) n', 5000);
		await wait(varied, 'select colonies.bytes_of($1), sha256(n::text::bytea), \'{}\', \'\', 0, n, 0 from generate_series(1, 5000) n', 5000);
	});
}

async function openWorld() {
	const server = await startPostgres({settings: {
		autovacuum: 'off', shared_buffers: '128MB', max_wal_size: '4GB', maintenance_work_mem: '128MB',
	}});
	const plain = await openFresh(server);
	after(async () => plain.close());
	const database = explained(plain);
	const colony = await openColony(plain, new Broker(database, {local: true}));
	const open = async () => openColony(plain, colony.broker);
	const colonies: Colonies = {
		colony, alike: await open(), typed: await open(), pinned: await open(), large: await open(), varied: await open(),
	};
	await fill(plain, colonies);
	const {rows} = await plain.query<{process_id: Id; assigned_computer_id: Id}>('select process_id, assigned_computer_id from colonies.closed where colony_id = colonies.bytes_of($1) and status = 3 order by process_id desc limit 20', [colony.id]);
	return {plain, database, colonies, some: rows[0]!.process_id, busy: rows[0]!.assigned_computer_id};
}

/** `some`: a process that failed; `busy`: a computer that has run a fiftieth of all. */
const {plain, database, colonies, some, busy} = skip ? ({colonies: {}} as unknown as Awaited<ReturnType<typeof openWorld>>) : await openWorld();
const {colony} = colonies;

/** The tables that grow. Those of computers, of kinds of work and of what runs has written may be read as the planner likes, while they are small. */
const growing = new Set(['live', 'closed', 'history']);

/** Checks every statement that something ran: no growing table from end to end, and not many rows more than it gave. */
async function check<Result>(what: string, work: () => Promise<Result>, bound = (returned: number) => 200 + (20 * returned)): Promise<Result> {
	database.plans.length = 0;
	const result = await work();
	assert.ok(database.plans.length > 0);
	for (const plan of database.plans) {
		const explain = (reason: string) => `${what}: ${reason}\n${plan.scans.join('\n')}\n${plan.text}`;
		assert.deepEqual(plan.sequential.filter(table => growing.has(table)), [], explain('a table is read from end to end'));
		assert.ok(plan.read <= bound(plan.returned), explain(`${plan.read} rows are read for ${plan.returned}`));
		assert.ok(plan.entries <= 50_000, explain(`${plan.entries} entries are gone through`));
	}

	return result;
}

/** Rows that were read since the last check began, kinds of work and all. */
const allRead = (): number => database.plans.reduce((sum, plan) => sum + plan.read + plan.kinds, 0);

/** How many processes run in `colony`. */
const running = 500;

type Filter = Record<string, string | number | undefined>;
/** Filters, and how many rows may be read for one that is found, where it is told by looking at rows in turn. */
const filters: Array<[name: string, filter: Filter, share?: number]> = skip
	? []
	: [
		['none', {}],
		['a type', {computertype: 'type3'}],
		['no such type', {computertype: 'none'}],
		['a computer', {computerid: busy}],
		['no such computer', {computerid: 'f'.repeat(64)}],
		['older', {olderthan: 25_000}],
		['younger', {youngerthan: 500}],
		['older than all', {olderthan: 1_000_000}],
		['younger than all', {youngerthan: 0}],
		['an attribute that one has', {attribute: `job=${some}`}],
		['an attribute that a few hundred have', {attribute: 'stage=ab'}, 20],
		['an attribute that one in sixteen has', {attribute: 'stage=sixteenth'}, 200],
		['an attribute that half of all have', {attribute: 'stage=half'}],
		['an attribute that nobody has', {attribute: 'stage=none'}],
		['a text in a type', {text: 'YPE3'}],
		['a text in every type', {text: 'type'}],
		['a whole id', {text: some}],
		['the start of an id', {text: some.slice(0, 5)}],
		['two digits of an id', {text: some.slice(0, 2)}, 60],
		['a text that nothing has', {text: 'zz'}],
		['no id', {text: '12345678'}],
	];

for (const state of [undefined, ...processStates]) {
	test(`lists of ${state ?? 'all'} processes read little more than they give, wherever the page is`, {skip}, async () => {
		for (const [name, filter, share = 1] of filters) {
			// What runs is looked through for an attribute, one by one: what it has written stands in no index.
			const bound = (returned: number) => 200 + (filter.attribute === undefined ? 0 : running) + (20 * Math.max(returned, share > 1 ? 11 : 0) * share);
			const list = async (page: Record<string, unknown>) => check(`${name}, ${JSON.stringify(page)}`, async () => colony.own('process.list', {...filter, state, ...page}), bound);

			const first = await list({});
			await list({direction: 'before'});
			if (first.more.after) {
				const deep = await colony.own('process.list', {...filter, state, count: 1000, attributes: false});
				for (const direction of ['after', 'before', 'from']) {
					await list({position: deep.positions.at(-1), direction});
				}
			}
		}
	});
}

/** What an index answers, or what is soon met with. */
const indexed = skip
	? []
	: `type:type3 | type:type3 type:type1 | -type:type3 | type~PE3 | type:none | computer:${busy} | computer:${busy.slice(0, 6)} | computer:LAB7 | computer~lab1 | computer:nobody | type:type3 computer:lab7
		| age<5m | age>12h type:type1 | age>100d | ended<5m | ended>100d | submitted<5m | state:waiting wait>1d | id:${some} | id:${some.slice(0, 5)} id:${some} | id:00000 | -state:successful | state:waiting state:running
		| in.job=${some} | stage=none | stage=half job=${some} | in.stage=half | YPE3 type | ${some.slice(0, 5)} | zz | type -type:type3 | cores>=3 | mem<=1000 gpus:0 | in~half | -stage=half stage~sixteenth | deadline<2h`.split('|').map(text => text.trim());

/** What is found, or not, by looking at rows in turn: of these a bounded number is read. */
const sought = ['out.stage=half', 'cores>=1000', 'retries>0', 'ran>1h', 'wait>1h -cores:1', 'err~memory', 'in.job~zz', 'target:lab1'];

for (const state of [undefined, 'failed'] as const) {
	test(`filters of ${state ?? 'all'} processes read little, or no more than they say`, {skip}, async () => {
		for (const filter of [...indexed, ...sought]) {
			const isLooked = sought.includes(filter);
			const most = isLooked ? 8 * 20_000 : 3000;
			const page = await check(filter, async () => colony.own('process.list', {filter, state, attributes: false}), returned => most + (20 * returned));
			if (page.looked) {
				assert.ok(isLooked && page.looked.count <= 20_000 && !page.more.after && page.rows.length < 10, `${filter}: ${JSON.stringify(page.looked)}`);
			}
		}
	});
}

test('a filter that finds nothing within its bound says how far it looked, and goes on there to the end', {skip}, async () => {
	let position: string | undefined;
	let count = 0;
	for (;;) {
		const {rows, looked} = await colony.own('process.list', {filter: 'err~memory', state: 'failed', position});
		assert.deepEqual(rows, []);
		if (!looked) {
			break;
		}

		assert.equal(looked.count, 5000);
		[position, count] = [looked.position, count + looked.count];
	}

	assert.equal(count, 15_000);
	const back = await colony.own('process.list', {filter: 'err~memory', state: 'failed', direction: 'before'});
	assert.equal(back.looked!.count, 5000);
});

test('suggestions read little more than they give', {skip}, async () => {
	for (const input of [{field: 'type'}, {field: 'type', prefix: 'type3'}, {field: 'computer', prefix: 'lab'}, {field: 'in'}, {field: 'in', prefix: 'st'}, {field: 'in', key: 'stage'}, {field: 'any', key: 'job', prefix: 'ab'}, {field: 'any', key: 'none'}]) {
		await check(JSON.stringify(input), async () => colony.own('filter.suggest', {list: 'processes', ...input}), () => 1000);
	}
});

test('a filter costs the same ten thousand rows further on', {skip}, async () => {
	const walk = async (filter: Filter) => {
		let position: string | undefined;
		for (let page = 0; page < 4; page++) {
			const {positions} = await colony.own('process.list', {...filter, count: 1000, attributes: false, position});
			position = positions.at(-1);
		}

		return position;
	};

	for (const filter of [{}, {state: 'failed'}, {computertype: 'type1'}, {attribute: 'stage=half'}]) {
		const position = await walk(filter);
		await check(JSON.stringify(filter), async () => colony.own('process.list', {...filter, position}));
	}
});

test('counts go no further than they must', {skip}, async () => {
	await check('process.count', async () => colony.own('process.count'), () => 40_004);
	await check('computer.count', async () => colony.own('computer.count'));
	const counts = await colony.own('process.count');
	assert.deepEqual(counts, {waiting: 5000, running, successful: 10_001, failed: 10_001});
});

test('a process and its attributes are found by their ids', {skip}, async () => {
	const process = await check('process.get', async () => colony.own('process.get', {processid: some}));
	await check('attribute.list', async () => colony.own('attribute.list', {processid: process.processid}));
	await check('attribute.get', async () => colony.own('attribute.get', {processid: process.processid, attributeid: process.in![0]!.attributeid}));
	await check('computer.list', async () => colony.own('computer.list', {text: 'lab1'}));
});

test('what computers and owners do to a process reads that process only', {skip}, async () => {
	const worker = await colony.computer({computertype: 'rare'});
	const process = await check('process.submit', async () => colony.submit({computertype: 'rare', in: {key: 'value'}, timeout: 100, maxretries: 1}));
	const {rows} = await check('process.list', async () => colony.own('process.list', {runnableby: worker.id}));
	assert.deepEqual(rows, [process]);
	await check('process.assign', async () => colony.assign(worker));
	await check('attribute.add', async () => colony.add(worker, process, {key: 'out', value: 'x'}));
	await colony.passDeadlines(process);
	await check('deadlines', async () => colony.broker.endExpired());
	await check('process.assign', async () => colony.assign(worker));
	await check('process.successful', async () => colony.close(worker, process));
	await check('process.retry', async () => colony.own('process.retry', {processid: process.processid}));
	await check('process.assign', async () => colony.assign(worker));
	await check('computer.disapprove', async () => colony.own('computer.disapprove', {computerid: worker.id}));
	await check('process.cancel', async () => colony.own('process.cancel', {processid: process.processid}));
	await check('process.retry', async () => colony.own('process.retry', {processid: process.processid}));
	await check('process.remove', async () => colony.own('process.remove', {processid: process.processid}));
	await check('computer.disapprove of a busy one', async () => colony.own('computer.disapprove', {computerid: busy}), returned => 1000 + (20 * returned));
});

for (const name of ['alike', 'typed', 'pinned', 'large'] as const) {
	test(`a claim behind very many processes that the computer cannot run reads little: ${name}`, {skip}, async () => {
		const colony = colonies[name];
		const worker = await colony.computer({computertype: 'gpu'});
		const process = await colony.submit({computertype: 'gpu', gpus: 1});
		const {rows} = await check('process.list', async () => colony.own('process.list', {runnableby: worker.id}));
		assert.deepEqual(rows.map(({processid}) => processid), [process.processid]);
		const assigned = await check('process.assign', async () => colony.assign(worker));
		assert.equal(assigned.processid, process.processid);
		assert.ok(allRead() < 100, database.plans.flatMap(({scans}) => scans).join('\n'));
		await check('process.assign of nothing', async () => assert.rejects(async () => colony.assign(worker), /No process was assigned/));
		assert.ok(allRead() < 100, database.plans.flatMap(({scans}) => scans).join('\n'));
	});
}

/** Rows of processes that statements read since the last check began, and their indexes. */
const processesRead = (): number => database.plans.flatMap(({scans}) => scans).reduce((sum, scan) => sum + Number(/ (?:live|closed) .*: (\d+) rows/.exec(scan)?.[1] ?? 0), 0);

async function checkProcesses(what: string, work: () => Promise<unknown>, bound: number): Promise<void> {
	await check(what, work, () => Number.POSITIVE_INFINITY);
	assert.ok(processesRead() <= bound, `${what}: ${processesRead()} rows of processes are read\n${database.plans.flatMap(({scans}) => scans).join('\n')}`);
}

const kinds = ['alike', 'typed', 'pinned', 'large', 'varied'] as const;
const queueOf = async (colony: Colony, count: number, direction?: 'before'): Promise<Id[]> => {
	const {rows} = await colony.own('process.list', {state: 'waiting', count, direction, attributes: false});
	return rows.map(({processid}) => processid);
};

test('why a process waits is found by kinds of work, however many wait', {skip}, async () => {
	for (const some of [colony, ...kinds.map(name => colonies[name])]) {
		await some.computer({cores: 100, mem: 100_000});
		const [queue, [last]] = [await queueOf(some, 40), await queueOf(some, 1, 'before')];
		await checkProcesses('process.explain', async () => some.own('process.explain', {processid: queue[0]!}), 100);
		await checkProcesses('process.reasons', async () => some.own('process.reasons', {processids: queue}), 3000);
		await checkProcesses('process.explain of the last', async () => some.own('process.explain', {processid: last!}), 25_000);
	}
});

test('what a change of a computer would do is found by kinds of work, and counted to a limit', {skip}, async () => {
	await checkProcesses('computer.forecast', async () => colony.own('computer.forecast', {computerid: busy, change: 'remove'}), 25_000);
	await checkProcesses('computer.forecastmany', async () => colony.own('computer.forecastmany', {computerids: [busy, busy.replaceAll(/./g, 'a')], change: 'disapprove'}), 25_000);
	for (const name of kinds) {
		const computer = await colonies[name].computer({state: 'pending', cores: 100, mem: 100_000});
		await checkProcesses(`computer.forecast, ${name}`, async () => colonies[name].own('computer.forecast', {computerid: computer.id, change: 'approve'}), 25_000);
	}
});

test('what asks for attention is found along indexes', {skip}, async () => {
	// Of each of the five types three hundred successes are looked at, and what runs now.
	await checkProcesses('attention.list', async () => colony.own('attention.list'), 3000);
	for (const name of kinds) {
		await checkProcesses(`attention.list, ${name}`, async () => colonies[name].own('attention.list'), 25_000);
	}
});

test('a claim among thousands of kinds of work that the computer can run reads little', {skip}, async () => {
	const worker = await colonies.varied.computer();
	const {rows: [oldest]} = await plain.query<{process_id: Id}>('select process_id from colonies.live where colony_id = colonies.bytes_of($1) order by submission_time, process_id limit 1', [colonies.varied.id]);
	const assigned = await check('process.assign', async () => colonies.varied.assign(worker));
	assert.equal(assigned.processid, oldest!.process_id);
});

test('unused kinds of work are cleared away without a look at every process', {skip}, async () => {
	await check('tidy', async () => colony.broker.tidy(), () => 50_000);
});
