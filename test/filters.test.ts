import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {type FilterTerm, groupsOf, lowered, parseFilter, printFilter} from '../source/core/filter-language/index.ts';
import {type AttributeKind, attributeTypes, type Id, type ProcessState, processStates} from '../source/core/types.ts';
import {sha3} from '../source/identity/index.ts';
import {openAny, openColony, refused} from './support/colony.ts';
import {contextsOn, freshHome, inProcess} from './support/commands.ts';
import {later, names, place, placeComputers, type Placed} from './support/worlds.ts';

const colony = await openColony(await openAny());
const {database} = colony;
const {rows: [{now} = {now: ''}]} = await database.query<{now: string}>('select now() as now');

/** What a process is put into the database with, beyond what `place` does. Ages in seconds before `now`. */
type Row = Placed & {submitted: number; started?: number; ended?: number; deadline?: number; retries: number; maxretries: number; texts: Array<{kind: AttributeKind; key: string; value: string}>};

const machineNames = ['lab one', 'Lab two', 'edge', 'Ä'];
const types = ['', 'gpu_train', 'GPU_infer', 'cpu', 'abc'];
const values = ['a', 'Out of Memory', '', 'x'.repeat(64), `${'x'.repeat(64)}y`];

// Never near the bounds that are asked for: hundreds of seconds, with an even number of hundreds, against odd ones.
const hundreds = (most: number) => fc.nat(most).map(count => (count * 200) + 1);
const rowsOf: fc.Arbitrary<Row> = fc.record({
	seed: fc.integer(), status: fc.constantFrom(0, 1, 2, 3), waited: hundreds(3), ran: hundreds(3), since: hundreds(3), left: hundreds(3),
	computertype: fc.constantFrom(...types), assigned: fc.constantFrom(...names), target: fc.subarray([...names]),
	cores: fc.nat(2), mem: fc.nat(2).map(gigabytes => gigabytes * 1024), gpus: fc.nat(1), retries: fc.nat(2), maxretries: fc.nat(1),
	texts: fc.uniqueArray(fc.record({kind: fc.constantFrom(...attributeTypes), key: fc.constantFrom('key', 'error'), value: fc.constantFrom(...values)}), {selector: ({kind, key}) => `${kind} ${key}`, maxLength: 3}),
}).map(({seed, status, waited, ran, since, left, assigned, target, ...each}) => ({
	...each,
	processid: sha3(String(seed)), status, targetcomputerids: target, entered: later(now, -since * 1_000_000),
	submitted: since + [0, waited, waited + ran, waited + ran][status]!,
	...(status > 0 ? {assignedcomputerid: assigned, started: since + [0, 0, ran, ran][status]!} : {}),
	...(status > 1 ? {ended: since} : {}),
	...(status === 1 ? {deadline: left} : {}),
}));

const world = fc.sample(fc.uniqueArray(rowsOf, {selector: ({processid}) => processid, minLength: 300, maxLength: 300}), 1)[0]!;
const computers = names.map((computerid, index) => ({computerid, name: machineNames[index]!, status: 1 as const, cores: 1, mem: 1, gpus: 1}));
// The last is gone, and has closed what it closed.
await placeComputers(database, colony.id, computers.slice(0, 3));
await place(database, colony.id, world);
const ages = 'from jsonb_to_recordset($1::jsonb) as w(processid text, submitted float8, started float8, deadline float8, retries integer, maxretries integer) where p.process_id = colonies.bytes_of(w.processid)';
const past = (age: string) => `$2::timestamptz - ${age} * interval '1 second'`;
const common = `submission_time = ${past('w.submitted')}, start_time = ${past('w.started')}, retries = w.retries, max_retries = w.maxretries`;
await database.query(
	`update colonies.live p set ${common}, entered_at = case when p.status = 0 then ${past('w.submitted')} else entered_at end, deadline = $2::timestamptz + w.deadline * interval '1 second' ${ages}`,
	[JSON.stringify(world), now],
);
await database.query(`update colonies.closed p set ${common} ${ages}`, [JSON.stringify(world), now]);

const nameOf = new Map<Id, string>(computers.slice(0, 3).map(({computerid, name}) => [computerid, name]));
const isComputer = (id: Id, {operator, value}: FilterTerm): boolean => operator === 'has'
	? lowered(nameOf.get(id) ?? '').includes(lowered(String(value)))
	: id.startsWith(String(value).toLowerCase()) || lowered(nameOf.get(id) ?? '') === lowered(String(value));

