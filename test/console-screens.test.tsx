import assert from 'node:assert/strict';
import path from 'node:path';
import {after, test} from 'node:test';
import {ColoniesError} from '../source/core/errors.ts';
import type {Process} from '../source/core/types.ts';
import {createIdentity} from '../source/identity/index.ts';
import {migrate} from '../source/database/index.ts';
import {openColony, root, rootPassword} from './support/colony.ts';
import {temporaryFolder, writeInto} from './support/commands.ts';
import {type OpenOptions, contextsOf, open} from './support/console.tsx';
import {openMemory} from './support/databases.ts';

const database = await openMemory();
await migrate(database);
after(async () => database.close());
const folder = temporaryFolder();

/** A colony of its own, and an operator who has the owner's key. */
async function openWithColony(options: Partial<OpenOptions> = {}) {
	const colony = await openColony(database);
	const person = await open({database, colonies: [colony], ...options});
	await person.until('live');
	return {colony, person};
}

test('the first run: a colony, its first computer and its first process without reading anything', async () => {
	const person = await open({database});
	await person.until('Welcome to Colonies');
	assert.match(person.frame(), /1 {2}Register a colony.*\n.*2 {2}Load the demo.*\n.*3 {2}Connect elsewhere {2,}To a Colonies server, or a database/);
	person.press('enter');
	await person.until('> Name');
	person.type('first');
	person.press('enter');
	person.type(rootPassword);
	await person.until('••••');
	assert.ok(!person.frame().includes(rootPassword));
	person.press('enter');
	await person.until('> Password again');
	person.type(rootPassword);
	person.press('enter');
	await person.until('Registered the colony first');
	await person.until('No processes found');
	assert.match(person.lines()[0]!, /embedded first \| as owner [\da-f]{4}\.\.[\da-f]{4} \| RW \| root/);
	assert.equal((await person.home.keychain.list()).length, 1);

	person.press('3', 'n');
	await person.until('Register a computer in first');
	person.type('edge-1');
	person.press('ctrl-s');
	await person.until('Registered the computer edge-1');
	await person.until(/> edge-1 +\? pending/);
	person.press('A');
	await person.until(/embedded first: Approve the computer edge-1 \([\da-f]{8}\)\?/);
	person.press('y');
	await person.until(/> edge-1 +✓ approved/);
	await person.until('Approved the computer edge-1');

	person.press('2', 'n');
	await person.until('Submit a process to first');
	person.press('ctrl-s');
	await person.until('Submitted the process');
	await person.until(/· waiting +any/);
	await person.until('WAIT 1');
});

test('approving and disapproving a computer: what it ran waits again', async () => {
	const {colony, person} = await openWithColony();
	const computer = await colony.computer({name: 'edge-1'});
	await colony.running(computer);
	await colony.computer({name: 'edge-2', state: 'pending'});
	person.press('3');
	await person.until(/> edge-2 +\? pending.*\n.* {2}edge-1 +✓ approved/);
	await person.until('RUN 1');
	person.press('A');
	await person.until('Approve the computer edge-2');
	person.press('enter');
	await person.until('Cancelled; nothing was changed.');
	assert.deepEqual((await colony.own('computer.get', {computerid: person.state().lists.computers.cursor})).status, 0);
	person.press('j', 'V');
	await person.until('Disapprove the computer edge-1');
	assert.match(person.frame(), /those that it runs go back to waiting/);
	person.press('y');
	await person.until(/✗ disapproved/);
	await person.until('Disapproved the computer edge-1');
	await person.until(/WAIT 1 +RUN 0/);
	person.press('V');
	await person.until('It is disapproved already.');
	person.press('X', 'y');
	await person.until('Removed the computer edge-1');
	await person.until(lines => !lines.some(line => line.includes('  edge-1')));
});

