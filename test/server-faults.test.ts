// Servers as processes of their own, that die, stop and lose their database under the load of computers at work.
import assert from 'node:assert/strict';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {openPostgres} from '../source/database/postgres.ts';
import type {Database} from '../source/database/types.ts';
import {openRemote} from '../source/remote/index.ts';
import type {Context} from '../source/operations/index.ts';
import {work} from '../source/work/index.ts';
import {type Colony, openColony} from './support/colony.ts';
import {
	freePort, freshDatabase, noPostgres, type Server, startPostgres,
} from './support/databases.ts';
import {type ServerProcess, startServer} from './support/server-processes.ts';

const skip = noPostgres;
const home = mkdtempSync(path.join(tmpdir(), 'colonies-servers-'));
const servers: ServerProcess[] = [];
const contexts: Context[] = [];
let postgres: Server;
let where: Awaited<ReturnType<typeof freshDatabase>>;
let database: Database;
let colony: Colony;

before(async () => {
	if (skip) {
		return;
	}

	postgres = await startPostgres();
	where = await freshDatabase(postgres);
	database = await openPostgres(where);
	colony = await openColony(database);
	// One after the other at first, so that the certificate is made once and all have it.
	servers.push(await startServer(where, {home, port: await freePort()}));
	const more = await Promise.all([freePort(), freePort()]);
	servers.push(...await Promise.all(more.map(async port => startServer(where, {home, port}))));
});
after(async () => {
	await Promise.all(contexts.map(async context => context.close()));
	await Promise.all(servers.map(async server => server.end('SIGKILL')));
	await database?.close();
	rmSync(home, {recursive: true, force: true});
});

/** A way to one of the servers, which finds it again when it comes back. */
async function reach({port, fingerprint}: ServerProcess): Promise<Context> {
	const context = await openRemote({address: {host: '127.0.0.1', port, trust: {kind: 'fingerprint', sha256: fingerprint}, place: `the server at 127.0.0.1:${port}`}, kind: 'server', name: 'test'});
	contexts.push(context);
	return context;
}

const counts = async (): Promise<Record<string, number>> => {
	const {rows} = await database.query<{status: number; count: number}>('select status, count(*)::int as count from colonies.processes where colony_id = colonies.bytes_of($1) group by status', [colony.id]);
	return Object.fromEntries(rows.map(({status, count}) => [status, count]));
};

/** Looks at the database until it is so; while it is away, it is not. */
async function until(isSo: (counts: Record<string, number>) => boolean, what: string): Promise<void> {
	const deadline = performance.now() + 60_000;
	for (;;) {
		const found = await counts().catch(() => ({}));
		if (isSo(found)) {
			return;
		}

		assert.ok(performance.now() < deadline, `${what}, not ${JSON.stringify(found)}`);
		await new Promise(setImmediate);
	}
}

const many = 240;

async function submit(count: number): Promise<void> {
	const {id: targetcolonyid, owner} = colony;
	await colony.broker.runMany({identity: owner}, 'process.submit', Array.from({length: count}, () => ({spec: {targetcolonyid}})));
}

