import assert from 'node:assert/strict';
import {test} from 'node:test';
import {fitOf} from '../source/console/fuzzy.ts';
import {openAny, openColony} from './support/colony.ts';
import {contextsOf, open} from './support/console.tsx';

const colony = await openColony(await openAny());
const pending = await colony.computer({name: 'edge', state: 'pending'});
await colony.submit({computertype: 'cpu', in: {api_token: 'hidden-value'}});

const openOn = async (options: Partial<Parameters<typeof open>[0]> = {}) => {
	const person = await open({database: colony.database, colonies: [colony], ...options});
	await person.until('cpu');
	return {person, choose(text: string): void {
		person.press(':');
		person.type(text);
		person.press('enter');
	}};
};

test('a name fits the better the nearer its letters stand', () => {
	const best = (typed: string, ...names: string[]) => names.map(name => ({name, fit: fitOf(typed, name)})).filter(({fit}) => fit !== undefined).sort((one, other) => other.fit! - one.fit!).map(({name}) => name);
	assert.deepEqual(best('ro', 'process approve', 'ro', 'rotate', 'colony'), ['ro', 'rotate', 'process approve']);
	assert.deepEqual(best('ca', 'computer approve', 'cancel', 'process cancel'), ['cancel', 'process cancel', 'computer approve']);
	assert.deepEqual(best('compapp', 'computer count', 'computer approve'), ['computer approve']);
	assert.deepEqual(best('zzz', 'computer'), []);
});

test('words, screens and tabs are gone to by name', async () => {
	const {person, choose} = await openOn();
	choose('ro');
	await person.until('Nothing can be changed from here now.');
	choose('rw');
	await person.until('Changes are allowed now');
	choose('computers');
	await person.until('edge');
	choose('processes failed');
	await person.until('[failed]');
	person.press(':');
	await person.until(/processes failed.*Screen 2/);
	const {edit} = person.state().overlays.at(-1) as unknown as {edit: {text: string}};
	assert.equal(edit.text, '');
	person.press('esc');
	choose('q');
	await person.settled(() => person.hasLeft());
});

test('what only reads is shown, filled from the row under the cursor', async () => {
	const {person, choose} = await openOn();
	person.press('g');
	choose('process get');
	await person.until('Show a process with its attributes.');
	person.press('ctrl-s');
	await person.until('"computertype": "cpu"');
	assert.ok(!person.frame().includes('hidden-value'));
	person.press('c');
	await person.settled(() => person.copied.length === 1);
	assert.ok(person.copied[0]!.includes('"processid"') && !person.copied[0]!.includes('hidden-value'));
	person.press('!');
	await person.until(/colonies process get --colonyid/);
	person.press('esc', 'esc');
});

test('what changes something asks first, and is done by the owner', async () => {
	const {person, choose} = await openOn();
	person.press('3');
	await person.until('edge');
	person.press('g');
	choose('computer approve');
	await person.until('Let a registered computer receive processes.');
	person.press('ctrl-s');
	await person.until('computer approve');
	await person.settled(() => person.state().overlays.at(-1)?.kind === 'confirm');
	assert.equal((await colony.own('computer.get', {computerid: pending.id})).status, 0);
	person.press('y');
	await person.until('Approved edge.');
	assert.equal((await colony.own('computer.get', {computerid: pending.id})).status, 1);
});

test('Cancel and a refusal both leave the form as it was typed', async () => {
	const {person, choose} = await openOn();
	person.press('2', 'g');
	choose('process retry');
	await person.until('Put a closed process back');
	person.press('ctrl-s');
	await person.settled(() => person.state().overlays.at(-1)?.kind === 'confirm');
	const form = person.state().overlays.at(-2);
	person.press('enter');
	await person.until('Cancelled; nothing was changed.');
	assert.deepEqual(person.state().overlays.at(-1), form);
	person.press('ctrl-s', 'y');
	await person.until(/waiting/);
	await person.settled(() => {
		const top = person.state().overlays.at(-1);
		return top?.kind === 'form' && top.error !== undefined && !top.busy;
	});
	const top = person.state().overlays.at(-1) as unknown as {fields: unknown; error: {code: string}};
	assert.equal(top.error.code, 'conflict');
	assert.deepEqual(top.fields, (form as unknown as {fields: unknown}).fields);
	person.press('esc');
});

test('what is wrong in a form is said in it, and read-only refuses changes', async () => {
	const {person, choose} = await openOn({readOnly: true});
	choose('process retry');
	await person.until('Put a closed process back');
	person.press('ctrl-s');
	await person.until('processid is missing.');
	person.press('esc');
	await person.settled(() => person.state().overlays.length === 0);
	person.press('g');
	choose('process retry');
	await person.until('Put a closed process back');
	person.press('ctrl-s');
	await person.until(/read-only/);
});

test('a context is made current and opened', async () => {
	const used: string[] = [];
	const contexts = {...contextsOf(colony.database), list: async () => [{name: 'prod', kind: 'server' as const, where: 'db.example:8080', current: false}], async use(name: string) {
		used.push(name);
	}};
	const {person, choose} = await openOn({contexts});
	person.press(':');
	person.type('prod');
	await person.until('db.example:8080');
	person.press('esc');
	choose('context prod');
	await person.settled(() => used.length === 1);
	await person.until('cpu');
	assert.deepEqual(used, ['prod']);
});
