import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {Registry} from 'prom-client';
import {brokerContext} from '../source/contexts/index.ts';
import {openPostgres} from '../source/database/postgres.ts';
import type {Database} from '../source/database/types.ts';
import {createIdentity} from '../source/identity/index.ts';
import {type AnyOperation, Broker, listRoute, operations, splitRoute} from '../source/operations/index.ts';
import {countWork} from '../source/server/work-metrics.ts';
import {
	dump, openAny, openColony, refused, root, rootPassword,
} from './support/colony.ts';
import {contextsOn, freshHome, inProcess} from './support/commands.ts';
import {
	freshDatabase, noPostgres, startPostgres,
} from './support/databases.ts';
import {turned} from './support/outcomes.ts';
import {noPrometheus, promtool} from './support/prometheus.ts';
import {
	authority, byRoot, Lines, problem, type Served, serve, signed,
} from './support/server.ts';

const database = await openAny();
const log = new Lines();
const served = await serve(database, {secure: true, local: true, log});
const {broker} = served.context;
const colony = await openColony(database, broker);

const bearing = (token: string, {method = 'GET', target = '/metrics'} = {}) => ({method, target, headers: {host: authority, authorization: `Bearer ${token}`}});

async function newToken(name: string): Promise<string> {
	const {token} = await broker.run(root, 'token.create', {name});
	return token;
}

/** Reads the metrics as they are now: what was read from the database is good for a second. */
async function read(server: Served = served): Promise<string> {
	const {status, text} = await server.send(byRoot(rootPassword, {method: 'GET', target: '/metrics'}));
	assert.equal(status, 200, text);
	return text;
}

/** The value of a sample; undefined where there is none. */
function sample(text: string, name: string, labels: Record<string, string> = {}): number | undefined {
	const line = text.split('\n').find(line => {
		const [, found, inner = ''] = /^(\w+)(?:{(.*)})? /.exec(line) ?? [];
		const given = Object.fromEntries([...inner.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, value]) => [label!, value!]));
		return found === name && Object.keys(given).length === Object.keys(labels).length && Object.entries(labels).every(([label, value]) => given[label] === value);
	});
	return line === undefined ? undefined : Number(line.split(' ').at(-1));
}

/** Checks that a sample is no less than a number. */
function atLeast(text: string, name: string, least: number, labels: Record<string, string> = {}): void {
	const value = sample(text, name, labels);
	assert.ok(value !== undefined && value >= least, `${name} is ${value}, not at least ${least}`);
}

test('a token reads the metrics, by the command that creates it, until it is revoked', async () => {
	const run = inProcess(contextsOn(database), freshHome());
	const made = await run(['server', 'token', '--name', 'prometheus', '--rootpassword', rootPassword]);
	assert.deepEqual([made.code, made.stderr], [0, '']);
	const token = made.stdout.trim();
	assert.match(made.stdout, /^colonies_metrics_[\w-]{43}\n$/);
	const first = await served.send(bearing(token));
	assert.equal(first.status, 200);
	assert.match(first.text, /^colonies_database_up 1$/m);
	const twice = await run(['server', 'token', '--name', 'prometheus', '--rootpassword', rootPassword]);
	assert.equal(twice.stdout, '');
	assert.match(twice.stderr, /There is a token "prometheus" already\./);

	const list = await run(['server', 'tokens', '--rootpassword', rootPassword]);
	const [row] = JSON.parse(list.stdout) as Array<Record<string, unknown>>;
	assert.deepEqual(Object.keys(row!), ['name', 'created', 'createdby', 'lastused']);
	assert.deepEqual([row!.name, row!.createdby], ['prometheus', 'root']);

	const revoked = await run(['server', 'revoke', '--name', 'prometheus', '--rootpassword', rootPassword]);
	assert.equal(revoked.stderr, 'Revoked the token prometheus.\n');
	const refusal = await served.send(bearing(token));
	problem(refusal, 401, 'unauthenticated', /unknown or revoked/);
	assert.equal(refusal.headers['www-authenticate'], 'Signature realm="colonies", Basic realm="colonies root", charset="UTF-8", Bearer realm="colonies metrics"');
	await refused(broker.run(root, 'token.revoke', {name: 'prometheus'}), 'not-found', /no token "prometheus"/);

	const {rows} = await broker.run(root, 'audit.list', {what: 'token'});
	assert.deepEqual(rows.map(({what, actor}) => [what, actor]), [['token.revoke', 'root'], ['token.create', 'root']]);
	await broker.seal();
	assert.equal((await broker.run(root, 'audit.verify', {})).intact, true);
	assert.ok(!(await dump(database)).includes(token), 'the token is in the database');
	assert.ok(!log.text.includes(token), 'the token is in the log');
	assert.ok(log.lines.some(({who}) => who === 'token prometheus'), log.text);
});

