import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import type {Id} from '../source/core/types.ts';
import {createIdentity} from '../source/identity/index.ts';
import {Broker} from '../source/operations/index.ts';
import {noPostgres, openFresh, startPostgres} from './support/databases.ts';
import {openColony, root} from './support/colony.ts';
import {bulk, explained} from './support/plans.ts';

const skip = noPostgres;
const all = 20_000;

/** A colony in which a process was submitted every two minutes, and ended three seconds later; the last ones wait and run. Beside it others with as much. */
async function openWorld() {
	const plain = await openFresh(await startPostgres({settings: {autovacuum: 'off', shared_buffers: '128MB', max_wal_size: '4GB'}}));
	after(async () => plain.close());
	const database = explained(plain);
	const colony = await openColony(plain, new Broker(database, {local: true}));
	const worker = await colony.computer({computertype: 'type3'});
	await plain.query('update colonies.migrations set at = now() - interval \'100 days\'');
	await bulk(plain, async client => {
		for (const [id, salt] of [[colony.id, 'a'], ['5'.repeat(64), 'b'], ['6'.repeat(64), 'c']] as const) {
			await client.query('insert into colonies.colonies (colony_id, name) values (colonies.bytes_of($1), \'more \' || $1) on conflict do nothing', [id]);
			await client.query(`insert into colonies.computers (colony_id, computer_id, name, computer_type, cpu, cores, mem, gpu, gpus, status)
				select colonies.bytes_of($1), sha256(($2 || 'lab' || n)::bytea), 'lab' || n, 'type' || n % 5, '', 8, 8000, '', 1, 1 from generate_series(1, 300) n`, [id, salt]);
			await client.query(`insert into colonies.demands (colony_id, fingerprint, target_computer_ids, computer_type, cores, mem, gpus)
				select colonies.bytes_of($1), sha256(('kind ' || n)::bytea), '{}', 'type' || n, 1, 0, 0 from generate_series(0, 999) n`, [id]);
			const columns = 'process_id, colony_id, status, submission_time, start_time, deadline, assigned_computer_id, target_computer_ids, computer_type, timeout, retries, max_retries, mem, cores, gpus, attributes';
			const row = (status: string) => `select sha256(($2 || n)::bytea), colonies.bytes_of($1), ${status}, m.at, case when ${status} > 0 then m.at + interval '1 s' end, case when ${status} > 0 and n % 3 = 0 then now() + interval '1 hour' end,
				case when ${status} > 0 then sha256(($2 || 'lab' || n % 300 + 1)::bytea) end, '{}', 'type' || n % 1000, 60, n % 4, 3, 0, 1, 0, jsonb_build_object('in', jsonb_build_array(jsonb_build_object('job', n::text)))`;
			const made = (from: number, to: number) => `from generate_series(${from}, ${to}) n cross join lateral (select now() - n * interval '2 minutes' as at) m`;
			await client.query(`insert into colonies.live (${columns}, demand_id, entered_at, returned_at) ${row('(n % 4 = 0)::int')}, (select d.demand_id from colonies.demands d where d.colony_id = colonies.bytes_of($1) and d.computer_type = 'type' || n % 1000),
				case when n % 4 = 0 then m.at + interval '1 s' else m.at end, case when n % 100 = 1 then m.at + interval '30 s' end ${made(1, 2000)}`, [id, salt]);
			await client.query(`insert into colonies.closed (${columns}, end_time) ${row('2 + (n % 50 = 0)::int')}, m.at + interval '3 s' ${made(2001, all)} order by n desc`, [id, salt]);
			await client.query(`insert into colonies.history (at, actor, colony_id, noun, subject_id, what, from_state, to_state, detail)
				select m.at + o.o, sha256('x'), colonies.bytes_of($1), 'process', sha256(($2 || n)::bytea), o.what, o.f, o.t, '{"retries": 0}' from generate_series(1, ${all}) n cross join lateral (select now() - n * interval '2 minutes' as at) m
				cross join (values (interval '1 ms', 'process.submit', null, 'waiting'), (interval '1001 ms', 'process.assign', 'waiting', 'running'), (interval '3001 ms', 'process.successful', 'running', 'successful')) o(o, what, f, t)
				where o.t <> 'successful' or n > 2000 order by 1`, [id, salt]);
			await client.query(`insert into colonies.history (at, actor, colony_id, noun, subject_id, what, from_state, to_state, detail, request, signature)
				select now() - n * interval '1 hour', sha256(('operator' || n % 9)::bytea), colonies.bytes_of($1), 'process', sha256(('gone' || $2 || n)::bytea), case when n % 2 = 0 then 'process.remove' else 'process.cancel' end, 'waiting', 'failed',
					jsonb_build_object('submissiontime', now() - n * interval '1 hour'), '{}', 'signature' || $2 || n from generate_series(1, 1000) n`, [id, salt]);
			await client.query(`insert into colonies.history (at, actor, colony_id, noun, subject_id, what, detail, request)
				select now() - n * interval '1 hour', colonies.bytes_of($1), colonies.bytes_of($1), 'computer', sha256(($2 || 'lab' || n)::bytea), 'computer.register', jsonb_build_object('name', 'lab' || n), '{}' from generate_series(1, 300) n`, [id, salt]);
		}

		await client.query('insert into colonies.colonies (colony_id, name) select sha256((\'colony \' || n)::bytea), \'colony \' || n from generate_series(1, 3000) n');
		await client.query('insert into colonies.idempotency_keys (signer, key, fingerprint, subjects, kept_at) select sha256(\'x\'), n::text, sha256(\'x\'), \'{}\', now() - n * interval \'0.5 seconds\' from generate_series(1, 1250) n');
	});
	await colony.broker.rollPulse();
	while (await colony.broker.seal()) {} // eslint-disable-line no-empty
	await plain.query('analyze');
	const {rows: [one]} = await plain.query<{id: Id; computer: Id}>('select process_id as id, assigned_computer_id as computer from colonies.live where colony_id = colonies.bytes_of($1) and status = 1 limit 1', [colony.id]);
	return {plain, database, colony, worker, some: one!};
}

