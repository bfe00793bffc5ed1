import assert from 'node:assert/strict';
import {test} from 'node:test';
import {distributeSchema, findEngine, migrate, refuseWorker} from '../source/database/index.ts';
import {migrations} from '../source/database/migrations/index.ts';
import {openPostgres} from '../source/database/postgres.ts';
import {commandsOf} from '../source/database/scripts.ts';
import {
	afterCommit, isConnectionLoss, isOutcomeUnknown, translate,
} from '../source/database/sqlstate.ts';
import {refused} from './support/colony.ts';
import {freshPlace, noPostgres, openPlain} from './support/databases.ts';
import {isCitus, namedDatabase} from './support/named-database.ts';

const hasCitus = namedDatabase !== undefined && await isCitus(namedDatabase);

test('a script is taken apart into its commands, wherever else a semicolon stands', () => {
	assert.deepEqual(commandsOf(`
create table "odd;name" (a text default ';', b text default 'it''s;');
-- Not here; nor there.
do $body$ begin perform 1; end $body$;
select $$;$$ /* ; */; -- The end.
`), [
		'create table "odd;name" (a text default \';\', b text default \'it\'\'s;\')',
		'-- Not here; nor there.\ndo $body$ begin perform 1; end $body$',
		'select $$;$$ /* ; */',
	]);
	for (const {number, script} of migrations) {
		for (const command of commandsOf(script)) {
			assert.match(command.replace(/^(?:--[^\n]*\s*)+/, ''), /^(?:create|alter|drop|insert|update|select|lock|analyze|do) /, `migration ${number}`);
		}
	}
});

test('where a worker was lost at a commit, nobody knows what became of it', () => {
	for (const message of ['could not commit transaction for shard 102008 on at least one active node', 'server closed the connection unexpectedly']) {
		const lost = translate(Object.assign(new Error(message), {code: 'XX000'}));
		assert.equal(lost.code, 'unavailable');
		assert.ok(isOutcomeUnknown(afterCommit(lost)), message);
	}

	assert.ok(!isConnectionLoss(Object.assign(new Error('could not open relation'), {code: 'XX000'})));
});

test('a schema is distributed only where Citus is', {skip: noPostgres || hasCitus}, async () => {
	const database = await openPlain();
	try {
		await migrate(database);
		await refuseWorker(database);
		await refused(distributeSchema(database), 'unavailable', /^The database has no Citus\.$/);
		assert.equal(await findEngine(database), 'postgresql');
	} finally {
		await database.close();
	}
});

test('a distributed schema is found as such and brought up to date, and a worker is refused', {skip: !hasCitus}, async () => {
	const place = await freshPlace();
	const database = await openPostgres(place);
	try {
		assert.equal(await findEngine(database), 'citus');
		await distributeSchema(database);
		const next = {number: migrations.at(-1)!.number + 1, name: 'next', script: 'create table extra (a integer primary key);\nalter table live add column extra text;\ncreate trigger extra before update on extra for each row execute function refuse_change();'};
		assert.deepEqual(await migrate(database, [...migrations, next]), [next.number]);
		const {rows: [worker]} = await database.query<{host: string; port: number}>('select nodename as host, nodeport as port from pg_catalog.pg_dist_node where groupid > 0 order by nodeid limit 1');
		const beside = await openPostgres({...place, ...worker!});
		try {
			await refused(refuseWorker(beside), 'unavailable', /^The server at .+ is a worker of Citus; Colonies works with the coordinator alone\.$/);
		} finally {
			await beside.close();
		}
	} finally {
		await database.close();
	}
});
