import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {Process} from '../source/core/types.ts';
import {createIdentity, recover} from '../source/identity/index.ts';
import {type OperationName, operations} from '../source/operations/index.ts';
import {noPostgres} from './support/databases.ts';
import {
	Colony, contents, dump, openAny, openColony, refused, refusedUnchanged, root, rootPassword, type HistoryRow,
} from './support/colony.ts';

const colony = await openColony(await openAny());
const {database, broker} = colony;

type Told = [what: string, from: string | null, to: string | null];
const told = (rows: HistoryRow[]): Told[] => rows.map(row => [row.what, row.from_state, row.to_state]);

test('every step of a process is told: who, what, from where and to where', async () => {
	const computer = await colony.computer();
	const process = await colony.submit({in: {key: 'value'}, timeout: 100, targetcomputerids: [computer.id]});
	await colony.assign(computer);
	await colony.add(computer, process, {key: 'result', value: '1'});
	await colony.add(computer, process, {key: 'result', value: '2'});
	await colony.close(computer, process);
	await colony.own('process.retry', {processid: process.processid});
	await colony.assign(computer);
	await colony.close(computer, process, 'failed');
	await colony.own('process.retry', {processid: process.processid});
	await colony.own('process.cancel', {processid: process.processid});
	await colony.own('process.remove', {processid: process.processid});
	const rows = await colony.history(process.processid);
	assert.deepEqual(told(rows), [
		['process.submit', null, 'waiting'],
		['process.assign', 'waiting', 'running'],
		['attribute.add', null, null],
		['attribute.add', null, null],
		['process.successful', 'running', 'successful'],
		['process.retry', 'successful', 'waiting'],
		['process.assign', 'waiting', 'running'],
		['process.failed', 'running', 'failed'],
		['process.retry', 'failed', 'waiting'],
		['process.cancel', 'waiting', 'failed'],
		['attribute.add', null, null],
		['process.remove', 'failed', null],
	]);
	const [submit, assign, first, second, successful, retry] = rows;
	assert.deepEqual(rows.map(({actor}) => actor === computer.id ? 'computer' : (actor === colony.id ? 'owner' : actor)), [
		'owner', 'computer', 'computer', 'computer', 'computer', 'owner', 'computer', 'computer', 'owner', 'owner', 'owner', 'owner',
	]);
	assert.deepEqual(submit!.detail, process);
	assert.equal(assign!.detail.computer, computer.id);
	assert.deepEqual([first!.detail.value, first!.detail.before, second!.detail.value, second!.detail.before], ['1', undefined, '2', '1']);
	assert.equal(successful!.detail.computer, computer.id);
	assert.ok(Number.isSafeInteger(assign!.detail.wait) && assign!.detail.wait > 0, 'microseconds that it waited');
	assert.ok(Number.isSafeInteger(successful!.detail.run) && successful!.detail.run > 0, 'microseconds that it ran');
	assert.ok(rows.every(({what, detail}) => !what.startsWith('process.') || (detail.type ?? detail.computertype) === process.computertype));
	assert.equal(retry!.detail.computer, computer.id);
	assert.deepEqual(retry!.detail.attributes.map(({key, value}: {key: string; value: string}) => [key, value]), [['result', '2']]);
	assert.ok(rows.every(row => row.colony_id === colony.id));
});

