import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {openPostgres} from '../source/database/postgres.ts';
import type {Client, Database} from '../source/database/types.ts';
import {type Identity, verifyHttp} from '../source/identity/index.ts';
import {
	type AnyOperation, Broker, encodeCalls, type InputOf, type OperationName, operations,
} from '../source/operations/index.ts';
import {freshPlace, noPostgres} from './support/databases.ts';
import {type Colony, openColony} from './support/colony.ts';
import {authority, signed, wire} from './support/server.ts';

const skip = noPostgres;

/** Statements that were sent, and how often somebody waited for an answer: what is sent while one waits goes along. */
class Trips {
	trips = 0;
	statements = 0;
	#waiting = 0;

	count<Result>(sent: Promise<Result>, statements = 1): Promise<Result> { // eslint-disable-line @typescript-eslint/promise-function-async -- It is the same promise.
		this.statements += statements;
		this.trips += this.#waiting === 0 ? 1 : 0;
		this.#waiting++;
		void sent.catch(() => undefined).then(() => {
			this.#waiting--;
		});
		return sent;
	}

	reset(): void {
		this.trips = 0;
		this.statements = 0;
	}
}

/** The same database; what its transactions begin and end with counts too. */
function counted(database: Database, trips: Trips): Database {
	const through = (client: Client): Client => ({query: async (text, values) => trips.count(client.query(text, values))});
	return new Proxy(database, {
		get(_, name) {
			switch (name) {
				case 'flight': {
					return async (statements: readonly never[]) => trips.count(database.flight(statements), statements.length + 3);
				}

				case 'query': {
					return async (text: string, values?: readonly unknown[]) => trips.count(database.query(text, values));
				}

				case 'transaction': {
					return async <Result>(work: (client: Client) => Promise<Result>) => {
						const result = await database.transaction(async client => work(through(client)));
						// The begin goes out with the first statement, the commit by itself.
						trips.trips++;
						trips.statements += 2;
						return result;
					};
				}

				default: {
					const value: unknown = Reflect.get(database, name, database);
					return typeof value === 'function' ? (value as () => unknown).bind(database) : value;
				}
			}
		},
	});
}

let plain: Database;
let colony: Colony;
let computer: Identity;
const trips = new Trips();

before(async () => {
	if (skip) {
		return;
	}

	plain = await openPostgres(await freshPlace());
	const database = counted(plain, trips);
	colony = await openColony(plain, new Broker(database, {local: true}));
	computer = await colony.computer();
	// Its kind of work is there, and the computer is known here.
	await colony.submit();
	await colony.close(computer, await colony.assign(computer));
});

after(async () => plain?.close());

const call = async <Name extends OperationName>(identity: Identity, name: Name, input: InputOf<Name>, idempotencyKey?: string) => {
	const caller = {signer: verifyHttp({...signed(identity, wire(name, input), {idempotencyKey}), authority}, {now: Date.now()})};
	trips.reset();
	return colony.broker.run(caller, name, input, {idempotencyKey});
};

const many = async <Name extends OperationName>(identity: Identity, name: Name, inputs: Array<InputOf<Name>>) => {
	const caller = {signer: verifyHttp({...signed(identity, encodeCalls(operations[name] as AnyOperation, inputs)), authority}, {now: Date.now()})};
	trips.reset();
	return colony.broker.runMany(caller, name, inputs);
};

const taken = (what: string, most: number) => {
	assert.ok(trips.trips <= most, `${what}: ${trips.trips} trips, ${trips.statements} statements`);
};

test('a lone signed call of submit, assign or close makes one trip, also under an idempotency key', {skip}, async () => {
	for (const key of [undefined, 'a key']) {
		await call(colony.owner, 'process.submit', {spec: {targetcolonyid: colony.id, in: {job: 'render'}}}, key);
		taken('submit', 1);
		const {processid} = await call(computer, 'process.assign', {colonyid: colony.id}, key);
		taken('assign', 1);
		await call(computer, 'process.successful', {colonyid: colony.id, processid});
		taken('successful', 1);
	}

	await assert.rejects(call(computer, 'process.assign', {colonyid: colony.id}), {code: 'nothing-to-assign'});
	taken('assign, nothing', 1);
	const {processid} = await colony.running(computer);
	await call(computer, 'process.failed', {colonyid: colony.id, processid});
	taken('failed', 1);
});

test('other signed calls make few trips', {skip}, async () => {
	const {processid} = await colony.running(computer);
	await call(computer, 'attribute.add', {colonyid: colony.id, processid, key: 'result', value: '42'});
	taken('attribute add', 5);
	await call(colony.owner, 'process.get', {colonyid: colony.id, processid});
	taken('get', 3);
	await call(colony.owner, 'process.cancel', {colonyid: colony.id, processid});
	taken('cancel', 8);
	await call(colony.owner, 'process.retry', {colonyid: colony.id, processid});
	taken('retry', 10);
});

test('a list makes as many trips however long it is', {skip}, async () => {
	const {id, owner} = colony;
	const most: Record<string, number> = {};
	for (const count of [20, 100]) {
		const check = (what: string) => {
			most[what] ??= trips.trips;
			taken(`${what} of ${count}`, most[what]);
		};

		const submitted = await many(owner, 'process.submit', Array.from({length: count}, () => ({spec: {targetcolonyid: id}})));
		check('submit');
		const running = [];
		while (running.length < count) {
			running.push(await colony.assign(computer));
		}

		const ids = running.map(({processid}) => ({colonyid: id, processid}));
		assert.ok((await many(computer, 'process.successful', ids)).every(answer => 'result' in answer));
		check('successful');
		assert.ok((await many(owner, 'process.retry', ids)).every(answer => 'result' in answer));
		check('retry');
		assert.ok((await many(owner, 'process.cancel', ids)).every(answer => 'result' in answer));
		check('cancel');
		assert.ok((await many(owner, 'process.remove', ids)).every(answer => 'result' in answer));
		check('remove');
		assert.equal(submitted.length, count);
	}
});
