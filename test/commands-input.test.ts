import assert from 'node:assert/strict';
import {chmodSync, mkdirSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {suite, test} from 'node:test';
import {NotAllowed, Unavailable} from '../source/core/errors.ts';
import type {Context} from '../source/operations/index.ts';
import {
	examples, inProcess, openSettled, temporaryFolder, writeInto, type Run,
} from './support/commands.ts';

const settled = await openSettled();
const {run, colony, computer} = settled;
const folder = temporaryFolder();

const unknown = 'ab'.repeat(32);
const spec = (value: unknown): string => writeInto(folder, 'spec.json', typeof value === 'string' || value instanceof Uint8Array ? value : JSON.stringify(value));
const submit = async (value: unknown) => run(['process', 'submit', '--id', colony, '--spec', spec(value)]);
const processSpec = (change: Record<string, unknown> = {}) => ({targetcolonyid: colony, ...change});

/** What exists, to see that nothing was made. */
async function everything(): Promise<string> {
	const lists = [['colony', 'ls', '--rootpassword', 'secret'], ['computer', 'ls', '--colonyid', colony], ['process', 'ls', '--colonyid', colony, '--count', '1000'], ['keychain', 'ls']];
	return (await Promise.all(lists.map(async line => (await run(line)).stdout))).join('');
}

async function refused(outcome: Promise<{code: number; stdout: string; stderr: string}>, code: number, message: string | RegExp): Promise<void> {
	const {code: actual, stdout, stderr} = await outcome;
	assert.deepEqual({code: actual, stdout}, {code, stdout: ''}, stderr);
	const [first, second, ...rest] = stderr.split('\n');
	assert.ok(typeof message === 'string' ? first === `colonies: ${message}` : message.test(first!), first);
	assert.ok(second!.endsWith('.') || second!.includes('colonies'), second);
	assert.deepEqual(rest, ['']);
	assert.doesNotMatch(first! + second!, /[\0-\u001F\u007F-\u009F]/);
}

suite('a file that holds no spec', () => {
	const cases: Array<[name: string, content: string | Uint8Array, message: string]> = [
		['not JSON', '{\n    "name": "x",\n}', 'is not JSON: the fault is at line 3, column 1.'],
		['cut off', '{"name": "x"', 'is not JSON: the fault is at line 1, column 13.'],
		['empty', '', 'is empty.'],
		['blank', ' \n\t', 'is empty.'],
		['not UTF-8', new Uint8Array([0x7B, 0xFF, 0xFE]), 'is not UTF-8 text.'],
		['binary', '\0\u0001\u0002', 'is not JSON: the fault is at line 1, column 1.'],
	];
	for (const [name, content, message] of cases) {
		test(name, async () => {
			const before = await everything();
			const file = writeInto(folder, 'bad.json', content);
			await refused(run(['colony', 'register', '--rootpassword', 'secret', '--spec', file]), 2, `"${file}" ${message}`);
			const piped = await run(['colony', 'register', '--rootpassword', 'secret', '--spec', '-'], content);
			assert.equal(piped.code, 2);
			assert.match(piped.stderr, new RegExp(`^colonies: Standard input ${message.replaceAll('.', String.raw`\.`)}`));
			assert.equal(await everything(), before);
		});
	}

	test('a missing file, a folder, something under a file', async () => {
		await refused(run(['process', 'submit', '--spec', path.join(folder, 'none.json')]), 2, `There is no file "${path.join(folder, 'none.json')}".`);
		mkdirSync(path.join(folder, 'folder'));
		await refused(run(['process', 'submit', '--spec', path.join(folder, 'folder')]), 2, `"${path.join(folder, 'folder')}" is a folder, not a file.`);
		const file = writeInto(folder, 'file', '{}');
		await refused(run(['process', 'submit', '--spec', path.join(file, 'x')]), 2, /something on the way to it is no folder/);
		await refused(run(['process', 'submit', '--spec', '']), 2, 'There is no file "".');
	});

	test('one that may not be read', {skip: process.getuid?.() === 0 && 'Root may read everything.'}, async () => {
		const file = writeInto(folder, 'closed.json', '{}');
		chmodSync(file, 0);
		await refused(run(['process', 'submit', '--spec', file]), 2, /permission is denied/);
	});

	test('one larger than 32 MiB, and one without end', async () => {
		const register = async (file: string, input?: Uint8Array) => run(['colony', 'register', '--rootpassword', 'secret', '--spec', file], input);
		await refused(register(writeInto(folder, 'large.json', new Uint8Array(33_554_433).fill(32))), 2, `"${path.join(folder, 'large.json')}" is larger than 32 MiB.`);
		await refused(register('/dev/zero'), 2, '"/dev/zero" is larger than 32 MiB.');
		await refused(register('-', new Uint8Array(33_554_433).fill(32)), 2, 'Standard input is larger than 32 MiB.');
		await refused(run(['process', 'submit', '--spec', '/dev/zero']), 2, '"/dev/zero" is larger than 128 MiB.');
	});

	test('a byte order mark is no fault', async () => {
		const {code, stderr} = await submit(`\uFEFF${JSON.stringify(processSpec())}`);
		assert.equal(code, 0, stderr);
	});
});

suite('a spec with a fault', () => {
	const cases: Array<[name: string, change: unknown, message: string | RegExp]> = [
		['no object: a list of lists', [[]], 'spec must be a JSON object, not "[]".'],
		['an empty list', [], /^colonies: "[^"]+" is an empty list\.$/],
		['no object: null', 'null', 'spec must be a JSON object, not "null".'],
		['no object: a text', '"text"', 'spec must be a JSON object, not "text".'],
		['a field is missing', {}, 'spec.targetcolonyid is missing.'],
		['a number as text', () => processSpec({cores: '10'}), 'spec.cores must be a whole number from 0 to 1000000, not "10".'],
		['a fraction', () => processSpec({mem: 1.5}), 'spec.mem must be a whole number from 0 to 1073741824, not "1.5".'],
		['a number below its range', () => processSpec({gpus: -1}), 'spec.gpus must be a whole number from 0 to 1000000, not "-1".'],
		['a number above its range', () => processSpec({timeout: 1e300}), 'spec.timeout must be a whole number from -1 to 315360000, not "1e+300".'],
		['null', () => processSpec({maxretries: null}), 'spec.maxretries must be a whole number from 0 to 1000000, not "null".'],
		['an id of 63 digits', () => processSpec({targetcolonyid: colony.slice(1)}), /^colonies: spec\.targetcolonyid must be 64 hex digits, not "[\da-f]{63}"\.$/],
		['a target that is no id', () => processSpec({targetcomputerids: ['x']}), 'spec.targetcomputerids.0 must be 64 hex digits, not "x".'],
		['targets as text', () => processSpec({targetcomputerids: unknown}), /^colonies: spec\.targetcomputerids must be a list of ids, not /],
		['attributes as a list', () => processSpec({in: ['a']}), /^colonies: spec\.in must be an object of keys and text values, not /],
		['an attribute that is no text', () => processSpec({in: {a: 5}}), 'spec.in.a must be text, not "5".'],
		['an attribute of 10 MB', () => processSpec({in: {large: 'x'.repeat(10_485_760)}}), /^colonies: spec\.in\.large must be at most 1 MiB of text \(it is 10\.0 MiB\)/],
		['an attribute with NUL', () => processSpec({in: {a: 'b\0c'}}), 'spec.in.a must be Unicode text without NUL, not "b␀c".'],
		['a key with an escape', () => processSpec({in: {'a\u001B]0;x\u0007': 'b'}}), /^colonies: spec\.in\.a␛]0;x␇ must not have control characters \(it has U\+001B\)/],
		['a type that turns the direction of writing', () => processSpec({computertype: 'a\u202Eb'}), 'spec.computertype must not have control characters (it has U+202E), not "a<202E>b".'],
		['too many attributes', () => processSpec({in: Object.fromEntries(Array.from({length: 1001}, (_, index) => [`k${index}`, '']))}), /must have at most 1000 attributes/],
		['a process id', () => processSpec({processid: unknown}), `spec cannot set processid, here to "${unknown}".`],
		['a state', () => processSpec({status: 2}), 'spec cannot set status, here to "2".'],
		['who runs it', () => processSpec({assignedcomputerid: computer}), /^colonies: spec cannot set assignedcomputerid/],
		['what came out', () => processSpec({out: []}), 'spec cannot set out, here to "[]".'],
		['retries', () => processSpec({retries: 3}), 'spec cannot set retries, here to "3".'],
	];
	for (const [name, change, message] of cases) {
		test(name, async () => {
			const before = await everything();
			await refused(submit(typeof change === 'function' ? (change as () => unknown)() : change), 2, message);
			assert.equal(await everything(), before);
		});
	}

	test('unknown fields are left out, and said', async () => {
		const {code, stdout, stderr} = await submit(processSpec({'coresx\u001B[2J': 1, priority: 2}));
		assert.equal(code, 0);
		assert.equal(stderr, 'Unknown fields left out: "spec.coresx␛[2J", "spec.priority".\n');
		assert.doesNotMatch(stdout, /coresx|priority/);
	});

	test('keys that mean something to JavaScript are keys like others', async () => {
		const {stdout} = await submit(`{"targetcolonyid": "${colony}", "in": {"constructor": "a", "__proto__": "b", "prototype": "c"}}`);
		assert.deepEqual((JSON.parse(stdout) as {in: Array<{key: string; value: string}>}).in.map(({key, value}) => `${key}=${value}`), ['constructor=a', '__proto__=b', 'prototype=c']);
	});
});

