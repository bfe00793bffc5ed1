import assert from 'node:assert/strict';
import {test} from 'node:test';
import {brokerContext} from '../source/contexts/index.ts';
import {Broker} from '../source/operations/index.ts';
import {createIdentity} from '../source/identity/index.ts';
import {openSettled} from './support/commands.ts';
import {sealAll} from './support/tampering.ts';

const {database, home, run, colony, computer} = await openSettled();
const rootWords = ['--rootpassword', 'secret'];

test('who disapproved a computer is one command', async () => {
	await run(['computer', 'disapprove', '--colonyid', colony, '--computerid', computer]);
	const {code, stdout} = await run(['audit', 'ls', '--colonyid', colony, '--filter', 'disapprove my_comp', '--output', 'table']);
	assert.equal(code, 0);
	assert.match(stdout, /mycolony +computer\.disapprove +my_computer +approved → disapproved +yes/);
	const none = await run(['audit', 'ls', '--colonyid', colony, '--what', 'cancel']);
	assert.deepEqual([none.code, none.stdout], [0, '[]\n']);
	const wrong = await run(['audit', 'ls', '--colonyid', colony, '--what', 'nonsense']);
	assert.deepEqual([wrong.code, wrong.stdout], [2, '']);
});

test('a head that is printed is found again; another one, and a row that was altered, end with an exit code of their own', async () => {
	assert.equal((await run(['audit', 'head', ...rootWords])).code, 5);
	const empty = await run(['audit', 'verify', ...rootWords]);
	assert.deepEqual([empty.code, empty.stderr], [0, 'Nothing is sealed yet.\n']);
	await sealAll(database);
	const {stdout} = await run(['audit', 'head', ...rootWords]);
	const {hash, number} = JSON.parse(stdout) as {hash: string; number: number};
	const verified = await run(['audit', 'verify', '--head', hash, ...rootWords]);
	assert.equal(verified.code, 0, verified.stderr);
	assert.match(verified.stderr, new RegExp(`^The history is intact up to seal ${number}, made at `));
	assert.ok(JSON.parse(verified.stdout).requests >= 4);
	// The owner gets the verdict alone.
	const owner = await run(['audit', 'verify', '--colonyid', colony]);
	assert.deepEqual([owner.code, JSON.parse(owner.stdout).intact, JSON.parse(owner.stdout).rows], [0, true, undefined]);
	const other = await run(['audit', 'verify', '--head', 'f'.repeat(64), ...rootWords]);
	assert.deepEqual([other.code, JSON.parse(other.stdout).fault.kind], [14, 'head']);
	assert.match(other.stderr, /is not on the chain/);
	await database.query('alter table colonies.history disable trigger history_is_append_only');
	await database.query('update colonies.history set actor = colonies.bytes_of($1) where what = \'computer.disapprove\'', [createIdentity().identity.id]);
	const altered = await run(['audit', 'verify', ...rootWords]);
	assert.equal(altered.code, 14);
	assert.match(altered.stderr, /^colonies: The row \d+\.\d+ \(computer\.disapprove\) of seal \d+ was altered\.\n/);
});

test('a head before the seals that are checked is refused, for nothing there follows from it', async () => {
	const {rows: [first]} = await database.query<{hash: string}>('select encode(hash, \'hex\') as hash from colonies.seals where number = 1');
	await database.query('insert into colonies.history (actor, noun, subject_id, what) values (\'system\', \'attribute\', \'p\', \'attribute.add\')');
	await sealAll(database);
	const {rows: [{last}]} = await database.query<any>('select max(number)::int as last from colonies.seals');
	const {code, stdout, stderr} = await run(['audit', 'verify', '--after', String(last), '--head', first!.hash, ...rootWords]);
	assert.deepEqual([code, stdout], [2, '']);
	assert.match(stderr, /The head is that of seal 1; whether seal \d+ follows from it is not checked from there on\.\n.*--after 1, or less/);
});

test('how long the history is kept is shown and set by one command', async () => {
	const show = async () => JSON.parse((await run(['history', 'retention', ...rootWords])).stdout) as {days: number | null};
	assert.equal((await show()).days, null);
	const set = await run(['history', 'retention', '--days', '30', ...rootWords]);
	assert.deepEqual([set.code, set.stdout, set.stderr], [0, '', 'The history is kept for 30 days.\n']);
	assert.equal((await show()).days, 30);
	await database.query('update colonies.history set actor = colonies.bytes_of($1) where what = \'computer.disapprove\'', [colony]);
	await database.query('insert into colonies.history (at, actor, noun, subject_id, what) select now() - interval \'40 days\', \'system\', \'process\', \'p\', \'process.expire\' from generate_series(1, 3)');
	for (const _ of ['says', 'drops']) {
		await sealAll(database);
		await new Broker(database, {local: true}).keepHistory();
	}

	// What is gone is said to the owner, too.
	for (const words of [rootWords, ['--colonyid', colony]]) {
		const {code, stdout, stderr} = await run(['audit', 'verify', ...words]);
		assert.deepEqual([code, JSON.parse(stdout).dropped], [0, 3], stderr);
		assert.match(stderr, /^The history is intact up to seal \d+, made at .*\. Retention has dropped 3 rows of it, from before \d{4}-.*Z\.\n$/);
	}

	const forEver = await run(['history', 'retention', '--none', ...rootWords]);
	assert.equal(forEver.stderr, 'The history is kept for ever.\n');
	assert.equal((await run(['history', 'retention', '--none', '--days', '3', ...rootWords])).code, 2);
	assert.equal((await run(['history', 'retention', '--compressafter', '3', ...rootWords])).code, 2);
	assert.equal((await run(['history', 'retention', '--days', '3', '--rootpassword', 'wrong'])).code, 3);
});

test('a computer that was approved by hand is found by comparing the present with the history', async () => {
	await sealAll(database);
	const agreed = await run(['audit', 'verify', '--present', ...rootWords]);
	assert.equal(agreed.code, 0, agreed.stderr);
	assert.match(agreed.stderr, /\n1 colony, 1 computer, 0 processes and 0 attributes are as the history says\.\n$/);
	assert.deepEqual(JSON.parse(agreed.stdout).present.deviations, []);
	await database.query('update colonies.computers set status = 1 where computer_id = colonies.bytes_of($1)', [computer]);
	for (const words of [rootWords, ['--colonyid', colony]]) {
		const {code, stdout, stderr} = await run(['audit', 'verify', '--present', ...words]);
		assert.equal(code, 14);
		assert.match(stderr, /The computer "my_computer" \(.*\) has the state "approved"; by the history \(row .*\) it is "disapproved"\.\ncolonies: 1 thing in the database is not as the history says\.\n/);
		assert.deepEqual(JSON.parse(stdout).present.deviations.map((each: {subject: string}) => each.subject), [computer]);
	}

	await database.query('update colonies.computers set status = 2 where computer_id = colonies.bytes_of($1)', [computer]);
});

test('while a console or a server is up, what happens is sealed by itself', async () => {
	const context = brokerContext(database, {kind: 'database', name: 'another', local: true, attended: true});
	await context.run({identity: await home.keychain.identity(colony)}, 'computer.approve', {colonyid: colony, computerid: computer});
	for (let sealed = false; !sealed;) {
		const {rows: [entry]} = await context.run({root: 'secret'}, 'audit.list', {what: 'approve', count: 1});
		({sealed} = entry!);
		await new Promise(resolve => {
			setImmediate(resolve);
		});
	}
});