test('a process by a form with every field, and what the operation refuses', async () => {
	const {colony, person} = await openWithColony({rows: 36});
	const computer = await colony.computer();
	person.press('n');
	await person.until('> Type');
	for (const text of ['gpu', '60', '2', '2048', '4', '1', 'job=resize, width=640', computer.id]) {
		person.type(text);
		person.press('down');
	}

	await person.until('> Spec file');
	person.press('enter');
	await person.until('Submitted the process');
	await person.until(/· waiting +gpu/);
	person.press('j');
	await person.until('job = resize');
	const shown = person.frame();
	for (const wanted of ['asks for   4 cores  2G  1 gpus', 'deadline   60s after its start', 'retries    0 of 2', 'type       gpu', 'width = 640']) {
		assert.ok(shown.includes(wanted), `${wanted} is missing in\n${shown}`);
	}

	person.press('n', 'down', 'down', 'down', 'down');
	person.type('many');
	person.press('ctrl-s');
	await person.until('Cores must be a whole number.');
	person.press('ctrl-u');
	person.type('-4');
	person.press('ctrl-s');
	await person.until(/must be a whole number from 0 to/);
	person.press('ctrl-u', 'down', 'down');
	person.type('no pair');
	person.press('ctrl-s');
	await person.until('"no pair" is not KEY=VALUE.');
	person.press('ctrl-u');
	person.type('{"job": 5}');
	person.press('ctrl-s');
	await person.until(/must be text/);
	person.press('ctrl-u');
	person.type('{"job": "a=b, c"}');
	person.press('ctrl-s');
	await person.until('Submitted the process');
	const [newest] = (await colony.own('process.list', {count: 1})).rows;
	assert.deepEqual((await colony.get(newest!)).in?.map(({key, value}) => [key, value]), [['job', 'a=b, c']]);
});

test('the cursor goes to what was registered or submitted, so that the next key is about it', async () => {
	const {colony, person} = await openWithColony();
	await colony.computer({name: 'old'});
	await colony.submit({computertype: 'before'});
	person.press('3', 'n');
	person.type('zeta');
	person.press('ctrl-s');
	await person.until(/> zeta +\? pending/);
	person.press('A');
	await person.until('Approve the computer zeta');
	person.press('y');
	await person.until('Approved the computer zeta');
	person.press('2', 'j', 'n');
	person.type('mine');
	person.press('ctrl-s');
	await person.until(/> [\da-f]{8} +· waiting +mine/);
	person.press('4', 'n');
	person.type('zweite');
	person.press('tab');
	person.type(rootPassword);
	person.press('enter');
	await person.until(/> zweite +[\da-f]{4}\.\./);
});

