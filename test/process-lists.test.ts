import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {mayRun} from '../source/core/matching.ts';
import {processStates, type Id, type Process} from '../source/core/types.ts';
import {createIdentity, newProcessId, sha3} from '../source/identity/index.ts';
import type {OperationName} from '../source/operations/index.ts';
import {openAny, openColony, refused} from './support/colony.ts';
import {
	demands, later, names, place, placeComputers, workers, type Placed,
} from './support/worlds.ts';

const colony = await openColony(await openAny());
const {database} = colony;
const {rows: [{now} = {now: ''}]} = await database.query<{now: string}>('select now() as now');

/** Text compares by its bytes, as ids and times of the same form do. */
const compare = (left: string, right: string): number => left < right ? -1 : (left > right ? 1 : 0);

type Page<Row> = {rows: Row[]; positions: string[]; more: {before: boolean; after: boolean}};

/** Reads a list to its end, page by page, in one direction or the other. */
async function readAll<Row>(read: (page: Record<string, unknown>) => Promise<Page<Row>>, count: number, direction: 'after' | 'before'): Promise<{rows: Row[]; positions: string[]}> {
	const rows: Row[] = [];
	const positions: string[] = [];
	for (let position: string | undefined, more = true; more;) {
		const page: Page<Row> = await read({count, position, direction});
		assert.ok(page.rows.length <= count && page.positions.length === page.rows.length);
		assert.ok(page.rows.length > 0 || position === undefined, 'Where there is said to be more, there is.');
		if (direction === 'after') {
			rows.push(...page.rows);
			positions.push(...page.positions);
			[position, more] = [page.positions.at(-1), page.more.after];
		} else {
			rows.unshift(...page.rows);
			positions.unshift(...page.positions);
			[position, more] = [page.positions[0], page.more.before];
		}
	}

	return {rows, positions};
}

/** Checks a list against its rows as a reference has them: in both directions, and from a row in the middle. */
async function checkPages(read: (page: Record<string, unknown>) => Promise<Page<any>>, idOf: (row: any) => Id, expected: Id[], {count, at}: {count: number; at: number}): Promise<void> {
	const forwards = await readAll(read, count, 'after');
	assert.deepEqual(forwards.rows.map(row => idOf(row)), expected);
	const backwards = await readAll(read, count, 'before');
	assert.deepEqual(backwards, forwards);
	if (expected.length > 0) {
		const index = at % expected.length;
		const position = forwards.positions[index];
		for (const [direction, rows] of [['from', expected.slice(index, index + count)], ['after', expected.slice(index + 1, index + 1 + count)], ['before', expected.slice(Math.max(0, index - count), index)]] as const) {
			const page = await read({count, position, direction});
			assert.deepEqual(page.rows.map(row => idOf(row)), rows, direction);
		}
	}
}

// Ages of some hundred seconds that often coincide to the microsecond, so that ids must decide; none near the bounds that are asked for.
const past = later(now, -2_000_000_000);
const types = ['', 'gpu_train', 'GPU_infer', 'cpu', 'Äther', 'abc'];
const placed: fc.Arbitrary<Placed> = fc.record({
	processid: fc.integer().map(seed => sha3(String(seed))),
	status: fc.constantFrom(0, 1, 2, 3),
	entered: fc.tuple(fc.nat(9), fc.nat(2)).map(([hundreds, microseconds]) => later(past, (hundreds * 100_000_000) + microseconds)),
	computertype: fc.constantFrom(...types),
	assigned: fc.option(fc.constantFrom(...names), {nil: undefined}),
	attributes: fc.dictionary(fc.constantFrom('key', 'other'), fc.constantFrom('a', 'b', 'x'.repeat(64), `${'x'.repeat(64)}y`), {maxKeys: 2, noNullPrototype: true}),
}, {noNullPrototype: true}).map(({assigned, ...each}) => ({
	...each,
	targetcomputerids: [], cores: 0, mem: 0, gpus: 0,
	status: each.status,
	...(each.status === 0 ? {} : {assignedcomputerid: each.status === 1 ? assigned ?? names[0]! : assigned}),
}));

const world = fc.sample(fc.uniqueArray(placed, {selector: ({processid}) => processid, minLength: 300, maxLength: 300}), 1)[0]!;
await place(database, colony.id, world);

const filters = fc.record({
	state: fc.constantFrom(...processStates),
	computertype: fc.constantFrom(...types.slice(1), 'none'),
	computerid: fc.constantFrom(...names),
	olderthan: fc.nat(9).map(hundreds => 1050 + (hundreds * 100)),
	youngerthan: fc.nat(9).map(hundreds => 1050 + (hundreds * 100)),
	attribute: fc.tuple(fc.constantFrom('key', 'other'), fc.constantFrom('a', 'b', '', 'x'.repeat(64), `${'x'.repeat(64)}y`)).map(pair => pair.join('=')),
	text: fc.constantFrom('gpu', 'GPU', 'a', 'Ät', '0', 'f', 'C', 'train', 'zz', world[0]!.processid, world[1]!.processid.slice(0, 2).toUpperCase(), '_', '%'),
}, {requiredKeys: [], noNullPrototype: true});
type Filter = typeof filters extends fc.Arbitrary<infer Value> ? Value : never;

