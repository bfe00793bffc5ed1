import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {screens} from '../source/console/screens/index.ts';
import {screenNames} from '../source/console/state.ts';
import {visible} from '../source/core/text.ts';
import {migrate} from '../source/database/index.ts';
import {openColony} from './support/colony.ts';
import {hostileTexts} from './support/console-states.ts';
import {type Person, open} from './support/console.tsx';
import {openMemory} from './support/databases.ts';

const database = await openMemory();
await migrate(database);
after(async () => database.close());

/** What may be kept of them: NUL and lone surrogates are refused on the way in. */
const values = hostileTexts.filter(text => !text.includes('\0') && text.isWellFormed());

const sizes = [[60, 15], [80, 24], [120, 36]] as const;

/** Scrolls the open page. False when it is at its end. */
async function scroll(person: Person, key: string): Promise<boolean> {
	const place = () => {
		const top = person.state().overlays.at(-1)!;
		return 'scroll' in top ? top.scroll : 0;
	};

	const [before, frame] = [place(), person.frame()];
	person.press(key);
	if (place() === before) {
		return false;
	}

	await person.until(() => person.frame() !== frame);
	return true;
}

test('values that a worker writes are shown for what they are, at every size and in every view', async () => {
	const colony = await openColony(database);
	const computer = await colony.computer();
	const process = await colony.running(computer);
	for (const [index, value] of values.entries()) {
		await colony.add(computer, process, {key: `key-${index}`, value, type: index % 2 === 0 ? 'out' : 'err'});
	}

	const person = await open({database, colonies: [colony], columns: 120, rows: 36});
	await person.until(lines => lines.some(line => line.includes('▸ running')) && !lines[1]!.startsWith('counting'));
	person.press('j');
	await person.until('key-0 = ␛[2J␛[H');
	for (const [columns, rows] of sizes) {
		person.resize(columns, rows);
		for (const view of ['d', 'a', 'y']) {
			person.press('enter', view);
			await person.until(view === 'y' ? '"processid"' : (view === 'a' ? '│ KEY' : /^┌ [\da-f]{8} RUNNING/m));
			while (await scroll(person, 'pgdn')) {} // eslint-disable-line no-empty
			person.press('esc');
		}
	}

	person.resize(120, 36);
	person.press('d');
	await person.until('RUNNING');
	const seen = new Set<string>();
	do {
		for (const text of person.lines()) {
			seen.add(text);
		}
	} while (await scroll(person, 'pgdn'));

	const all = [...seen].join('\n');
	for (const wanted of ['␛]52;c;aGFja2Vk␇', '␛]0;title␇', 'line␍over', '<202E>gnp.exe', '<009B>31mred', '<0090>q<009C>', '␉␋␈␡', '(5904 characters more)']) {
		assert.ok(all.includes(wanted), `${wanted} is not shown`);
	}

	assert.match(all, /= two *│?\n/, 'The line break of a value is not kept.');
});

test('names, keys and errors that hold what no name may hold are harmless too', async () => {
	const colony = await openColony(database);
	const evil = '\u001B]0;owned\u0007\u001B[31m\u202E\u009B2J\r\n'.repeat(2);
	const computer = await colony.computer({name: 'edge-1', computertype: 'gpu'});
	const process = await colony.running(computer, {computertype: 'gpu', in: {job: 'resize'}});
	// Past the checks of the operations, as an older or a foreign program might have written it.
	await database.query('update colonies.colonies set name = $2 where colony_id = colonies.bytes_of($1)', [colony.id, `mine${evil}`]);
	await database.query('update colonies.computers set name = $2, cpu = $2, gpu = $2, computer_type = $2 where computer_id = colonies.bytes_of($1)', [computer.id, `edge${evil}`]);
	await database.query('update colonies.live set computer_type = $2, attributes = $3 where process_id = colonies.bytes_of($1)', [process.processid, `gpu${evil}`, {in: [{[`job${evil}`]: 'resize'}]}]);
	const person = await open({database, colonies: [colony], columns: 120, rows: 36});
	await person.until('▸ running');
	await person.until('gpu␛]0;');
	assert.ok(person.lines()[0]!.includes('mine␛]0;owned␇␛[31m<202E>'));
	person.press('j');
	await person.until('job␛]0;owned');
	for (const [columns, rows] of sizes) {
		person.resize(columns, rows);
		person.press('2', 'enter', 'd', 'a', 'y', 'esc', '?', 'esc', 'x', 'esc', 'n', 'esc', 'i', 'esc', 'X', 'esc');
		person.press('3');
		await person.until(/^│[> ] edge/m);
		person.press('j', 'X');
		await person.until(/Remove the computer\s+edge␛]0;owned/);
		person.press('esc', 'n');
		await person.until('Register a computer in mine␛]0;');
		person.press('esc', '4');
		await person.until(/^│[> ] mine/m);
	}

	person.press('3', '/');
	person.paste(`type:${evil}x`);
	person.press('enter');
	await person.until(/No computer matches|type:/);
	assert.equal(visible(person.state().lists.computers.filter), person.state().lists.computers.filter);
});