test('every change of a colony and its computers is told', async () => {
	const fresh = await openColony(database, broker);
	const computer = await fresh.computer({state: 'disapproved'});
	await fresh.own('computer.approve', {computerid: computer.id});
	await fresh.own('computer.rename', {computerid: computer.id, name: 'edge'});
	const process = await fresh.running(computer);
	await fresh.own('computer.rekey', {computerid: computer.id, keyid: createIdentity().identity.id});
	await fresh.own('computer.disapprove', {computerid: computer.id});
	await fresh.own('computer.remove', {computerid: computer.id});
	assert.deepEqual(told(await fresh.history(computer.id)), [
		['computer.register', null, 'pending'],
		['computer.disapprove', 'pending', 'disapproved'],
		['computer.approve', 'disapproved', 'approved'],
		['computer.rename', null, null],
		['computer.rekey', null, null],
		['computer.disapprove', 'approved', 'disapproved'],
		['computer.remove', 'disapproved', null],
	]);
	assert.deepEqual(told(await fresh.history(process.processid)), [['process.submit', null, 'waiting'], ['process.assign', 'waiting', 'running'], ['process.requeue', 'running', 'waiting']]);
	await broker.run(root, 'colony.rename', {colonyid: fresh.id, name: 'renamed'});
	await broker.run(root, 'colony.remove', {colonyid: fresh.id});
	const rows = await fresh.history(fresh.id);
	assert.deepEqual(rows.map(({what, actor, detail}) => ({what, actor, detail})), [
		{what: 'colony.register', actor: 'root', detail: {colonyid: fresh.id, name: 'mycolony'}},
		{what: 'colony.rename', actor: 'root', detail: {name: 'renamed', before: {name: 'mycolony'}}},
		{what: 'colony.remove', actor: 'root', detail: {colonyid: fresh.id, name: 'renamed'}},
	]);
});

test('what ends by itself is told as done by the system', async () => {
	const computer = await colony.computer();
	const again = await colony.running(computer, {timeout: 600, maxretries: 1});
	const spent = await colony.running(computer, {timeout: 600});
	await colony.passDeadlines(again, spent);
	assert.equal(await broker.endExpired(), 2);
	const [requeue] = (await colony.history(again.processid)).slice(-1);
	const [expire, error] = (await colony.history(spent.processid)).slice(-2);
	assert.deepEqual(told([requeue!, expire!, error!]), [['process.requeue', 'running', 'waiting'], ['process.expire', 'running', 'failed'], ['attribute.add', null, null]]);
	assert.deepEqual([requeue!, expire!, error!].map(({actor, request}) => [actor, request]), Array.from({length: 3}, () => ['system', null]));
	assert.deepEqual([expire!.detail.computer, error!.detail.key, error!.detail.value], [computer.id, 'error', 'deadline exceeded']);
});

test('a change and its history are one transaction', async () => {
	const computer = await colony.computer();
	const process = await colony.submit({in: {key: 'value'}, targetcomputerids: [computer.id]});
	/** Checks that the transaction which wrote the row of the process in a table, in 32 bits, is that of the last such row of its history. */
	const oneTransaction = async (table: 'live' | 'closed' | 'outputs', what: string) => {
		const {rows: [row]} = await database.query<{process: string; told: string}>(
			`select (select xmin::text from colonies.${table} where process_id = colonies.bytes_of($1)) as process, (select (txid % 4294967296)::text from colonies.history where subject_id = colonies.bytes_of($1) and what = $2 order by history_id desc limit 1) as told`,
			[process.processid, what],
		);
		assert.match(row!.process, /^\d+$/);
		assert.equal(row!.process, row!.told, what);
	};

	await oneTransaction('live', 'process.submit');
	await colony.assign(computer);
	await oneTransaction('live', 'process.assign');
	await colony.add(computer, process, {key: 'result', value: 'x'});
	await oneTransaction('outputs', 'attribute.add');
	await colony.close(computer, process);
	await oneTransaction('closed', 'process.successful');
	await colony.own('process.retry', {processid: process.processid});
	await oneTransaction('live', 'process.retry');
	await colony.own('process.cancel', {processid: process.processid});
	await oneTransaction('closed', 'process.cancel');
	await colony.running(computer);
	await colony.running(computer);
	await colony.own('computer.disapprove', {computerid: computer.id});
	const rows = (await colony.history()).slice(-3);
	assert.deepEqual(rows.map(({what}) => what), ['computer.disapprove', 'process.requeue', 'process.requeue']);
	assert.equal(new Set(rows.map(({txid}) => txid)).size, 1);
	assert.equal(new Set(rows.map(({request}) => request)).size, 1);
});

test('what is refused leaves no history', async () => {
	const computer = await colony.computer();
	const process = await colony.running(computer);
	await colony.close(computer, process);
	await refusedUnchanged(database, async () => colony.close(computer, process), 'conflict');
	await refusedUnchanged(database, async () => colony.own('computer.approve', {computerid: computer.id}), 'conflict');
	await refusedUnchanged(database, async () => colony.own('computer.register', {computerid: computer.id, spec: {name: 'twice'}}), 'conflict');
	await refusedUnchanged(database, async () => broker.run(root, 'colony.register', {colonyid: colony.id, spec: {name: 'twice'}}), 'conflict');
	await refusedUnchanged(database, async () => broker.run(root, 'colony.remove', {colonyid: colony.id, name: 'another'}), 'invalid-input');
});