/** Without accents: names compare byte by byte. */
const lower = (text: string): string => text.replaceAll(/[A-Z]/g, letter => letter.toLowerCase());

/** What a filter says, read word for word, over all processes one by one. */
function fits(process: Placed, {state, computertype, computerid, olderthan, youngerthan, attribute, text}: Filter): boolean {
	const age = (Date.parse(now) - Date.parse(process.entered)) / 1000;
	return (state === undefined || processStates[process.status] === state)
		&& (computertype === undefined || process.computertype === computertype)
		&& (computerid === undefined || process.assignedcomputerid === computerid)
		&& (olderthan === undefined || age > olderthan)
		&& (youngerthan === undefined || age < youngerthan)
		&& (attribute === undefined || Object.entries(process.attributes ?? {}).some(pair => pair.join('=') === attribute))
		&& (text === undefined || process.processid.startsWith(text.toLowerCase()) || lower(process.computertype).includes(lower(text)));
}

/** Waiting and running: who came first stands first. Closed and all: the last change first. */
function sorted(processes: Placed[], state: Filter['state']): Placed[] {
	const ascending = [...processes].sort((left, right) => compare(left.entered, right.entered) || compare(left.processid, right.processid));
	return state === 'waiting' || state === 'running' ? ascending : ascending.reverse();
}

test('a list of processes has exactly the rows of its filter, in its order, from both ends', async () => {
	const one = fc.constantFrom(...(['state', 'computertype', 'computerid', 'olderthan', 'youngerthan', 'attribute', 'text'] as const));
	const some = fc.oneof(filters, fc.tuple(filters, one, fc.constantFrom(...processStates, undefined)).map(([filter, name, state]) => ({state, [name]: filter[name]})));
	await fc.assert(fc.asyncProperty(some, fc.constantFrom(1, 7, 40, 1000), fc.nat(), fc.boolean(), fc.boolean(), async (filter, count, at, attributes, reversed) => {
		const expected = sorted(world.filter(process => fits(process, filter)), filter.state).map(({processid}) => processid);
		fc.pre(expected.length < 60 || count > 1);
		await checkPages(async page => colony.own('process.list', {...filter, ...page, attributes, reversed}), ({processid}: Process) => processid, reversed ? expected.reverse() : expected, {count, at});
	}), {numRuns: 150});
});

test('a list without a filter has every process once', async () => {
	for (const state of [undefined, ...processStates]) {
		const expected = sorted(world.filter(process => fits(process, {state})), state).map(({processid}) => processid);
		await checkPages(async page => colony.own('process.list', {state, ...page}), ({processid}: Process) => processid, expected, {count: 33, at: 50});
		// Through the search of the filter language, too, and the other way round.
		const searched = async (page: Record<string, unknown>) => colony.own('process.list', {filter: `cores:0${state === undefined ? '' : ` state:${state}`}`, reversed: true, ...page});
		await checkPages(searched, ({processid}: Process) => processid, [...expected].reverse(), {count: 33, at: 50});
	}

	assert.deepEqual(await colony.own('process.count'), Object.fromEntries(processStates.map((state, status) => [state, world.filter(each => each.status === status).length])));
});

test('times keep their microseconds, and attributes come only when they are wanted', async () => {
	const {rows} = await colony.own('process.list', {state: 'waiting', count: 1000});
	const bare = await colony.own('process.list', {state: 'waiting', count: 1000, attributes: false});
	for (const [index, row] of rows.entries()) {
		const {entered, attributes = {}} = world.find(({processid}) => processid === row.processid)!;
		assert.equal(row.submissiontime, entered);
		assert.deepEqual(Object.fromEntries((row.in ?? []).map(({key, value}) => [key, value])), attributes);
		assert.deepEqual(bare.rows[index], {...row, in: null});
	}
});

test('pages go on from a row that is gone, and new rows do not shift them', async () => {
	const fresh = await openColony(database, colony.broker);
	const submitted: Process[] = [];
	for (let index = 0; index < 6; index++) {
		submitted.push(await fresh.submit());
	}

	const first = await fresh.own('process.list', {state: 'waiting', count: 3});
	await fresh.own('process.remove', {processid: submitted[2]!.processid});
	await fresh.submit();
	const second = await fresh.own('process.list', {state: 'waiting', count: 2, position: first.positions[2]});
	assert.deepEqual(second.rows.map(({processid}) => processid), [submitted[3]!.processid, submitted[4]!.processid]);
	const back = await fresh.own('process.list', {state: 'waiting', position: first.positions[2], direction: 'before'});
	assert.deepEqual(back.rows.map(({processid}) => processid), [submitted[0]!.processid, submitted[1]!.processid]);
});