test('the use of a token is noted to a minute', async () => {
	const token = await newToken('noted');
	const lastUsed = async () => (await broker.run(root, 'token.list', {})).find(({name}) => name === 'noted')!.lastused;
	assert.equal(await lastUsed(), null);
	for (let used: string | null = null; used === null; used = await lastUsed()) {
		assert.equal((await served.send(bearing(token))).status, 200);
	}

	const used = await lastUsed();
	for (let count = 0; count < 5; count++) {
		await served.send(bearing(token));
	}

	assert.equal(await lastUsed(), used);
});

test('a token opens no other route', async () => {
	const token = await newToken('narrow');
	const {identity: {id}} = createIdentity();
	const before = await dump(database);
	const routes = (Object.values(operations) as AnyOperation[]).flatMap(operation => [operation.route, listRoute(operation)]);
	for (const route of new Set(routes)) {
		const {method, path} = splitRoute(route);
		const target = path.replaceAll('{colonyid}', colony.id).replaceAll(/{\w+}/g, id);
		const outgoing = bearing(token, {method, target});
		const body = method === 'POST' || method === 'PUT' ? {body: new Uint8Array(Buffer.from('{}')), headers: {...outgoing.headers, 'content-type': 'application/json'}} : {};
		problem(await served.send({...outgoing, ...body}), 401, 'unauthenticated', /not that of the user root/);
	}

	problem(await served.send(bearing(token, {method: 'POST'})), 405, 'invalid-input');
	assert.equal(await dump(database), before);
});

test('what is no token is refused, also in numbers, and one that is good is not held up', async () => {
	const token = await newToken('good');
	const wrong = [`${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`, token.toLowerCase(), token.slice(1), 'x', `colonies_metrics_${'A'.repeat(43)}`];
	for (const text of wrong) {
		problem(await served.send(bearing(text)), 401, 'unauthenticated', /unknown or revoked/);
	}

	for (const text of ['', 'two words', '\u00E9']) {
		problem(await served.send(bearing(text)), 401, 'unauthenticated');
	}

	const answers = await Promise.all(Array.from({length: 200}, async (_, index) => served.send(bearing(index === 100 ? token : wrong[index % wrong.length]!))));
	assert.deepEqual(answers.flatMap(({status}, index) => status === 200 ? [index] : []), [100]);
	const request = signed(colony.owner, {method: 'GET', target: '/metrics'});
	problem(await served.send({...request, headers: {...request.headers, authorization: `Bearer ${token}`}}), 400, 'invalid-input', /authorization too/);
});

test('a token is taken over plain HTTP, which the root password is not', async () => {
	const plain = await serve(database);
	const token = await newToken('plain');
	assert.equal((await plain.send(bearing(token))).status, 200);
	problem(await plain.send(byRoot(rootPassword, {method: 'GET', target: '/metrics'})), 403, 'not-allowed', /plain HTTP/);
});

test('there are 100 tokens at most', async () => {
	const fresh = await openColony(await openAny());
	for (let count = 1; count <= 100; count++) {
		await fresh.broker.run(root, 'token.create', {name: `token ${count}`});
	}

	await refused(fresh.broker.run(root, 'token.create', {name: 'one more'}), 'conflict', /There are 100 tokens already/);
	await refused(fresh.broker.run(root, 'token.create', {name: 'x'.repeat(61)}), 'invalid-input', /at most 60|1 to 60/);
});

test('while the database is away a token still reads that it is', {skip: noPostgres}, async () => {
	const server = await startPostgres();
	const own = await openPostgres(await freshDatabase(server));
	after(async () => own.close());
	const away = await serve(own, {secure: true, local: true});
	await openColony(own, away.context.broker);
	const {token} = await away.context.broker.run(root, 'token.create', {name: 'prometheus'});
	assert.match((await away.send(bearing(token))).text, /^colonies_database_up 1$/m);
	await server.stop();
	await turned(own, false);
	let text = '';
	for (const until = performance.now() + 30_000; !/^colonies_database_up 0$/m.test(text);) {
		assert.ok(performance.now() < until, text);
		const answer = await away.send(bearing(token));
		assert.equal(answer.status, 200, answer.text);
		({text} = answer);
	}

	problem(await away.send(bearing(`colonies_metrics_${'A'.repeat(43)}`)), 401, 'unauthenticated');
});

