import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {migrate, together} from '../source/database/index.ts';
import {openPostgres} from '../source/database/postgres.ts';
import {noteEngine} from '../source/database/citus.ts';
import type {Client, Database} from '../source/database/types.ts';
import {Broker} from '../source/operations/index.ts';
import {freshDatabase, noPostgres, startPostgres} from './support/databases.ts';
import {play} from './support/play.ts';
import {openShapes} from './support/shapes.ts';

const skip = noPostgres;

let shapes: Awaited<ReturnType<typeof openShapes>>;
let database: Database;
/** Every statement that was sent, but for those that change tables themselves, and those about a piece of one that may be gone. */
const texts = new Set<string>();

const heard = (client: Client): Client => ({
	async query(text, values, name) {
		if (/^\s*(?:with|select|insert|update|delete)\b/.test(text) && !/\b(?:closed|history)_(?:before|\d+)/.test(text)) {
			texts.add(text);
		}

		return client.query(text, values, name);
	},
});

/** The same database, of which every statement is heard. Groups go in steps. */
function heardAt(database: Database): Database {
	const hearing: Database = {
		kind: database.kind,
		schema: database.schema,
		query: heard(database).query,
		transaction: async <Result>(work: (client: Client) => Promise<Result>) => database.transaction(async client => {
			const within = heard(client);
			noteEngine(within, hearing);
			return work(within);
		}),
		flight: async (...given: Parameters<Database['flight']>) => database.flight(...given),
		execute: async (...given: Parameters<Database['execute']>) => database.execute(...given),
		listen: async (...given: Parameters<Database['listen']>) => database.listen(...given),
		notify: async (...given: Parameters<Database['notify']>) => database.notify(...given),
		watchReachability: (...given: Parameters<Database['watchReachability']>) => database.watchReachability(...given),
		load: () => database.load(),
		describe: async () => database.describe(),
		close: async () => database.close(),
	};
	together.goInSteps(hearing);
	return hearing;
}

before(async () => {
	if (skip) {
		return;
	}

	const place = await freshDatabase(await startPostgres());
	database = await openPostgres(place);
	await migrate(database);
	shapes = await openShapes(place);
});

after(async () => {
	await shapes?.close();
	await database?.close();
});

test('what Citus refuses is found', {skip}, async () => {
	const refused: Array<[fault: RegExp, text: string]> = [
		[/CASE or COALESCE/, 'update colonies.live p set deadline = case when p.timeout > 0 then statement_timestamp() end where p.process_id = $1'],
		[/cannot be called with column references/, 'update colonies.live p set deadline = p.start_time + p.timeout * interval \'1 second\' where p.process_id = $1'],
		[/VOLATILE/, 'delete from colonies.live p where p.submission_time < clock_timestamp()'],
		[/RETURNING/, 'update colonies.live p set status = 0 where p.process_id = $1 returning statement_timestamp()'],
		[/within INSERT/, 'insert into colonies.outputs (process_id, attribute_type, key, value) values ($1, 1, $2, (select name from colonies.colonies limit 1))'],
		[/near "NOT"/, 'insert into colonies.seen (colony_id, computer_id, seen_at) select c.colony_id, c.computer_id, statement_timestamp() from colonies.computers c'],
		[/counted as inserted/, 'insert into colonies.nonces_0 (proof) select i.proof from unnest($1::bytea[]) as i(proof) on conflict do nothing'],
		[/two phases/, 'insert into colonies.nonces_0 (proof) select i.proof from unnest($1::bytea[]) as i(proof)'],
		[/two phases/, 'insert into colonies.history (actor, noun, subject_id, what, txid) select $1, noun, subject_id, what, $2 from colonies.history'],
		[/common table expressions may be/, 'with put as (insert into colonies.nonces_0 (proof) values ($1) returning proof) select proof from put'],
		[/several parts/, 'with gone as (delete from colonies.outputs where process_id = $1) delete from colonies.live where process_id = $1'],
		[/counted, or a lock taken/, 'select txid_current() + base from colonies.txid_base'],
	];
	for (const [fault, text] of refused) {
		assert.match((await shapes.faultsOf(text)).join('\n'), fault, text);
	}

	assert.deepEqual(await shapes.faultsOf('update colonies.live p set start_time = statement_timestamp() where p.process_id = $1 returning p.*'), []);
	assert.deepEqual(await shapes.faultsOf('insert into colonies.nonces_0 (proof) select i.proof from unnest($1::bytea[]) as i(proof), colonies.txid_base on conflict do nothing returning proof'), []);
});

test('of every statement of the operations, with groups in steps, Citus refuses none', {skip}, async () => {
	const hearing = heardAt(database);
	await play(hearing);
	const broker = new Broker(hearing, {local: true});
	await broker.endExpired();
	await broker.tidy();
	await broker.rollPulse();
	await broker.clearNonces();
	await broker.dropClosed();
	await broker.seal();
	await broker.keepHistory();
	await broker.statistics();
	await broker.close();
	const faults: string[] = [];
	// What Pulse counts is gathered, and no row of the history goes with it.
	for (const text of [...texts].filter(each => !each.startsWith('insert into colonies.pulse_rolled'))) {
		faults.push(...(await shapes.faultsOf(text)).map(fault => `${fault}: ${text.replaceAll(/\s+/g, ' ').trim().slice(0, 300)}`));
	}

	assert.ok(texts.size > 150, `${texts.size} statements`);
	assert.deepEqual(faults, []);
});