test('each screen at the three sizes: the lines that matter are there, and whole', async () => {
	const colony = await openColony(database);
	const computer = await colony.computer({name: 'edge-1', computertype: 'gpu', cores: 16, mem: 64_000, gpus: 2});
	await colony.computer({name: 'edge-2', state: 'pending'});
	await colony.running(computer, {computertype: 'gpu', timeout: 600, in: {job: 'resize'}});
	await colony.submit({computertype: 'cpu', cores: 4});
	const person = await open({database, colonies: [colony]});
	const titles: Record<number, Record<string, string>> = {
		60: {2: 'ID STATE TYPE TIME COMPUTER', 3: 'NAME STATE SEEN TYPE CORES', 4: 'NAME ID YOU ARE', 6: 'ID OF NAME COLONY'},
		80: {2: 'ID STATE TYPE TIME ENDED TRY COMPUTER', 3: 'NAME STATE SEEN ID TYPE CORES MEM MB', 4: 'NAME ID YOU ARE', 6: 'ID OF NAME COLONY FILE'},
		120: {2: 'ID STATE TYPE TIME TRY COMPUTER', 3: 'NAME STATE SEEN ID TYPE CORES', 4: 'NAME ID YOU ARE', 6: 'ID OF NAME COLONY FILE'},
	};
	await person.until('▸ running');
	for (const [columns, rows] of sizes) {
		person.resize(columns, rows);
		for (const [digit, row] of [['2', /│[> ] [\da-f]{8} {2}▸ running +gpu/], ['3', /│[> ] edge-2 +\? pending/], ['4', /│[> ] mycolony +[\da-f]{4}\.\.[\da-f]{4} owner/], ['6', /│[> ] [\da-f]{4}\.\.[\da-f]{4} colony +mycolony/]] as const) {
			person.press(digit);
			await person.until(lines => lines.length === rows && lines.some(line => row.test(line)) && (lines[0] ?? '').includes('live') && (lines[1] ?? '').startsWith('WAIT'));
			const lines = person.lines();
			assert.match(lines[0]!, /^(?:colonies \| )?embedded mycolony \| as owner [\da-f]{4}\.\.[\da-f]{4} \| RW.*live/);
			assert.match(lines[1]!, /^WAIT 1 .*RUN 1 +OK(?:\/h)? 0 +FAIL(?:\/h)? 0 .*computers 1 app/);
			assert.ok(lines[2]!.includes(`${digit} ${screens[screenNames.find(name => screens[name].digit === digit)!].title}`), lines[2]);
			assert.match(lines[3]!, /1-[12] of [12]$/);
			const [, heading] = /^┌ +(.*?) *─┐/.exec(lines[4]!)!;
			// How long closed work is kept has a column once it is known.
			assert.equal(heading!.replaceAll(/\s+/g, ' ').replace(' KEPT OK/FAIL', ''), titles[columns]![digit]);
			assert.ok(lines.at(-3)!.startsWith('└─'));
			assert.ok(columns < 100 || lines[4]!.includes('┐┌'), 'the side pane is missing');
			assert.ok(lines.at(-2)!.length > 40, 'the keys are missing');
		}

		person.press('2');
	}
});
