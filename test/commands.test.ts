import assert from 'node:assert/strict';
import {suite, test} from 'node:test';
import fc from 'fast-check';
import {parseArguments} from '../source/commands/arguments.ts';
import {commands, nouns} from '../source/commands/entries.ts';
import {flagsOf} from '../source/commands/command.ts';
import {describeCommands} from '../source/commands/index.ts';
import {jsonFault} from '../source/core/json-fault.ts';
import {distance, nearest} from '../source/core/nearest.ts';
import type {Contexts} from '../source/operations/index.ts';
import {freshHome, inProcess} from './support/commands.ts';

/** Where nothing may be opened: what is tested here is refused before. */
const nowhere = new Proxy({}, {
	get(_, name) {
		throw new Error(`contexts.${String(name)} was called`);
	},
}) as Contexts;

const run = inProcess(nowhere, freshHome());

const types = {value: 'string', id: 'string', count: 'string', debug: 'boolean'} as const;
const parse = (...argv: string[]) => parseArguments(argv, types);
const id = 'ab'.repeat(32);

suite('taking a command line apart', () => {
	test('a value stays the text that was typed, in both forms', () => {
		for (const value of ['', '-', '-5', '-x', '0x10', '1e3', '007', 'true', 'null', '"quoted"', '\'quoted\'', '"', 'a=b', '=', 'a\nb', ' ', '__proto__', '😀', 'a.b', '\\']) {
			assert.deepEqual(parse('process', 'ls', '--value', value), {words: ['process', 'ls'], flags: {value}, unknown: []});
			assert.deepEqual(parse(`--value=${value}`, 'process', 'ls'), {words: ['process', 'ls'], flags: {value}, unknown: []});
		}
	});

	test('any value at all', () => {
		fc.assert(fc.property(fc.string({unit: 'binary'}), fc.string({unit: 'grapheme'}), (value, word) => {
			assert.equal(parse(`--value=${value}`).flags.value, value);
			if (!value.startsWith('--')) {
				assert.equal(parse('--value', value).flags.value, value);
			}

			assert.deepEqual(parse('--', word, '--value').words, [word, '--value']);
		}));
	});

	test('a value that begins with two dashes needs the equals sign', () => {
		assert.equal(parse('--value=--id').flags.value, '--id');
		assert.throws(() => parse('--value', '--id', 'x'), {code: 'invalid-input', message: '--value has no value.'});
		assert.throws(() => parse('--value', '--'), {message: '--value has no value.'});
		assert.throws(() => parse('x', '--value'), {message: '--value has no value.'});
	});

	test('a switch takes no value along', () => {
		assert.deepEqual(parse('--debug', 'process'), {words: ['process'], flags: {debug: true}, unknown: []});
		assert.deepEqual(parse('--debug=false').flags, {debug: false});
		assert.throws(() => parse('--debug=yes'), {message: '--debug takes no value but true or false, not "yes".'});
	});

	test('a flag is given once', () => {
		assert.throws(() => parse('--id', 'a', '--id=a'), {message: '--id is given twice.'});
		assert.throws(() => parse('--debug', '--debug'), {message: '--debug is given twice.'});
	});

	test('what no command has is told apart, without its value', () => {
		assert.deepEqual(parse('--prvkye=secret', '-x', '-vv', '--a.b=c', '--__proto__', '--constructor').unknown, ['--prvkye', '-x', '-vv', '--a.b', '--__proto__', '--constructor']);
		assert.deepEqual(parse('-'), {words: ['-'], flags: {}, unknown: []});
		assert.deepEqual(parse('-h').unknown, ['-h']);
	});
});

suite('help', () => {
	test('on everything, a noun, and a command', async () => {
		const {code, stdout, stderr} = await run(['help']);
		assert.deepEqual({code, stderr}, {code: 0, stderr: ''});
		for (const {words, summary} of commands) {
			assert.ok(stdout.includes(words.join(' ')), words.join(' '));
			assert.ok(summary.endsWith('.'), summary);
		}

		assert.equal((await run(['--help'])).stdout, stdout);
		assert.equal((await run(['-h'])).stdout, stdout);
		assert.equal((await run([])).stdout, stdout);
		for (const noun of nouns) {
			const one = await run(['help', noun]);
			assert.match(one.stdout, new RegExp(`^Usage: colonies ${noun} COMMAND`));
			assert.deepEqual(await run([noun, '--help']), one);
		}
	});

	test('on every command names every flag, wherever --help stands', async () => {
		for (const entry of commands) {
			const help = await run(['help', ...entry.words]);
			assert.equal(help.code, 0);
			for (const name of Object.keys(flagsOf(entry))) {
				assert.match(help.stdout, new RegExp(`^ {2}--${name}\\b`, 'm'), entry.words.join(' '));
			}

			assert.ok(help.stdout.split('\n').every(line => line.length <= 100), help.stdout);
			assert.deepEqual(await run(['--help', ...entry.words]), help);
			assert.deepEqual(await run([...entry.words, '--help', '--nonsense']), help);
		}
	});

	test('on what is not there says so', async () => {
		const {code, stdout, stderr} = await run(['help', 'computer', 'aprove']);
		assert.deepEqual({code, stdout}, {code: 2, stdout: ''});
		assert.match(stderr, /Did you mean `colonies computer approve`\?/);
	});

	test('the version', async () => {
		assert.deepEqual(await run(['--version']), {code: 0, stdout: '1.2.3\n', stderr: ''});
		assert.deepEqual(await run(['process', 'ls', '--version']), {code: 0, stdout: '1.2.3\n', stderr: ''});
	});

	test('as Markdown has every command in a row of its own', () => {
		const rows = describeCommands().split('\n').filter(line => line.startsWith('| `') && !line.startsWith('| `--'));
		assert.equal(rows.length, commands.length);
		assert.ok(rows.every(row => row.replaceAll(String.raw`\|`, '').split('|').length === 5));
	});
});