test('what is committed is counted once, by colony', async () => {
	const own = await openColony(database, broker);
	const labels = {colony: own.id};
	const count = (text: string, name: string, more: Record<string, string> = {}) => sample(text, `colonies_processes_${name}_total`, {...labels, ...more}) ?? 0;
	const computer = await own.computer();

	// Alone and in a list, under a key twice, refused, and at once.
	const one = await own.submit();
	const spec = {targetcolonyid: own.id};
	await broker.runMany({identity: own.owner}, 'process.submit', [{spec}, {spec}]);
	for (let time = 0; time < 2; time++) {
		await broker.run({identity: own.owner}, 'process.submit', {spec}, {idempotencyKey: 'once'});
	}

	await refused(broker.run({identity: computer}, 'process.submit', {spec: {targetcolonyid: colony.id}}), 'not-allowed');
	await Promise.all(Array.from({length: 6}, async () => own.submit()));
	assert.equal(count(await read(), 'submitted'), 10);

	const assigned = await Promise.all(Array.from({length: 10}, async () => own.assign(computer)));
	await refused(broker.run({identity: computer}, 'process.assign', {colonyid: own.id}), 'nothing-to-assign');
	assert.equal(assigned[0]!.processid, one.processid);
	await Promise.all(assigned.slice(0, 4).map(async process => own.close(computer, process)));
	await broker.run({identity: computer}, 'process.failed', {colonyid: own.id, processid: assigned[4]!.processid});
	await refused(broker.run({identity: computer}, 'process.failed', {colonyid: own.id, processid: assigned[4]!.processid}), 'conflict');
	await own.own('process.cancel', {processid: assigned[5]!.processid});
	await own.own('process.retry', {processid: assigned[5]!.processid});
	await own.own('process.cancel', {processid: assigned[5]!.processid});
	await own.own('computer.disapprove', {computerid: computer.id});

	const other = await own.computer();
	const strict = await own.submit({timeout: 1, maxretries: 1, targetcomputerids: [other.id], computertype: 'strict'});
	for (let attempt = 0; attempt < 2; attempt++) {
		await database.query('update colonies.live set entered_at = entered_at - interval \'1 day\', submission_time = submission_time - interval \'1 day\' where process_id = decode($1, \'hex\')', [strict.processid]);
		assert.equal((await own.assign(other)).processid, strict.processid);
		await database.query('update colonies.live set deadline = statement_timestamp() - interval \'1 second\' where process_id = decode($1, \'hex\')', [strict.processid]);
		assert.equal(await broker.endExpired(), 1);
	}

	const text = await read();
	assert.deepEqual({
		submitted: count(text, 'submitted'), assigned: count(text, 'assigned'),
		successful: count(text, 'closed', {outcome: 'successful'}), failed: count(text, 'closed', {outcome: 'failed'}), cancelled: count(text, 'closed', {outcome: 'cancelled'}), expired: count(text, 'closed', {outcome: 'expired'}),
		deadline: count(text, 'requeued', {reason: 'deadline'}), computer: count(text, 'requeued', {reason: 'computer'}), retry: count(text, 'requeued', {reason: 'retry'}),
	}, {submitted: 11, assigned: 12, successful: 4, failed: 1, cancelled: 2, expired: 1, deadline: 1, computer: 4, retry: 1});
	assert.equal(sample(text, 'colonies_process_wait_seconds_count', labels), 12);
	// A cancelled process that never ran has no time.
	assert.equal(sample(text, 'colonies_process_run_seconds_count', labels), 7);
	atLeast(text, 'colonies_process_wait_seconds_sum', 86_400, labels);
	atLeast(text, 'colonies_group_calls_sum', 6, {operation: 'process.submit'});
	atLeast(text, 'colonies_group_calls_sum', 5, {operation: 'process.assign'});
	atLeast(text, 'colonies_group_calls_sum', 4, {operation: 'process.successful'});

	// The whole of it is what the history has.
	const {rows} = await database.query<{what: string; count: number}>('select what, count(*)::int as count from colonies.history where colony_id = decode($1, \'hex\') and noun = \'process\' group by what', [own.id]);
	const told = Object.fromEntries(rows.map(({what, count}) => [what, count]));
	assert.deepEqual([told['process.submit'], told['process.assign'], told['process.successful'], told['process.expire']], [11, 12, 4, 1]);
});