test('of three servers one is killed, the database restarts and another server is stopped under the load of 32 computers: every process ends exactly once', {skip}, async t => {
	const ways = await Promise.all(servers.map(async server => reach(server)));
	const computers = await Promise.all(Array.from({length: 32}, async () => colony.computer()));
	const ran = new Map<string, number>();
	const workers = computers.map((identity, index) => work({
		context: ways[index % 3]!, identity, colonyid: colony.id, concurrency: 2, wait: 5, notice: () => undefined,
		async handler({process}) {
			ran.set(process.processid, (ran.get(process.processid) ?? 0) + 1);
			return {by: identity.id};
		},
	}));
	const done = async (share: number) => until(({2: successful = 0}) => successful >= many * share, `${many * share} were to be done`);
	for (let batch = 0; batch < 4; batch++) {
		await submit(many / 4);
		await done((batch + 0.2) / 4);
		switch (batch) {
			case 0: {
				const {signal} = await servers[0]!.end('SIGKILL');
				assert.equal(signal, 'SIGKILL');
				servers[0] = await startServer(where, {home, port: servers[0]!.port});

				break;
			}

			case 1: {
				await postgres.restart();
				await until(() => true, 'the database was to be back');

				break;
			}

			case 2: {
				const {code} = await servers[1]!.end('SIGTERM');
				assert.equal(code, 0, servers[1]!.said());
				servers[1] = await startServer(where, {home, port: servers[1]!.port});

				break;
			}
		// No default
		}
	}

	await done(1);
	await Promise.all(workers.map(async worker => worker.stop()));
	assert.deepEqual(await counts(), {2: many});
	const {rows} = await database.query<{steps: string; count: number}>(
		`select steps, count(*)::int as count from (
			select subject_id, string_agg(what, ' ' order by history_id) as steps from colonies.history where colony_id = colonies.bytes_of($1) and noun = 'process' group by subject_id
		) each group by steps`,
		[colony.id],
	);
	assert.deepEqual(rows, [{steps: 'process.submit process.assign process.successful', count: many}]);
	t.diagnostic(`${[...ran.values()].filter(times => times > 1).length} of ${many} handlers ran more than once`);
	assert.equal(ran.size, many);
});

test('what several servers have to do with a deadline is done once, also when all were down while it passed', {skip}, async () => {
	const fresh = await openColony(database, colony.broker);
	const computer = await fresh.computer();
	const [again, spent] = [await fresh.running(computer, {timeout: 3600, maxretries: 1}), await fresh.running(computer, {timeout: 3600})];
	const ports = servers.map(({port}) => port);
	await Promise.all(servers.map(async server => server.end('SIGKILL')));
	// As if an hour had gone.
	await database.query('update colonies.live set start_time = start_time - interval \'2 hours\', deadline = deadline - interval \'2 hours\' where colony_id = colonies.bytes_of($1)', [fresh.id]);
	servers.splice(0, servers.length, ...await Promise.all(ports.map(async port => startServer(where, {home, port}))));
	const deadline = performance.now() + 20_000;
	while (await fresh.state(again) !== 'waiting' || await fresh.state(spent) !== 'failed') {
		assert.ok(performance.now() < deadline, 'Nobody saw to the deadlines.');
	}

	const steps = async (processid: string) => (await fresh.history(processid)).map(({what}) => what).filter(what => what.startsWith('process.'));
	assert.deepEqual(await steps(again.processid), ['process.submit', 'process.assign', 'process.requeue']);
	assert.deepEqual(await steps(spent.processid), ['process.submit', 'process.assign', 'process.expire']);
	const {retries} = await fresh.get(again);
	assert.equal(retries, 1);
});

test('neither keys nor passwords nor values get into what servers write', {skip}, async () => {
	const [{port}] = servers as [ServerProcess];
	await servers[0]!.end('SIGTERM');
	servers[0] = await startServer(where, {home, port, words: ['--log']});
	const way = await reach(servers[0]);
	const computer = await colony.computer();
	const process = await way.run({identity: colony.owner}, 'process.submit', {spec: {targetcolonyid: colony.id, targetcomputerids: [computer.id], in: {token: 'a-secret-value'}}});
	await way.run({identity: computer}, 'process.assign', {colonyid: colony.id});
	await way.run({identity: computer}, 'attribute.add', {colonyid: colony.id, processid: process.processid, key: 'password', value: 'another-secret-value'});
	await assert.rejects(async () => way.run({root: 'a-wrong-password'}, 'colony.list', {}), {code: 'unauthenticated'});
	await way.run({root: 'correct horse battery staple'}, 'colony.list', {});
	await servers[0].end('SIGTERM');
	const said = servers[0].said();
	assert.match(said, /"route":"\/colonies\/{colonyid}\/processes\/assign"/);
	for (const secret of ['a-secret-value', 'another-secret-value', 'a-wrong-password', 'correct horse', Buffer.from('root:correct horse battery staple').toString('base64'), 'PRIVATE KEY', 'sig1=', ...colony.privateKeys]) {
		assert.ok(!said.includes(secret), secret);
	}
});