suite('what is not understood', () => {
	const cases: Array<[line: string[], message: string, hint: string | RegExp]> = [
		[['proces', 'ls'], 'There is no command "proces".', 'Did you mean `colonies process ls`?'],
		[['colonys', 'ls'], 'There is no command "colonys".', 'Did you mean `colonies colony ls`?'],
		[['frobnicate'], 'There is no command "frobnicate".', 'See all of them: colonies help'],
		[['computer'], '`colonies computer` needs a command.', /^One of register, ls, .*approve/],
		[['computer', 'aprove'], 'There is no command "computer aprove".', 'Did you mean `colonies computer approve`?'],
		[['computer', 'zzz'], 'There is no command "computer zzz".', /^There are register, /],
		[['sever', 'start'], 'There is no command "sever".', /`colonies server start`/],
		[['process', 'ls', '--colonid', id], '"--colonid" is not a flag of `colonies process ls`.', 'Did you mean --colonyid?'],
		[['--colonid', id, 'process', 'ls'], '"--colonid" is not a flag of `colonies`.', 'Did you mean --colonyid?'],
		[['process', 'get', '-id', id], '"-id" is not a flag of `colonies process get`.', 'Did you mean --id?'],
		[['process', 'submit', '--mem', '0x10'], '"--mem" is not a flag of `colonies process submit`.', 'See its flags: colonies help process submit'],
		[['process', 'submit', '--key', 'x'], '"--key" is not a flag of `colonies process submit`.', /flags/],
		[['colony', 'register', '--colonyid', id], '"--colonyid" is not a flag of `colonies colony register`.', /flags/],
		[['colony', 'ls', 'now'], '"now" is not expected after `colonies colony ls`.', /quotes/],
		[['colony', 'ls', '--', '--count'], '"--count" is not expected after `colonies colony ls`.', /quotes/],
		[['process', 'ls'], '--colonyid is missing.', 'Colony: Id of the colony, 64 hex digits.'],
		[['process', 'submit'], '--spec is missing.', /JSON/],
		[['process', 'ls', '--colonyid'], '--colonyid has no value.', /Write --colonyid VALUE/],
		[['process', 'ls', '--colonyid', ''], '--colonyid must be 64 hex digits, not "".', /Id of the colony/],
		[['process', 'ls', '--colonyid', id.slice(1)], `--colonyid must be 64 hex digits, not "${id.slice(1)}".`, /Id of the colony/],
		[['process', 'ls', '--colonyid', `${id}0`], `--colonyid must be 64 hex digits, not "${id}0".`, /Id of the colony/],
		[['process', 'ls', '--colonyid', id.replace('a', 'g')], `--colonyid must be 64 hex digits, not "${id.replace('a', 'g')}".`, /Id of the colony/],
		[['process', 'ls', '--colonyid', id, '--id', 'me'], '--id must be 64 hex digits, not "me".', /who signs/],
		...['1e3', '0x10', '1.5', '+5', ' 5', '', 'ten', '0', '-1', '1001', '99999999999999999999'].map((count): [string[], string, RegExp] => [
			['process', 'ls', '--colonyid', id, `--count=${count}`], `--count must be a whole number from 1 to 1000, not "${count === '99999999999999999999' ? '100000000000000000000' : count}".`, /rows/,
		]),
		[['process', 'ls', '--colonyid', id, '--state', 'done'], '--state must be one of waiting, running, successful, failed, not "done".', /state/],
		[['process', 'ls', '--colonyid', id, '--attribute', 'x'], '--attribute must be KEY=VALUE, not "x".', /attribute/],
		[['process', 'ls', '--colonyid', id, '--output', 'xml'], '--output must be one of json, table, csv, not "xml".', /json/],
		[['process', 'ls', '--colonyid', id, '--dbport', '70000'], '--dbport must be a whole number from 1 to 65535, not "70000".', /port/],
		[['process', 'ls', '--colonyid', id, '--dbhost', ''], '--dbhost must be a name or an IP address, not "".', /letters, digits/],
		[['colony', 'ls', '--rootpassword='], '--rootpassword must not be empty.', /root password/],
		[['attribute', 'add', '--colonyid', id, '--processid', id, '--key', '', '--value', ''], '--key must be text of 1 to 200 characters, not "".', /Key/],
		[['attribute', 'add', '--colonyid', id, '--processid', id, '--key', 'k'.repeat(201), '--value', ''], `--key must be text of at most 200 characters, not "${'k'.repeat(79)}…".`, /Key/],
		[['attribute', 'add', '--colonyid', id, '--processid', id, '--key', 'a\u001B[31m', '--value', ''], '--key must not have control characters (it has U+001B), not "a␛[31m".', /Key/],
		[['attribute', 'add', '--colonyid', id, '--processid', id, '--key', 'k', '--value', 'a\0b'], '--value must be Unicode text without NUL, not "a␀b".', /Value/],
		[['attribute', 'add', '--colonyid', id, '--processid', id, '--key', 'k', '--value', 'v'.repeat(10_485_760)], '--value must be at most 1 MiB of text (it is 10.0 MiB), not', /Keep large data elsewhere/],
	];

	for (const [line, message, hint] of cases) {
		test(`${line.join(' ').slice(0, 90).replaceAll(/[\0\u001B]/g, '?')}: ${message.slice(0, 60)}`, async () => {
			const {code, stdout, stderr} = await run(line);
			assert.deepEqual({code, stdout}, {code: 2, stdout: ''});
			const [first, second, ...rest] = stderr.split('\n');
			assert.ok(first!.startsWith(`colonies: ${message.replace(/, not$/, '')}`), first);
			assert.ok(typeof hint === 'string' ? second === hint : hint.test(second!), second);
			assert.deepEqual(rest, ['']);
			assert.doesNotMatch(stderr.replaceAll('\n', ''), /[\0-\u001F\u007F-\u009F]/);
		});
	}

	test('a private key in the wrong place is not repeated', async () => {
		const key = '4b24941ca1d85fb1ff055e81fad7dba97471e756bebc38e03e657c738f0e1224';
		for (const line of [['keychain', 'add', key], [key], ['keychain', key], ['process', 'ls', '--prvkye', key], [`--prvkye=${key}`], ['keychain', 'add', '--prvkey', `${key}0`]]) {
			const {code, stderr} = await run(line);
			assert.equal(code, 2);
			assert.ok(!stderr.includes(key), stderr);
		}
	});

	test('a stack is shown with --debug alone', async () => {
		assert.doesNotMatch((await run(['process', 'ls'])).stderr, /\bat /);
		assert.match((await run(['process', 'ls', '--debug'])).stderr, /\n\s+at /);
	});
});