const compare = (found: number | undefined, operator: FilterTerm['operator'], value: number): boolean => found !== undefined
	&& {is: found === value, '<': found < value, '<=': found <= value, '>': found > value, '>=': found >= value, has: false}[operator];

/** What a term says, read word for word. */
function holds(row: Row, term: FilterTerm): boolean {
	const {field, key, operator, value} = term;
	const text = String(value);
	const age = row.ended ?? row.started ?? row.submitted;
	const numbers: Record<string, number | undefined> = {
		age, wait: row.status === 0 ? row.submitted : row.submitted - row.started!, ran: row.started === undefined ? undefined : row.started - (row.ended ?? 0),
		submitted: row.submitted, started: row.started, ended: row.ended, deadline: row.deadline, retries: row.retries, maxretries: row.maxretries, cores: row.cores, mem: row.mem, gpus: row.gpus,
	};
	const isText = (found: string): boolean => operator === 'is' ? found === text : lowered(found).includes(lowered(text));
	if (Object.hasOwn(numbers, field)) {
		return compare(numbers[field], operator, value as number);
	}

	const others: Record<string, () => boolean> = {
		state: () => processStates[row.status] === value,
		type: () => isText(row.computertype),
		computer: () => row.assignedcomputerid !== undefined && isComputer(row.assignedcomputerid, term),
		target: () => row.targetcomputerids.some(id => isComputer(id, term)),
		id: () => row.processid.startsWith(text),
		word: () => row.processid.startsWith(lowered(text)) || lowered(row.computertype).includes(lowered(text)),
	};
	return Object.hasOwn(others, field) ? others[field]!() : row.texts.some(each => (field === 'any' || each.kind === field) && (key === undefined || each.key === key) && isText(each.value));
}

const passes = (row: Row, filter: readonly FilterTerm[]): boolean => groupsOf(filter).every(group => group.some(term => holds(row, term) !== term.not));

const someId = world[0]!.processid;
const texts = [
	...processStates.map(state => `state:${state}`),
	...types.map(type => `type:"${type}"`),
	'type:none',
	'type~GPU',
	'type~_',
	'computer:"LAB one"',
	'computer:edge',
	'computer:Ä',
	'computer~lab',
	'computer:nobody',
	...names.map(id => `computer:${id.slice(0, 6)}`),
	`computer:${names[3]!}`,
	`target:${names[0]!.slice(0, 8)}`,
	'target~lab',
	`id:${someId}`,
	`id:${someId.slice(0, 1)}`,
	`id:${someId.slice(0, 2)}`,
	'id:0',
	...['age', 'wait', 'ran', 'submitted', 'started', 'ended', 'deadline'].flatMap(field => ['<', '<=', '>', '>='].map((sign, index) => `${field}${sign}${(index * 400) + 100}s`)),
	'retries>0',
	'retries:1',
	'maxretries:0',
	'cores>=1',
	'cores:2',
	'mem>1g',
	'mem<=1024',
	'gpus:0',
	'in.key=a',
	'out.key="Out of Memory"',
	'err.error~MEMORY',
	'err~"of mem"',
	'key=a',
	'key~X',
	'any~a',
	`in.key=${'x'.repeat(64)}`,
	'in.key=""',
	'none=none',
	`error=${'x'.repeat(64)}y`,
	'gpu',
	'GPU_',
	'a',
	'c',
	someId.slice(0, 3).toUpperCase(),
	'0',
	'zz',
	'%',
];
const termTexts = fc.constantFrom(...texts);
const filterTexts = fc.array(fc.tuple(termTexts, fc.constantFrom('', '', '', '-')).map(([term, minus]) => `${minus}${term}`), {minLength: 1, maxLength: 4}).map(terms => terms.join(' '));

/** Waiting and running: the oldest first; as soon as closed ones may be found, the newest first. */
const order = (ids: Row[], states: readonly ProcessState[]): Id[] => {
	const ascending = [...ids].sort((one, other) => one.entered < other.entered || (one.entered === other.entered && one.processid < other.processid) ? -1 : 1);
	return (states.every(state => state === 'waiting' || state === 'running') ? ascending : ascending.reverse()).map(({processid}) => processid);
};

for (const row of world) {
	row.entered = later(now, -(row.ended ?? row.started ?? row.submitted) * 1_000_000);
}

