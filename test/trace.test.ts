import assert from 'node:assert/strict';
import process from 'node:process';
import {after, test} from 'node:test';
import {SpanKind, SpanStatusCode} from '@opentelemetry/api';
import {BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor} from '@opentelemetry/sdk-trace-base';
import {copyInstallation} from '../source/database/copy.ts';
import {migrate} from '../source/database/index.ts';
import {connect, type Process} from '../source/index.ts';
import {Broker} from '../source/operations/index.ts';
import {programHandler} from '../source/work/program.ts';
import {work} from '../source/work/work.ts';
import {openAny, openColony, refused} from './support/colony.ts';
import {openSettled, temporaryFolder} from './support/commands.ts';
import {openBare} from './support/databases.ts';
import {happening} from './support/outcomes.ts';
import {
	serve, signed, testCertificate, wire,
} from './support/server.ts';

process.env.COLONIES_HOME = temporaryFolder();

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const [traceId, spanId] = traceparent.split('-').slice(1) as [string, string];
const another = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00';

const database = await openAny();
const served = await serve(database, {secure: true, local: true});
const colony = await openColony(database, served.context.broker);
const {fingerprint} = await testCertificate();
const specOf = (more: Record<string, unknown> = {}) => ({targetcolonyid: colony.id, ...more});

for (const [way, broker] of [['in a group', served.context.broker], ['alone', new Broker(database, {local: true, groups: false})]] as const) {
	test(`a process keeps its trace from the queue to its removal, ${way}`, async () => {
		const computer = await colony.computer();
		const own = {targetcomputerids: [computer.id], in: {key: 'value'}};
		const caller = {identity: colony.owner};
		// The kind of work is known to the second one, which may then be submitted in a group.
		const {processid: plain} = await broker.run(caller, 'process.submit', {spec: specOf(own)});
		const submitted = await broker.run(caller, 'process.submit', {spec: specOf({...own, traceparent})});
		assert.equal(submitted.traceparent, traceparent);
		assert.ok(!Object.hasOwn(await colony.own('process.get', {processid: plain}), 'traceparent'), 'it has none');
		const {processid} = submitted;
		const kept = async () => (await colony.own('process.get', {processid})).traceparent;
		const {at: moment} = await colony.own('process.list', {at: '-0s', count: 1});
		await colony.as(computer, 'process.cancel', {processid: plain}).catch(() => undefined);
		await colony.own('process.remove', {processid: plain});
		const assigned = await broker.run({identity: computer}, 'process.assign', {colonyid: colony.id});
		assert.deepEqual([assigned.processid, assigned.traceparent], [processid, traceparent]);
		const closed = await broker.run({identity: computer}, 'process.failed', {colonyid: colony.id, processid});
		assert.equal(closed.traceparent, traceparent);
		assert.equal(await kept(), traceparent);
		assert.equal((await colony.own('process.retry', {processid})).traceparent, traceparent);
		for (const attributes of [true, false]) {
			const {rows} = await colony.own('process.list', {state: 'waiting', attributes});
			assert.equal(rows.find(row => row.processid === processid)!.traceparent, traceparent);
		}

		assert.equal((await colony.own('process.cancel', {processid})).traceparent, traceparent);
		assert.deepEqual((await colony.own('audit.present')).deviations, []);
		assert.equal((await colony.own('process.remove', {processid})).traceparent, traceparent);
		assert.equal((await colony.own('process.get', {processid, at: moment})).traceparent, traceparent);
		const {rows} = await colony.own('process.list', {at: moment, count: 1000});
		assert.equal(rows.find(row => row.processid === processid)!.traceparent, traceparent);
		const details = (await colony.history(processid)).filter(({what}) => what === 'process.submit' || what === 'process.remove').map(({detail}) => (detail as Process).traceparent);
		assert.deepEqual(details, [traceparent, traceparent]);
	});
}

test('one that was altered is found', async () => {
	const {processid} = await colony.submit({traceparent});
	await database.query('update colonies.live set traceparent = $2 where process_id = decode($1, \'hex\')', [processid, another]);
	const {deviations} = await colony.own('audit.present');
	assert.deepEqual(deviations.map(({subject, message}) => [subject, message.includes('traceparent')]), [[processid, true]]);
	await colony.own('process.remove', {processid});
});

test('a copy of the database has it', async () => {
	const {processid} = await colony.submit({traceparent});
	const target = await openBare();
	after(async () => target.close());
	await migrate(target);
	await copyInstallation(database, target);
	const copied = await new Broker(target, {local: true}).run({identity: colony.owner}, 'process.get', {colonyid: colony.id, processid});
	assert.equal(copied.traceparent, traceparent);
	await colony.own('process.remove', {processid});
});

test('what is no traceparent is refused in a spec', async () => {
	for (const wrong of ['', 'x', `${traceparent}-more`, traceparent.toUpperCase().replace('B', 'Z'), 5, null]) {
		await refused(served.context.broker.run({identity: colony.owner}, 'process.submit', {spec: specOf({traceparent: wrong})}), 'invalid-input', /traceparent/);
	}

	const later = await colony.submit({traceparent: `01${traceparent.slice(2)}-more`});
	assert.equal(later.traceparent, traceparent);
	await colony.own('process.remove', {processid: later.processid});
});

