import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {Conflict, Unavailable} from '../source/core/errors.ts';
import {processStates} from '../source/core/types.ts';
import type {Client, Database} from '../source/database/types.ts';
import {type Identity, verifyHttp} from '../source/identity/index.ts';
import {
	Broker, type Caller, type InputOf, type OperationName,
} from '../source/operations/index.ts';
import {openAny, openColony, refused} from './support/colony.ts';
import {oneByOne} from './support/plans.ts';
import {authority, signed, wire} from './support/server.ts';

const database = await openAny();
const colony = await openColony(database);
after(async () => colony.broker.close());

/** Who asked has hung up. */
const gone = AbortSignal.abort();

/** Who a signed request is by, as a server finds out. */
function signerOf<Name extends OperationName>(identity: Identity, name: Name, input: InputOf<Name>): Caller {
	return {signer: verifyHttp({...signed(identity, wire(name, input)), authority}, {now: Date.now()})};
}

test('nothing is assigned for a caller who has gone', async () => {
	const computer = await colony.computer();
	const process = await colony.submit();
	const ask = async (wait: number, signal?: AbortSignal) => colony.broker.run({identity: computer}, 'process.assign', {colonyid: colony.id, wait}, {signal});
	await refused(ask(60, gone), 'nothing-to-assign', /not waited for any longer/);
	await refused(ask(0, gone), 'nothing-to-assign', /not waited for any longer/);
	assert.equal(await colony.state(process), 'waiting');
	assert.equal((await ask(0)).processid, process.processid);
});

test('what was assigned already under an idempotency key is told to a caller who has gone, too', async () => {
	const computer = await colony.computer();
	await colony.submit({targetcomputerids: [computer.id]});
	const ask = async (signal?: AbortSignal) => colony.broker.run({identity: computer}, 'process.assign', {colonyid: colony.id}, {signal, idempotencyKey: 'my turn'});
	const {processid} = await ask();
	assert.equal((await ask(gone)).processid, processid);
});

test('a caller who has gone leaves nothing under its idempotency key', async () => {
	const computer = await colony.computer();
	await colony.submit({targetcomputerids: [computer.id]});
	const ask = async (signal?: AbortSignal) => colony.broker.run({identity: computer}, 'process.assign', {colonyid: colony.id}, {signal, idempotencyKey: 'again'});
	await refused(ask(gone), 'nothing-to-assign');
	assert.equal((await ask()).targetcomputerids[0], computer.id);
});

test('what does not wait is carried out whoever listens', async () => {
	const {processid} = await colony.broker.run({identity: colony.owner}, 'process.submit', {spec: {targetcolonyid: colony.id}}, {signal: gone});
	assert.equal(await colony.state({processid}), 'waiting');
});

test('a signed request changes something once', async () => {
	const input = {spec: {targetcolonyid: colony.id}};
	const signer = signerOf(colony.owner, 'process.submit', input);
	const {processid} = await colony.broker.run(signer, 'process.submit', input);
	const error = await refused(colony.broker.run(signer, 'process.submit', input), 'unauthenticated', /^This request was carried out or refused before, or its time is over\.$/);
	assert.equal(error.hint, 'Sign each request anew, with a nonce of its own.');
	assert.equal(await colony.state({processid}), 'waiting');
});

test('a signed request that reads may come again', async () => {
	const input = {colonyid: colony.id};
	const signer = signerOf(colony.owner, 'process.count', input);
	assert.deepEqual(await colony.broker.run(signer, 'process.count', input), await colony.broker.run(signer, 'process.count', input));
});

test('a signed request that was refused is not carried out later, and leaves nothing else', async () => {
	const {processid} = await colony.submit();
	const input = {colonyid: colony.id, processid};
	const signer = signerOf(colony.owner, 'process.retry', input);
	await refused(colony.broker.run(signer, 'process.retry', input), 'conflict');
	const before = await colony.history(processid);
	await colony.own('process.cancel', {processid});
	await refused(colony.broker.run(signer, 'process.retry', input), 'unauthenticated');
	assert.equal(await colony.state({processid}), 'failed');
	assert.equal((await colony.history(processid)).length, before.length + 2);
});

test('a signed request of somebody who may not do it stays refused when they may', async () => {
	const computer = await colony.computer({state: 'pending'});
	const input = {spec: {targetcolonyid: colony.id}};
	const signer = signerOf(computer, 'process.submit', input);
	const told: string[] = [];
	await refused(colony.broker.run(signer, 'process.submit', input, {notice: sentence => told.push(sentence)}), 'not-allowed');
	assert.deepEqual(told, []);
	await colony.own('computer.approve', {computerid: computer.id});
	await refused(colony.broker.run(signer, 'process.submit', input), 'unauthenticated');
	await colony.broker.run(signerOf(computer, 'process.submit', input), 'process.submit', input);
});

