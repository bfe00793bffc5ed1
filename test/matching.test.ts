import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {
	conditions, mayRun, meets, unmet, type Worker,
} from '../source/core/matching.ts';
import type {Computer, Demand} from '../source/core/types.ts';
import {mayRunPredicate} from '../source/database/matching.ts';
import {openAny} from './support/colony.ts';
import {demands, names, workers} from './support/worlds.ts';

/** The rule as domain.md tells it ("Which process next"), word for word: the reasons why a computer of the same colony may not run a process. */
function reasons(computer: Worker, process: Demand): string[] {
	const why: string[] = [];
	if (computer.status !== 1) {
		why.push('approved');
	}

	if (process.targetcomputerids.length > 0 && !process.targetcomputerids.includes(computer.computerid)) {
		why.push('target');
	}

	const theirs = computer.computertype ?? '';
	if (process.computertype !== '' && theirs !== '' && theirs !== process.computertype) {
		why.push('type');
	}

	if (computer.cores < process.cores) {
		why.push('cores');
	}

	if (computer.mem < process.mem) {
		why.push('mem');
	}

	if (computer.gpus < process.gpus) {
		why.push('gpus');
	}

	return why;
}

test('which process a computer may run, and what keeps it from it, is what the rule says', () => {
	fc.assert(fc.property(workers, demands, (computer, demand) => {
		const why = reasons(computer, demand);
		assert.deepEqual(unmet(computer, demand), why);
		assert.equal(mayRun(computer, demand), why.length === 0);
		assert.deepEqual(conditions.filter(condition => !meets(condition, computer, demand)).map(({name}) => name), why);
	}), {numRuns: 3000});
});

test('each condition can stand alone in the way', () => {
	const computer: Worker = {computerid: names[0]!, status: 1, computertype: 'gpu', cores: 4, mem: 4000, gpus: 1};
	const demand: Demand = {targetcomputerids: [names[0]!], computertype: 'gpu', cores: 4, mem: 4000, gpus: 1};
	assert.deepEqual(unmet(computer, demand), []);
	const obstacles: Record<string, [Partial<Computer>, Partial<Demand>]> = {
		approved: [{status: 0}, {}],
		target: [{}, {targetcomputerids: [names[1]!]}],
		type: [{}, {computertype: 'cpu'}],
		cores: [{}, {cores: 5}],
		mem: [{mem: 3999}, {}],
		gpus: [{gpus: 0}, {}],
	};
	assert.deepEqual(Object.keys(obstacles), conditions.map(({name}) => name));
	for (const [name, [computerChange, demandChange]] of Object.entries(obstacles)) {
		assert.deepEqual(unmet({...computer, ...computerChange}, {...demand, ...demandChange}), [name]);
	}
});

test('the database reads the rule as memory does', async t => {
	const database = await openAny();
	t.after(async () => database.close());
	const pairs = fc.sample(fc.tuple(workers, demands), 3000);
	const {rows} = await database.query<{n: number; may: boolean}>(
		`select c.n, ${mayRunPredicate} as may
		from jsonb_to_recordset($1::jsonb) as c(n integer, computer_id text, status smallint, computer_type text, cores integer, mem bigint, gpus integer)
		join (
			select r.*, array(select jsonb_array_elements_text(targets)) as target_computer_ids
			from jsonb_to_recordset($2::jsonb) as r(n integer, targets jsonb, computer_type text, cores integer, mem bigint, gpus integer)
		) d on d.n = c.n`,
		[
			JSON.stringify(pairs.map(([computer], n) => ({n, computer_id: computer.computerid, status: computer.status, computer_type: computer.computertype ?? '', cores: computer.cores, mem: computer.mem, gpus: computer.gpus}))),
			JSON.stringify(pairs.map(([, demand], n) => ({n, targets: demand.targetcomputerids, computer_type: demand.computertype, cores: demand.cores, mem: demand.mem, gpus: demand.gpus}))),
		],
	);
	assert.equal(rows.length, pairs.length);
	for (const {n, may} of rows) {
		assert.equal(may, mayRun(...pairs[n]!), JSON.stringify(pairs[n]));
	}
});
