import assert from 'node:assert/strict';
import {after, type TestContext, test} from 'node:test';
import {Reading} from '../source/console/effects/reading.ts';
import {Session} from '../source/console/effects/session.ts';
import {initialState, type Message, type State} from '../source/console/state.ts';
import {Unavailable} from '../source/core/errors.ts';
import {migrate} from '../source/database/index.ts';
import type {Context} from '../source/operations/index.ts';
import {type Colony, openColony} from './support/colony.ts';
import {freshHome} from './support/commands.ts';
import {contextsOf} from './support/console.tsx';
import {openMemory} from './support/databases.ts';

const database = await openMemory();
await migrate(database);
after(async () => database.close());
const [one, two] = [await openColony(database), await openColony(database)];

/** A promise that is settled from outside. */
function gate<Value = void>() {
	let [open, refuse] = [(_: Value) => undefined as void, (_: Error) => undefined as void];
	const passed = new Promise<Value>((resolve, reject) => {
		[open, refuse] = [resolve, reject];
	});
	return {passed, open, refuse};
}

/** A session on the database, whose store and keychain a test may hold up; and what it told. */
async function openSession(t: TestContext, change: (context: Context) => Partial<Context>) {
	const home = freshHome();
	await home.keychain.add(one.privateKeys[0]!);
	await home.keychain.add(two.privateKeys[0]!);
	const contexts = contextsOf(database);
	const told: Message[] = [];
	const hearers = new Set<() => void>();
	const session = new Session({
		contexts: {
			...contexts,
			async open(choice) {
				const context = await contexts.open(choice);
				return {...context, ...change(context)};
			},
		},
		choice: {}, keychain: home.keychain, settings: home.settings, version: '1.2.3', readOnly: false,
		openDemo: async () => assert.fail('It opens no demo.'),
		readSpec: async () => assert.fail('It reads no file.'),
		print: async () => assert.fail('It prints nothing.'),
	}, message => {
		told.push(message);
		for (const hear of hearers) {
			hear();
		}
	});
	t.after(async () => session.close());
	await session.open({});
	/** Resolves when so many messages of a kind have been told. */
	const heard = async (type: Message['type'], count: number) => new Promise<void>(resolve => {
		const look = () => {
			if (told.filter(message => message.type === type).length >= count) {
				hearers.delete(look);
				resolve();
			}
		};

		hearers.add(look);
		look();
	});
	return {session, told, heard, keychain: home.keychain};
}

const stateIn = ({id}: Colony): State => ({
	...initialState({columns: 80, rows: 24, now: 0, version: '1.2.3'}),
	context: {kind: 'embedded', name: 'embedded', place: 'in memory', isLocal: true, choice: {}},
	colony: {colonyid: id, name: 'mycolony', as: []},
	acting: {kind: 'owner', id, name: 'mycolony'},
});

test('what the operator has left already is not watched when its key comes late', async t => {
	const watched: string[] = [];
	const {session, keychain} = await openSession(t, () => ({
		watch(_, as) {
			watched.push(as!.colonyid);
			return () => {
				watched.splice(watched.indexOf(as!.colonyid), 1);
			};
		},
	}));
	const {identity} = keychain;
	const key = gate();
	t.mock.method(keychain, 'identity', async (id: string) => {
		if (id === one.id) {
			await key.passed;
		}

		return identity.call(keychain, id);
	});
	const first = session.watch(stateIn(one));
	await session.watch(stateIn(two));
	assert.deepEqual(watched, [two.id]);
	key.open();
	await first;
	assert.deepEqual(watched, [two.id]);
});

test('a store that is let go while a key is read is not watched', async t => {
	let watchers = 0;
	const {session, keychain} = await openSession(t, () => ({
		watch() {
			watchers++;
			return () => {
				watchers--;
			};
		},
	}));
	const {identity} = keychain;
	const key = gate();
	t.mock.method(keychain, 'identity', async (id: string) => {
		await key.passed;
		return identity.call(keychain, id);
	});
	const watching = session.watch(stateIn(one));
	await session.close();
	key.open();
	await watching;
	assert.equal(watchers, 0);
});

/** A session whose first read of a process is held up at its end; the later ones are not. */
async function slowAtFirst(t: TestContext) {
	const [begun, held] = [gate(), gate()];
	let reads = 0;
	const opened = await openSession(t, context => ({
		async run(caller, operation, input, options) {
			reads++;
			const isFirst = reads === 1;
			const result = await context.run(caller, operation, input, options);
			if (isFirst) {
				begun.open();
				await held.passed;
			}

			return result;
		},
	}));
	return {...opened, begun, held};
}

test('the detail of a process that comes late does not replace a later one', async t => {
	const {session, told, heard, begun, held} = await slowAtFirst(t);
	const reading = new Reading();
	const {processid} = await one.submit();
	void reading.loadDetail(session, {type: 'load-detail', id: processid}, stateIn(one));
	await begun.passed;
	await one.own('process.cancel', {processid});
	void reading.loadDetail(session, {type: 'load-detail', id: processid}, stateIn(one));
	await heard('detailed', 1);
	held.open();
	void reading.loadDetail(session, {type: 'load-detail', id: processid}, stateIn(one));
	await heard('detailed', 2);
	assert.deepEqual(told.flatMap(message => message.type === 'detailed' ? [message.process.status] : []), [3, 3]);
});

test('a failure to read a process that comes late does not stand beside a later detail', async t => {
	const {session, told, heard, begun, held} = await slowAtFirst(t);
	const reading = new Reading();
	const {processid} = await one.submit();
	void reading.loadDetail(session, {type: 'load-detail', id: processid}, stateIn(one));
	await begun.passed;
	void reading.loadDetail(session, {type: 'load-detail', id: processid}, stateIn(one));
	await heard('detailed', 1);
	held.refuse(new Unavailable('The database is away.'));
	void reading.loadDetail(session, {type: 'load-detail', id: processid}, stateIn(one));
	await heard('detailed', 2);
	assert.deepEqual(told.filter(({type}) => type === 'not-detailed'), []);
});
