import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {Identity} from '../source/identity/index.ts';
import {openAny, openColony} from './support/colony.ts';
import {
	problem, serve, signed, wire, type Outgoing,
} from './support/server.ts';

const database = await openAny();
const colony = await openColony(database);
/** Nothing waits in it but what a test puts there. */
const quiet = await openColony(database, colony.broker);
const [one, two] = [await serve(database), await serve(database)];

const submission = (who: Identity = colony.owner, options = {}): Outgoing => signed(who, wire('process.submit', {spec: {targetcolonyid: colony.id}}), options);

test('a request that changed something is refused when it comes again, on every server', async () => {
	const request = submission();
	assert.equal((await one.send(request)).status, 200);
	const before = await colony.own('process.count');
	for (const server of [one, two, one]) {
		problem(await server.send(request), 401, 'unauthenticated', /carried out or refused before/);
	}

	assert.deepEqual(await colony.own('process.count'), before);
});

test('of the same request on two servers at once one is carried out', async () => {
	for (let round = 0; round < 10; round++) {
		const request = submission();
		const statuses = (await Promise.all([one, two, one, two].map(async server => server.send(request)))).map(({status}) => status);
		assert.deepEqual(statuses.sort(), [200, 401, 401, 401]);
	}
});

test('a request that was refused is not carried out later, when it would be allowed', async () => {
	const computer = await colony.computer({state: 'pending'});
	const request = submission(computer);
	problem(await one.send(request), 403, 'not-allowed');
	await colony.own('computer.approve', {computerid: computer.id});
	problem(await one.send(request), 401, 'unauthenticated');
	problem(await two.send(request), 401, 'unauthenticated');
	assert.equal((await two.send(submission(computer))).status, 200);

	const {processid} = await colony.submit();
	const retry = signed(colony.owner, wire('process.retry', {colonyid: colony.id, processid}));
	problem(await two.send(retry), 409, 'conflict');
	await colony.own('process.cancel', {processid});
	problem(await one.send(retry), 401, 'unauthenticated');
});

test('a request that is wrong in itself stays wrong', async () => {
	const request = signed(colony.owner, {method: 'POST', target: `/colonies/${colony.id}/processes`, body: {spec: {cores: 'many'}}});
	problem(await one.send(request), 400, 'invalid-input');
	problem(await two.send(request), 400, 'invalid-input');
});

test('a request that reads may come again', async () => {
	const request = signed(colony.owner, wire('process.list', {colonyid: colony.id}));
	const [first, second] = [await one.send(request), await two.send(request)];
	assert.equal(first.status, 200);
	assert.deepEqual(second.json, first.json);
});

test('a request is good for a minute', async () => {
	problem(await one.send(submission(colony.owner, {now: Date.now() - 62_000})), 401, 'unauthenticated', /ago/);
	problem(await one.send(submission(colony.owner, {now: Date.now() + 7000})), 401, 'unauthenticated', /ahead/);
});

test('what was signed for another address, body, query or key is refused', async () => {
	const request = submission(colony.owner, {idempotencyKey: 'one'});
	const body = new Uint8Array(Buffer.from(JSON.stringify({spec: {targetcolonyid: colony.id, cores: 1}})));
	for (const changed of [
		{...request, body},
		{...request, target: `${request.target}?count=1`},
		{...request, headers: {...request.headers, host: 'elsewhere.test'}},
		{...request, headers: {...request.headers, 'idempotency-key': 'two'}},
		{...request, method: 'PUT', target: '/rootpassword'},
	]) {
		problem(await one.send(changed), 401, 'unauthenticated');
	}

	const {'idempotency-key': _, ...without} = request.headers;
	problem(await one.send({...request, headers: without}), 401, 'unauthenticated');
	problem(await one.send({...submission(), headers: {...submission().headers, 'idempotency-key': 'not covered'}}), 401, 'unauthenticated');
	assert.equal((await one.send(request)).status, 200);
});

test('the same idempotency key gets the same processes, on every server', async () => {
	const answers = await Promise.all([one, two, one, two].map(async server => server.send(submission(colony.owner, {idempotencyKey: 'order 7/b'}))));
	assert.deepEqual(new Set(answers.map(({status}) => status)), new Set([200]));
	assert.equal(new Set(answers.map(({json}) => String(json.processid))).size, 1);
	const other = signed(colony.owner, wire('process.submit', {spec: {targetcolonyid: colony.id, cores: 3}}), {idempotencyKey: 'order 7/b'});
	problem(await two.send(other), 409, 'conflict');

	const computer = await colony.computer();
	await Promise.all([colony.submit({targetcomputerids: [computer.id]}), colony.submit({targetcomputerids: [computer.id]})]);
	const assignment = () => signed(computer, wire('process.assign', {colonyid: colony.id}), {idempotencyKey: 'my turn'});
	const [first, second] = [await one.send(assignment()), await two.send(assignment())];
	assert.equal(first.json.processid, second.json.processid);
	const next = await one.send(signed(computer, wire('process.assign', {colonyid: colony.id}), {idempotencyKey: 'my next turn'}));
	assert.notEqual(next.json.processid, first.json.processid);

	for (const key of ['é', 'x'.repeat(201)]) {
		const request = submission();
		problem(await one.send({...request, headers: {...request.headers, 'idempotency-key': Buffer.from(key).toString('latin1')}}), 401, 'unauthenticated');
	}

	problem(await one.send(submission(colony.owner, {idempotencyKey: 'x'.repeat(201)})), 400, 'invalid-input', /idempotency-key/);
});

test('a computer that waits on one server gets what is submitted on another, without asking again', async () => {
	const computer = await quiet.computer();
	for (let round = 0; round < 20; round++) {
		const waiting = one.send(signed(computer, wire('process.assign', {colonyid: quiet.id, wait: 30})));
		while (one.context.broker.waiting.size === 0) {
			await new Promise(setImmediate);
		}

		const {json} = await two.send(signed(quiet.owner, wire('process.submit', {spec: {targetcolonyid: quiet.id}})));
		assert.equal((await waiting).json.processid, json.processid);
	}
});

test('who waits in vain hears so after the time, and nobody waits for one who hung up', async () => {
	const computer = await quiet.computer();
	const began = performance.now();
	problem(await one.send(signed(computer, wire('process.assign', {colonyid: quiet.id, wait: 0.3}))), 404, 'nothing-to-assign');
	assert.ok(performance.now() - began >= 300);

	const request = one.begin(signed(computer, wire('process.assign', {colonyid: quiet.id, wait: 60})), {agent: false});
	request.on('error', () => undefined);
	while (one.context.broker.waiting.size === 0) {
		await new Promise(setImmediate);
	}

	request.destroy();
	while (one.context.broker.waiting.size > 0) {
		await new Promise(setImmediate);
	}

	const {processid} = await quiet.submit();
	assert.equal((await quiet.assign(computer)).processid, processid);
});

test('what was signed for a server of another name is no use at one that knows its own', async () => {
	const named = await serve(database, {names: ['colonies.test']});
	const {id} = colony;
	assert.equal((await named.call(colony.owner, 'colony.get', {colonyid: id})).status, 200);
	problem(await named.call(colony.owner, 'colony.get', {colonyid: id}, {authority: 'elsewhere.test:8443'}), 421, 'invalid-input', /does not go by the name "elsewhere\.test"/);
});