test('of a list each has an answer of its own', async () => {
	const computer = await colony.computer();
	const running = await colony.running(computer);
	const inputs = [{colonyid: colony.id, processid: running.processid}, {colonyid: colony.id, processid: '0'.repeat(64)}];
	const answers = await colony.broker.runMany({identity: computer}, 'process.successful', inputs);
	assert.deepEqual(answers.map(answer => 'code' in answer ? answer.code : 'done'), ['done', 'not-found']);
});

/** A broker on a database that goes away at the first statement that a pattern fits. */
function failing(pattern: RegExp, error: Error, groups = true): Broker {
	let isAway = false;
	const breaking = (client: Client): Client => ({
		async query(text, values) {
			if (!isAway && pattern.test(text)) {
				isAway = true;
				throw error;
			}

			return client.query(text, values);
		},
	});
	const broken: Database = {
		...database,
		query: async (text, values) => database.query(text, values),
		transaction: async work => database.transaction(async client => work(breaking(client))),
		flight: async statements => database.transaction(async client => oneByOne(breaking(client), statements)),
		listen: async () => async () => undefined,
		notify: async () => undefined,
		close: async () => undefined,
	};
	return new Broker(broken, {local: true, groups});
}

test('a signed request that failed by no fault of its own may come again', async () => {
	const input = {spec: {targetcolonyid: colony.id}};
	for (const error of [new Error('It broke.'), new Unavailable('The cable was pulled.')]) {
		const signer = signerOf(colony.owner, 'process.submit', input);
		await assert.rejects(failing(/insert into colonies\.live/, error).run(signer, 'process.submit', input), new RegExp(error.message));
		const {processid} = await colony.broker.run(signer, 'process.submit', input);
		assert.equal(await colony.state({processid}), 'waiting');
	}
});

test('a signed request that is refused when something was done for it already leaves nothing of that, and is spent', async () => {
	const input = {spec: {targetcolonyid: colony.id, mem: 54_321}};
	const signer = signerOf(colony.owner, 'process.submit', input);
	const kinds = async () => database.query('select from colonies.demands where colony_id = colonies.bytes_of($1) and mem = $2', [colony.id, input.spec.mem]);
	await refused(failing(/insert into colonies\.live/, new Conflict('There is one already.'), false).run(signer, 'process.submit', input), 'conflict');
	assert.equal((await kinds()).rowCount, 0);
	await refused(colony.broker.run(signer, 'process.submit', input), 'unauthenticated');
	await colony.broker.run(signerOf(colony.owner, 'process.submit', input), 'process.submit', input);
	assert.equal((await kinds()).rowCount, 1);
});

test('the same request under an idempotency key gets the same processes, and nothing is done twice', async () => {
	const submit = async (cores: number, idempotencyKey: string) => colony.broker.run({identity: colony.owner}, 'process.submit', {spec: {targetcolonyid: colony.id, cores}}, {idempotencyKey});
	const {processid} = await submit(1, 'order');
	const count = await colony.own('process.count');
	await colony.own('process.cancel', {processid});
	const again = await submit(1, 'order');
	assert.deepEqual([again.processid, processStates[again.status]], [processid, 'failed']);
	assert.notEqual((await submit(1, 'order 2')).processid, processid);
	assert.equal((await colony.own('process.count')).waiting, count.waiting);
	const error = await refused(submit(2, 'order'), 'conflict', /^The idempotency key "order" was used for another request\.$/);
	assert.equal(error.hint, 'Use a key once, and again only to repeat the very same request.');
	await refused(colony.broker.run({identity: colony.owner}, 'computer.remove', {colonyid: colony.id, computerid: '0'.repeat(64)}, {idempotencyKey: 'order'}), 'conflict', /another request/);
});

test('an idempotency key means what its own signer did', async () => {
	const computer = await colony.computer();
	const submit = async (identity: Identity) => colony.broker.run({identity}, 'process.submit', {spec: {targetcolonyid: colony.id}}, {idempotencyKey: 'shared'});
	assert.notEqual((await submit(colony.owner)).processid, (await submit(computer)).processid);
});

