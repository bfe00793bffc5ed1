import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {migrate} from '../source/database/index.ts';
import {openColony} from './support/colony.ts';
import {open, type OpenOptions, type Person} from './support/console.tsx';
import {openMemory} from './support/databases.ts';

const database = await openMemory();
await migrate(database);
after(async () => database.close());

/** A colony with processes that wait, of these types and cores, the first submitted first; and its operator. */
async function openWith(specs: Array<{computertype?: string; cores?: number}>, options: Partial<OpenOptions> = {}) {
	const colony = await openColony(database);
	for (let start = 0; start < specs.length; start += 1000) {
		await colony.broker.runMany({identity: colony.owner}, 'process.submit', specs.slice(start, start + 1000).map(spec => ({spec: {targetcolonyid: colony.id, ...spec}})));
	}

	const person = await open({database, colonies: [colony], columns: 99, ...options});
	await person.until('live');
	await person.until(/1-\d+ of/);
	return {colony, person};
}

const heading = (person: Person): string => person.lines()[4]!;

/** What stands under a title, row by row. */
const column = (person: Person, title: string): string[] => {
	const at = heading(person).indexOf(title);
	return person.lines().slice(5).filter(line => /^│[> ][* ]\S/.test(line)).map(line => line.slice(at, at + title.length).trim());
};

/** Chooses a column to sort by, by the letter that stands before its title. */
async function sortBy(person: Person, title: string): Promise<void> {
	person.press('o');
	await person.until('Sort by: press the letter');
	const letter = new RegExp(`([a-z]):${title.slice(0, 2)}`).exec(heading(person))?.[1];
	assert.ok(letter, heading(person));
	person.press(letter);
}

test('o sorts by a column that is chosen by its letter, O inverts it, and it is remembered', async () => {
	const {person, colony} = await openWith([{computertype: 'b10'}, {computertype: 'b9'}, {computertype: 'a'}, {computertype: 'c'}]);
	await sortBy(person, 'TYPE');
	await person.until('| sort TYPE asc');
	await person.until(() => column(person, 'TYPE').join(' ') === 'a b9 b10 c');
	person.press('O');
	await person.until('| sort TYPE desc');
	await person.until(() => column(person, 'TYPE').join(' ') === 'c b10 b9 a');
	await colony.submit({computertype: 'b11'});
	await person.until(() => column(person, 'TYPE').join(' ') === 'c b11 b10 b9 a');
	const again = await open({database, colonies: [colony], home: person.home, columns: 99});
	await again.until('| sort TYPE desc');
	await again.until(() => column(again, 'TYPE').join(' ') === 'c b11 b10 b9 a');
	person.press('o', 'backspace');
	await person.until(() => column(person, 'TYPE').join(' ') === 'b11 c a b9 b10');
	assert.ok(!person.frame().includes('sort TYPE'));
	person.press('o', '9');
	await person.until('No column has this letter');
	person.press('esc');
	await person.until('1-5 of 5');
});

test('an order that the store has holds for all of the list; any other one for what is loaded, and that is said', async () => {
	const {person} = await openWith(Array.from({length: 250}, (_, index) => ({computertype: 'many', cores: index})), {rows: 40});
	person.press(']');
	await person.until('[waiting]');
	await person.until(() => column(person, 'CORES')[0] === '0');
	await sortBy(person, 'CORES');
	await person.until('sort CORES desc, of the 200 loaded');
	await person.until(() => column(person, 'CORES')[0] === '199');
	person.press('G');
	await person.until(() => column(person, 'CORES').at(-1) === '0');
	person.press('j');
	await person.until(() => column(person, 'CORES')[0] === '249');
	await person.until('sort CORES desc, of the 50 loaded');
	person.press('k');
	await person.until(() => column(person, 'CORES').at(-1) === '0');
	person.press('g');
	await person.until(() => column(person, 'CORES')[0] === '199');
	await sortBy(person, 'TIME');
	await person.until(/sort TIME desc *$/m);
	await person.until(() => column(person, 'CORES')[0] === '0');
	person.press('O');
	await person.until(/sort TIME asc *$/m);
	await person.until(() => column(person, 'CORES')[0] === '249');
	person.press('o', 'backspace');
	await person.until(() => column(person, 'CORES')[0] === '0');
	person.press('O');
	await person.until(/\| reversed *$/m);
	await person.until(() => column(person, 'CORES')[0] === '249');
});

test('columns are left out and taken back, scrolled where there is no room, and the choice is remembered', async () => {
	const {person, colony} = await openWith([{computertype: 'gpu', cores: 5}], {columns: 62});
	assert.ok(!heading(person).includes('GPU'));
	person.press('right', 'right', 'right', 'right', 'right', 'right');
	await person.until(() => heading(person).includes('‹') && heading(person).includes('COMPUTER'));
	person.press('left', 'left', 'left', 'left', 'left', 'left', 'left');
	await person.until('The first column is in sight.');
	person.press('|', 'j', 'j', ' ');
	await person.until('[ ]  TYPE');
	person.press('esc');
	await person.until(() => !heading(person).includes('TYPE') && heading(person).includes('ID'));
	const again = await open({database, colonies: [colony], home: person.home, columns: 62});
	// A key that comes before the database is open is answered by that alone.
	await again.until('1-1 of 1');
	assert.ok(heading(again).includes('STATE') && !heading(again).includes('TYPE'));
	again.press('|', 'j', 'j', 'enter');
	await again.until('[x]  TYPE');
	again.press('esc');
	await again.until(() => heading(again).includes('TYPE'));
});
