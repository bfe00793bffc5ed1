import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {migrate} from '../source/database/index.ts';
import {type Colony, openColony} from './support/colony.ts';
import {open} from './support/console.tsx';
import {openMemory} from './support/databases.ts';
import {closingByHand, sealAll} from './support/tampering.ts';

const database = await openMemory();
await migrate(database);
after(async () => database.close());

const look = async (colony: Colony) => {
	const person = await open({database, colonies: [colony], columns: 120, rows: 36});
	await person.until('live');
	person.press('7');
	return person;
};

test('who disapproved lab2 is one filter away, also once it is removed, with the request that was signed', async () => {
	const colony = await openColony(database);
	await colony.computer({name: 'lab1', state: 'disapproved'});
	const lab = await colony.computer({name: 'lab2'});
	await colony.own('computer.disapprove', {computerid: lab.id});
	await colony.own('computer.remove', {computerid: lab.id});
	await colony.submit();
	await sealAll(database);
	const person = await look(colony);
	await person.until(/\[changes] all/);
	await person.until(/mycolony +computer\.remove +lab2 /);
	person.press('w');
	await person.until(/computer\.remove +lab2 +disapproved → +yes +yes/);
	person.press('w');
	assert.match(person.frame(), /root +colony\.register +mycolony/);
	await person.until(/all is sealed \| v verifies/);
	assert.ok(!person.frame().includes('process.submit'));
	person.press('/');
	person.type('disapprove lab2');
	person.press('enter');
	await person.until(/WHEN[^\n]*\n[^\n]*mycolony +computer\.disapprove +lab2 [^\n]*\n[^\n]*│ {20}/);
	assert.ok(!person.frame().includes('lab1'));
	person.press('j', 'enter');
	await person.until('"operation": "computer.disapprove"');
	assert.match(person.frame(), new RegExp(`object +lab2 +${lab.id}`));
	assert.match(person.frame(), /Seal\s[^\n]*\n[^\n]*number +\d+/);
	person.press('esc', 'esc', ']');
	await person.until('process.submit');
	assert.match(person.frame(), /changes \[all]/);
});

test('the history is verified with the press of a key, and what was altered is named', async () => {
	const colony = await openColony(database);
	const lab = await colony.computer({name: 'lab3'});
	await sealAll(database);
	const person = await look(colony);
	person.press('v');
	await person.until(/█{40} +seal (\d+) of \1/);
	await person.until('✓ The history is intact up to seal');
	person.press('esc');
	await person.until(/verified intact \d\d:\d\d:\d\d/);
	const {rows: [row]} = await database.query<{txid: number; history_id: number}>('select txid, history_id from colonies.history where subject_id = colonies.bytes_of($1) and what = \'computer.approve\'', [lab.id]);
	await database.transaction(async client => {
		await client.query('set local session_replication_role = replica');
		await client.query('update colonies.history set to_state = \'disapproved\' where history_id = $1', [row!.history_id]);
	});
	person.press('v');
	await person.until('✗ The history is not intact.');
	assert.match(person.frame(), new RegExp(String.raw`The row ${row!.txid}\.${row!.history_id} \(computer\.approve\) of seal \d+ was altered\.`));
	person.press('esc');
	await person.until('NOT INTACT');
	person.resize(60, 15);
	await person.until('NOT INTACT');
	person.press('r');
	await database.transaction(async client => {
		await client.query('set local session_replication_role = replica');
		await client.query('update colonies.history set to_state = \'approved\' where history_id = $1', [row!.history_id]);
	});
	person.press('v');
	await person.until('✓ The history is intact');
});

test('a process that was closed by hand is named where the history has just been verified', async () => {
	const colony = await openColony(database);
	const {processid} = await colony.submit();
	await sealAll(database);
	const person = await look(colony);
	person.press('v');
	await person.until('p compares colonies');
	person.press('p');
	await person.until('✓ 1 colony, 0 computers, 1 process and 0 attributes are as the history says.');
	await database.query(closingByHand(processid, 3));
	person.press('esc', 'v');
	await person.until('p compares colonies');
	person.press('p');
	await person.until('✗ Something is not as the history says.');
	assert.match(person.frame(), new RegExp(String.raw`The process ${processid.slice(0, 4)}\.\.${processid.slice(-4)} has the state "failed"; by the history`));
	person.press('esc');
	await person.until('PRESENT DIFFERS');
});