test('an operator\'s change is kept with its signed request, and what is done in numbers without one', async () => {
	await broker.run(root, 'history.retention', {days: 30});
	await broker.run(root, 'token.create', {name: 'prometheus'});
	await broker.run(root, 'token.revoke', {name: 'prometheus'});
	await colony.own('process.retention', {failed: 'off'});
	const {rows} = await database.query<HistoryRow>('select txid, at, colonies.text_of(actor) as actor, colony_id, what, request, signature from colonies.history');
	const kept = new Set<string>();
	const nonces = new Set<string>();
	for (const row of rows) {
		const isOperators = operations[row.what as OperationName]?.operator ?? false;
		if (!isOperators) {
			assert.ok(row.request === null || ['process.requeue', 'attribute.add'].includes(row.what), row.what);
			continue;
		}

		const request = JSON.parse(row.request!) as {operation: string; input: Record<string, unknown>; created: string; nonce: string};
		kept.add(row.what);
		nonces.add(request.nonce);
		assert.ok(request.operation === row.what || request.operation === 'colony.remove');
		assert.ok(Math.abs(Date.parse(request.created) - Date.parse(row.at)) < 60_000);
		assert.equal(request.input.colonyid ?? row.colony_id, row.colony_id);
		if (row.actor === 'root') {
			assert.equal(row.signature, null);
		} else {
			assert.equal(recover(row.request!, row.signature!), row.actor);
		}
	}

	assert.equal(nonces.size, new Set(rows.filter(({request}) => request).map(({txid}) => txid)).size);
	assert.deepEqual([...kept].sort(), Object.values(operations).filter(({operator, name}) => operator && name !== 'database.rootpassword' && name !== 'colony.move').map(({name}) => name).sort());
});

test('a removal leaves the full image of what was removed', async () => {
	const computer = await colony.computer({computertype: 'gpu', state: 'approved'});
	const process = await colony.running(computer, {in: {b: '1', a: '2'}, timeout: 50, maxretries: 2, mem: 10, cores: 1, gpus: 1, computertype: 'gpu'});
	await colony.add(computer, process, {key: 'out', value: 'x'});
	await colony.add(computer, process, {key: 'err', value: 'y', type: 'err'});
	const before = await colony.get(process);
	await colony.own('process.remove', {processid: process.processid});
	const record = await colony.own('computer.get', {computerid: computer.id});
	await colony.own('computer.remove', {computerid: computer.id});
	const image = async (subject: string): Promise<unknown> => (await colony.history(subject)).at(-1)!.detail;
	assert.deepEqual(await image(process.processid), before);
	assert.deepEqual(await image(computer.id), record);
	const {rows} = await database.query('select from colonies.outputs where process_id = colonies.bytes_of($1)', [process.processid]);
	assert.deepEqual(rows, []);
});

test('removing a colony leaves the image of everything that was in it', async () => {
	const fresh = await openColony(database, broker);
	const computer = await fresh.computer();
	const processes = [await fresh.running(computer, {in: {key: 'value'}}), await fresh.submit({in: {a: '1', b: '2'}})];
	await fresh.add(computer, processes[0]!, {key: 'result', value: '42'});
	const images = await Promise.all(processes.map(async process => fresh.get(process)));
	// When it was last seen is kept apart.
	const {lastseen: _, ...record} = await fresh.own('computer.get', {computerid: computer.id});
	await broker.run(root, 'colony.remove', {colonyid: fresh.id, name: 'mycolony'});

	const rows = await fresh.history();
	const removed = rows.filter(({what}) => what.endsWith('.remove'));
	assert.equal(new Set(removed.map(({txid, request, signature, actor}) => JSON.stringify([txid, request, signature, actor]))).size, 1);
	const kept = removed.filter(({noun}) => noun === 'process');
	assert.deepEqual(kept.map(({detail}) => detail as Process).sort((one, other) => one.submissiontime < other.submissiontime ? -1 : 1), images);
	assert.deepEqual(kept.map(row => [row.subject_id === processes[0]!.processid, row.from_state]).sort(), [[false, 'waiting'], [true, 'running']]);
	const machine = removed.find(({noun}) => noun === 'computer')!;
	assert.deepEqual([machine.from_state, machine.detail], ['approved', record]);
	for (const table of ['colonies', 'computers', 'processes', 'demands']) {
		const {rows} = await database.query(`select from colonies.${table} where colony_id = $1`, [fresh.id]);
		assert.deepEqual(rows, []);
	}

	const {rows: outputs} = await database.query('select from colonies.outputs where process_id = any (colonies.bytes_of_all($1))', [processes.map(({processid}) => processid)]);
	assert.deepEqual(outputs, []);
});

