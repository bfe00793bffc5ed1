import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import fc from 'fast-check';
import {
	createIdentity, sha3, signHttp, verifyHttp,
} from '../source/identity/index.ts';
import {type audit, Broker, encodeCall, encodeCalls, operations, type OperationName} from '../source/operations/index.ts';
import type {AnyOperation} from '../source/operations/registry.ts';
import {operatorsChanges, otherChanges} from '../source/operations/operators.ts';
import {
	noPostgres, openFresh, openPlain, startPostgres,
} from './support/databases.ts';
import {type Colony, openAny, openColony, refused, root} from './support/colony.ts';
import {explained} from './support/plans.ts';
import {sealAll, verified} from './support/tampering.ts';

const colony = await openColony(await openAny());
const {database, broker} = colony;
const other = await openColony(database, broker);

/** Somebody's request as it comes over the wire. */
function signer(who: Colony, name: OperationName, inputs: Array<Record<string, unknown>>) {
	const operation = operations[name] as AnyOperation;
	const {method, target, body} = inputs.length === 1 ? encodeCall(operation, inputs[0]!) : encodeCalls(operation, inputs);
	const request = {method, authority: 'colonies.example', target, ...(body === undefined ? {} : {body: new Uint8Array(Buffer.from(JSON.stringify(body)))})};
	return {signer: verifyHttp({...request, headers: signHttp(who.owner, request)}, {now: Date.now()})};
}

test('the changes that the audit knows are those that there are', () => {
	const operators = (Object.values(operations) as AnyOperation[]).filter(({operator}) => operator).map(({name}) => name);
	assert.deepEqual(operatorsChanges.map(({name}) => name).sort(), operators.sort());
	for (const {name, changes, operator} of Object.values(operations) as AnyOperation[]) {
		assert.ok(changes.length === 0 || operator === true || otherChanges.includes(name), name);
	}
});

test('every change that came over the wire, alone or in a list, verifies by its signature', async () => {
	const local = new Broker(database, {local: false});
	const run = async (name: OperationName, ...inputs: Array<Record<string, unknown>>) => {
		const all = inputs.map(input => ({colonyid: colony.id, ...input}));
		const caller = signer(colony, name, all);
		return inputs.length === 1 ? local.run(caller, name, all[0]!) : local.runMany(caller, name, all);
	};

	const [one, two, third] = [createIdentity().identity, createIdentity().identity, createIdentity().identity];
	for (const {id} of [one, two, third]) {
		await run('computer.register', {computerid: id, spec: {name: `wire ${id.slice(0, 4)}`, cores: 8, mem: 8000}});
	}

	await run('computer.approve', {computerid: one.id}, {computerid: two.id.toUpperCase()}, {computerid: third.id});
	const process = await colony.running(one);
	await run('computer.disapprove', {computerid: one.id}, {computerid: two.id});
	await run('process.cancel', {processid: process.processid});
	await run('process.retry', {processid: process.processid});
	await run('process.remove', {processid: process.processid});
	await run('computer.remove', {computerid: one.id});
	await sealAll(database);
	const {intact, fault, requests} = await verified(database);
	assert.deepEqual([intact, fault], [true, null]);
	assert.ok(requests! >= 12);
});

test('whoever was removed is called by name, and an entry shows what was signed', async () => {
	const lab = await colony.computer({name: 'lab2'});
	await colony.own('computer.disapprove', {computerid: lab.id});
	await colony.own('computer.remove', {computerid: lab.id});
	const {rows: [found]} = await colony.own('audit.list', {filter: 'disapprove lab2'});
	assert.deepEqual([found!.name, found!.actorname, found!.what, found!.from, found!.to, found!.signed, found!.sealed], ['lab2', 'mycolony', 'computer.disapprove', 'approved', 'disapproved', true, false]);
	await sealAll(database);
	const entry = await colony.own('audit.get', {entry: found!.id});
	assert.ok(entry.sealed && entry.seal!.number > 0);
	assert.deepEqual(JSON.parse(entry.request!).input, {colonyid: colony.id, computerid: lab.id});
	await refused(other.own('audit.get', {entry: found!.id}), 'not-found');
	assert.deepEqual((await other.own('audit.list', {text: 'lab2'})).rows, []);
	await refused(colony.own('audit.list', {what: 'nonsense'}), 'invalid-input', /nothing that the history tells of/);
});

