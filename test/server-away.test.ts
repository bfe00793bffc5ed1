// What somebody elsewhere is told while the database behind a server is away or refuses, and what those who run it are.
import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import pg from 'pg';
import {brokerContext} from '../source/contexts/index.ts';
import {openPostgres} from '../source/database/postgres.ts';
import {createIdentity} from '../source/identity/index.ts';
import {openColony, rootPassword} from './support/colony.ts';
import {
	freshDatabase, noPostgres, onSocket, startPostgres,
} from './support/databases.ts';
import {failureOf, turned} from './support/outcomes.ts';
import {
	byRoot, Lines, problem, serve, signed, wire,
} from './support/server.ts';

const skip = noPostgres;

test('a stranger is told that the store is unavailable, the log where it is and why, and so is whoever works on it directly', {skip}, async () => {
	const server = await startPostgres();
	const where = await freshDatabase(server);
	const database = await openPostgres(where);
	after(async () => database.close());
	const colony = await openColony(database);
	const log = new Lines();
	const served = await serve(database, {secure: true, log});
	await server.stop();
	await turned(database, false);

	const {identity: stranger} = createIdentity();
	const requests = [
		signed(stranger, wire('colony.get', {colonyid: colony.id})),
		signed(colony.owner, wire('process.submit', {spec: {targetcolonyid: colony.id}})),
		{method: 'GET', target: '/readyz', headers: {}},
		byRoot(rootPassword, {method: 'GET', target: '/metrics'}),
	];
	for (const request of requests) {
		const answer = await served.send(request);
		assert.equal(answer.status, 503);
		for (const detail of [server.host, where.database!, 'PostgreSQL', '5432', where.user!, 'socket']) {
			assert.ok(!answer.text.includes(detail), `${detail} in ${answer.text}`);
		}
	}

	problem(await served.send(requests[0]!), 503, 'unavailable', /^The store is unavailable\.$/);
	assert.ok(log.lines.some(({code, reason = ''}) => code === 'unavailable' && reason.includes(server.host) && reason.includes(where.database)), log.text);
	const local = brokerContext(database, {kind: 'database', name: 'test', local: true});
	const failure = await failureOf(local.run({identity: stranger}, 'colony.get', {colonyid: colony.id}));
	assert.match(failure.message, /^Cannot connect to PostgreSQL in \S+, port 5432, database \w+, as user postgres: (?:nothing listens there|there is no socket in that folder)\.$/);
});

test('nothing that the database says of itself reaches a caller', {skip}, async () => {
	const server = await startPostgres();
	const where = await freshDatabase(server);
	const database = await openPostgres(where);
	const colony = await openColony(database);
	await database.close();
	// A role that may read some tables and no more, as after a mistake with grants.
	const administrator = new pg.Client({...onSocket(server), database: where.database!});
	await administrator.connect();
	await administrator.query('create role guest login; grant usage on schema colonies to guest; grant select on colonies.colonies, colonies.computers, colonies.migrations to guest');
	await administrator.end();
	const limited = await openPostgres({...where, user: 'guest'});
	after(async () => limited.close());
	const log = new Lines();
	const served = await serve(limited, {log});
	const answer = await served.call(colony.owner, 'process.list', {colonyid: colony.id});
	problem(answer, 503, 'unavailable');
	assert.doesNotMatch(answer.text, /permission|denied|table|guest/);
	assert.ok(log.lines.some(({reason}) => reason === 'SQLSTATE 42501'), log.text);
});