test('a requeue moves what the attempt wrote into the history', async () => {
	const computer = await colony.computer();
	const process = await colony.running(computer, {in: {key: 'value'}});
	await colony.add(computer, process, {key: 'step', value: '7'});
	await colony.add(computer, process, {key: 'warning', value: 'hot', type: 'err'});
	const running = await colony.get(process);
	await colony.own('computer.disapprove', {computerid: computer.id});
	const waiting = await colony.get(process);
	assert.deepEqual(waiting, {...process, assignedcomputerid: '', isassigned: false, status: 0, starttime: '0001-01-01T00:00:00Z'});
	const [row] = (await colony.history(process.processid)).slice(-1);
	assert.deepEqual({...row!.detail, attributes: undefined}, {computer: computer.id, type: running.computertype, start: running.starttime, end: null, retries: 0, attributes: undefined});
	assert.deepEqual(row!.detail.attributes, [...running.out!, ...running.err!]);
});

test('the history keeps of a process what its rows do not say already', async () => {
	const computer = await colony.computer();
	const process = await colony.running(computer, {in: {b: '1', a: '2'}, cores: 2});
	await colony.add(computer, process, {key: 'step', value: '7'});
	await colony.add(computer, process, {key: 'warning', value: 'hot', type: 'err'});
	await colony.own('computer.disapprove', {computerid: computer.id});
	await colony.own('process.remove', {processid: process.processid});
	const {rows} = await database.query<Pick<HistoryRow, 'what' | 'detail'>>('select what, detail from colonies.history where subject_id = colonies.bytes_of($1) order by history_id', [process.processid]);
	const kept = new Map(rows.map(({what, detail}) => [what, detail as Record<string, unknown>]));
	const given = {in: [{b: '1'}, {a: '2'}]};
	const asked = {submissiontime: process.submissiontime, targetcomputerids: [computer.id], timeout: -1, cores: 2};
	assert.deepEqual(kept.get('process.submit'), {...asked, attributes: given});
	assert.deepEqual(kept.get('process.requeue')!.attributes, {out: [{step: '7'}], err: [{warning: 'hot'}]});
	const {attributes, submissiontime, cores, ...image} = kept.get('process.remove')!;
	assert.deepEqual([attributes, submissiontime, cores], [given, process.submissiontime, 2]);
	assert.deepEqual(Object.keys(image).filter(name => ['processid', 'targetcolonyid', 'isassigned', 'in', 'out', 'err'].includes(name)), []);
	assert.deepEqual(rows.filter(({what}) => what === 'attribute.add').map(({detail}) => ['attributeid' in detail, String(detail.key)]), [[false, 'step'], [false, 'warning']]);
});

test('the history cannot be changed', async () => {
	const before = await contents(database);
	for (const statement of ['update colonies.history set actor = \'somebody\'', 'update colonies.history set detail = null where history_id = 1']) {
		await assert.rejects(async () => database.query(statement));
	}

	await assert.rejects(async () => database.query('update colonies.history set what = \'nothing\''), (error: Error) => String(error.cause).includes('append-only'));
	assert.deepEqual(await contents(database), before);
});