test('pages in both directions hold what filtering the whole history by hand does', async () => {
	const gone = await openColony(database, broker);
	const lab = await gone.computer({name: 'lab9'});
	await gone.running(lab);
	await broker.run(root, 'colony.remove', {colonyid: gone.id});
	const everything: audit.AuditEntry[] = [];
	for (let position: string | undefined; ;) {
		const page = await broker.run(root, 'audit.list', {all: true, count: 1000, position});
		everything.push(...page.rows);
		position = page.positions.at(-1);
		if (!page.more.after) {
			break;
		}
	}

	const {rows: [{count}]} = await database.query<any>('select count(*)::int as count from colonies.history');
	assert.equal(everything.length, count);
	const operators = new Set([...operatorsChanges.map(({name}) => name), 'database.firstrootpassword']);
	assert.ok(everything.some(({what}) => what === 'database.firstrootpassword'));
	const isChange = ({what, actor, noun}: typeof everything[0]) => operators.has(what) && !(actor === 'root' && (noun === 'computer' || noun === 'process'));
	const ids = [...new Set(everything.flatMap(({actor, subject}) => [actor, subject]))];
	const filters = fc.record({
		all: fc.boolean(), colonyid: fc.constantFrom(undefined, colony.id, gone.id), what: fc.constantFrom(undefined, 'approve', 'computer', 'process.retry', 'process.assign', 'requeue', 'installation.x'),
		actor: fc.constantFrom(undefined, undefined, colony.id, 'root', 'system'), subject: fc.option(fc.constantFrom(...ids), {nil: undefined, freq: 3}), text: fc.constantFrom(undefined, undefined, 'lab', 'LAB9', 'mycolony', 'wire', colony.id.slice(0, 5)),
		count: fc.integer({min: 1, max: 7}),
	});
	await fc.assert(fc.asyncProperty(filters, async ({count, what, ...filter}) => {
		const known = what === 'installation.x' ? undefined : what;
		const fits = (name: string | null, id: string) => filter.text === undefined || [name?.toLowerCase().includes(filter.text.toLowerCase()), id.startsWith(filter.text)].includes(true);
		const wanted = everything.filter(entry => (filter.all || isChange(entry)) && (filter.colonyid === undefined || entry.colonyid === filter.colonyid)
			&& (known === undefined || entry.what === known || entry.what.split('.').includes(known))
			&& (filter.actor === undefined || entry.actor === filter.actor) && (filter.subject === undefined || entry.subject === filter.subject)
			&& (fits(entry.actorname, entry.actor.length === 64 && entry.actorname ? entry.actor : '') || (entry.name !== null && fits(entry.name, entry.subject))));
		const read = async (page: Record<string, unknown>) => broker.run(root, 'audit.list', {...filter, what: known, count, ...page});
		let page = await read({});
		const seen = [...page.rows];
		for (let times = 0; page.more.after && times < 4; times++) {
			page = await read({position: page.positions.at(-1)});
			seen.push(...page.rows);
		}

		assert.deepEqual(seen.map(({id}) => id), wanted.slice(0, seen.length).map(({id}) => id));
		assert.equal(page.more.after, seen.length < wanted.length);
		const back = await read({position: page.positions.at(-1), direction: 'before'});
		assert.deepEqual(back.rows.map(({id}) => id), wanted.slice(0, Math.max(0, seen.length - 1)).slice(-count).map(({id}) => id));
	}), {numRuns: 300});
});

