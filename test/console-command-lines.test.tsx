import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {test} from 'node:test';
import {openAny, openColony, rootPassword} from './support/colony.ts';
import {contextsOn, inProcess} from './support/commands.ts';
import {open} from './support/console.tsx';

const colony = await openColony(await openAny());
const worker = await colony.computer({name: 'lab one', computertype: 'gpu'});
const pending = await colony.computer({name: 'edge', state: 'pending'});
const failed = await colony.running(worker, {computertype: 'gpu', in: {stage: 'it\'s "first"'}});
await colony.close(worker, failed, 'failed');
await colony.submit({computertype: 'cpu'});

/** What a shell makes of a line: the words that the program gets. */
const wordsOf = (line: string): string[] => execFileSync('bash', ['-c', `colonies() { printf '%s\\0' "$@"; }\n${line}`], {encoding: 'utf8', env: {...process.env, LC_ALL: 'C.UTF-8', COLONIES_ROOT_PASSWORD: rootPassword}}).split('\0').slice(0, -1);

async function openOn() {
	const person = await open({database: colony.database, colonies: [colony]});
	await person.until('cpu');
	const run = inProcess(contextsOn(colony.database, person.home), person.home);
	return {person, async shown(pattern: RegExp): Promise<Array<{line: string; stdout: string}>> {
		person.press('!');
		await person.until(/For a POSIX shell/);
		person.press('c');
		await person.until('Copied the command line');
		const lines = person.copied.at(-1)!.split('\n');
		assert.match(lines.join('\n'), pattern);
		person.press('esc');
		const done = [];
		for (const line of lines) {
			const {code, stdout, stderr} = await run(wordsOf(line));
			assert.equal(code, 0, `${line}\n${stderr}`);
			done.push({line, stdout});
		}

		return done;
	}};
}

test('the command line of every view works when it is pasted, and shows what the view shows', async () => {
	const {person, shown} = await openOn();
	const [all] = await shown(/^colonies process ls --colonyid [\da-f]{64} --count \d+ --output table$/);
	assert.ok(all!.stdout.includes(failed.processid.slice(0, 8)) && all!.stdout.includes('cpu'));
	person.press('[', '/');
	person.type(String.raw`in.stage="it's \"first\"" -type:cpu`);
	person.press('enter');
	await person.settled(() => person.state().lists.processes.rows.length === 1);
	const [some] = await shown(/^colonies process psf .* --filter '/);
	assert.ok(some!.stdout.includes(failed.processid.slice(0, 8)) && !some!.stdout.includes('cpu'));
	person.press('j', 'enter');
	await person.until(/┌ [\da-f]{8} FAILED/);
	const [process] = await shown(/^colonies process get --colonyid/);
	assert.equal((JSON.parse(process!.stdout) as {processid: string}).processid, failed.processid);
	person.press('a');
	await person.until('KEY');
	await shown(/^colonies attribute ls /);
	person.press('esc', '3');
	await person.until('lab one');
	const [computers] = await shown(/^colonies computer ls /);
	assert.ok(computers!.stdout.includes('edge'));
	for (const digit of ['1', '4', '5', '6', '7', '8']) {
		person.press(digit);
		await shown(/^colonies /);
	}
});

test('a question shows the command line of what it asks, which does it', async () => {
	const {person, shown} = await openOn();
	person.press('3');
	await person.until('edge');
	person.press('g', 'A');
	await person.until('Approve the computer edge');
	const [approved] = await shown(new RegExp(`^colonies computer approve --colonyid ${colony.id} --computerid ${pending.id}`));
	assert.match(approved!.stdout, /^$|edge/);
	assert.equal(person.state().overlays.at(-1)?.kind, 'confirm');
	person.press('esc');
	assert.equal((await colony.own('computer.get', {computerid: pending.id})).status, 1);
});

test('the store is named as it was when the console was opened, without its password', async () => {
	const person = await open({database: colony.database, colonies: [colony], choice: {dbhost: 'db.example', dbport: 5433, dbpassword: 'hidden-value', dbssl: true}});
	await person.until('cpu');
	person.press('!');
	await person.until('--dbhost');
	const top = person.state().overlays.at(-1);
	const [line] = top?.kind === 'command-line' ? top.lines : [];
	assert.match(line!.text, /--dbhost db\.example --dbport 5433 --dbssl/);
	assert.ok(!line!.text.includes('hidden-value'));
});