test('no secret is in any table, wherever it was given', async () => {
	const secret = 'another secret password';
	const {identity, privateKey} = createIdentity();
	const extra = {rootpassword: rootPassword, prvkey: privateKey, password: rootPassword};
	const spec = {name: 'sly'};
	// With a secret beside or in it a call is refused; without, it is carried out.
	await refused(broker.run(root, 'colony.register', {colonyid: identity.id, spec: {...spec, ...extra}}), 'invalid-input');
	await broker.run(root, 'colony.register', {colonyid: identity.id, spec});
	await refused(colony.own('computer.register', {computerid: identity.id, spec, ...extra}), 'invalid-input');
	await colony.own('computer.register', {computerid: identity.id, spec});
	await refused(colony.own('computer.approve', {computerid: identity.id, ...extra}), 'invalid-input');
	await colony.own('computer.approve', {computerid: identity.id});
	await refused(colony.submit({cores: 0, ...extra}, identity), 'invalid-input');
	await colony.submit({}, identity);
	await broker.run(root, 'database.rootpassword', {newrootpassword: secret});
	await refused(broker.run(root, 'colony.list', {}), 'unauthenticated');
	await broker.run({root: secret}, 'colony.remove', {colonyid: identity.id});
	await broker.run({root: secret}, 'database.rootpassword', {newrootpassword: rootPassword});
	await refused(broker.run({root: secret}, 'colony.list', {}), 'unauthenticated');
	const everything = await dump(database);
	assert.ok(everything.includes(colony.id) && everything.includes('database.rootpassword'));
	for (const each of [secret, rootPassword, privateKey, ...colony.privateKeys]) {
		assert.ok(!everything.toLowerCase().includes(each));
		assert.ok(!everything.includes(Buffer.from(each).toString('base64').slice(0, 20)));
	}

	const {rows: [row]} = await database.query<{root_password: string}>('select root_password from colonies.installation');
	assert.match(row!.root_password, /^scrypt(?:\$\d+){3}\$[\da-f]{32}\$[\da-f]{64}$/);
});

test('a reader that goes by transaction loses nothing of a slow one', {skip: noPostgres}, async () => {
	const slow = new Colony(database, broker);
	/** What has been read so far, and the rows after it of transactions that nobody can add to any more. */
	const read: number[] = [];
	let last = [0, 0];
	const readOn = async () => {
		const {rows} = await database.query<{txid: number; history_id: number}>(`select txid, history_id from colonies.history where (txid, history_id) > ($1, $2) and txid < txid_snapshot_xmin(txid_current_snapshot())
			order by txid, history_id`, last);
		read.push(...rows.map(row => row.history_id));
		last = rows.length > 0 ? [rows.at(-1)!.txid, rows.at(-1)!.history_id] : last;
	};

	await database.transaction(async client => {
		await client.query('insert into colonies.history (actor, noun, subject_id, colony_id, what) values (colonies.bytes_of($1), \'colony\', colonies.bytes_of($1), colonies.bytes_of($1), \'slow\')', [slow.id]);
		for (let index = 0; index < 3; index++) {
			await colony.submit();
			await readOn();
		}
	});
	await readOn();
	const {rows} = await database.query<{history_id: number}>('select history_id from colonies.history order by txid, history_id');
	assert.deepEqual(read, rows.map(row => row.history_id));
	const [row] = await slow.history();
	assert.ok(read.includes(row!.history_id));
});

test('an attempt keeps no more than its history can hold, and the first root password is an event', async () => {
	const database = await openAny();
	try {
		const colony = await openColony(database);
		const computer = await colony.computer();
		const process = await colony.running(computer);
		for (let index = 0; index < 32; index++) {
			await colony.add(computer, process, {key: `part ${index}`, value: 'x'.repeat(1_048_576)});
		}

		await colony.add(computer, process, {key: 'part 0', value: 'replaced'});
		await refused(colony.add(computer, process, {key: 'more', value: 'x'.repeat(1_048_576)}), 'too-large', /32 MiB/);
		await colony.own('computer.disapprove', {computerid: computer.id});
		assert.equal(await colony.state(process), 'waiting');
		const {rows} = await database.query<{count: number}>('select count(*)::int as count from colonies.history where what = \'database.firstrootpassword\' and actor = \'root\'');
		assert.deepEqual(rows, [{count: 1}]);
	} finally {
		await database.close();
	}
});
