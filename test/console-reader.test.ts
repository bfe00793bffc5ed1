import assert from 'node:assert/strict';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {visible} from '../source/core/text.ts';
import type {State} from '../source/console/state.ts';
import {spoken} from '../source/console/views/spoken.ts';
import {
	type Console, computerOf, failure, hostileTexts, opened, processOf, start,
} from './support/console-states.ts';
import {openTerminal, sane} from './support/terminal.ts';

/** What is read out when something happens to the console. */
function heard(console: Console, happening: () => void): string[] {
	const before: State = console.state;
	happening();
	return spoken(before, console.state);
}

test('the row under the cursor is read out with the titles of its columns, when the cursor comes to it', () => {
	const console = opened({screen: 'computers'});
	const [line, ...rest] = heard(console, () => console.press('j'));
	assert.deepEqual(rest, []);
	assert.match(line!, /^Row 2 of 3: NAME edge-1, STATE \? pending, ID [\da-f.]+, TYPE any, CORES 8/);
	assert.deepEqual(heard(console, () => console.tell({type: 'ticked', now: start + 1000})), []);
	assert.deepEqual(heard(console, () => {
		console.load([0, 1, 2, 3].map(number => computerOf(number)));
	}), [], 'rows that come are not read out');
	assert.match(heard(console, () => {
		console.load([computerOf(0)]);
	})[0]!, /edge-1.*It has left this list\.$/);
});

test('a question says where, what and how it is answered; what was done and what went wrong are said', () => {
	const console = opened({screen: 'computers'});
	const question = heard(console, () => console.press('A'));
	assert.match(question[0]!, /^embedded colony-0: Approve the computer edge-0 \([\da-f]{8}\)\?$/);
	assert.equal(question.at(-1), 'y: Approve. Enter cancels.');
	assert.deepEqual(heard(console, () => console.press('enter'))[0], 'Cancelled; nothing was changed.');
	assert.deepEqual(heard(console, () => console.tell({type: 'failed', error: failure('It is gone.')})), ['Error: It is gone. Do something else.']);
	assert.deepEqual(heard(console, () => console.tell({type: 'reached', reachable: false, since: start})), ['The database is away. Changes are refused until it is back.']);
	assert.deepEqual(heard(console, () => console.press('1')).length <= 2, true);
});

test('pages are read out whole, without borders, and fields with what they are for', () => {
	const console = opened();
	const help = heard(console, () => console.press('?'));
	assert.ok(help.length > 20 && help.some(line => /Refuse|Quit/.test(line)));
	console.press('?', 'j', 'enter');
	const detail = heard(console, () => console.tell({type: 'detailed', process: processOf(0)}));
	assert.ok(detail.some(line => line.startsWith('state waiting')), detail.join('\n'));
	assert.ok([...help, ...detail].every(line => !/[│┌└─]/.test(line)));
	console.press('esc');
	const form = heard(console, () => console.press('n'));
	assert.match(form.at(-1)!, /^Type, optional: empty\. Computer type it asks for/);
	assert.match(heard(console, () => console.press('down'))[0]!, /: empty\./);
});

test('nothing that a worker writes is read out as anything but text', () => {
	for (const text of hostileTexts) {
		const console = opened({screen: 'computers'});
		const lines = [
			...heard(console, () => {
				console.load([0, 1].map(number => computerOf(number, {name: text, computertype: text})));
				console.press('j', 'k');
			}),
			...heard(console, () => console.tell({type: 'failed', error: failure(text)})),
			...heard(console, () => console.press('A')),
		];
		for (const line of lines) {
			assert.equal(line, visible(line));
		}
	}
});

test('in a terminal it writes lines and nothing else, and leaves as it came', async t => {
	const home = mkdtempSync(path.join(tmpdir(), 'colonies-reader-'));
	const terminal = openTerminal({command: [process.execPath, path.resolve(import.meta.dirname, '..', 'dist', 'cli.js'), '--screen-reader'], columns: 100, rows: 40, env: {COLONIES_HOME: home, TERM: 'xterm-256color'}});
	t.after(async () => {
		await terminal.close();
		rmSync(home, {recursive: true, force: true, maxRetries: 10, retryDelay: 200});
	});
	await terminal.until('Register a colony');
	terminal.press('1');
	await terminal.until(/Name: empty/);
	terminal.type('mycolony');
	terminal.press('enter');
	await terminal.until(/Root password, not shown: empty/);
	terminal.type('secret word');
	await terminal.until('***********');
	terminal.press('enter');
	await terminal.until(/Password again, not shown: empty/);
	terminal.type('secret word');
	terminal.press('enter');
	await terminal.until('Registered the colony mycolony');
	terminal.press('q');
	const {code} = await terminal.exit();
	assert.equal(code, 0);
	assert.doesNotMatch(terminal.raw(), /secret/);
	assert.deepEqual(await terminal.sanity(), sane);
	assert.equal(terminal.raw().replaceAll(/\u001B\[\?2004[hl]/g, '').includes('\u001B'), false, 'an escape sequence');
});