test('the header of a submission is its trace, where the spec has none', async () => {
	const send = async (spec: Record<string, unknown>, header: string, options: {idempotencyKey?: string} = {}) => {
		const answer = await served.send(signed(colony.owner, wire('process.submit', {spec: specOf(spec)}), {headers: {traceparent: header}, ...options}));
		assert.equal(answer.status, 200, answer.text);
		return answer.json as Process;
	};

	assert.equal((await send({}, traceparent)).traceparent, traceparent);
	assert.equal((await send({traceparent: another}, traceparent)).traceparent, another);
	for (const malformed of ['x', `ff${traceparent.slice(2)}`, `${traceparent}-more`]) {
		assert.equal((await send({}, malformed)).traceparent, undefined);
	}

	// Each try of a client that is traced has a span of its own.
	const first = await send({}, traceparent, {idempotencyKey: 'traced'});
	assert.deepEqual(await send({}, another, {idempotencyKey: 'traced'}), first);
	const list = signed(colony.owner, {method: 'POST', target: `/colonies/${colony.id}/processes`, body: [{spec: {}}, {spec: {traceparent: another}}]}, {headers: {traceparent}});
	assert.deepEqual(((await served.send(list)).json as Process[]).map(process => process.traceparent), [traceparent, another]);
});

test('the command takes it, and the program of a computer finds it', {timeout: 60_000}, async () => {
	const {run, colony: colonyid, computer, contexts, home} = await openSettled();
	const submit = async (...words: string[]) => run(['process', 'submit', '--spec', '-', ...words], JSON.stringify({targetcolonyid: colonyid}));
	const given = JSON.parse((await submit('--traceparent', traceparent)).stdout) as Process;
	assert.equal(given.traceparent, traceparent);
	const wrong = await submit('--traceparent', 'x');
	assert.equal(wrong.code, 2);
	assert.match(wrong.stderr, /traceparent must be a traceparent of W3C Trace Context/);
	const {processid: without} = JSON.parse((await submit()).stdout) as Process;

	const context = await contexts.open({}, {attended: false});
	const identity = await home.keychain.identity(computer);
	const done = happening();
	let left = 2;
	const worker = work({
		context, identity, colonyid, notice: () => undefined,
		handler: programHandler({command: ['sh', '-c', 'test -n "$TRACEPARENT" && printf %s "$TRACEPARENT" || printf none'], env: {...process.env, TRACEPARENT: another}, notice: () => undefined}),
		report({state}) {
			left -= state === 'started' ? 0 : 1;
			if (left === 0) {
				done.tell();
			}
		},
	});
	await done.next();
	await worker.stop();
	const outputOf = async (processid: string) => (await context.run({identity}, 'process.get', {colonyid, processid})).out!.find(({key}) => key === 'stdout')!.value;
	assert.equal(await outputOf(given.processid), traceparent);
	assert.equal(await outputOf(without), 'none');
	await context.close();
});

test('a tracer makes a span of each submission and each attempt', {timeout: 60_000}, async () => {
	const exporter = new InMemorySpanExporter();
	const provider = new BasicTracerProvider({spanProcessors: [new SimpleSpanProcessor(exporter)]});
	after(async () => provider.shutdown());
	const own = await openColony(database, served.context.broker);
	const computer = await own.computer();
	const common = {host: '127.0.0.1', port: served.port, fingerprint, colonyid: own.id, tracer: provider.getTracer('test')};
	const [owner, worker] = await Promise.all([connect({...common, privateKey: own.privateKeys[0]!}), connect({...common, privateKey: own.privateKeys[1]!})]);
	const one = await owner.submit({in: {n: '1'}});
	const many = await owner.submit([{in: {n: '2'}}, {traceparent, in: {n: '3'}}]);
	await assert.rejects(async () => owner.submit({mem: -1}));
	const seen = new Map<string, string | undefined>();
	const done = happening();
	let left = 3;
	const running = worker.work(({process, traceparent, in: {n}}) => {
		seen.set(process.processid, traceparent);
		if (n === '2') {
			throw new Error('It went wrong.');
		}
	}, {
		notice: () => undefined,
		report({state}) {
			left -= state === 'started' ? 0 : 1;
			if (left === 0) {
				done.tell();
			}
		},
	});
	await done.next();
	await running.stop();
	await Promise.all([owner.close(), worker.close()]);

	const spans = exporter.getFinishedSpans();
	const sent = spans.filter(({kind}) => kind === SpanKind.PRODUCER);
	assert.deepEqual(sent.map(({attributes, status}) => [attributes['messaging.batch.message_count'], status.code]), [[undefined, SpanStatusCode.UNSET], [2, SpanStatusCode.UNSET], [undefined, SpanStatusCode.ERROR]]);
	const contextOf = (process: Process) => process.traceparent!.split('-').slice(1, 3);
	const contexts = sent.map(span => [span.spanContext().traceId, span.spanContext().spanId]);
	assert.deepEqual([contextOf(one), contextOf(many[0]!), contextOf(many[1]!)], [contexts[0], contexts[1], [traceId, spanId]]);

	const attempts = spans.filter(({kind}) => kind === SpanKind.CONSUMER);
	assert.equal(attempts.length, 3);
	for (const process of [one, ...many]) {
		const span = attempts.find(({attributes}) => attributes['messaging.message.id'] === process.processid)!;
		const {traceId, spanId} = span.spanContext();
		assert.deepEqual([traceId, span.parentSpanContext!.spanId], contextOf(process));
		assert.equal(seen.get(process.processid), `00-${traceId}-${spanId}-01`);
		const hasFailed = process.in![0]!.value === '2';
		assert.deepEqual(span.status, hasFailed ? {code: SpanStatusCode.ERROR, message: 'It went wrong.'} : {code: SpanStatusCode.OK});
	}
});