suite('the nearest word', () => {
	test('counts letters added, left out, replaced and swapped', () => {
		assert.equal(distance('approve', 'approve'), 0);
		assert.equal(distance('aprove', 'approve'), 1);
		assert.equal(distance('approev', 'approve'), 1);
		assert.equal(distance('', 'ls'), 2);
		fc.assert(fc.property(fc.string({maxLength: 8}), fc.string({maxLength: 8}), (one, other) => {
			assert.equal(distance(one, other), distance(other, one));
			assert.equal(distance(one, other) === 0, one === other);
		}));
	});

	test('is none when nothing is near', () => {
		assert.equal(nearest('success', ['successful', 'failed']), 'successful');
		assert.equal(nearest('xyz', ['ls', 'get']), undefined);
	});
});

suite('where JSON ends to be JSON', () => {
	const cases: Array<[text: string, line: number, column: number]> = [
		['{"name": "x",}', 1, 14],
		['{\n    "name": mycolony\n}', 2, 13],
		['{"a": 1 "b": 2}', 1, 9],
		['{"a": "never ends', 1, 18],
		['{"a": "tab\there"}', 1, 11],
		['[1, 2', 1, 6],
		['[1 2]', 1, 4],
		['{"a": [1}', 1, 9],
		['{\'a\': 1}', 1, 2],
		['{} {}', 1, 4],
		['01', 1, 2],
		['"😀" x', 1, 5],
		['{\r\n"a": tru\r\n}', 2, 6],
	];
	for (const [text, line, column] of cases) {
		test(JSON.stringify(text), () => {
			assert.deepEqual(jsonFault(text), {line, column});
		});
	}

	test('agrees with the parser on everything', () => {
		const isJson = (text: string): boolean => {
			try {
				JSON.parse(text);
				return true;
			} catch {
				return false;
			}
		};

		fc.assert(fc.property(fc.json(), text => {
			assert.equal(jsonFault(text), undefined);
		}));
		const pieces = fc.array(fc.constantFrom('{', '}', '[', ']', ':', ',', '"a"', '"', '\\', '0', '-', '1e5', '.5', 'true', 'nul', ' ', '\n'), {maxLength: 12});
		fc.assert(fc.property(fc.oneof(pieces.map(list => list.join('')), fc.json().chain(text => fc.nat(text.length).map(at => text.slice(0, at)))), text => {
			assert.equal(jsonFault(text) === undefined, isJson(text));
		}), {numRuns: 2000});
	});
});
