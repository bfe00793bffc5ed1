import assert from 'node:assert/strict';
import {Writable} from 'node:stream';
import {suite, test} from 'node:test';
import fc from 'fast-check';
import stringWidth from 'string-width';
import {toCsv} from '../source/commands/csv.ts';
import {runCommand} from '../source/commands/index.ts';
import {toJson} from '../source/commands/json.ts';
import {toFieldTable, toTable} from '../source/commands/table.ts';
import {firstUnprintable, marksTooMany} from '../source/core/text.ts';
import {unsetTime} from '../source/core/types.ts';
import {Collector, openSettled, worldOf} from './support/commands.ts';

const {contexts, home, run, colony, computer} = await openSettled();
const hostile = 'a\u001B[31mb\u0007\u009B2J\u202Ec\u2028d\u200Be\uFEFF\u{E0041}\n"q"\\';

const submit = async (attributes: Record<string, string>): Promise<string> => {
	const {stdout, stderr} = await run(['process', 'submit', '--spec', '-', '--output', 'json'], JSON.stringify({targetcolonyid: colony, in: attributes}));
	assert.equal(stderr, '');
	return (JSON.parse(stdout) as {processid: string}).processid;
};

const processid = await submit({hostile});

/** Runs as on a terminal of this width. */
async function onTerminal(words: readonly string[], columns: number): Promise<string> {
	const world = worldOf(contexts, home);
	Object.assign(world.stdout, {isTTY: true, columns});
	assert.equal(await runCommand(words, world), 0, world.stderr.text);
	return world.stdout.text;
}

/** Reads CSV as RFC 4180 has it. */
function fromCsv(text: string): string[][] {
	const records: string[][] = [];
	let record: string[] = [];
	const fields = [...text.matchAll(/("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n)/gy)];
	assert.equal(fields.map(([field]) => field).join(''), text);
	for (const [, field, end] of fields) {
		record.push(field!.startsWith('"') ? field!.slice(1, -1).replaceAll('""', '"') : field!);
		if (end !== ',') {
			records.push(record);
			record = [];
		}
	}

	return records;
}

suite('JSON', () => {
	test('has nothing that drives a terminal, and means the same', () => {
		fc.assert(fc.property(fc.oneof(fc.jsonValue(), fc.string({unit: 'binary'}).map(text => ({[text]: [text]}))), value => {
			const text = toJson(value);
			assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value))); // eslint-disable-line unicorn/prefer-structured-clone -- what JSON keeps of it, -0 not
			assert.equal(firstUnprintable(text.replaceAll('\n', '')), undefined);
		}));
		assert.equal(toJson('\u202E\u{E0041}é😀'), String.raw`"\u202e\udb40\udc41é😀"`);
	});

	test('of a process whose worker means harm', async () => {
		const {stdout} = await run(['process', 'get', '--colonyid', colony, '--processid', processid]);
		assert.equal(firstUnprintable(stdout.replaceAll('\n', '')), undefined);
		assert.equal((JSON.parse(stdout) as {in: Array<{value: string}>}).in[0]!.value, hostile);
	});

	test('is printed on demand where a sentence or nothing stands else', async () => {
		const {stdout, stderr} = await run(['computer', 'disapprove', '--colonyid', colony, '--computerid', computer, '--output', 'json']);
		assert.equal((JSON.parse(stdout) as {status: number}).status, 2);
		assert.equal(stderr, 'Disapproved my_computer; what it ran waits again.\n');
		assert.equal((await run(['computer', 'approve', '--colonyid', colony, '--computerid', computer])).stdout, '');
		const assigned = JSON.parse((await run(['process', 'assign', '--colonyid', colony, '--computerid', computer])).stdout) as {processid: string};
		const closed = await run(['process', 'failed', '--colonyid', colony, '--computerid', computer, '--processid', assigned.processid, '--output=json']);
		assert.equal((JSON.parse(closed.stdout) as {status: number}).status, 3);
		assert.deepEqual(await run(['process', 'retry', '--colonyid', colony, '--processid', assigned.processid]), {code: 0, stdout: '', stderr: `The process ${processid.slice(0, 4)}..${processid.slice(-4)} waits again.\n`});
	});
});

