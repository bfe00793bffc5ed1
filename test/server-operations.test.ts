import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Validator} from '@seriousme/openapi-schema-validator';
import type {Computer, Process} from '../source/core/types.ts';
import {createIdentity, type Identity} from '../source/identity/index.ts';
import {type AnyOperation, listRoute, type OperationName, operations, splitRoute} from '../source/operations/index.ts';
import {describeRoutes} from '../source/server/index.ts';
import {noticeHeader} from '../source/server/notices.ts';
import {openAny, openColony, rootPassword} from './support/colony.ts';
import {conforms, document} from './support/openapi.ts';
import {type Answer, problem, serve, signed} from './support/server.ts';

const database = await openAny();
const colony = await openColony(database);
const other = await openColony(database, colony.broker);
const served = await serve(database, {secure: true});

/** An answer that was given, and that the document promised. */
async function given(who: Identity | string, name: OperationName, input: Record<string, unknown>): Promise<Record<string, any>> {
	const {method, path} = splitRoute(operations[name].route);
	const answer = await served.call(who, name, input);
	assert.ok(answer.status === 200 || answer.status === 204, answer.text);
	conforms(path, method, answer);
	return answer.json as Record<string, any>;
}

async function listed(who: Identity, name: OperationName, inputs: Array<Record<string, unknown>>): Promise<Answer> {
	const {method, path} = splitRoute(listRoute(operations[name] as AnyOperation));
	const answer = await served.many(who, name, inputs);
	conforms(path, method, answer);
	return answer;
}