suite('registering', () => {
	const colonyCases: Array<[name: string, value: unknown, message: string | RegExp]> = [
		['without a name', {}, 'spec.name is missing.'],
		['an empty name', {name: ''}, 'spec.name must be text of 1 to 200 characters, not "".'],
		['a name of 201 characters', {name: 'x'.repeat(201)}, /^colonies: spec\.name must be text of at most 200 characters/],
		['a name with an escape', {name: 'a\u001B[31m'}, 'spec.name must not have control characters (it has U+001B), not "a␛[31m".'],
		['a name with a line end', {name: 'a\nb'}, 'spec.name must not have control characters (it has U+000A), not "a␊b".'],
		['an id of its own', {name: 'x', colonyid: unknown}, `spec cannot set colonyid, here to "${unknown}".`],
	];
	for (const [name, value, message] of colonyCases) {
		test(`a colony: ${name}`, async () => {
			const before = await everything();
			await refused(run(['colony', 'register', '--rootpassword', 'secret', '--spec', spec(value)]), 2, message);
			assert.equal(await everything(), before);
		});
	}

	for (const [field, value] of [['computerid', unknown], ['status', 1], ['status', 0], ['colonyid', unknown]] as const) {
		test(`a computer cannot set ${field} to ${value}`, async () => {
			const before = await everything();
			await refused(run(['computer', 'register', '--colonyid', colony, '--spec', spec({name: 'x', [field]: value})]), 2, `spec cannot set ${field}, here to "${value}".`);
			assert.equal(await everything(), before);
		});
	}

	test('a computer may repeat its colony, in any case', async () => {
		const {code, stderr} = await run(['computer', 'register', '--colonyid', colony.toUpperCase(), '--spec', spec({name: 'repeats', colonyid: colony.toUpperCase()})]);
		assert.deepEqual({code, stderr}, {code: 0, stderr: ''});
	});

	test('keeps the key and what it is for', async () => {
		const id = (await run(['computer', 'register', '--colonyid', colony, '--spec', path.join(examples, 'computer.json')])).stdout.trim();
		const keys = JSON.parse((await run(['keychain', 'ls'])).stdout) as Array<{id: string}>;
		assert.deepEqual(keys.find(key => key.id === id), {
			id, kind: 'computer', name: 'my_computer', colonyid: colony,
		});
	});

	test('with --output json prints the object', async () => {
		const {stdout} = await run(['colony', 'register', '--rootpassword', 'secret', '--spec', path.join(examples, 'colony.json'), '--output', 'json']);
		assert.deepEqual(Object.keys(JSON.parse(stdout) as object), ['colonyid', 'name']);
	});

	/** The real context, whose answer to a registration gets lost, or is replaced by a refusal. */
	const failing = (failure: () => Error): Run => inProcess({
		...settled.contexts,
		async open(choice) {
			const context = await settled.contexts.open(choice);
			return {
				...context,
				async run(caller, name, input, notice) {
					await context.run(caller, name, input, notice);
					throw failure();
				},
			} satisfies Context;
		},
	}, settled.home);

	test('forgets the key when it was refused for certain', async () => {
		const before = (await run(['keychain', 'ls'])).stdout;
		const refuse = failing(() => new NotAllowed('Only the colony owner may do this.'));
		const {code, stdout} = await refuse(['computer', 'register', '--colonyid', colony, '--spec', path.join(examples, 'computer.json')]);
		assert.deepEqual({code, stdout}, {code: 4, stdout: ''});
		assert.equal((await run(['keychain', 'ls'])).stdout, before);
		assert.equal((await run(['colony', 'register', '--rootpassword', 'wrong', '--spec', path.join(examples, 'colony.json')])).code, 3);
		assert.equal((await run(['keychain', 'ls'])).stdout, before);
	});

	test('forgets the key when the database was away before anything was sent', async () => {
		const before = (await run(['keychain', 'ls'])).stdout;
		const away = failing(() => Object.assign(new Unavailable('The database does not answer.'), {nothingDone: true}));
		const {code, stderr} = await away(['computer', 'register', '--colonyid', colony, '--spec', path.join(examples, 'computer.json')]);
		assert.deepEqual({code, stderr}, {code: 8, stderr: 'colonies: The database does not answer.\n'});
		assert.equal((await run(['keychain', 'ls'])).stdout, before);
	});

	test('keeps the key when nobody knows whether it was done', async () => {
		const before = JSON.parse((await run(['keychain', 'ls'])).stdout) as unknown[];
		const lose = failing(() => new Unavailable('The connection was lost.'));
		const {code, stdout, stderr} = await lose(['computer', 'register', '--colonyid', colony, '--spec', path.join(examples, 'computer.json')]);
		assert.deepEqual({code, stdout}, {code: 8, stdout: ''});
		const [, id] = /^Whether ([\da-f]{64}) was registered is not known\. Its key is kept/.exec(stderr)!;
		const after = JSON.parse((await run(['keychain', 'ls'])).stdout) as Array<{id: string; name: string}>;
		assert.equal(after.length, before.length + 1);
		assert.equal(after.find(key => key.id === id)?.name, 'my_computer');
		assert.equal((JSON.parse((await run(['computer', 'get', '--colonyid', colony, '--computerid', id!])).stdout) as {name: string}).name, 'my_computer');
	});
});