test('a filter finds exactly what it says, in pages from both ends', async () => {
	await fc.assert(fc.asyncProperty(filterTexts, fc.constantFrom(undefined, undefined, ...processStates), fc.constantFrom(7, 1000), async (text, state, count) => {
		const expected = world.filter(row => passes(row, parseFilter('processes', text)) && (state === undefined || processStates[row.status] === state));
		const all = await colony.own('process.list', {filter: text, state, count: 1000, attributes: false});
		assert.deepEqual(all.rows.map(({processid}) => processid).sort(), expected.map(({processid}) => processid).sort(), text);
		assert.ok(!all.looked);
		const ids = all.rows.map(({processid}) => processid);
		if (state !== undefined) {
			assert.deepEqual(ids, order(expected, [state]));
		}

		for (const direction of ['after', 'before'] as const) {
			const read: Id[] = [];
			for (let position: string | undefined, more = count < 1000; more;) {
				const page = await colony.own('process.list', {filter: text, state, count, position, direction, attributes: false});
				read[direction === 'after' ? 'push' : 'unshift'](...page.rows.map(({processid}) => processid));
				[position, more] = direction === 'after' ? [page.positions.at(-1), page.more.after] : [page.positions[0], page.more.before];
			}

			assert.deepEqual(read, count < 1000 ? ids : [], `${text} ${direction}`);
		}
	}), {numRuns: 150});
});

test('a filter holds together with the fields beside it', async () => {
	const expected = world.filter(row => row.computertype === 'cpu' && processStates[row.status] === 'failed' && row.assignedcomputerid === names[0]);
	const {rows} = await colony.own('process.list', {filter: 'type:cpu type:abc', state: 'failed', computertype: 'cpu', computerid: names[0], count: 1000});
	assert.deepEqual(rows.map(({processid}) => processid).sort(), expected.map(({processid}) => processid).sort());
	assert.deepEqual((await colony.own('process.list', {filter: 'type:abc', computertype: 'cpu'})).rows, []);
	assert.deepEqual((await colony.own('process.list', {filter: '  '})).rows, (await colony.own('process.list')).rows);
});

test('attributes come along with what is found, and of nothing else', async () => {
	const {rows} = await colony.own('process.list', {filter: 'err~memory', count: 1000});
	assert.ok(rows.length > 0 && rows.every(({err}) => err?.some(({value}) => lowered(value).includes('memory'))));
});

test('computers and colonies are filtered in the same language', async () => {
	const found = async (filter: string) => (await colony.own('computer.list', {filter})).rows.map(({name}) => name);
	assert.deepEqual(await found('LAB'), ['Lab two', 'lab one']);
	assert.deepEqual(await found('name:"lab one" name:edge'), ['edge', 'lab one']);
	assert.deepEqual(await found(`id:${names[2]!.slice(0, 5)} cores:1 mem<2g`), ['edge']);
	assert.deepEqual(await found('seen>5m -edge'), ['Lab two', 'lab one']);
	assert.deepEqual(await found('state:pending'), []);
	const {rows} = await colony.broker.run({root: 'correct horse battery staple'}, 'colony.list', {filter: `name~MYCOL id:${colony.id.slice(0, 9)}`});
	assert.deepEqual(rows.map(({colonyid}) => colonyid), [colony.id]);
});

test('what a computer may run is filtered among the first of it', async () => {
	const worker = await colony.computer({cores: 100, mem: 100_000, gpus: 100});
	await colony.submit({targetcomputerids: [worker.id], computertype: 'cpu', cores: 1});
	await colony.submit({targetcomputerids: [worker.id], computertype: 'cpu'});
	const all = await colony.own('process.list', {runnableby: worker.id, count: 1000});
	const some = await colony.own('process.list', {runnableby: worker.id, filter: 'type:cpu cores>0', count: 1000});
	assert.deepEqual(some.rows, all.rows.filter(({computertype, cores}) => computertype === 'cpu' && cores > 0));
	assert.ok(some.rows.length > 0 && some.rows.length < all.rows.length);
	await colony.own('process.remove', {processid: some.rows.at(-1)!.processid});
});