test('a page of the audit reads little, however long the history is', {skip: noPostgres}, async () => {
	const plain = await openFresh(await startPostgres({settings: {autovacuum: 'off'}}));
	after(async () => plain.close());
	const watched = explained(plain);
	const owner = await openColony(plain, new Broker(watched, {local: true}));
	const lab = await owner.computer({name: 'lab2'});
	await plain.query(`insert into colonies.history (txid, at, actor, noun, subject_id, colony_id, what, from_state, to_state)
		select 1000000 - n, now() - n * interval '1 second', decode(md5('c' || n % 50) || md5('c'), 'hex'), 'process', decode(md5('p' || n) || md5('p'), 'hex'), colonies.bytes_of($1), (array['process.submit', 'process.assign', 'process.successful'])[1 + n % 3], 'waiting', 'running' from generate_series(1, 150000) n`, [owner.id]);
	await plain.query(`insert into colonies.history (txid, at, actor, noun, subject_id, colony_id, what, request, signature)
		select 1000000 - n * 10, now() - n * interval '10 seconds', colonies.bytes_of($1), 'process', decode(md5('p' || n) || md5('p'), 'hex'), colonies.bytes_of($1), 'process.retry', '{}', md5(n::text) from generate_series(1, 15000) n`, [owner.id]);
	await owner.own('computer.disapprove', {computerid: lab.id});
	await plain.query('vacuum (analyze) colonies.history');
	const check = async (filter: Record<string, unknown>) => {
		watched.plans.length = 0;
		const page = await owner.own('audit.list', filter);
		for (const plan of watched.plans) {
			assert.ok(!plan.sequential.includes('history'), `${JSON.stringify(filter)}\n${plan.scans.join('\n')}\n${plan.text}`);
			assert.ok(plan.read <= 200 + (20 * Math.max(plan.returned, 11)), `${JSON.stringify(filter)}: ${plan.read} rows for ${plan.returned}\n${plan.scans.join('\n')}\n${plan.text}`);
		}

		return page;
	};

	const [actor, subject] = [owner.id, lab.id];
	for (const filter of [{}, {all: true}, {what: 'disapprove'}, {what: 'colony.remove'}, {text: 'lab2'}, {text: 'nobody'}, {filter: 'disapprove lab2'}, {actor}, {actor, all: true}, {actor: lab.id, all: true}, {actor, what: 'computer'}, {subject}, {subject, all: true}, {text: 'mycolony'}]) {
		const page = await check(filter);
		if (page.more.after) {
			const deep = await owner.own('audit.list', {...filter, count: 1000});
			await check({...filter, position: deep.positions.at(-1)});
			await check({...filter, position: deep.positions.at(-1), direction: 'before'});
		}
	}
});

test('what somebody did at all is sought among 100,000 rows at once, and a page says where to go on', {skip: noPostgres}, async () => {
	const plain = await openPlain();
	after(async () => plain.close());
	const owner = await openColony(plain);
	const rare = sha3('rare');
	await plain.query(`insert into colonies.history (actor, noun, subject_id, colony_id, what, from_state, to_state)
		select colonies.bytes_of(case when n % 7000 = 0 then $2 else $1 end), 'process', colonies.bytes_of_any(n::text), colonies.bytes_of($1), 'process.assign', 'waiting', 'running' from generate_series(1, 120000) n`, [owner.id, rare]);
	await plain.query('analyze colonies.history');
	const read = async (page: Record<string, unknown>) => {
		const {rows, ...rest} = await owner.own('audit.list', {actor: rare, all: true, ...page});
		return {...rest, rows: rows.map(({subject}) => Number(subject) / 7000)};
	};

	const all = Array.from({length: 17}, (_, index) => 17 - index);
	const latest = await read({count: 100});
	assert.deepEqual([latest.rows, latest.more, latest.looked!.count], [all.slice(0, 15), {before: false, after: false}, 100_000]);
	const rest = await read({count: 100, position: latest.looked!.position});
	assert.deepEqual([rest.rows, rest.looked], [all.slice(15), undefined]);
	const seen: number[] = [];
	for (let page = await read({count: 4}); ; page = await read({count: 4, position: page.positions.at(-1)})) {
		assert.equal(page.looked, undefined);
		seen.push(...page.rows);
		if (!page.more.after) {
			break;
		}
	}

	assert.deepEqual(seen, all);
	const near = await read({count: 3, position: rest.positions[0], direction: 'before'});
	assert.deepEqual([near.rows, near.more, near.looked], [all.slice(12, 15), {before: true, after: true}, undefined]);
	const back = await read({count: 100, position: rest.positions[0], direction: 'before'});
	assert.deepEqual([back.rows, back.looked!.count], [all.slice(1, 15), 100_000]);
	const last = await read({count: 100, position: back.looked!.position, direction: 'before'});
	assert.deepEqual([last.rows, last.looked], [all.slice(0, 1), undefined]);
});