test('every operation answers over HTTP as the OpenAPI document says', async () => {
	const done = new Set<OperationName>();
	const call = async (who: Identity | string, name: OperationName, input: Record<string, unknown> = {}) => {
		done.add(name);
		return given(who, name, input);
	};

	const [owner, computer] = [createIdentity().identity, createIdentity().identity];
	const colonyid = owner.id;
	assert.deepEqual(await call(rootPassword, 'colony.register', {colonyid, spec: {name: 'elsewhere'}}), {colonyid, name: 'elsewhere'});
	assert.equal((await call(rootPassword, 'colony.list', {count: 1})).rows.length, 1);
	assert.deepEqual((await call(rootPassword, 'cell.list', {})).map(({answers}: {answers: boolean}) => answers), [true]);
	assert.equal((await call(owner, 'colony.get', {colonyid})).name, 'elsewhere');
	assert.equal((await call(owner, 'computer.register', {colonyid, computerid: computer.id, spec: {name: 'lab', cores: 4, mem: 4000, cpu: 'Zen'}})).status, 0);
	assert.equal((await call(owner, 'computer.approve', {colonyid, computerid: computer.id})).status, 1);
	assert.deepEqual((await call(computer, 'computer.list', {colonyid, state: 'approved', text: 'la'})).rows.map(({computerid}: Computer) => computerid), [computer.id]);
	assert.deepEqual(await call(owner, 'computer.count', {colonyid}), {pending: 0, approved: 1, disapproved: 0});
	assert.equal((await call(owner, 'computer.get', {colonyid, computerid: computer.id})).cpu, 'Zen');
	const {processid} = await call(owner, 'process.submit', {spec: {targetcolonyid: colonyid, in: {key: 'väl=ue & +'}, timeout: 100, maxretries: 3}});
	assert.equal((await call(computer, 'process.list', {colonyid, state: 'waiting', attribute: 'key=väl=ue & +'})).rows.length, 1);
	assert.equal((await call(computer, 'process.list', {colonyid, filter: 'in.key="väl=ue & +" age<1h'})).rows.length, 1);
	assert.deepEqual(await call(owner, 'filter.suggest', {colonyid, list: 'computers', field: 'name', prefix: 'l'}), [{value: 'lab', summary: `approved ${computer.id.slice(0, 8)}`}]);
	assert.equal((await call(computer, 'process.list', {colonyid, runnableby: computer.id, attributes: false})).rows.length, 1);
	const why = await call(owner, 'process.explain', {colonyid, processid});
	assert.deepEqual([why.verdict, why.computers.length, why.others], ['being-taken', 1, [{unmet: [], count: 1}]]);
	assert.deepEqual(await call(owner, 'process.reasons', {colonyid, processids: [processid]}), [{processid, verdict: 'being-taken', says: 'not fetched', behind: 0, more: false}]);
	assert.equal((await call(owner, 'computer.forecast', {colonyid, computerid: computer.id, change: 'remove'})).stranded, 1);
	assert.deepEqual(await call(owner, 'computer.forecastmany', {colonyid, computerids: [computer.id], change: 'disapprove'}), {computers: 1, change: 'disapprove', fitting: 1, runnable: 0, stranded: 1, requeued: 0});
	assert.deepEqual((await call(owner, 'attention.list', {colonyid})).rows, []);
	assert.deepEqual(await call(owner, 'process.count', {colonyid}), {waiting: 1, running: 0, successful: 0, failed: 0});
	const {version} = await call(owner, 'process.version', {colonyid, processid});
	const assigned = await call(computer, 'process.assign', {colonyid, wait: 1.5});
	assert.equal(assigned.processid, processid);
	assert.match(assigned.deadline, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
	const {attributeid} = await call(computer, 'attribute.add', {colonyid, processid, key: 'result', value: '\u{1F600}\n"'});
	assert.equal((await call(owner, 'attribute.get', {colonyid, processid, attributeid})).value, '\u{1F600}\n"');
	assert.equal((await call(owner, 'attribute.list', {colonyid, processid})).length, 2);
	assert.equal((await call(computer, 'process.successful', {colonyid, processid})).status, 2);
	assert.notEqual((await call(owner, 'process.version', {colonyid, processid})).version, version);
	assert.equal((await call(owner, 'process.retry', {colonyid, processid, ifstate: 'successful', ifretries: 0})).status, 0);
	assert.equal((await call(computer, 'process.assign', {colonyid})).processid, processid);
	assert.equal((await call(computer, 'process.failed', {colonyid, processid, computerid: computer.id})).status, 3);
	const again = await call(owner, 'process.submit', {spec: {targetcolonyid: colonyid}});
	assert.equal((await call(owner, 'process.cancel', {colonyid, processid: again.processid})).status, 3);
	assert.deepEqual(await call(owner, 'process.get', {colonyid, processid}), await colony.as(owner, 'process.get', {colonyid, processid}));
	assert.equal((await call(owner, 'process.history', {colonyid, processid, count: 100})).rows.at(-1).to, 'failed');
	assert.ok((await call(owner, 'process.compare', {colonyid, processid, with: again.processid})).length > 2);
	assert.equal((await call(owner, 'process.remove', {colonyid, processid})).processid, processid);
	assert.ok((await call(computer, 'event.list', {colonyid, count: 100})).rows.length > 10);
	assert.ok((await call(computer, 'pulse.get', {colonyid, span: '7d', by: 'type'})).totals.submitted > 1);
	assert.equal((await call(owner, 'pulse.get', {colonyid, by: 'computer', step: '5m'})).series.assigned.length, 12);
	assert.ok(Date.parse((await call(computer, 'database.status', {colonyid})).clock) > 0);
	assert.equal((await call(owner, 'computer.disapprove', {colonyid, computerid: computer.id, ifstate: 'approved'})).status, 2);
	await colony.broker.seal();
	const {rows: [entry]} = await call(owner, 'audit.list', {colonyid, what: 'disapprove', text: 'lab', count: 5});
	assert.equal(entry.name, 'lab');
	assert.equal((await call(owner, 'audit.get', {colonyid, entry: entry.id})).seal.number, (await call(owner, 'audit.head', {colonyid})).number);
	const {hash} = await call(rootPassword, 'audit.head');
	assert.equal((await call(owner, 'audit.verify', {colonyid, head: hash})).intact, true);
	assert.equal((await call(rootPassword, 'audit.verify', {after: 0})).fault, null);
	assert.deepEqual((await call(owner, 'audit.present', {colonyid})).deviations, []);
	assert.equal((await call(rootPassword, 'audit.verify', {head: 'f'.repeat(64)})).fault.kind, 'head');
	assert.deepEqual(await call(rootPassword, 'history.retention', {days: 30}), {days: 30, compressafter: null, droppedbefore: null});
	assert.equal((await call(owner, 'history.get', {colonyid})).days, 30);
	assert.deepEqual(await call(owner, 'process.retention', {colonyid, failed: '90d'}), await call(owner, 'process.kept', {colonyid}));
	assert.equal((await call(rootPassword, 'process.retention', {successful: '30d'})).installation.successful, '30d');
	const {token} = await call(rootPassword, 'token.create', {name: 'prometheus/é'});
	assert.match(token, /^colonies_metrics_[\w-]{43}$/);
	assert.deepEqual((await call(rootPassword, 'token.list')).map(({name, createdby}: {name: string; createdby: string}) => [name, createdby]), [['prometheus/é', 'root']]);
	assert.equal((await call(rootPassword, 'token.revoke', {name: 'prometheus/é'})).name, 'prometheus/é');
	assert.equal((await call(owner, 'computer.rename', {colonyid, computerid: computer.id, name: 'lab é'})).name, 'lab é');
	const keyid = createIdentity().identity.id;
	assert.equal((await call(owner, 'computer.rekey', {colonyid, computerid: computer.id, keyid})).keyid, keyid);
	assert.equal((await call(rootPassword, 'colony.rename', {colonyid, name: 'somewhere'})).name, 'somewhere');
	assert.equal((await call(rootPassword, 'colony.rename', {colonyid, name: 'elsewhere'})).name, 'elsewhere');
	assert.equal((await call(owner, 'computer.remove', {colonyid, computerid: computer.id, ifstate: 'disapproved'})).computerid, computer.id);
	assert.equal((await call(rootPassword, 'colony.remove', {colonyid, name: 'elsewhere'})).colonyid, colonyid);
	assert.equal(await call(rootPassword, 'database.rootpassword', {newrootpassword: rootPassword}), undefined);
	// Of one cell no colony can be moved.
	assert.deepEqual([...done, 'colony.move'].sort(), Object.keys(operations).sort());
});

test('the OpenAPI document is valid, served, and describes every route', async () => {
	const answer = await served.send({method: 'GET', target: '/openapi.json', headers: {}});
	assert.equal(answer.status, 200);
	assert.deepEqual(answer.json, document);
	const validity = await new Validator().validate(answer.json);
	assert.ok(validity.valid, JSON.stringify(validity.errors));
	for (const operation of Object.values(operations) as AnyOperation[]) {
		for (const route of [operation.route, listRoute(operation)]) {
			const {method, path} = splitRoute(route);
			assert.ok(answer.json.paths[path][method.toLowerCase()], route);
			assert.ok(describeRoutes().includes(`| \`${operation.name}\` | \`${route}\` |`), route);
		}
	}
});

test('a list is submitted, assigned and closed in one request each', async () => {
	const computer = await colony.computer();
	const specs = Array.from({length: 20}, (_, index) => ({spec: {targetcolonyid: colony.id, targetcomputerids: [computer.id], in: {index: String(index)}}}));
	const submitted = await listed(colony.owner, 'process.submit', specs);
	assert.deepEqual(submitted.json.map((process: Process) => process.in![0]!.value), specs.map(({spec}) => spec.in.index));
	const ids = submitted.json.map(({processid}: Process) => processid);

	const few = await served.many(computer, 'process.assign', Array.from({length: 5}, () => ({colonyid: colony.id})));
	assert.deepEqual(few.json.map(({processid}: Process) => processid), ids.slice(0, 5));
	const rest = await listed(computer, 'process.assign', Array.from({length: 30}, () => ({colonyid: colony.id})));
	assert.deepEqual(rest.json.map(({processid}: Process) => processid), ids.slice(5));
	problem(await served.many(computer, 'process.assign', [{colonyid: colony.id}, {colonyid: colony.id}]), 404, 'nothing-to-assign');

	const unknown = 'f'.repeat(64);
	const closed = await listed(computer, 'process.successful', [...ids, unknown].map((processid: string) => ({colonyid: colony.id, processid})));
	assert.deepEqual(closed.json.slice(0, 20).map(({result}: {result: Process}) => result.status), ids.map(() => 2));
	assert.deepEqual(closed.json[20].problem.code, 'not-found');
	const twice = await listed(computer, 'process.failed', [{colonyid: colony.id, processid: ids[0]}]);
	assert.equal(twice.json[0].problem.code, 'conflict');
	assert.equal(twice.json[0].problem.status, 409);
});

test('processes and computers are changed in lists, each for itself, when they are as expected', async () => {
	const computer = await colony.computer();
	const [one, other, third] = [await colony.running(computer), await colony.running(computer), await colony.submit({targetcomputerids: [computer.id]})];
	await colony.close(computer, one, 'failed');
	const ids = [one, other, third].map(({processid}) => ({colonyid: colony.id, processid}));
	const versions = (await listed(colony.owner, 'process.version', [...ids, {colonyid: colony.id, processid: 'f'.repeat(64)}])).json;
	assert.equal(versions[3].problem.code, 'not-found');
	const asked = ids.map((id, index) => ({...id, ifversion: versions[index].result.version as string, ifsince: versions[index].result.since as string}));
	const codes = ({json}: Answer) => (json as Array<{problem?: {code: string}; result?: {status: number}}>).map(({problem, result}) => problem?.code ?? result?.status);
	assert.deepEqual(codes(await listed(colony.owner, 'process.retry', asked)), [0, 'conflict', 'conflict']);
	assert.deepEqual(codes(await listed(colony.owner, 'process.cancel', asked)), ['conflict', 3, 3]);
	assert.deepEqual(codes(await listed(colony.owner, 'process.remove', ids)), [0, 3, 3]);
	problem(await served.many(colony.owner, 'process.remove', Array.from({length: 101}, () => ids[0]!)), 400, 'invalid-input', /1 to 100, not of 101/);
	const list = async (verb: 'approve' | 'disapprove' | 'remove', ifstate?: string) => listed(colony.owner, `computer.${verb}`, [{colonyid: colony.id, computerid: computer.id, ...(ifstate ? {ifstate} : {})}]);
	assert.deepEqual(codes(await list('disapprove', 'pending')), ['conflict']);
	assert.deepEqual(codes(await list('disapprove', 'approved')), [2]);
	assert.deepEqual(codes(await list('approve', 'disapproved')), [1]);
	assert.deepEqual(codes(await list('remove')), [1]);
	assert.deepEqual(codes(await list('remove')), ['not-found']);
});

test('of a list of submissions all or none are taken', async () => {
	const before = await colony.own('process.count');
	const answer = await served.many(colony.owner, 'process.submit', [{spec: {targetcolonyid: colony.id}}, {spec: {targetcolonyid: colony.id, cores: -1}}]);
	problem(answer, 400, 'invalid-input', /number 2.*cores/);
	assert.deepEqual(await colony.own('process.count'), before);
	for (const [body, detail] of [[[], /1 to 1000/], [Array.from({length: 1001}, () => ({spec: {}})), /not of 1001/], [[1], /JSON object/]] as const) {
		problem(await served.send(signed(colony.owner, {method: 'POST', target: `/colonies/${colony.id}/processes`, body})), 400, 'invalid-input', detail);
	}
});

test('what a run has to say fits into a header, whatever is said', () => {
	assert.deepEqual(noticeHeader(['Blå, fält.', 'Two.']).split(', ').map(text => decodeURIComponent(text)), ['Blå, fält.', 'Two.']);
	assert.ok(noticeHeader(Array.from({length: 5000}, () => 'x'.repeat(600))).length < 11_000);
	assert.doesNotThrow(() => noticeHeader(['\uD800']));
});

test('ids that are forged widen nothing', async () => {
	const [mine, theirs] = [await colony.computer(), await other.computer()];
	const process = await other.submit();
	const foreign = {colonyid: other.id, processid: process.processid};
	for (const [name, input, status, code] of [
		['colony.get', {colonyid: other.id}, 403, 'not-allowed'],
		['process.list', {colonyid: other.id}, 403, 'not-allowed'],
		['process.get', foreign, 403, 'not-allowed'],
		['process.get', {colonyid: colony.id, processid: process.processid}, 404, 'not-found'],
		['process.assign', {colonyid: other.id}, 403, 'not-allowed'],
		['process.assign', {colonyid: colony.id, computerid: theirs.id}, 403, 'not-allowed'],
		['process.submit', {spec: {targetcolonyid: other.id}}, 403, 'not-allowed'],
		['process.successful', foreign, 403, 'not-allowed'],
		['process.cancel', foreign, 403, 'not-allowed'],
		['attribute.add', {...foreign, key: 'a', value: 'b'}, 403, 'not-allowed'],
		['computer.approve', {colonyid: colony.id, computerid: mine.id}, 403, 'not-allowed'],
		['computer.get', {colonyid: colony.id, computerid: theirs.id}, 404, 'not-found'],
		['filter.suggest', {colonyid: other.id, list: 'processes', field: 'type'}, 403, 'not-allowed'],
		['event.list', {colonyid: other.id}, 403, 'not-allowed'],
		['pulse.get', {colonyid: other.id}, 403, 'not-allowed'],
		['colony.list', {}, 403, 'not-allowed'],
		['colony.remove', {colonyid: colony.id}, 403, 'not-allowed'],
		['database.rootpassword', {newrootpassword: 'mine now'}, 403, 'not-allowed'],
	] as Array<[OperationName, Record<string, unknown>, number, string]>) {
		problem(await served.call(mine, name, input), status, code);
	}

	problem(await served.send(signed(mine, {method: 'POST', target: `/colonies/${colony.id}/processes`, body: {spec: {targetcolonyid: other.id}}})), 400, 'invalid-input', /spec.targetcolonyid/);
	problem(await served.call(rootPassword, 'process.list', {colonyid: colony.id}), 403, 'not-allowed');
	assert.equal(await other.state(process), 'waiting');
});

test('an owner who is a computer too changes itself from several sides at once', async () => {
	await colony.own('computer.register', {computerid: colony.id, spec: {name: 'myself'}});
	const answers = await Promise.all(Array.from({length: 24}, async (_, index) => served.call(colony.owner, index % 2 === 0 ? 'computer.approve' : 'computer.disapprove', {colonyid: colony.id, computerid: colony.id})));
	assert.deepEqual(new Set(answers.map(({status}) => status === 409 ? 200 : status)), new Set([200]));
});