test('lists as they were are filtered in the same language, but for what is not kept', async () => {
	const {rows: [worker]} = await colony.own('computer.list', {filter: 'cores:100'});
	const process = await colony.submit({computertype: 'past', cores: 7});
	const {rows: [moment]} = await database.query<{at: string}>('select clock_timestamp() as at');
	await colony.own('process.remove', {processid: process.processid});
	await colony.own('computer.remove', {computerid: worker!.computerid});
	const past = await colony.own('process.list', {filter: 'type:past type:none cores>6 age<1h -computer:edge', at: moment!.at, attributes: false});
	assert.deepEqual(past.rows.map(({processid}) => processid), [process.processid]);
	assert.deepEqual((await colony.own('process.list', {filter: 'type:past cores>7', at: moment!.at})).rows, []);
	assert.deepEqual((await colony.own('computer.list', {filter: 'cores:100', at: moment!.at})).rows.map(({computerid}) => computerid), [worker!.computerid]);
	await refused(colony.own('process.list', {filter: 'err~x', at: moment!.at}), 'invalid-input', /not looked for in the past/);
	await refused(colony.own('computer.list', {filter: 'seen>5m', at: moment!.at}), 'invalid-input', /not kept for the past/);
});

test('commands take a filter and hand it on', async () => {
	const home = freshHome();
	await home.keychain.add(colony.privateKeys[0]!);
	const run = inProcess(contextsOn(database, home), home);
	const list = async (...words: string[]) => {
		const {code, stdout, stderr} = await run(['process', ...words, '--colonyid', colony.id, '--count', '1000', '--output', 'json']);
		assert.equal(code, 0, stderr);
		return (JSON.parse(stdout) as Array<{processid: Id}>).map(({processid}) => processid);
	};

	const failed = world.filter(row => passes(row, parseFilter('processes', 'state:failed in.key=a')));
	assert.deepEqual(await list('psf', '--filter', 'in.key=a -type:none'), order(failed, ['failed']));
	assert.deepEqual(await list('psf', '--filter=-type~_ key=a', '--attribute', 'key=a'), order(world.filter(row => passes(row, parseFilter('processes', 'state:failed -type~_ key=a'))), ['failed']));
	const wrong = await run(['process', 'ls', '--colonyid', colony.id, '--filter', 'stat:x']);
	assert.deepEqual([wrong.code, wrong.stderr], [2, 'colonies: In the filter, at character 1: There is no field "stat" for processes.\nDid you mean state? To look for it as a word, quote it: "stat:…".\n']);
	const keys = await run(['keychain', 'ls', '--filter', 'of:computer']);
	assert.equal(keys.stdout, '[]\n');
});

test('a filter that is none is refused with the place of the fault', async () => {
	const error = await refused(colony.own('process.list', {filter: 'type:gpu stat:x'}), 'invalid-input', /^In the filter, at character 10: There is no field "stat" for processes\.$/);
	assert.match(error.hint!, /Did you mean state\?/);
	await refused(colony.own('computer.list', {filter: 'wait>5m'}), 'invalid-input', /no field "wait" for computers/);
});

test('values are suggested out of what there is', async () => {
	const suggest = async (input: Record<string, unknown>) => (await colony.own('filter.suggest', {list: 'processes', ...input})).map(({value}) => value);
	assert.deepEqual(await suggest({field: 'type'}), ['', 'GPU_infer', 'abc', 'cpu', 'gpu_train']);
	assert.deepEqual(await suggest({field: 'type', prefix: 'g'}), ['gpu_train']);
	assert.deepEqual(await suggest({field: 'computer', prefix: 'lab o'}), ['lab one']);
	assert.deepEqual(await suggest({field: 'computer', prefix: names[2]!.slice(0, 5)}), [names[2]]);
	assert.deepEqual(await suggest({field: 'in', prefix: 'e'}), ['error']);
	assert.deepEqual(await suggest({field: 'in', key: 'key', prefix: 'Out'}), ['Out of Memory']);
	assert.deepEqual(await suggest({field: 'any', key: 'password'}), []);
	assert.deepEqual(await suggest({field: 'type', count: 2}), ['', 'GPU_infer']);
	await refused(colony.own('filter.suggest', {list: 'processes', field: 'age'}), 'invalid-input', /nothing to suggest for age/);
});

test('a filter is printed as it was read, and finds the same', () => {
	fc.assert(fc.property(filterTexts, text => {
		const filter = parseFilter('processes', text);
		assert.deepEqual(parseFilter('processes', printFilter('processes', filter)), filter);
	}));
});
