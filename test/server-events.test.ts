import assert from 'node:assert/strict';
import type http from 'node:http';
import net from 'node:net';
import {test} from 'node:test';
import {createParser, type EventSourceMessage} from 'eventsource-parser';
import type {Identity} from '../source/identity/index.ts';
import {openAny, openColony, root, rootPassword, type Colony} from './support/colony.ts';
import {
	byRoot, problem, serve, signed, type Served,
} from './support/server.ts';

const database = await openAny();
const colony = await openColony(database);
const other = await openColony(database, colony.broker);
const [served, second] = [await serve(database), await serve(database)];

/** A stream that is read as it comes. */
class Reader {
	readonly messages: EventSourceMessage[] = [];
	comments = 0;
	isOver = false;
	#wake: () => void = () => undefined;

	constructor(readonly response: http.IncomingMessage) {
		const parser = createParser({
			onEvent: message => {
				this.messages.push(message);
				this.#wake();
			},
			onComment: () => {
				this.comments++;
				this.#wake();
			},
		});
		response.setEncoding('utf8').on('data', (text: string) => {
			parser.feed(text);
		});
		response.on('error', () => undefined).once('close', () => {
			this.isOver = true;
			this.#wake();
		});
	}

	get last(): string | undefined {
		return this.messages.at(-1)?.id;
	}

	/** The changes that came, as `what subject`. */
	get changes(): string[] {
		return this.messages.filter(({event}) => event === 'change').map(({data}) => {
			const {what, subject} = JSON.parse(data) as {what: string; subject: string};
			return `${what} ${subject}`;
		});
	}

	async until(condition: (reader: this) => boolean): Promise<void> {
		while (!condition(this)) {
			await new Promise<void>(resolve => {
				this.#wake = resolve;
			});
		}
	}

	drop(): void {
		this.response.destroy();
	}
}

async function watch(who: Identity | string, {server = served, of = colony, after, query = ''}: {server?: Served; of?: Colony; after?: string | undefined; query?: string} = {}): Promise<Reader> {
	const headers = {accept: 'text/event-stream', ...(after === undefined ? {} : {'last-event-id': after})};
	const wire = {method: 'GET', target: `/colonies/${of.id}/events${query}`};
	const request = server.begin(typeof who === 'string' ? byRoot(who, wire, headers) : signed(who, wire, {headers}), {agent: false});
	const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
		request.once('response', resolve).once('error', reject);
	});
	assert.equal(response.statusCode, 200);
	assert.match(response.headers['content-type']!, /^text\/event-stream/);
	const reader = new Reader(response);
	await reader.until(({messages}) => messages.length > 0);
	assert.equal(reader.messages[0]!.event, 'ready');
	assert.equal(reader.messages[0]!.data, '{}');
	assert.match(reader.messages[0]!.id!, /^\d+\.\d+$/);
	return reader;
}

test('what happens in a colony is heard on every server, by its members and nobody else', async () => {
	const computer = await colony.computer();
	const readers = [await watch(colony.owner), await watch(computer, {server: second})];
	const {processid} = await colony.submit();
	await other.submit();
	await colony.own('process.cancel', {processid});
	for (const reader of readers) {
		await reader.until(({changes}) => changes.length === 3);
		assert.deepEqual(reader.changes.slice(0, 2), [`process.submit ${processid}`, `process.cancel ${processid}`]);
		assert.ok(reader.messages.slice(1).every(({data}) => (JSON.parse(data) as {colonyid: string}).colonyid === colony.id));
		reader.drop();
	}

	const [method, target, headers] = ['GET', `/colonies/${colony.id}/events`, {accept: 'text/event-stream'}] as const;
	problem(await served.send(signed(other.owner, {method, target}, {headers})), 403, 'not-allowed');
	problem(await served.send({method, target, headers}), 401, 'unauthenticated');
	problem(await served.send(signed(await colony.computer({state: 'pending'}), {method, target}, {headers})), 403, 'not-allowed');
	problem(await served.send(signed(colony.owner, {method, target: `${target}?after=x`}, {headers})), 400, 'invalid-input');
	problem(await served.send(signed(colony.owner, {method, target}, {headers: {...headers, 'last-event-id': 'yesterday'}})), 400, 'invalid-input');
});

test('a stream is taken up where it was lost, and nothing is heard twice', async () => {
	const first = await watch(colony.owner);
	const ids: string[] = [];
	for (let count = 0; count < 5; count++) {
		ids.push((await colony.submit()).processid);
	}

	await first.until(({changes}) => changes.length === 5);
	const after = first.messages.at(-3)!.id;
	first.drop();
	for (let count = 0; count < 5; count++) {
		ids.push((await colony.submit()).processid);
	}

	const by = await watch(colony.owner, {server: second, after});
	ids.push((await colony.submit()).processid);
	await by.until(({changes}) => changes.length >= 8);
	assert.deepEqual(by.changes, ids.slice(3).map(id => `process.submit ${id}`));
	assert.equal(by.messages[0]!.id, after);
	const byQuery = await watch(colony.owner, {query: `?after=${after}`});
	await byQuery.until(({changes}) => changes.length >= 8);
	assert.deepEqual(byQuery.changes, by.changes);
	assert.deepEqual(new Set(by.messages.map(({id}) => id)).size, by.messages.length);
	by.drop();
	byQuery.drop();
});