test('the queue, the seals and the retention are measured', async () => {
	const own = await openColony(database, broker);
	/** Read anew, by a server that has read nothing yet. */
	const readNow = async () => read(await serve(database, {secure: true, local: true}));
	const oldest = (text: string) => sample(text, 'colonies_oldest_waiting_seconds', {colony: own.id});
	const process = await own.submit();
	await database.query('update colonies.live set entered_at = entered_at - interval \'1 hour\', submission_time = submission_time - interval \'1 hour\' where process_id = decode($1, \'hex\')', [process.processid]);
	await own.own('process.retention', {successful: '1d'});
	const before = await readNow();
	atLeast(before, 'colonies_oldest_waiting_seconds', 3600, {colony: own.id});
	atLeast(before, 'colonies_history_unsealed_rows', 1);
	atLeast(before, 'colonies_history_unsealed_seconds', Number.MIN_VALUE);
	const computer = await own.computer();
	await own.close(computer, await own.assign(computer));
	while (await broker.seal()) {
		// Until all is sealed.
	}

	const between = await readNow();
	assert.deepEqual([oldest(between), sample(between, 'colonies_history_unsealed_rows'), sample(between, 'colonies_history_unsealed_seconds')], [0, 0, 0]);
	assert.deepEqual(['processes', 'history'].map(kind => sample(between, 'colonies_retention_overdue_seconds', {kind})), [0, 0]);
	await database.query('update colonies.closed set end_time = end_time - interval \'3 days\' where process_id = decode($1, \'hex\')', [process.processid]);
	atLeast(await readNow(), 'colonies_retention_overdue_seconds', 2 * 86_400, {kind: 'processes'});

	// One that came back waits since then, however long ago it was submitted.
	await own.own('process.retry', {processid: process.processid});
	const age = oldest(await readNow())!;
	assert.ok(age < 3000, `${age} s`);
});

test('the history is measured against its retention', async () => {
	const own = await openColony(await openAny());
	await own.broker.run(root, 'history.retention', {days: 10});
	assert.equal((await own.broker.statistics()).overdue.history, 0);
	await own.database.query('insert into colonies.history (txid, at, actor, noun, subject_id, what) select txid_current() + base, statement_timestamp() - interval \'12 days\', $1, $2, $1, $3 from colonies.txid_base', ['root', 'installation', 'database.rootpassword']);
	const {history} = (await own.broker.statistics()).overdue;
	assert.ok(history > 86_400 && history < 3 * 86_400, `${history} s`);
	await own.broker.run(root, 'history.retention', {days: 0});
	assert.equal((await own.broker.statistics()).overdue.history, 0);
});

/** Counts the statements that work sends to a database. */
async function statementsOf(database: Database, work: (broker: Broker) => Promise<unknown>): Promise<number> {
	let count = 0;
	const counting = new Proxy(database, {
		get(target, name) {
			const value = Reflect.get(target, name) as unknown;
			if (name === 'query') {
				return async (text: string, values?: readonly unknown[]) => {
					count++;
					return target.query(text, values);
				};
			}

			return typeof value === 'function' ? value.bind(target) as unknown : value;
		},
	});
	await work(new Broker(counting, {local: true}));
	return count;
}

test('reading takes the same few statements however full the database is', async () => {
	const own = await openColony(await openAny());
	const empty = await statementsOf(own.database, async broker => broker.statistics());
	for (let count = 0; count < 5; count++) {
		const next = await openColony(own.database, own.broker);
		await Promise.all(Array.from({length: 20}, async () => next.submit()));
	}

	assert.equal(await statementsOf(own.database, async broker => broker.statistics()), empty);
	assert.ok(empty <= 12, `${empty} statements`);
});

test('of many colonies the first thousand have labels of their own', async () => {
	const registry = new Registry();
	const hear = countWork(registry);
	for (let index = 0; index < 1010; index++) {
		hear({moves: [{colony: `colony ${index}`, kind: 'submitted'}, {colony: `colony ${index}`, kind: 'closed', outcome: 'failed', seconds: undefined}]});
	}

	hear({moves: [{colony: 'colony 5', kind: 'submitted'}]});
	const text = await registry.metrics();
	assert.equal(text.match(/^colonies_processes_submitted_total{/gm)!.length, 1001);
	assert.equal(sample(text, 'colonies_processes_submitted_total', {colony: 'other'}), 10);
	assert.equal(sample(text, 'colonies_processes_submitted_total', {colony: 'colony 5'}), 2);
	assert.equal(sample(text, 'colonies_processes_closed_total', {colony: 'other', outcome: 'failed'}), 10);
});

test('a handler that is closed counts no more', async () => {
	const context = brokerContext(database, {kind: 'database', name: 'test', local: true});
	const stop = context.broker.hearCommitted(() => {
		throw new Error('It was to hear nothing.');
	});
	stop();
	const own = await openColony(database, context.broker);
	await own.submit();
});

test('promtool finds nothing wrong with the metrics', {skip: noPrometheus}, async () => {
	const own = await openColony(database, broker);
	const computer = await own.computer();
	await own.close(computer, await own.running(computer));
	const {status, said} = promtool(['check', 'metrics'], await read());
	assert.deepEqual([status, said], [0, '']);
});