test('an assignment that found nothing is kept when it did not wait; how long another one waits makes no difference', async () => {
	const quiet = await openColony(database, colony.broker);
	const computer = await quiet.computer();
	const ask = async (wait: number, idempotencyKey: string) => quiet.broker.run({identity: computer}, 'process.assign', {colonyid: quiet.id, wait}, {idempotencyKey});
	await refused(ask(0, 'none'), 'nothing-to-assign', /^No process was assigned\.$/);
	await refused(ask(0.001, 'waited'), 'nothing-to-assign');
	const {processid} = await quiet.submit();
	await refused(ask(0, 'none'), 'nothing-to-assign', /^No process was assigned\.$/);
	await refused(ask(60, 'none'), 'nothing-to-assign', /^No process was assigned\.$/);
	assert.equal((await ask(0, 'waited')).processid, processid);
	assert.equal((await ask(60, 'waited')).processid, processid);
});

test('several processes under one key come again in their order', async () => {
	const submit = async () => colony.broker.runMany({identity: colony.owner}, 'process.submit', [1, 2, 3].map(cores => ({spec: {targetcolonyid: colony.id, cores}})), {idempotencyKey: 'three'});
	const first = await submit();
	assert.deepEqual((await submit()).map(answer => 'result' in answer && answer.result.processid), first.map(answer => 'result' in answer && answer.result.processid));
});

test('of changes under one key those that were done are told again, be they gone, and those that were refused are refused', async () => {
	const [pending, approved, third] = [await colony.computer({state: 'pending', name: 'one'}), await colony.computer({name: 'two'}), await colony.computer({state: 'pending', name: 'three'})];
	const approve = async (idempotencyKey: string, ...ids: string[]) => colony.broker.runMany({identity: colony.owner}, 'computer.approve', ids.map(computerid => ({colonyid: colony.id, computerid})), {idempotencyKey});
	const told = (answers: Awaited<ReturnType<typeof approve>>) => answers.map(answer => 'result' in answer ? `${answer.result.name} ${answer.result.status}` : `${answer.code}: ${answer.message}`);
	const unknown = '0'.repeat(64);
	assert.deepEqual(told(await approve('key', pending.id, approved.id, unknown)).map(text => text.split(':')[0]), ['one 1', 'conflict', 'not-found']);
	await colony.own('computer.disapprove', {computerid: pending.id});
	await colony.own('computer.disapprove', {computerid: approved.id});
	const again = told(await approve('key', pending.id, approved.id, unknown));
	assert.equal(again[0], 'one 2');
	assert.match(again[1]!, /^conflict: The change of "[\da-f]{4}\.\.[\da-f]{4}" was refused when this request first came; nothing was changed\.$/);
	assert.match(again[2]!, /^not-found: /);
	await colony.own('computer.remove', {computerid: pending.id});
	assert.match(told(await approve('key', pending.id, approved.id, unknown))[0]!, /^one /);
	assert.deepEqual(told(await approve('other key', third.id)), ['three 1']);
	await refused(approve('key', third.id), 'conflict', /another request/);
	assert.equal((await colony.own('computer.get', {computerid: approved.id})).status, 2);
});

test('a change that was refused when it first came says what to do now', async () => {
	const [pending, approved] = [await colony.computer({state: 'pending'}), await colony.computer()];
	const approve = async () => colony.broker.runMany({identity: colony.owner}, 'computer.approve', [pending, approved].map(({id}) => ({colonyid: colony.id, computerid: id})), {idempotencyKey: 'advice'});
	await approve();
	const [, answer] = await approve();
	assert.ok(answer && 'hint' in answer);
	assert.equal(answer.hint, 'Look at it, and ask for it anew with another key.');
});

test('when the database goes away while changes are told again, nobody takes that for their answer', async () => {
	const [pending, approved] = [await colony.computer({state: 'pending', name: 'one'}), await colony.computer({name: 'two'})];
	const inputs = [pending, approved].map(({id}) => ({colonyid: colony.id, computerid: id}));
	const approve = async (broker: Broker) => broker.runMany({identity: colony.owner}, 'computer.approve', inputs, {idempotencyKey: 'cable'});
	const codes = (answers: Awaited<ReturnType<typeof approve>>) => answers.map(answer => 'result' in answer ? 'done' : answer.code);
	assert.deepEqual(codes(await approve(colony.broker)), ['done', 'conflict']);
	await assert.rejects(approve(failing(/from colonies.computers c where/, new Unavailable('The cable was pulled.'))), /The cable was pulled\./);
	assert.deepEqual(codes(await approve(colony.broker)), ['done', 'conflict']);
});

test('where all was refused nothing stands under the key', async () => {
	const computer = await colony.computer();
	const approve = async () => colony.broker.run({identity: colony.owner}, 'computer.approve', {colonyid: colony.id, computerid: computer.id}, {idempotencyKey: 'refused'});
	await refused(approve(), 'conflict', /approved already/);
	await colony.own('computer.disapprove', {computerid: computer.id});
	assert.equal((await approve()).status, 1);
});