test('a position of another list, or none at all, is refused', async () => {
	const computers = await colony.own('computer.list', {});
	for (const position of ['nonsense', 'W10', Buffer.from('["a","b","c"]').toString('base64url'), Buffer.from('["soon","b"]').toString('base64url'), ...computers.positions]) {
		await refused(colony.own('process.list', {position}), 'invalid-input');
	}
});

test('computers are listed pending first, then approved, then disapproved, each by name', async () => {
	const fresh = await openColony(database, colony.broker);
	const arbitrary = fc.record({worker: workers, name: fc.constantFrom('lab', 'Lab', 'edge-1', 'edge-10', 'edge-2', 'Ärger', 'a')});
	const computers = fc.sample(arbitrary, 120).map(({worker, name}, index) => ({...worker, name, computerid: sha3(`computer ${index}`)}));
	await placeComputers(database, fresh.id, computers);
	const states = ['pending', 'approved', 'disapproved'] as const;
	const computerFilters = fc.record({state: fc.constantFrom(...states), computertype: fc.constantFrom('gpu', 'cpu'), text: fc.constantFrom('LAB', 'edge-1', 'Är', 'a', '0', 'B', '%')}, {requiredKeys: [], noNullPrototype: true});
	await fc.assert(fc.asyncProperty(computerFilters, fc.constantFrom(3, 10, 1000), fc.nat(), async (filter, count, at) => {
		const expected = computers
			.filter(({status, computertype = '', computerid, name}) => (filter.state === undefined || states[status] === filter.state)
				&& (filter.computertype === undefined || computertype === filter.computertype)
				&& (filter.text === undefined || lower(name).includes(lower(filter.text)) || computerid.startsWith(lower(filter.text))))
			.sort((left, right) => left.status - right.status || Buffer.compare(Buffer.from(left.name), Buffer.from(right.name)) || compare(left.computerid, right.computerid));
		await checkPages(async page => fresh.own('computer.list', {...filter, ...page}), (row: {computerid: Id}) => row.computerid, expected.map(({computerid}) => computerid), {count, at});
	}), {numRuns: 30});
	assert.deepEqual(await fresh.own('computer.count'), Object.fromEntries(states.map((state, status) => [state, computers.filter(each => each.status === status).length])));
});

test('colonies are listed by name', async () => {
	const named = Array.from({length: 30}, (_, index) => ({id: sha3(`colony ${index}`), name: ['same', 'b', 'ä', 'Z'][index % 4]!}));
	await database.query('insert into colonies.colonies (colony_id, name) select colonies.bytes_of(c.id), c.name from unnest($1::text[], $2::text[]) as c(id, name)', [named.map(({id}) => id), named.map(({name}) => name)]);
	const {rows} = await database.query<{colony_id: Id; name: string}>('select colony_id, name from colonies.colonies');
	const expected = rows.sort((left, right) => Buffer.compare(Buffer.from(left.name), Buffer.from(right.name)) || compare(left.colony_id, right.colony_id)).map(row => row.colony_id);
	await checkPages(async page => colony.broker.run({root: 'correct horse battery staple'}, 'colony.list' satisfies OperationName, page), (row: {colonyid: Id}) => row.colonyid, expected, {count: 7, at: 12});
});

test('what a computer may run is listed in the very order in which assign gives it out', async () => {
	const {identity} = createIdentity();
	const computer = workers.map(worker => ({...worker, computerid: identity.id, status: 1 as const}));
	const work = fc.array(fc.record({demand: demands, at: fc.nat(5), mine: fc.boolean()}), {maxLength: 9});
	await fc.assert(fc.asyncProperty(computer, work, async (computer, work) => {
		const id = newProcessId();
		await database.query('insert into colonies.colonies (colony_id, name) values (colonies.bytes_of($1), \'random\')', [id]);
		await placeComputers(database, id, [computer]);
		const processes = work.map(({demand, at, mine}): Placed => ({
			...demand, targetcomputerids: mine ? [...demand.targetcomputerids, identity.id] : demand.targetcomputerids, processid: newProcessId(), status: 0, entered: later(past, at),
		}));
		await place(database, id, processes);
		const expected = processes.filter(process => mayRun(computer, process)).sort((left, right) => compare(left.entered, right.entered) || compare(left.processid, right.processid)).map(({processid}) => processid);

		const {rows, more} = await colony.as(identity, 'process.list', {colonyid: id, runnableby: identity.id, count: 100});
		assert.deepEqual(rows.map(({processid}) => processid), expected);
		assert.deepEqual(more, {before: false, after: false});
		const few = await colony.as(identity, 'process.list', {colonyid: id, runnableby: identity.id, count: 2});
		assert.deepEqual([few.rows.map(({processid}) => processid), few.more.after], [expected.slice(0, 2), expected.length > 2]);
		for (const processid of expected) {
			const assigned = await colony.as(identity, 'process.assign', {colonyid: id});
			assert.equal(assigned.processid, processid);
		}

		await refused(colony.as(identity, 'process.assign', {colonyid: id}), 'nothing-to-assign', /^No process was assigned\.$/);
	}), {numRuns: 200});
});