const {plain, database, colony, worker, some} = skip ? ({} as unknown as Awaited<ReturnType<typeof openWorld>>) : await openWorld();
const own = async (name: Parameters<typeof colony.own>[0], input: Record<string, unknown> = {}) => colony.own(name, input);
const assign = async () => {
	await colony.submit({computertype: 'type3'});
	return colony.assign(worker);
};

/** Each index that no key needs, and what a computer, an operator or the program itself does that is slow without it. */
const uses: Record<string, () => Promise<unknown>> = {
	live_waiting: assign,
	live_put_back: assign,
	live_by_status: async () => own('process.list', {state: 'waiting'}),
	live_by_type: async () => own('process.list', {state: 'running', computertype: 'type8'}),
	live_by_computer: async () => own('computer.forecast', {computerid: some.computer, change: 'remove'}),
	live_by_deadline: async () => colony.broker.endExpired(),
	live_last_try: async () => own('attention.list'),
	live_by_attribute: async () => own('process.list', {attribute: 'job=77'}),
	live_returned: async () => own('process.list', {at: '-2m'}),
	closed_by_status: async () => own('process.list', {state: 'failed'}),
	closed_by_type: async () => own('process.list', {state: 'successful', computertype: 'type17'}),
	closed_by_computer: async () => own('process.list', {state: 'successful', computerid: some.computer}),
	closed_spent: async () => own('attention.list'),
	closed_by_attribute: async () => own('process.list', {attribute: 'job=7777'}),
	closed_by_time: async () => own('process.list', {at: '-20d'}),
	demands_by_audience: assign,
	computers_by_status: async () => own('computer.list'),
	async computers_by_key() {
		const {identity} = createIdentity();
		await own('computer.rekey', {computerid: (await colony.computer()).id, keyid: identity.id});
		await colony.submit({}, identity);
	},
	colonies_by_name: async () => colony.broker.run(root, 'colony.list', {}),
	history_by_transaction: async () => colony.broker.seal(),
	history_by_colony_and_transaction: async () => own('event.list', {count: 10}),
	history_by_subject: async () => own('process.history', {processid: some.id}),
	history_of_members: async () => own('computer.list', {at: '-2h'}),
	history_of_removals: async () => own('process.list', {at: '-2h'}),
	history_of_names: async () => own('audit.list', {text: 'lab2'}),
	history_by_signature: async () => own('audit.verify'),
	history_of_changes: async () => colony.broker.run(root, 'audit.list', {}),
	history_of_changes_by_colony: async () => own('audit.list'),
	history_of_changes_by_what: async () => colony.broker.run(root, 'audit.list', {what: 'process.cancel'}),
	history_of_changes_by_colony_and_what: async () => own('audit.list', {what: 'process.cancel'}),
	history_of_changes_by_actor: async () => own('audit.list', {actor: colony.id}),
	history_of_changes_by_actor_and_what: async () => own('audit.list', {actor: colony.id, what: 'computer.register'}),
	async seals_with_entries() {
		// As after years: the lists of the first seals are gone with their rows.
		await plain.query(`insert into colonies.seals (number, predecessor, hash, to_txid, to_row, rows, oldest, newest, content, made_at)
			select -n, '', sha256(n::text::bytea), -n, 0, 1, now(), now(), '', now() from generate_series(1, 20000) n`);
		await plain.query('analyze colonies.seals');
		await colony.broker.run(root, 'history.retention', {days: 20});
		while (await colony.broker.seal()) {} // eslint-disable-line no-empty
		await colony.broker.keepHistory();
		while (await colony.broker.seal()) {} // eslint-disable-line no-empty
		await colony.broker.keepHistory();
		await colony.broker.seal();
		await colony.broker.keepHistory();
	},
	seals_by_place: async () => own('audit.get', {entry: (await own('audit.list') as {rows: Array<{id: string}>}).rows[0]!.id}),
	idempotency_keys_by_age: async () => colony.broker.tidy(),
	pulse_rolled_by_age: async () => colony.broker.tidy(),
};

test('every index is there for something', {skip}, async () => {
	const {rows} = await plain.query<{name: string; root: string; key: boolean}>(`select c.relname as name, r.root::regclass::text as root, exists (select from pg_constraint k where k.conindid = r.root) as key
		from pg_class c join pg_index i on i.indexrelid = c.oid cross join lateral (select coalesce(pg_partition_root(c.oid), c.oid) as root) r where c.relnamespace = 'colonies'::regnamespace and i.indrelid::regclass::text not like 'pg_toast%'`);
	const rootOf = new Map(rows.map(({name, root}) => [name, root.replace('colonies.', '')]));
	const names = [...new Set(rows.filter(({key}) => !key).map(({name}) => rootOf.get(name)!))].sort();
	const unused: string[] = [];
	for (const name of names) {
		database.plans.length = 0;
		await uses[name]?.().catch((error: unknown) => {
			unused.push(`${name}: ${String(error)} ${String((error as Error).cause)}`);
		});
		const used = new Set(database.plans.flatMap(({indexes}) => indexes.map(index => rootOf.get(index))));
		if (!used.has(name)) {
			unused.push(`${name}: ${uses[name] ? [...used].join(', ') : 'nothing is said of it'}`);
		}
	}

	assert.deepEqual(unused, []);
	assert.deepEqual(Object.keys(uses).filter(name => !names.includes(name)), []);
});
