import assert from 'node:assert/strict';
import {after, suite, test} from 'node:test';
import {consoleFlags, isConsole, readArguments} from '../source/console/arguments.ts';
import {Unauthenticated} from '../source/core/errors.ts';
import type {Topic} from '../source/core/types.ts';
import {migrate} from '../source/database/index.ts';
import {type Context, type ContextChoice, storeFlags} from '../source/operations/index.ts';
import {openColony} from './support/colony.ts';
import {contextsOf, open} from './support/console.tsx';
import {openMemory} from './support/databases.ts';

const database = await openMemory();
await migrate(database);
after(async () => database.close());
const fingerprint = 'ab'.repeat(32);

type Watched = {colonyid: string | undefined; as: string | undefined};

/**
A server as the console sees it: it tells a member about its own colony and nobody else anything.
*/
class Server {
	/** Who watches now. */
	readonly watchers = new Map<(topics: ReadonlySet<Topic>) => void, Watched>();
	readonly asked: string[] = [];
	readonly opened: ContextChoice[] = [];
	/** How many contexts and listeners for reachability are open. */
	open = 0;
	hearers = new Set<(state: {reachable: boolean; since: number}) => void>();
	insecure = false;
	refuses: Error | undefined;

	get watched(): Watched[] {
		return [...this.watchers.values()];
	}

	tell(...topics: Topic[]): void {
		for (const hear of this.watchers.keys()) {
			hear(new Set(topics));
		}
	}

	get contexts(): ReturnType<typeof contextsOf> {
		const contexts = contextsOf(database);
		return {
			...contexts,
			open: async choice => {
				this.opened.push(choice);
				const context = await contexts.open(choice);
				return choice.host === undefined ? context : this.#served(context);
			},
			save: async (name, choice, notice) => {
				this.asked.push(`save ${name} ${JSON.stringify(choice)}`);
				notice('Saved it.');
			},
			use: async name => {
				this.asked.push(`use ${name}`);
			},
		};
	}

	#served(context: Context): Context {
		this.open++;
		return {
			...context, kind: 'server', name: 'lab.example:8080', insecure: this.insecure,
			watch: (hear, as) => {
				const key = (topics: ReadonlySet<Topic>) => {
					hear(topics);
				};

				this.watchers.set(key, {colonyid: as?.colonyid, as: as && 'identity' in as.caller ? as.caller.identity.id : undefined});
				return () => {
					this.watchers.delete(key);
				};
			},
			watchReachability: tell => {
				this.hearers.add(tell);
				tell({reachable: true, since: 0});
				return () => {
					this.hearers.delete(tell);
				};
			},
			where: async () => {
				if (this.refuses) {
					throw this.refuses;
				}

				return {context: 'lab.example:8080', kind: 'server', place: 'https://lab.example:8080', server: 'colonies 1.2.3', timescale: undefined, schema: 2};
			},
			close: async () => {
				this.open--;
				await context.close();
			},
		};
	}
}

suite('a console on a server', () => {
	test('watches as whoever acts, and again when the colony or the identity is another; nobody watches twice', async () => {
		const [one, two] = [await openColony(database), await openColony(database)];
		const computer = await one.computer({name: 'edge-1'});
		const server = new Server();
		const person = await open({database, colonies: [one, two], contexts: server.contexts, choice: {host: 'lab.example'}});
		await person.home.keychain.add(one.privateKeys.at(-1)!);
		await person.home.keychain.describe(computer.id, {kind: 'computer', name: 'edge-1', colonyid: one.id});
		await person.until('live');
		await person.settled(() => server.watched.length === 1);
		const first = person.state().colony!.colonyid;
		assert.deepEqual(server.watched, [{colonyid: first, as: first}]);

		// The other colony, and then the one that has a computer.
		person.press('4');
		await person.until('4 Colonies');
		const other = first === one.id ? two.id : one.id;
		person.press('g', person.state().lists.colonies.cursor === other ? 'g' : 'j', 'enter');
		await person.settled(() => server.watched[0]?.colonyid === other);
		assert.deepEqual(server.watched, [{colonyid: other, as: other}]);
		if (other !== one.id) {
			person.press('4', 'g', person.state().lists.colonies.rows[0] && (person.state().lists.colonies.rows[0] as {colonyid: string}).colonyid === one.id ? 'g' : 'j', 'enter');
			await person.settled(() => server.watched[0]?.colonyid === one.id);
		}

		server.tell('colonies');
		await person.settled(() => person.state().colony!.as.length === 2);
		person.press('i');
		await person.until('Acting as owner');
		person.press('2');
		await person.settled(() => server.watched[0]?.as === computer.id);
		assert.deepEqual(server.watched, [{colonyid: one.id, as: computer.id}]);

		await person.close();
		assert.deepEqual([server.watched, server.hearers.size, server.open], [[], 0, 0]);
	});

	test('what it hears is on the screen', async () => {
		const colony = await openColony(database);
		const server = new Server();
		const person = await open({database, colonies: [colony], contexts: server.contexts, choice: {host: 'lab.example'}});
		await person.until('No processes found');
		await person.settled(() => server.watched.length === 1);
		await colony.submit({computertype: 'heard-of'});
		server.tell('processes');
		await person.until('heard-of');
	});

	test('the header names it, says when nobody checks its certificate, and the footer when it is away', async () => {
		const colony = await openColony(database);
		const server = new Server();
		server.insecure = true;
		const person = await open({database, colonies: [colony], contexts: server.contexts, choice: {host: 'lab.example', insecure: true}});
		await person.until('live');
		assert.match(person.lines()[0]!, /^colonies \| LAB\.EXAMPLE:8080 mycolony \| as owner .* \| RW +UNVERIFIED live /);
		for (const tell of server.hearers) {
			tell({reachable: false, since: Date.now()});
		}

		await person.until('The server is away for');
		person.press('n');
		assert.equal(person.state().notice?.text, 'The server is away; changes are refused until it is back.');
	});
});