suite('tables', () => {
	test('are aligned by what is seen', () => {
		assert.equal(toTable([{name: '日本', mem: 5}, {name: 'é😀', mem: 1000}], {columns: undefined, width: undefined}), [
			'NAME   MEM',
			'日本     5',
			'é😀   1000',
		].join('\n'));
		assert.equal(toTable([{a: null, b: ['x', 'y'], c: [{key: 'k', value: 'v'}]}], {columns: undefined, width: undefined}), 'A  B     C\n   x, y  k=v');
		assert.equal(toFieldTable({name: 'x', status: 1}, {columns: undefined, width: undefined}), 'name    x\nstatus  1');
	});

	test('show a time that is not set as a dash, and JSON and CSV as it is', () => {
		const row = {processid: 'a', starttime: unsetTime, in: [{key: 'when', value: unsetTime}]};
		assert.equal(toTable([row], {columns: undefined, width: undefined}), `PROCESSID  STARTTIME  IN\na          -          when=${unsetTime}`);
		assert.equal(toFieldTable(row, {columns: ['starttime'], width: undefined}), `processid  a\nstarttime  -\nin         when=${unsetTime}`);
		assert.deepEqual(JSON.parse(toJson(row)), row);
		assert.ok(toCsv([row], {toTerminal: true}).includes(`a,${unsetTime},`));
	});

	test('and JSON and CSV on a terminal never stack marks on a character', () => {
		const stacked = `e${'\u0301'.repeat(80)}`;
		assert.equal(toTable([{name: stacked}], {columns: undefined, width: undefined}), `NAME\ne${'\u0301'.repeat(8)}<+72>`);
		assert.equal(toCsv([{name: stacked}], {toTerminal: true}), `name\r\ne${'\u0301'.repeat(8)}<+72>\r\n`);
		assert.equal(toCsv([{name: stacked}], {toTerminal: false}), `name\r\n${stacked}\r\n`);
		const json = toJson({name: stacked});
		assert.equal(marksTooMany(json), undefined);
		assert.deepEqual(JSON.parse(json), {name: stacked});
	});

	test('stay on their lines and in their width, whatever is in them', () => {
		fc.assert(fc.property(fc.array(fc.record({a: fc.string({unit: 'binary'}), b: fc.string({unit: 'grapheme'})}), {minLength: 1, maxLength: 5}), fc.integer({min: 1, max: 60}), (rows, width) => {
			const lines = toTable(rows, {columns: undefined, width}).split('\n');
			assert.equal(lines.length, rows.length + 1);
			for (const line of lines) {
				assert.ok(stringWidth(line) <= width, JSON.stringify(line));
				assert.equal(firstUnprintable(line), undefined);
				assert.equal(marksTooMany(line), undefined);
			}
		}));
	});

	test('are cut on a terminal only', async () => {
		const words = ['process', 'psw', '--colonyid', colony, '--output', 'table'];
		const {stdout} = await run(words);
		assert.match(stdout, /^PROCESSID +STATE +COMPUTERTYPE /);
		assert.match(stdout, new RegExp(`^${processid}  waiting `, 'm'));
		const lines = (await onTerminal(words, 40)).trimEnd().split('\n');
		assert.ok(lines.every(line => stringWidth(line) === 40 && line.endsWith('…')), lines.join('\n'));
	});

	test('are ASCII where the locale shows nothing else; JSON and CSV stay as they are', {skip: process.platform === 'win32'}, async () => {
		const printed = async (locale: string, ...words: string[]): Promise<string> => {
			const world = worldOf(contexts, home, {env: {LC_ALL: locale}});
			Object.assign(world.stdout, {isTTY: true, columns: 60});
			assert.equal(await runCommand(words, world), 0, world.stderr.text);
			return world.stdout.text;
		};

		const ofColony = ['--colonyid', colony];
		const ofProcess = [...ofColony, '--processid', processid];
		for (const words of [
			['process', 'psw', ...ofColony],
			['process', 'get', ...ofProcess],
			['attribute', 'ls', ...ofProcess],
			['process', 'history', ...ofProcess],
			['pulse', 'show', ...ofColony, '--span', '15m'],
			['audit', 'ls', ...ofColony],
		]) {
			const [plain, full] = [await printed('C', ...words, '--output', 'table'), await printed('C.UTF-8', ...words, '--output', 'table')];
			assert.match(plain, /^[\n -~]+$/, words.join(' '));
			if (words[0] !== 'pulse') {
				assert.match(full, /[^\n -~]/, words.join(' '));
				assert.deepEqual(plain.split('\n').map(line => line.length), full.split('\n').map(line => stringWidth(line)));
			}

			for (const format of ['json', 'csv']) {
				if (words[0] !== 'pulse') {
					assert.equal(await printed('C', ...words, '--output', format), await printed('C.UTF-8', ...words, '--output', format));
				}
			}
		}
	});

	test('of nothing keep their sentence, or their heading when a format was asked for', async () => {
		assert.equal((await run(['process', 'pss', '--colonyid', colony])).stdout, 'No successful processes found\n');
		assert.match((await run(['process', 'pss', '--colonyid', colony, '--output', 'table'])).stdout, /^PROCESSID .*\n$/);
		assert.equal((await run(['process', 'pss', '--colonyid', colony, '--output', 'csv'])).stdout, '');
	});
});