test('a process and a computer by a spec file, and files that are none', async () => {
	const {colony, person} = await openWithColony();
	const send = async (file: string, wanted: RegExp) => {
		person.press('ctrl-u');
		person.type(file);
		person.press('ctrl-s');
		await person.until(wanted);
	};

	person.press('n', 'up');
	await person.until('> Spec file');
	await send(path.join(folder, 'nowhere.json'), /There is no file .*nowhere\.json/);
	await send('-', /cannot be read from the standard input here/);
	await send(writeInto(folder, 'text.json', 'not json'), /text\.json"? is not JSON/);
	await send(writeInto(folder, 'list.json', '[1]'), /must hold a JSON object/);
	await send(writeInto(folder, 'foreign.json', JSON.stringify({targetcolonyid: 'ab'.repeat(32)})), /is for the colony "abab\.\.abab", not for this/);
	await send(writeInto(folder, 'spec.json', JSON.stringify({targetcolonyid: colony.id, computertype: 'from-file', in: {key: 'value'}})), /Submitted the process/);
	await person.until('from-file');

	person.press('3', 'n', 'up');
	await person.until('> Spec file');
	await send(writeInto(folder, 'status.json', JSON.stringify({name: 'sly', status: 1})), /cannot set an id, a status or another/);
	await send(writeInto(folder, 'nameless.json', '{}'), /name must be|name is missing/i);
	await send(writeInto(folder, 'computer.json', JSON.stringify({name: 'by-file', cores: 32, mem: 80_326, gpus: 1})), /Registered the computer by-file/);
	await person.until(/> by-file +\? pending/);
	const keys = await person.home.keychain.list();
	assert.deepEqual(keys.map(({label}) => label?.name).sort(), ['by-file', 'mycolony'], 'a key without a computer is left');
});

test('what anybody else does is on the screen, and the cursor stays', async () => {
	const {colony, person} = await openWithColony();
	const computer = await colony.computer({name: 'edge-1'});
	const first = await colony.submit({computertype: 'first'});
	await person.until('first');
	person.press('j');
	await person.until('│> ');
	const others = await Promise.all([colony.submit({computertype: 'second'}), colony.submit({computertype: 'third'})]);
	await person.until(lines => lines.filter(line => /second|third/.test(line)).length === 2);
	await person.until('WAIT 3');
	assert.ok(person.lines().some(line => line.startsWith(`│> ${first.processid.slice(0, 8)}`)));
	assert.equal((await colony.assign(computer)).processid, first.processid);
	await person.until(lines => lines.some(line => line.startsWith(`│> ${first.processid.slice(0, 8)}`) && line.includes('▸ running')));
	await colony.add(computer, first, {key: 'progress', value: 'half'});
	await person.until('progress = half');
	await colony.close(computer, first);
	await person.until(lines => lines.some(line => line.startsWith(`│> ${first.processid.slice(0, 8)}`) && line.includes('✓ successful')));

	person.press(']');
	await person.until('[waiting]');
	await person.until(/│[> ] [\da-f]{8} +second/);
	person.press('j');
	await person.until('│> ');
	const under = person.state().lists.processes.cursor!;
	const target = others.find(({processid}) => processid === under)!;
	assert.equal((await colony.assign(computer)).processid, others[0].processid);
	if (target.processid !== others[0].processid) {
		await colony.assign(computer);
	}

	await person.until(lines => lines.some(line => line.startsWith(`│> ${under.slice(0, 8)}`) && line.includes('(left this list)')));
	person.press('X');
	await person.until('This row has left the list; move on first.');
});

test('detail, attributes and JSON of a process; secrets are masked until asked for', async () => {
	const {colony, person} = await openWithColony({rows: 50});
	const {processid} = await colony.submit({in: {job: 'resize', password: 'hunter2', api_key: 'sesame'}});
	await person.until(processid.slice(0, 8));
	person.press('j');
	await person.until('job = resize');
	person.press('enter');
	await person.until('Attributes');
	await person.until(new RegExp(`id +${processid}`));
	for (const view of ['d', 'a', 'y']) {
		person.press(view);
		await person.until({d: /│ In[^]*│ +api_key = •{8}/, a: /│ in +│ api_key +│ •{8}/, y: /"value": "•{8}"/}[view]!);
		assert.doesNotMatch(person.frame(), /hunter2|sesame/);
		assert.match(person.frame(), /resize/);
		person.press('s');
		await person.until({d: 'password = hunter2', a: /│ password +│ hunter2/, y: /"value": "hunter2"/}[view]!);
		assert.match(person.frame(), /secrets shown/);
		person.press('s');
		await person.until(lines => !lines.join('').includes('hunter2'));
	}

	person.press('c');
	await person.until('Copied the id');
	assert.deepEqual(person.copied, [processid]);
	person.press('esc');
	await person.until('[all]');
	assert.doesNotMatch(person.frame(), /hunter2/);
});

test('the inspector follows what a worker writes', async () => {
	const {colony, person} = await openWithColony();
	const computer = await colony.computer();
	const process = await colony.running(computer);
	await person.until('▸ running');
	person.press('j', 'a');
	await person.until('No attributes found');
	await colony.add(computer, process, {key: 'progress', value: 'ten'});
	await person.until(/│ out +│ progress │ ten +│/);
	await colony.add(computer, process, {key: 'progress', value: 'one hundred'});
	await person.until(/│ out +│ progress │ one hundred │/);
	await colony.add(computer, process, {key: 'error', value: 'boom', type: 'err'});
	await person.until(/│ err +│ error +│ boom +│/);
});

test('a filter narrows a list, says what it does not understand, and goes with esc', async () => {
	const {colony, person} = await openWithColony();
	await colony.submit({computertype: 'gpu'});
	await colony.submit({computertype: 'cpu', in: {job: 'resize'}});
	await person.until(lines => lines.some(line => line.includes('gpu')) && lines.some(line => line.includes('cpu')));
	person.press('/');
	person.type('type:gpu');
	person.press('enter');
	await person.until(lines => lines.some(line => line.includes(' gpu ')) && !lines.some(line => line.includes(' cpu ')));
	assert.match(person.lines()[3]!, /\/type:gpu .*1-1 of 1/);
	person.press('/', 'ctrl-u');
	person.type('job=resize');
	person.press('enter');
	await person.until(lines => lines.some(line => line.includes(' cpu ')) && !lines.some(line => line.includes(' gpu ')));
	person.press('/', 'ctrl-u');
	person.type('age>never');
	person.press('enter');
	await person.until('must be a span of time, not "never"');
	person.press('ctrl-u');
	person.type('nothing-like-it');
	person.press('enter');
	await person.until('No process matches /nothing-like-it');
	person.press('esc');
	await person.until(lines => lines.some(line => line.includes('gpu')) && lines.some(line => line.includes('cpu')));
});

test('retry, cancel and remove by key and by menu; each only where it can be', async () => {
	const {colony, person} = await openWithColony();
	const {processid} = await colony.submit();
	const row = (state: string) => (lines: string[]) => lines.some(line => line.startsWith(`│> ${processid.slice(0, 8)}`) && line.includes(state));
	await person.until(processid.slice(0, 8));
	person.press('j', 'R');
	await person.until('Only a closed process can be retried.');
	person.press('x');
	await person.until('K  Cancel');
	person.press('K');
	await person.until(`Cancel the waiting process ${processid.slice(0, 8)}?`);
	person.press('y');
	await person.until(row('✗ failed'));
	await person.until('error = cancelled');
	person.press('x', 'K');
	await person.until('It is closed already.');
	person.press('esc', 'R', 'y');
	await person.until(row('· waiting'));
	person.press('enter');
	await person.until(/WAITING[^]*Attributes/);
	person.press('X');
	await person.until(`Remove the waiting process ${processid.slice(0, 8)}?`);
	person.press('n');
	await person.until('nothing was changed');
	person.press('X', 'y');
	await person.until('Removed the waiting process');
	await person.until(/there is no|not found|no process/i);
	person.press('esc');
	await person.until('(left this list)');
	person.press('j');
	await person.until('No processes found');
});

test('a change that the database refuses is said, and stays until esc', async () => {
	const {colony, person} = await openWithColony();
	const {processid} = await colony.submit();
	await person.until(processid.slice(0, 8));
	person.press('j', 'X');
	await person.until('Remove the waiting process');
	await colony.own('process.remove', {processid});
	person.press('y');
	await person.until(/✗ .*\(esc clears\)/s);
	person.pass(20_000);
	person.press('k');
	await person.until(/✗ .*\(esc clears\)/s);
	person.press('esc');
	await person.until(lines => !lines.join('').includes('✗'));
});

test('root: a wrong password is refused, the right one shows all colonies, and one is removed by its name', async () => {
	const {colony, person} = await openWithColony();
	const other = createIdentity().identity.id;
	await colony.broker.run(root, 'colony.register', {colonyid: other, spec: {name: 'doomed'}});
	person.press('4');
	await person.until('mycolony');
	person.press('X');
	await person.until('Only root may do this: press u to unlock it.');
	person.press('u');
	await person.until('Unlock root');
	person.type('wrong');
	person.press('enter');
	await person.until(/password/i);
	await person.until(/✗|wrong|not the|fit/i);
	assert.ok(person.state().overlays.at(-1)?.kind === 'form' && !person.state().rootUnlocked);
	person.press('ctrl-u');
	person.type(rootPassword);
	person.press('enter');
	await person.until('Root is unlocked for this run.');
	await person.until('doomed');
	person.press('/');
	person.type('doomed');
	person.press('enter');
	await person.until(/> doomed +[\da-f]{4}\.\.[\da-f]{4} root/);
	person.press('X');
	await person.until('Remove the colony doomed?');
	person.type('mycolony');
	person.press('enter');
	await person.until('The name does not fit');
	person.press('ctrl-u');
	person.type('doomed');
	person.press('enter');
	await person.until('Removed the colony doomed.');
	await person.until(lines => !lines.some(line => /^│[> ] doomed/.test(line) && !line.includes('left this list')));
	const {rows} = await colony.broker.run(root, 'colony.list', {count: 1000});
	assert.ok(!rows.some(({colonyid}) => colonyid === other));
	assert.equal(person.state().colony?.colonyid, colony.id);
});

test('the colony that the operator works in is removed elsewhere', async () => {
	const {colony, person} = await openWithColony();
	await colony.submit();
	await person.until('WAIT 1');
	await colony.broker.run(root, 'colony.remove', {colonyid: colony.id, name: 'mycolony'});
	await person.until('No colony is selected.');
	await person.until('The colony mycolony is gone');
	assert.doesNotMatch(person.frame(), /WAIT/);
});

test('keys: one is added, checked and never shown; one is removed after a question', async () => {
	const colony = await openColony(database);
	const person = await open({database});
	await person.until('Welcome');
	person.press('esc', '6');
	await person.until('The keychain is empty.');
	person.press('n');
	await person.until('> Private key');
	person.type('not a key');
	person.press('enter');
	await person.until('this has 9 characters');
	person.press('ctrl-u');
	person.paste(colony.privateKeys[0]!);
	await person.until('••••');
	assert.ok(!person.frame().includes(colony.privateKeys[0]!.slice(0, 8)));
	person.press('enter');
	await person.until('Added the key of');
	await person.until(/> [\da-f]{4}\.\.[\da-f]{4}/);
	assert.equal(person.state().colony?.colonyid, colony.id);
	person.press('X');
	await person.until('Keychain: remove the key of');
	person.press('esc');
	assert.equal((await person.home.keychain.list()).length, 1);
	person.press('X', 'y');
	await person.until('(left this list)');
	person.press('j');
	await person.until('The keychain is empty.');
	assert.deepEqual(await person.home.keychain.list(), []);
	assert.equal(person.state().colony, undefined);
});

test('acting as a computer: what only the owner may do is done as the owner, and said', async () => {
	const {colony, person} = await openWithColony();
	const computer = await colony.computer({name: 'edge-1'});
	await person.home.keychain.add(colony.privateKeys[1]!);
	await person.home.keychain.describe(computer.id, {kind: 'computer', name: 'edge-1', colonyid: colony.id});
	person.press('4');
	await colony.broker.run(root, 'colony.register', {colonyid: createIdentity().identity.id, spec: {name: 'another'}});
	await person.until('owner, computer');
	person.press('2', 'i');
	await person.until(/Acting as owner [\da-f]{64}/);
	person.press('2');
	await person.until(/as computer [\da-f]{4}\.\.[\da-f]{4}/);
	person.press('n', 'ctrl-s');
	await person.until('Submitted the process');
	const {processid} = (await colony.own('process.list', {count: 1})).rows[0]!;
	const [submission] = await colony.history(processid);
	assert.equal(submission!.actor, computer.id);
});

test('a list of hundreds is read by pages, to its end and back', async () => {
	const {colony, person} = await openWithColony({rows: 24});
	const waiting: Process[] = [];
	for (let number = 0; number < 250; number++) {
		waiting.push(await colony.submit());
	}

	person.press(']');
	await person.until('[waiting]');
	await person.until('1-16 of 250');
	const marked = ({processid}: {processid: string}) => (lines: string[]) => lines.some(line => line.startsWith(`│> ${processid.slice(0, 8)}`));
	await person.until(marked(waiting[0]!));
	person.press('G');
	await person.until(marked(waiting[249]!));
	person.press('k');
	await person.until(marked(waiting[248]!));
	person.press('g');
	await person.until(marked(waiting[0]!));
	const ids = waiting.map(({processid}) => processid);
	for (let place = 0; place < 249;) {
		const here = () => ids.indexOf(person.state().lists.processes.cursor!);
		const before = place;
		person.press('pgdn');
		await person.until(lines => here() > before && marked(waiting[here()]!)(lines) && !person.state().lists.processes.loading);
		assert.ok(here() <= before + 16, 'rows are passed over');
		place = here();
	}
});

test('read-only: everything is seen and nothing asked', async () => {
	const {colony, person} = await openWithColony({readOnly: true});
	await colony.computer({state: 'pending', name: 'edge-1'});
	person.press('3');
	await person.until('edge-1');
	assert.match(person.lines()[0]!, /\| RO/);
	for (const key of ['A', 'V', 'X', 'n']) {
		person.press(key);
		await person.until('The console is read-only.');
	}
});

test('a store that does not open is tried again until it does', async () => {
	let isFree = false;
	const contexts = contextsOf(database);
	const person = await open({database, contexts: {
		...contexts,
		async open(choice) {
			if (!isFree) {
				throw new ColoniesError('in-use', 'The embedded database is in use by another process (pid 4711).', {hint: 'Close it first.'});
			}

			return contexts.open(choice);
		},
	}});
	await person.until('in use by another process');
	assert.match(person.frame(), /4711/);
	assert.match(person.frame(), /Close it first\./);
	assert.match(person.frame(), /tried again by itself/);
	person.press('3', 'A', '2', 'n', 'esc');
	isFree = true;
	await person.until('Welcome');
});