suite('the door to a server', () => {
	const openDoor = async (server: Server, readOnly = false) => {
		const fresh = await openMemory();
		await migrate(fresh);
		after(async () => fresh.close());
		const base = server.contexts;
		const person = await open({database: fresh, readOnly, contexts: {...base, open: async choice => choice.host === undefined ? contextsOf(fresh).open(choice) : base.open(choice)}});
		await person.until('Welcome to Colonies');
		person.press('3');
		await person.until('A Colonies server');
		assert.match(person.frame(), /1 {2}A Colonies server.*\n.*2 {2}A database/);
		person.press('1');
		await person.until('Connect to a Colonies server');
		return person;
	};

	test('it is looked at first, then kept, made current, and opened', async () => {
		const server = new Server();
		const person = await openDoor(server);
		person.type('lab.example');
		person.press('enter', 'enter');
		person.type(fingerprint.toUpperCase());
		person.press('ctrl-s');
		await person.until('LAB.EXAMPLE:8080');
		const choice = {host: 'lab.example', port: 8080, fingerprint};
		assert.deepEqual(server.asked.map(line => line.replace(/{.*/, '')), ['save lab.example:8080 ', 'use lab.example:8080']);
		assert.deepEqual(JSON.parse(server.asked[0]!.slice('save lab.example:8080 '.length)), choice);
		await person.settled(() => server.opened.filter(({host}) => host !== undefined).length === 2 && server.open === 1);
		await person.close();
		assert.equal(server.open, 0);
	});

	test('one that is not the one that was meant is not kept', async () => {
		const server = new Server();
		server.refuses = new Unauthenticated('The certificate of lab.example has another fingerprint.');
		const person = await openDoor(server);
		person.type('lab.example');
		person.press('ctrl-s');
		await person.until('The certificate of lab.example has another fingerprint.');
		assert.deepEqual([server.asked, server.open], [[], 0]);
	});

	test('what is wrong is said in the form', async () => {
		const server = new Server();
		const person = await openDoor(server);
		person.press('ctrl-s');
		await person.until('Host is missing.');
		person.type('lab.example');
		person.press('down', 'down');
		person.type('abc');
		person.press('ctrl-s');
		await person.until('Fingerprint must be a SHA-256 fingerprint');
		person.press('down');
		person.type('ca.pem');
		person.press('up', 'backspace', 'backspace', 'backspace');
		person.type(fingerprint);
		person.press('ctrl-s');
		await person.until('CA file and Fingerprint exclude each other.');
		assert.deepEqual([server.asked, server.opened.filter(({host}) => host !== undefined)], [[], []]);
	});

	test('read-only refuses it', async () => {
		const server = new Server();
		const person = await openDoor(server, true);
		person.type('lab.example');
		person.press('ctrl-s');
		await person.until('The console is read-only.');
		assert.deepEqual(server.asked, []);
	});
});

suite('the flags of the console', () => {
	test('those that say which store are those of the commands', () => {
		for (const name of Object.keys(storeFlags)) {
			assert.ok(Object.hasOwn(consoleFlags, name), name);
		}

		assert.ok(isConsole(['--host', 'lab.example', '--port=9000', '--fingerprint', fingerprint, '--insecure', '--read-only']));
		assert.ok(!isConsole(['--hostname', 'x']));
		assert.ok(!isConsole(['--constructor', 'x']));
		assert.ok(!isConsole(['context', 'ls']));
	});

	test('are read, and checked as those of the commands are', async () => {
		const given = async (...argv: string[]) => {
			const {choice} = await readArguments(argv);
			return Object.fromEntries(Object.entries(choice).filter(([, value]) => value !== undefined));
		};

		assert.deepEqual(await given('--host', 'lab.example', '--port', '9000', '--fingerprint', fingerprint.toUpperCase()), {host: 'lab.example', port: 9000, fingerprint});
		assert.deepEqual(await given('--dbhost=db', '--dbport=5433', '--dbssl'), {dbhost: 'db', dbport: 5433, dbssl: true});
		assert.deepEqual(await given('--dbhost=db', '--dbssl=false'), {dbhost: 'db', dbssl: false});
		assert.deepEqual(await given(), {});
		await assert.rejects(readArguments(['--host', 'x', '--dbhost', 'y']), {code: 'invalid-input', message: '--host and --dbhost exclude each other.'});
		await assert.rejects(readArguments(['--dbport', '70000']), {code: 'invalid-input', message: /^--dbport must be a whole number from 1 to 65535/});
		await assert.rejects(readArguments(['--port', '1e3', '--host', 'x']), {code: 'invalid-input', message: /^--port must be a whole number/});
		await assert.rejects(readArguments(['--host=']), {code: 'invalid-input', message: '--host wants a value.'});
	});
});

test('the Computers screen says when each was last seen', async () => {
	const colony = await openColony(database);
	await colony.computer({name: 'edge-1', state: 'pending'});
	const person = await open({database, colonies: [colony]});
	await person.until('live');
	person.press('3');
	await person.until('edge-1');
	assert.match(person.frame(), /NAME +STATE +SEEN/);
	assert.match(person.frame(), /edge-1 +\? pending +- /);
});
