// A server, a console and the background work on a standby, until that is promoted.
import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {brokerContext} from '../source/contexts/index.ts';
import {openPostgres} from '../source/database/postgres.ts';
import type {Database} from '../source/database/types.ts';
import {openRemote} from '../source/remote/index.ts';
import {type Colony, openColony, rootPassword} from './support/colony.ts';
import {open} from './support/console.tsx';
import {
	freshDatabase, noPostgres, onSocket, type Server, startPostgres,
} from './support/databases.ts';
import {eventually} from './support/eventually.ts';
import {serve, problem, byRoot, type Served, testCertificate} from './support/server.ts';

const skip = noPostgres;
const opened: Database[] = [];
after(async () => Promise.all(opened.map(async database => database.close())));

type Pair = {standby: Server; database: Database; colony: Colony; served: Served; overdue: string};

/** A colony on a primary with a process whose time is over, and a server on the standby of that. */
async function openPair(): Promise<Pair> {
	const primary = await startPostgres();
	const where = await freshDatabase(primary);
	const before = await openPostgres(where);
	opened.push(before);
	const colony = await openColony(before);
	const {processid} = await colony.running(await colony.computer(), {timeout: 3600, maxretries: 1});
	await before.query('update colonies.live set start_time = start_time - interval \'2 hours\', deadline = deadline - interval \'2 hours\' where process_id = colonies.bytes_of($1)', [processid]);
	await colony.submit();
	// Whoever connects is logged, which shows how time goes by.
	const standby = await startPostgres({standbyOf: primary, settings: {log_connections: 'on'}});
	const database = await openPostgres({...where, ...onSocket(standby), database: where.database!});
	opened.push(database);
	const served = await serve(database, {secure: true});
	return {standby, database, colony, served, overdue: processid};
}

const pair = skip ? undefined : await openPair();
const ready = async ({served}: Pair, query = '') => served.send({method: 'GET', target: `/readyz${query}`, headers: {}});

test('a server on a standby is ready to read and not to write, says why, and serves what only reads', {skip}, async () => {
	const {served, colony} = pair!;
	for (const [query, code] of [['', 200], ['?write=1', 503]] as const) {
		const {status, json} = await ready(pair!, query);
		assert.deepEqual([status, json.status, json.readonly, json.reason], [code, 'read-only', 'standby', 'The database takes no changes: it is a standby.']);
	}

	const list = await served.call(colony.owner, 'process.list', {colonyid: colony.id});
	assert.equal(list.status, 200);
	assert.equal(list.json.rows.length, 2);
	problem(await served.call(colony.owner, 'process.submit', {spec: {targetcolonyid: colony.id}}), 503, 'unavailable', /takes no changes/);
	const {json: {readonly, listening, lag}} = await served.call(colony.owner, 'database.status', {colonyid: colony.id});
	assert.deepEqual({readonly, listening}, {readonly: 'standby', listening: false});
	assert.equal(typeof lag, 'number');
	const {text} = await served.send(byRoot(rootPassword, {method: 'GET', target: '/metrics'}));
	assert.match(text, /^colonies_database_writable 0$/m);
	assert.match(text, /^colonies_database_listening 0$/m);
});

test('a console on it, or on that server, is read-only and says so', {skip}, async t => {
	const {database, colony, served} = pair!;
	const person = await open({database, colonies: [colony]});
	await person.until(/ RO /);
	person.press('8');
	await person.until(/runs +PostgreSQL \S+, standby/);
	await person.until(/lag +none/);
	await person.until(/listening +not heard: polls every 200 ms/);
	person.press('2', 'n');
	await person.until(/The database takes no changes: it is a standby/);

	const certificate = await testCertificate();
	const remote = await openRemote({address: {host: '127.0.0.1', port: served.port, trust: {kind: 'fingerprint', sha256: certificate.fingerprint}, place: 'the server'}, kind: 'server', name: 'test'});
	t.after(async () => remote.close());
	const state = await new Promise<{reachable: boolean; noChanges?: string}>(resolve => {
		remote.watchReachability(now => {
			if (now.noChanges) {
				resolve(now);
			}
		});
	});
	assert.deepEqual([state.reachable, state.noChanges], [true, 'standby']);
	assert.equal((await remote.where()).readonly, 'standby');
});

test('background work waits on it without a statement that fails, and is done as soon as it is promoted', {skip}, async t => {
	const {standby, database, colony, overdue} = pair!;
	const attended = brokerContext(database, {kind: 'database', name: 'test', local: true, attended: true});
	t.after(async () => attended.close());
	const failedBefore = standby.log().split('ERROR').length;
	const connectionsOf = () => standby.log().split('connection authorized').length;
	const first = connectionsOf();
	// Every second a new connection asks whether it takes changes.
	await eventually(() => connectionsOf() > first + 3, 'Nobody asks whether it takes changes.');
	assert.equal(standby.log().split('ERROR').length, failedBefore, standby.log());

	await standby.promote();
	await eventually(async () => (await ready(pair!, '?write=1')).status === 200, 'It does not become ready.');
	await eventually(async () => {
		const {rows: [row]} = await database.query<{status: number}>('select status from colonies.processes where process_id = colonies.bytes_of($1)', [overdue]);
		return row!.status === 0;
	}, 'Nobody sees to the deadline.');
	const {status} = await pair!.served.call(colony.owner, 'process.submit', {spec: {targetcolonyid: colony.id}});
	assert.equal(status, 200);
	await eventually(() => database.load().listening, 'It does not hear.');
});