test('a long past comes whole and in order, while more happens', async () => {
	const long = await openColony(database, colony.broker);
	const submissions = async (count: number): Promise<string[]> => {
		const answers = await long.broker.runMany({identity: long.owner}, 'process.submit', Array.from({length: count}, () => ({spec: {targetcolonyid: long.id}})));
		return answers.map(answer => (answer as {result: {processid: string}}).result.processid);
	};

	const ids = [...await submissions(1000), ...await submissions(1000), ...await submissions(500)];
	const reader = await watch(long.owner, {of: long, after: '0.0'});
	for (let round = 0; round < 10; round++) {
		ids.push(...await submissions(10));
	}

	const subjects = () => reader.messages.filter(({data}) => data.includes('process.submit')).map(({data}) => (JSON.parse(data) as {subject: string}).subject);
	await reader.until(() => reader.messages.length > ids.length);
	await reader.until(() => subjects().length >= ids.length);
	// Within one transaction the order is that of the history.
	assert.deepEqual(new Set(subjects()), new Set(ids));
	assert.equal(subjects().length, ids.length);
	const places = reader.messages.map(({id}) => id!.split('.').map(Number) as [number, number]);
	assert.ok(places.every(([txid, row], index) => index < 2 || txid > places[index - 1]![0] || (txid === places[index - 1]![0] && row > places[index - 1]![1])));
	reader.drop();
});

test('a stream ends when its reader may not listen any more, and says nothing of what came after', async () => {
	const computer = await colony.computer();
	const root = await watch(computer);
	await colony.own('computer.disapprove', {computerid: computer.id});
	const {processid} = await colony.submit();
	await root.until(({isOver}) => isOver);
	assert.ok(!root.changes.some(change => change.includes(processid)));

	const removed = await openColony(database, colony.broker);
	const owner = await watch(removed.owner, {of: removed});
	await removed.broker.run({root: rootPassword}, 'colony.remove', {colonyid: removed.id});
	await owner.until(({isOver}) => isOver);
});

test('a stream says now and then that it is there, and looks again whether it may be', async () => {
	const hasty = await serve(database, {beat: 30});
	const reader = await watch(colony.owner, {server: hasty});
	await reader.until(({comments}) => comments >= 3);
	reader.drop();

	// Behind its back: no event tells.
	const quiet = await openColony(database, colony.broker);
	const computer = await quiet.computer();
	const watching = await watch(computer, {server: hasty, of: quiet});
	await database.query('update colonies.computers set status = 2 where computer_id = colonies.bytes_of($1)', [computer.id]);
	await watching.until(({isOver}) => isOver);
});

test('root may listen, over TLS', async () => {
	const secure = await serve(database, {secure: true});
	const reader = await watch(rootPassword, {server: secure});
	const {processid} = await colony.submit();
	await reader.until(({changes}) => changes.length > 0);
	assert.deepEqual(reader.changes, [`process.submit ${processid}`]);
	reader.drop();
	await colony.broker.run(root, 'colony.list', {});
});

test('whoever reads too slowly loses the connection and goes on later', {timeout: 60_000}, async () => {
	const busy = await openColony(database, colony.broker);
	const slow = await watch(busy.owner, {of: busy});
	slow.response.pause();
	let done = 0;
	while (served.context.broker.events.size > 0) {
		assert.ok(done < 200_000, 'It is still listening.');
		// As much as can happen, in one go.
		await database.query('insert into colonies.history (actor, colony_id, noun, subject_id, what) select colonies.bytes_of($1), colonies.bytes_of($1), \'process\', colonies.bytes_of_any(($2 + number)::text), \'process.submit\' from generate_series(1, 10000) number', [busy.id, done]);
		done += 10_000;
		await busy.submit();
	}

	slow.response.resume();
	await slow.until(({isOver}) => isOver);
	const heard = slow.changes.length;
	assert.ok(heard < done);
	const reader = await watch(busy.owner, {of: busy, after: slow.last});
	await reader.until(({messages}) => messages.length - 1 + heard >= done + (done / 10_000));
	assert.equal(new Set([...slow.changes, ...reader.changes]).size, done + (done / 10_000));
	reader.drop();
});

test('streams end when their reader has gone, or the server closes', async () => {
	const closing = await serve(database);
	const [one, gone] = [await watch(colony.owner, {server: closing}), await watch(colony.owner, {server: closing})];
	assert.equal(closing.context.broker.events.size, 2);
	gone.drop();
	while (closing.context.broker.events.size > 1) {
		await new Promise(setImmediate);
	}

	const began = performance.now();
	await closing.close();
	await one.until(({isOver}) => isOver);
	assert.ok(one.response.complete, 'It ended in peace.');
	assert.equal(closing.context.broker.events.size, 0);
	assert.ok(performance.now() - began < 2000);
});

test('a reader that stalls while its past is read keeps nobody', {timeout: 60_000}, async () => {
	const hasty = await serve(database, {beat: 50});
	const {method, target, headers} = signed(colony.owner, {method: 'GET', target: `/colonies/${colony.id}/events?after=0.0`}, {headers: {accept: 'text/event-stream'}});
	// More than the system keeps for both ends of a connection.
	await database.query('insert into colonies.history (actor, colony_id, noun, subject_id, what) select id, id, \'process\', id, \'process.submit\' from generate_series(1, 60000), colonies.bytes_of($1) id', [colony.id]);
	const socket = net.connect(hasty.port, '127.0.0.1');
	socket.on('error', () => undefined);
	socket.write(`${method} ${target} HTTP/1.1\r\n${Object.entries(headers).map(([name, value]) => `${name}: ${value}`).join('\r\n')}\r\n\r\n`);
	await new Promise(resolve => {
		socket.once('readable', resolve);
	});
	while (hasty.context.broker.events.size > 0) {
		await new Promise(setImmediate);
	}

	socket.destroy();
});