test('whoever watches is told of what was changed, once it is committed', async () => {
	const told: string[][] = [];
	const heard = new Promise<void>(resolve => {
		const stop = colony.broker.news.watch(topics => {
			told.push([...topics].sort());
			if (told.flat().includes('computers')) {
				stop();
				resolve();
			}
		});
	});
	await colony.own('computer.register', {computerid: 'e'.repeat(64), spec: {name: 'lab'}});
	await heard;
	assert.ok(told.flat().includes('computers'));
});

/** What watchers are told while something is done: topics, and of how many processes that began to wait. */
async function toldOf(work: () => Promise<unknown>): Promise<{topics: string[]; waiting: number}> {
	const {news} = colony.broker;
	const topics = new Set<string>();
	let waiting = 0;
	// News come in their order: all before has been told when this is.
	const settle = async () => new Promise<void>(resolve => {
		const stop = news.watch(heard => {
			if (heard.has('colonies')) {
				stop();
				resolve();
			}
		});
		news.announce(['colonies']);
	});
	const stopWork = await news.watchWork(heard => {
		waiting += heard === 'any' ? 0 : [...heard.values()].reduce((sum, count) => sum + count, 0);
	});
	await settle();
	waiting = 0;
	const stop = news.watch(heard => {
		for (const topic of heard) {
			topics.add(topic);
		}
	});
	await work();
	await settle();
	stop();
	stopWork();
	topics.delete('colonies');
	return {topics: [...topics].sort(), waiting};
}

test('of work that goes back to the queue when a computer asks, all who wait are told, though this one gets nothing', async () => {
	const quiet = await openColony(database, colony.broker);
	const [computer, other] = [await quiet.computer(), await quiet.computer()];
	const ask = async () => refused(quiet.assign(other), 'nothing-to-assign');
	assert.deepEqual(await toldOf(ask), {topics: [], waiting: 0});
	const process = await quiet.running(computer, {timeout: 1, maxretries: 1});
	await quiet.passDeadlines(process);
	assert.deepEqual(await toldOf(ask), {topics: ['processes'], waiting: 1});
	assert.equal(await quiet.state(process), 'waiting');
	const last = await quiet.assign(computer);
	await quiet.passDeadlines(last);
	assert.deepEqual(await toldOf(ask), {topics: ['attributes', 'processes'], waiting: 0});
	assert.equal(await quiet.state(process), 'failed');
});

test('work that is submitted is told of once for each process', async () => {
	assert.deepEqual(await toldOf(async () => colony.broker.runMany({identity: colony.owner}, 'process.submit', [1, 2, 2].map(cores => ({spec: {targetcolonyid: colony.id, cores, targetcomputerids: ['f'.repeat(64)]}})))), {topics: ['processes'], waiting: 3});
});

test('of a change all is told that may look different for it', async () => {
	const computer = await colony.computer({state: 'pending'});
	const {topics} = await toldOf(async () => colony.own('computer.approve', {computerid: computer.id}));
	assert.deepEqual(topics, ['computers', 'processes']);
});

test('a computer is seen when it works, and not when it only looks', async () => {
	const computer = await colony.computer();
	const broker = new Broker(database, {local: true});
	await broker.run({identity: computer}, 'process.list', {colonyid: colony.id});
	await broker.close();
	const lastSeen = async () => (await colony.own('computer.get', {computerid: computer.id})).lastseen;
	assert.equal(await lastSeen(), undefined);
	const worker = new Broker(database, {local: true});
	await worker.run({identity: computer}, 'process.assign', {colonyid: colony.id}).catch(() => undefined);
	await worker.close();
	assert.ok(await lastSeen());
});

test('a change keeps the request that an operator signed, and none of what a computer does at work', async () => {
	const computer = await colony.computer({state: 'pending'});
	const input = {colonyid: colony.id, computerid: computer.id};
	await colony.broker.run(signerOf(colony.owner, 'computer.approve', input), 'computer.approve', input);
	const row = (await colony.history(computer.id)).find(({what}) => what === 'computer.approve');
	assert.ok(row!.request && row!.signature);
	const spec = {spec: {targetcolonyid: colony.id}};
	const {processid} = await colony.broker.run(signerOf(colony.owner, 'process.submit', spec), 'process.submit', spec);
	const [submitted] = await colony.history(processid);
	assert.deepEqual([submitted!.request, submitted!.signature, submitted!.actor], [null, null, colony.id]);
});
