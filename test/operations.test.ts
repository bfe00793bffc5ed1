import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {limits} from '../source/core/limits.ts';
import {createIdentity} from '../source/identity/index.ts';
import {Broker} from '../source/operations/index.ts';
import {
	openAny, openColony, refused, refusedUnchanged, root, rootPassword,
} from './support/colony.ts';

const colony = await openColony(await openAny());
const {database, broker} = colony;
const computer = await colony.computer();

test('a process has the fields of colonies.md, in their order', async () => {
	const process = await colony.submit({
		targetcomputerids: [], computertype: 'test_computer_type', timeout: -1, maxretries: 0, mem: 1000, cores: 10, gpus: 1, in: {test_key1: 'test_value1', test_key2: 'test_value2'},
	});
	assert.deepEqual(Object.keys(process), [
		'processid',
		'targetcolonyid',
		'targetcomputerids',
		'assignedcomputerid',
		'status',
		'isassigned',
		'computertype',
		'submissiontime',
		'starttime',
		'endtime',
		'deadline',
		'timeout',
		'retries',
		'maxretries',
		'mem',
		'cores',
		'gpus',
		'in',
		'out',
		'err',
	]);
	assert.match(process.submissiontime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
	assert.deepEqual([process.starttime, process.endtime, process.deadline], ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z']);
	assert.deepEqual([process.assignedcomputerid, process.out, process.err], ['', null, null]);
	assert.deepEqual(process.in!.map(attribute => [Object.keys(attribute).join(' '), attribute.key, attribute.value, attribute.attributetype]), [
		['attributeid targetid attributetype key value', 'test_key1', 'test_value1', 0],
		['attributeid targetid attributetype key value', 'test_key2', 'test_value2', 0],
	]);
	assert.deepEqual(await colony.get(process), process);
	await colony.own('process.remove', {processid: process.processid});
});

test('a computer and a colony have the fields of colonies.md, in their order', async () => {
	const spec = {name: 'my_computer', cpu: 'AMD Ryzen 9 5950X (32) @ 3.400GHz', cores: 32, mem: 80_326, gpu: 'NVIDIA GeForce RTX 2080 Ti Rev. A', gpus: 1};
	const {id} = createIdentity().identity;
	const registered = await colony.own('computer.register', {computerid: id, spec});
	assert.equal(JSON.stringify(registered), JSON.stringify({
		computerid: id, name: spec.name, colonyid: colony.id, cpu: spec.cpu, cores: 32, mem: 80_326, gpu: spec.gpu, gpus: 1, status: 0,
	}));
	assert.equal(JSON.stringify(await colony.own('colony.get')), JSON.stringify({colonyid: colony.id, name: 'mycolony'}));
});

test('a spec that leaves out what may be left out asks for nothing', async () => {
	const process = await colony.submit();
	assert.deepEqual([process.targetcomputerids, process.computertype, process.timeout, process.maxretries, process.mem, process.cores, process.gpus, process.in], [[], '', -1, 0, 0, 0, 0, null]);
});

test('attributes are kept as they were given, whatever their keys and values', async () => {
	const keys = fc.oneof(fc.constantFrom('constructor', 'prototype', '__proto__', 'toString', '0', '漢字', 'a b', '%', '\'', '"', '\\'), fc.string({unit: 'grapheme', minLength: 1, maxLength: 20}).filter(key => !/[\p{C}\p{Zl}\p{Zp}]/u.test(key)));
	const values = fc.string({unit: 'binary'}).filter(value => !value.includes('\0') && value.isWellFormed());
	await fc.assert(fc.asyncProperty(fc.uniqueArray(fc.tuple(keys, values), {selector: ([key]) => key, maxLength: 8}), async pairs => {
		const given = JSON.parse(`{${pairs.map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`).join(', ')}}`) as Record<string, string>;
		const process = await colony.submit({in: given});
		assert.deepEqual((process.in ?? []).map(({key, value}) => [key, value]), Object.entries(given));
		assert.deepEqual(await colony.get(process), process);
	}), {numRuns: 60});
});

/** Inputs of submit that are wrong in one field each, and what is said of it. */
const wrong: Array<[field: string, value: unknown, pattern: RegExp]> = [
	['targetcolonyid', 'abc', /spec\.targetcolonyid must be 64 hex digits, not "abc"/],
	['targetcolonyid', undefined, /spec\.targetcolonyid is missing/],
	['targetcomputerids', 'x', /must be a list of ids/],
	['targetcomputerids', ['x'], /spec\.targetcomputerids\.0 must be 64 hex digits/],
	['computertype', 'a\nb', /control characters \(it has U\+000A\)/],
	['computertype', 'a\u202Eb', /control characters/],
	['computertype', 'x'.repeat(201), /at most 200 characters/],
	['timeout', 1.5, /whole number/],
	['timeout', -2, /from -1/],
	['timeout', '10', /whole number/],
	['maxretries', -1, /whole number from 0/],
	['mem', limits.mem + 1, /whole number/],
	['cores', Number.NaN, /whole number/],
	['gpus', Infinity, /whole number/],
	['in', [], /object of keys and text values/],
	['in', {key: 1}, /spec\.in\.key must be text, not "1"/],
	['in', {'': 'x'}, /text of 1 to 200 characters/],
	['in', {key: 'a\0b'}, /without NUL/],
	['in', {key: '\uD800'}, /Unicode text/],
	['in', {constructor: 1}, /spec\.in\.constructor must be text/],
	['in', Object.fromEntries(Array.from({length: 1001}, (_, index) => [String(index), 'x'])), /at most 1000 attributes/],
];

test('a wrong field is refused by name and value, and nothing is changed', async () => {
	for (const [field, value, pattern] of wrong) {
		await refusedUnchanged(database, async () => colony.submit({[field]: value}), 'invalid-input', pattern);
	}

	for (const input of [undefined, null, [], 'text', {spec: 1}, {}]) {
		await refused(broker.run({identity: colony.owner}, 'process.submit', input as Record<string, unknown>), 'invalid-input');
	}
});

test('a value of 1 MiB is kept, and a longer one refused as too large', async () => {
	const value = 'é'.repeat(limits.value / 2);
	const process = await colony.submit({in: {key: value}});
	const kept = await colony.get(process);
	assert.equal(kept.in![0]!.value, value);
	await refusedUnchanged(database, async () => colony.submit({in: {key: `${value}x`}}), 'too-large', /MiB/);
	const {rows: [found]} = await colony.own('process.list', {attribute: `key=${value}`});
	assert.equal(found!.processid, process.processid);
});

test('ids are taken in either case and kept in lowercase', async () => {
	const process = await colony.submit({targetcolonyid: colony.id.toUpperCase(), targetcomputerids: [computer.id.toUpperCase(), computer.id]});
	assert.deepEqual([process.targetcolonyid, process.targetcomputerids], [colony.id, [computer.id]]);
	assert.deepEqual(await colony.own('process.get', {processid: process.processid.toUpperCase()}), process);
});

test('fields that nobody knows are refused with the nearest that is known, and nothing is changed', async () => {
	const {id: targetcolonyid} = colony;
	for (const [input, message, hint] of [
		[{spec: {targetcolonyid, maxretry: 3}}, 'Unknown field "maxretry" in spec.', 'Did you mean maxretries?'],
		[{spec: {targetcolonyid, core: 8}}, 'Unknown field "core" in spec.', 'Did you mean cores?'],
		[{spec: {targetcolonyid}, cores: 8}, 'Unknown field "cores" in the input.', 'It belongs in spec.'],
		[{spec: {targetcolonyid}, extra: 1}, 'Unknown field "extra" in the input.', 'Known: spec.'],
		[JSON.parse(`{"spec": {"targetcolonyid": "${targetcolonyid}", "__proto__": {"cores": 8}}}`), 'Unknown field "__proto__" in spec.', /^Known: targetcolonyid, /],
	] as Array<[Record<string, unknown>, string, string | RegExp]>) {
		const error = await refusedUnchanged(database, async () => broker.run({identity: colony.owner}, 'process.submit', input), 'invalid-input');
		assert.equal(error.message, message);
		assert.ok(typeof hint === 'string' ? error.hint === hint : hint.test(error.hint!), error.hint);
	}
});

test('what is not there is not found', async () => {
	const nowhere = createIdentity().identity.id;
	await refused(colony.own('process.get', {processid: nowhere}), 'not-found');
	await refused(colony.own('computer.get', {computerid: nowhere}), 'not-found');
	for (const name of ['computer.approve', 'computer.disapprove', 'computer.remove'] as const) {
		await refusedUnchanged(database, async () => colony.own(name, {computerid: nowhere}), 'not-found');
	}

	await refusedUnchanged(database, async () => broker.run(root, 'colony.remove', {colonyid: nowhere}), 'not-found');
	await refused(broker.run(root, 'colony.get', {colonyid: nowhere}), 'not-found');
	await refused(colony.as(colony.owner, 'colony.get', {colonyid: nowhere}), 'not-allowed', /if there is one/);
});

test('processes submitted one after another keep their order, to the microsecond', async () => {
	const fresh = await openColony(database, broker);
	const submitted: string[] = [];
	for (let index = 0; index < 30; index++) {
		const {processid} = await fresh.submit();
		submitted.push(processid);
	}

	const {rows} = await fresh.own('process.list', {state: 'waiting', count: 100});
	assert.deepEqual(rows.map(({processid}) => processid), submitted);
	assert.deepEqual(rows.map(({submissiontime}) => submissiontime), rows.map(({submissiontime}) => submissiontime).sort());
});

test('the first root password given on this machine is kept, and one that comes from elsewhere is not', async () => {
	const {rows: [kept]} = await database.query<{root_password: string}>('select root_password from colonies.installation');
	await database.query('delete from colonies.installation');
	const remote = new Broker(database, {local: false});
	await refusedUnchanged(database, async () => remote.run({root: 'from elsewhere'}, 'colony.list', {}), 'unauthenticated', /has no root password yet/);

	await refusedUnchanged(database, async () => broker.run({root: 'a typo'}, 'colony.list', {}), 'unauthenticated', /has no root password yet/);
	await refusedUnchanged(database, async () => broker.verifyRoot('a typo'), 'unauthenticated', /has no root password yet/);
	const notices: string[] = [];
	const {identity} = createIdentity();
	await refusedUnchanged(database, async () => broker.run({root: 'typed once', mustBeKept: true}, 'colony.register', {colonyid: identity.id, spec: {name: 'first'}}), 'unauthenticated', /has no root password yet/);
	await refusedUnchanged(database, async () => remote.run({root: 'from elsewhere'}, 'colony.register', {colonyid: identity.id, spec: {name: 'first'}}), 'unauthenticated', /has no root password yet/);
	const register = async (password: string) => broker.run({root: password}, 'colony.register', {colonyid: identity.id, spec: {name: 'first'}}, {notice: sentence => notices.push(sentence)});
	await register('first password');
	assert.match(notices.join(''), /^Saved as this database's root password/);
	await remote.run({root: 'first password'}, 'colony.list', {});
	await refused(broker.run({root: rootPassword}, 'colony.list', {}), 'unauthenticated', /wrong/);
	await refused(register('first password'), 'conflict');
	assert.equal(notices.length, 1);
	assert.deepEqual([await broker.verifyRoot('first password')], [{kept: false}]);
	await database.query('update colonies.installation set root_password = $1', [kept!.root_password]);
	await broker.run(root, 'colony.list', {});
});

test('of many first passwords at once one is kept', async () => {
	await database.query('delete from colonies.installation');
	const passwords = Array.from({length: 6}, (_, index) => `password ${index}`);
	const outcomes = await Promise.allSettled(passwords.map(async password => new Broker(database, {local: true}).keepRoot(password)));
	const kept = outcomes.map(outcome => outcome.status === 'fulfilled' && outcome.value.kept);
	assert.equal(kept.filter(Boolean).length, 1);
	assert.equal(outcomes.filter(({status}) => status === 'rejected').length, passwords.length - 1);
	const first = passwords[kept.indexOf(true)]!;
	await broker.run({root: first}, 'database.rootpassword', {newrootpassword: rootPassword});
	await refused(broker.run({root: first}, 'colony.list', {}), 'unauthenticated');
	await broker.run(root, 'colony.list', {});
});