suite('ids that name nothing, or something else', () => {
	test('an unknown process, attribute, computer', async () => {
		await refused(run(['process', 'get', '--colonyid', colony, '--processid', unknown]), 5, `There is no process "${unknown}" in this colony.`);
		await refused(run(['computer', 'approve', '--colonyid', colony, '--computerid', unknown]), 5, `There is no computer "${unknown}" in this colony.`);
		const {processid} = JSON.parse((await submit(processSpec())).stdout) as {processid: string};
		await refused(run(['attribute', 'get', '--colonyid', colony, '--processid', processid, '--attributeid', unknown]), 5, /^colonies: There is no attribute/);
		await refused(run(['process', 'successful', '--colonyid', colony, '--processid', unknown, '--computerid', computer]), 5, /There is no process/);
	});

	test('a colony that nobody knows', async () => {
		await refused(run(['process', 'ls', '--colonyid', unknown]), 3, /^colonies: The keychain holds no key for abab\.\.abab\.$/);
		await refused(run(['process', 'ls', '--colonyid', unknown, '--id', colony]), 4, /is neither the owner nor a computer of the colony/);
		await refused(run(['colony', 'remove', '--colonyid', unknown, '--yes', '--rootpassword', 'secret']), 5, `There is no colony "${unknown}".`);
	});

	test('what belongs to another colony', async () => {
		const other = (await run(['colony', 'register', '--rootpassword', 'secret', '--spec', path.join(examples, 'colony.json')])).stdout.trim();
		const {processid} = JSON.parse((await submit(processSpec())).stdout) as {processid: string};
		await refused(run(['process', 'get', '--colonyid', other, '--processid', processid]), 5, /There is no process/);
		await refused(run(['process', 'get', '--colonyid', colony, '--processid', processid, '--id', other]), 4, /is neither the owner nor a computer/);
		await refused(run(['process', 'submit', '--id', other, '--spec', spec(processSpec())]), 4, /is neither the owner nor a computer/);
		await refused(run(['computer', 'approve', '--colonyid', other, '--computerid', computer]), 5, /There is no computer/);
		await refused(run(['process', 'assign', '--colonyid', other, '--computerid', computer]), 4, /is neither the owner nor a computer/);
	});

	test('ids may be written in capitals', async () => {
		assert.equal((await run(['computer', 'get', '--colonyid', colony.toUpperCase(), '--computerid', computer.toUpperCase(), '--id', computer.toUpperCase()])).code, 0);
	});
});
