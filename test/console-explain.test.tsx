import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {migrate} from '../source/database/index.ts';
import {openColony} from './support/colony.ts';
import {type OpenOptions, open} from './support/console.tsx';
import {openMemory} from './support/databases.ts';

const database = await openMemory();
await migrate(database);
after(async () => database.close());

/** A colony of its own, and an operator who has the owner's key. */
async function openWithColony(options: Partial<OpenOptions> = {}) {
	const colony = await openColony(database);
	return {
		colony,
		async look() {
			const person = await open({database, colonies: [colony], columns: 120, rows: 36, ...options});
			await person.until('live');
			return person;
		},
	};
}

test('why a process waits stands in its row, beside it and over it, and the key that mends it asks the usual question', async () => {
	const {colony, look} = await openWithColony();
	await colony.sees(await colony.computer({name: 'lab1', gpus: 0}));
	await colony.sees(await colony.computer({name: 'lab2', gpus: 1, state: 'pending'}));
	await colony.submit({gpus: 1});
	await colony.submit({gpus: 8});
	await colony.submit({cores: 2});
	await colony.submit({cores: 2});
	const person = await look();
	person.press(']');
	await person.until(/1 fix away[^\n]*\n[^\n]*nobody can[^\n]*\n[^\n]*being taken[^\n]*\n[^\n]*behind 1 /);
	await person.until('One fix away: approve lab2.');
	assert.match(person.frame(), /lab1 +gpus 0<1/);
	assert.match(person.frame(), /lab2 +pending\b/);
	person.press('e');
	await person.until('F  Approve lab2: this is what helps.');
	assert.match(person.frame(), /NAME +STATE +SEEN +TARGET +TYPE +CORES +MEM +GPUS +RUN/);
	assert.match(person.frame(), /lab1 +ap{2}roved +\d+s(?: +ok){4} +0<1 +no/);
	assert.match(person.frame(), /lab2 +pending +\d+s(?: +ok){5} +fix/);
	assert.match(person.frame(), /1 computer cannot for approved/);
	person.press('F');
	await person.until(/embedded mycolony: Approve the computer lab2 \([\da-f]{8}\)\?/);
	person.press('y');
	await person.until('Approved the computer lab2');
	await person.until('Being taken: it is the next on lab2.');
	person.press('F');
	await person.until('There is nothing to mend here.');
	person.press('esc');
	await person.until(/being taken[^\n]*\n[^\n]*nobody can/);
	person.press('j', 'e');
	await person.until('F  Register a computer with 8 gpus: this is what helps.');
	person.press('F');
	await person.until('Register a computer in mycolony');
	assert.match(person.frame(), /GPUs +8/);
});

test('an explanation fits a small terminal in words, and what does not wait says so', async () => {
	const {colony, look} = await openWithColony({columns: 80, rows: 24});
	const lab = await colony.computer({name: 'lab1'});
	await colony.running(lab);
	await colony.submit({gpus: 2, mem: 9000});
	const person = await look();
	await person.until('waiting');
	person.press('j', 'e');
	await person.until('Nobody can: it asks for 9000 MB, 2 gpus. Nearest is lab1: mem 8000<9000,');
	assert.match(person.frame(), /lab1 +approved +- +mem 8000<9000, gpus 1<2/);
	person.press('esc', 'j', 'enter');
	await person.until('RUNNING');
	person.press('e');
	await person.until('It does not wait. It runs on lab1.');
	person.resize(60, 15);
	assert.match(person.frame(), /It runs on lab1/);
});

test('the question before a change of a computer says what it would do', async () => {
	const {colony, look} = await openWithColony();
	const lab = await colony.computer({name: 'lab1'});
	await colony.running(lab);
	await colony.submit({targetcomputerids: [lab.id]});
	await colony.computer({name: 'lab2', gpus: 4, state: 'pending'});
	await colony.submit({gpus: 4});
	await colony.submit({gpus: 3});
	const person = await look();
	person.press('3');
	await person.until(/> lab2/);
	person.press('A');
	await person.until('2 waiting processes can run then.');
	person.press('esc', 'j');
	await person.until(/> lab1/);
	person.press('V');
	await person.until('1 running goes back to waiting, 2 left that nobody can run.');
	person.press('esc');
	person.resize(80, 24);
	person.press('X');
	await person.until('1 running goes back to waiting, 2 left that nobody can run.');
});

test('5 Attention is empty for a colony at its work, and each line opens the thing and its fix', async () => {
	const {colony, look} = await openWithColony();
	const lab = await colony.computer({name: 'lab1'});
	await colony.running(lab);
	const person = await look();
	person.press('5');
	await person.until('Nothing asks for attention.');
	const stuck = await colony.submit({gpus: 4, computertype: 'train'});
	await colony.computer({name: 'lab2', gpus: 4, state: 'pending'});
	const failed = await colony.submit({targetcomputerids: [lab.id], timeout: 100});
	await colony.assign(lab);
	await colony.passDeadlines(failed);
	await colony.broker.endExpired();
	person.press('r');
	await person.until(/> ‼ +\ds +train [\da-f]{8} +no computer can run 1 waiting: train/);
	await person.until(/! +\ds +lab2 +waits for approval/);
	await person.until(new RegExp(String.raw`! +\ds +${failed.processid.slice(0, 8)} +failed, deadline exceeded; it has no re`));
	person.press('enter');
	await person.until(`${stuck.processid.slice(0, 8)} WAITING`);
	person.press('esc', 'e');
	await person.until('One fix away: approve lab2.');
	person.press('esc', 'F');
	await person.until(/Approve the computer lab2 \([\da-f]{8}\)\?/);
	await person.until('1 waiting process can run then.');
	person.press('y');
	await person.until('Approved the computer lab2');
	await person.until('(left this list)');
	person.press('j');
	await person.until(new RegExp(`> ! +\\d+s +${failed.processid.slice(0, 8)}`));
	person.press('F');
	await person.until(`Retry the process ${failed.processid.slice(0, 8)}?`);
	person.press('y');
	await person.until('(left this list)');
	person.press('j');
	await person.until('Nothing asks for attention.');
	assert.equal(await colony.state(failed), 'waiting');
});

test('a computer of a line is shown on its own screen, and the rest of a kind in its list', async () => {
	const {colony, look} = await openWithColony();
	for (let index = 0; index < 12; index++) {
		await colony.computer({name: `lab${index}`, state: 'pending'});
	}

	const person = await look();
	await person.until('5 Attention (11)');
	person.press('5');
	await person.until(/and 2 more: computers wait for approval/);
	await person.until(/> ! .* lab11/);
	person.press('enter');
	await person.until(/\[?3 Computers.*\n.*\/[\da-f]{64}/);
	await person.until('1-1 of 1');
	person.press('5', 'G', 'enter');
	await person.until('1-12 of 12');
});
