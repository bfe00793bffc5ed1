import assert from 'node:assert/strict';
import {test} from 'node:test';
import {type Change, record} from '../source/database/history.ts';
import {
	openAny, openColony, outcomeOf, root,
} from './support/colony.ts';

const database = await openAny();
const colony = await openColony(database);

/** How often something stands in the history. */
const kept = async (what: string): Promise<number> => (await database.query('select from history where what = $1', [what])).rowCount;
const write = async (change: Omit<Change, 'colony'>): Promise<void> => database.transaction(async client => record(client, {actor: colony.id}, [{...change, colony: colony.id}]));

test('an edit of a record that lists of the past cannot undo is refused, and the edit with it', async () => {
	const {id} = await colony.computer({name: 'lab'});
	const rename = database.transaction(async client => {
		await client.query('update computers set name = \'edge\' where computer_id = bytes_of($1)', [id]);
		await record(client, {actor: colony.id}, [{noun: 'computer', subject: id, colony: colony.id, what: 'computer.rename', detail: {name: 'edge'}}]);
	});
	await assert.rejects(rename, /Lists of the past cannot undo computer\.rename/);
	assert.equal((await colony.own('computer.get', {computerid: id})).name, 'lab');
	assert.equal(await kept('computer.rename'), 0);
	await assert.rejects(write({noun: 'process', subject: 'p', what: 'process.edit', from: 'waiting', to: 'waiting', since: '2026-01-01T00:00:00Z'}), /cannot undo process\.edit/);
	await assert.rejects(write({noun: 'colony', subject: colony.id, what: 'colony.rename', from: 'a'}), /cannot undo colony\.rename/);
	await assert.rejects(write({noun: 'process', subject: 'p', what: 'toString'}), /cannot undo toString/);
});

test('what is kept of the installation is in no list, and needs nothing', async () => {
	await write({noun: 'installation', subject: 'root', what: 'database.rootpassword'});
	assert.equal(await kept('database.rootpassword'), 1);
});

/** One change of every kind, as operations make them. */
async function everyKind(): Promise<Change[]> {
	const [lab, other] = [await colony.computer(), await colony.computer({state: 'disapproved'})];
	const first = await colony.running(lab, {timeout: 600});
	await colony.add(lab, first, {key: 'result', value: '42'});
	await colony.passDeadlines(first);
	await colony.broker.endExpired();
	const {processid} = first;
	await colony.own('process.retry', {processid});
	await colony.close(lab, await colony.assign(lab), 'failed');
	await colony.own('process.remove', {processid});
	await colony.close(lab, await colony.running(lab));
	await colony.own('process.cancel', {processid: (await colony.running(lab)).processid});
	await colony.running(lab);
	await colony.own('computer.remove', {computerid: lab.id});
	await colony.own('computer.remove', {computerid: other.id});
	const {id} = await openColony(database, colony.broker);
	await colony.broker.run(root, 'colony.remove', {colonyid: id});
	const {rows} = await database.query<Change>(`select distinct on (what) noun, subject_id as subject, colony_id as colony, what, from_state as "from", to_state as "to", since, detail from history
		where noun <> 'installation' order by what, history_id`);
	return rows.map(row => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as Change);
}

test('a change that leaves out what lists of the past need is refused, whatever its kind', async () => {
	const changes = await everyKind();
	assert.equal(changes.length, 16, changes.map(({what}) => what).join(' '));
	const all: Record<string, string> = {};
	for (const change of changes) {
		const needed: string[] = [];
		await assert.doesNotReject(write(change), change.what);
		for (const field of ['from', 'since', 'detail'] as const) {
			const incomplete = write({...change, [field]: undefined});
			if (await outcomeOf(incomplete) !== 'done') {
				await assert.rejects(incomplete, /Lists of the past cannot undo .* without /);
				needed.push(field);
			}
		}

		all[change.what] = needed.join(' ');
	}

	assert.deepEqual(all, {
		'attribute.add': 'detail',
		'colony.register': '',
		'colony.remove': 'detail',
		'computer.approve': 'from',
		'computer.disapprove': 'from',
		'computer.register': '',
		'computer.remove': 'from detail',
		'process.assign': 'from since',
		'process.cancel': 'from since',
		'process.expire': 'from since',
		'process.failed': 'from since',
		'process.remove': 'from since detail',
		'process.requeue': 'from since detail',
		'process.retry': 'from since detail',
		'process.submit': '',
		'process.successful': 'from since',
	});
});