suite('CSV', () => {
	test('reads back as what it was', () => {
		fc.assert(fc.property(fc.array(fc.record({a: fc.string({unit: fc.constantFrom('"', ',', '\n', '\r', ' ', 'x', '=', 'é')}), 'b,"c"': fc.string()}), {minLength: 1}), rows => {
			assert.deepEqual(fromCsv(toCsv(rows, {toTerminal: false})), [['a', 'b,"c"'], ...rows.map(row => [row.a, row['b,"c"']])]);
		}));
	});

	test('has every field, lists as JSON', async () => {
		const {stdout} = await run(['process', 'get', '--colonyid', colony, '--processid', processid, '--output', 'csv']);
		const [heading, row] = fromCsv(stdout);
		const object = JSON.parse((await run(['process', 'get', '--colonyid', colony, '--processid', processid])).stdout) as Record<string, unknown>;
		assert.deepEqual(heading, Object.keys(object));
		assert.deepEqual(row, Object.values(object).map(value => value === null ? '' : (typeof value === 'string' ? value : JSON.stringify(value))));
	});

	test('on a terminal has nothing that drives it', async () => {
		const text = await onTerminal(['attribute', 'ls', '--colonyid', colony, '--processid', processid, '--output', 'csv'], 80);
		assert.equal(firstUnprintable(text.replaceAll('\r\n', '')), undefined);
	});
});

suite('long lists', () => {
	test('say that there is more, and how to see it', async () => {
		const all = [];
		for (let index = 0; index < 11; index++) {
			all.push(await submit({}));
		}

		const first = await run(['process', 'psw', '--colonyid', colony]);
		assert.equal((JSON.parse(first.stdout) as unknown[]).length, 10);
		assert.equal(first.stderr, 'There are more: --count 1000 shows up to 1000.\n');
		assert.equal((await run(['process', 'psw', '--colonyid', colony, '--count', '12'])).stderr, '');
		const mine = await run(['process', 'psw', '--colonyid', colony, '--computerid', computer, '--count', '3', '--output', 'csv']);
		assert.equal(mine.stderr, 'There are more: --count 1000 shows up to 1000.\n');
		assert.equal(fromCsv(mine.stdout).length, 4);
	});
});

suite('a reader that goes away', () => {
	/** A pipe whose reader is gone after some writes. */
	class Broken extends Writable {
		#left: number;

		constructor(left: number) {
			super();
			this.#left = left;
		}

		override _write(_chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error) => void): void {
			done(this.#left-- > 0 ? undefined : Object.assign(new Error('write EPIPE'), {code: 'EPIPE'}));
		}
	}

	test('is no failure, at whatever place', async () => {
		for (const left of [0, 1, 2, 5]) {
			for (const words of [['help'], ['process', 'psw', '--colonyid', colony], ['process', 'get', '--colonyid', colony, '--processid', processid, '--output', 'table']]) {
				const world = {...worldOf(contexts, home), stdout: new Broken(left)};
				assert.equal(await runCommand(words, world), 0);
				assert.doesNotMatch(world.stderr.text, /colonies:/);
			}
		}
	});

	test('on standard error changes nothing', async () => {
		const stdout = new Collector();
		const code = await runCommand(['process', 'psw', '--colonyid', colony], {...worldOf(contexts, home), stdout, stderr: new Broken(0)});
		assert.equal(code, 0);
		assert.equal((JSON.parse(stdout.text) as unknown[]).length, 10);
		assert.equal(await runCommand(['nonsense'], {...worldOf(contexts, home), stderr: new Broken(0)}), 2);
	});
});

test('database where says where everything is', async () => {
	const {stdout} = await run(['database', 'where']);
	const where = JSON.parse(stdout) as Record<string, unknown>;
	assert.deepEqual({context: where.context, kind: where.kind, keys: where.keys}, {context: 'embedded', kind: 'embedded', keys: home.folders.keys});
	assert.match(String(where.server), /^PostgreSQL \d/);
	assert.equal((await run(['database', 'where', '--output', 'table'])).stdout.split('\n')[0], 'context  embedded');
});
