import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {suite, test} from 'node:test';
import fc from 'fast-check';
import {parseArguments} from '../source/commands/arguments.ts';
import {flagType, flagsOf} from '../source/commands/command.ts';
import {commands, findCommand} from '../source/commands/entries.ts';
import {firstUnprintable} from '../source/core/text.ts';
import {commandLineOf, shellWord} from '../source/operations/command-line.ts';
import {operations, type OperationName} from '../source/operations/registry.ts';

const [one, other, third] = ['a1', 'b2', 'c3'].map(pair => pair.repeat(32)) as [string, string, string];
const types = Object.fromEntries(commands.flatMap(entry => Object.entries(flagsOf(entry)).map(([name, field]) => [name, flagType(field)])));

/** What a shell makes of a line: the words that `colonies` gets, and its standard input. */
function inShell(line: string): {words: string[]; input: string} {
	// Where no pipe comes first, there is nothing to read.
	const script = `colonies() { [ $# = 0 ] || printf '%s\\0' "$@"; printf 'INPUT\\0'; cat; }\n${line}${line.startsWith('printf') ? '' : ' < /dev/null'}`;
	const [words, input] = execFileSync('bash', ['-c', script], {encoding: 'utf8', env: {...process.env, LC_ALL: 'C.UTF-8', COLONIES_ROOT_PASSWORD: 'from the environment'}}).split('INPUT\0');
	return {words: words!.split('\0').slice(0, -1), input: input!};
}

suite('a word for a shell', () => {
	test('reaches the program as it was, and can be shown', () => {
		const text = fc.oneof(fc.string({unit: 'binary'}), fc.string({unit: fc.constantFrom('\'', '"', '\\', '$', '`', '!', ' ', '\n', '\u001B', '\u202E', '*', '~', '#', '-', '=', 'x', '\u{E0041}')})).map(text => text.replaceAll('\0', ''));
		fc.assert(fc.property(fc.array(text, {maxLength: 20}), texts => {
			const words = texts.map(text => shellWord(text));
			assert.ok(words.every(word => firstUnprintable(word) === undefined));
			assert.deepEqual(inShell(['colonies', ...words].join(' ')).words, texts);
		}), {numRuns: 50});
	});
});

suite('the command line of an operation', () => {
	const spec = {targetcolonyid: one, in: {text: 'it\'s "x" $HOME\n', api_token: 'hidden-value'}};
	const cases: Array<[name: OperationName, input: Record<string, unknown>, line: string, options?: Parameters<typeof commandLineOf>[2]]> = [
		['computer.approve', {colonyid: one, computerid: other}, `colonies computer approve --colonyid ${one} --computerid ${other}`, {signer: one}],
		['computer.approve', {colonyid: one, computerid: other}, `colonies computer approve --colonyid ${one} --computerid ${other} --id ${third}`, {signer: third}],
		['process.assign', {colonyid: one, computerid: other}, `colonies process assign --colonyid ${one} --computerid ${other}`, {signer: other}],
		['process.list', {colonyid: one, state: 'waiting'}, `colonies process psw --colonyid ${one}`, {signer: one}],
		['process.list', {colonyid: one, state: 'waiting', runnableby: other, count: 50}, `colonies process psw --colonyid ${one} --computerid ${other} --count 50 --id ${one}`, {signer: one}],
		['process.list', {colonyid: one, state: 'failed', text: 'gpu train'}, `colonies process psf --colonyid ${one} --text 'gpu train'`, {signer: one}],
		['process.list', {colonyid: one, state: 'waiting', olderthan: 60}, `colonies process ls --colonyid ${one} --state waiting --olderthan 60`, {signer: one}],
		['process.list', {colonyid: one, attribute: {key: 'k', value: 'a b'}, attributes: false}, `colonies process ls --colonyid ${one} --attribute 'k=a b'`, {signer: one}],
		['process.list', {colonyid: one, attribute: {key: 'password', value: 'hidden-value'}}, `colonies process ls --colonyid ${one} --attribute 'password=***'`],
		['process.list', {colonyid: one, state: 'failed', filter: '-type:gpu err~"out of"  age<1h'}, `colonies process psf --colonyid ${one} --filter='-type:gpu err~"out of"  age<1h'`],
		['process.list', {colonyid: one, filter: 'in.password=hidden-value type:gpu'}, `colonies process ls --colonyid ${one} --filter 'in.password=*** type:gpu'`],
		['computer.list', {colonyid: one, filter: 'mem>8g'}, `colonies computer ls --colonyid ${one} --filter 'mem>8g'`],
		['attribute.add', {colonyid: one, processid: other, computerid: third, key: 'k', value: '-5'}, `colonies attribute add --colonyid ${one} --processid ${other} --computerid ${third} --key k --value=-5`, {signer: third}],
		['attribute.add', {colonyid: one, processid: other, key: 'token', value: 'hidden-value'}, `colonies attribute add --colonyid ${one} --processid ${other} --key token --value '***' --id ${third}`, {signer: third}],
		['colony.list', {}, 'colonies colony ls --dbhost db.example --dbport 5433 --dbssl', {root: true, choice: {dbhost: 'db.example', dbport: 5433, dbpassword: 'hidden-value', dbssl: true, url: 'postgres://u:hidden-value@h'}}],
		['colony.get', {colonyid: one}, `colonies colony get --colonyid ${one} --rootpassword "$COLONIES_ROOT_PASSWORD"`, {root: true}],
		['colony.register', {colonyid: one, spec: {name: 'it\'s'}}, String.raw`printf '%s' '{"name":"it'\''s"}' | colonies colony register --spec -`, {root: true}],
		['database.rootpassword', {newrootpassword: 'hidden-value'}, 'colonies database rootpassword', {root: true}],
		['process.submit', {spec}, `printf '%s' '{"targetcolonyid":"${one}","in":{"text":"it'\\''s \\"x\\" $HOME\\n","api_token":"***"}}' | colonies process submit --spec -`, {signer: one}],
	];

	for (const [name, input, line, options] of cases) {
		test(`${name}: ${line.slice(0, 60)}…`, () => {
			const actual = commandLineOf(name, input, options);
			assert.equal(actual, line);
			assert.ok(!actual.includes('hidden-value'));
			const {words, flags, unknown} = parseArguments(inShell(actual).words, types);
			const entry = findCommand(words[0], words[1])!;
			assert.deepEqual({words: words.length, unknown}, {words: 2, unknown: []});
			assert.ok(Object.keys(flags).every(flag => Object.hasOwn(flagsOf(entry), flag)), actual);
		});
	}

	test('exists for every operation, and its flags are those of its command', () => {
		for (const [name, operation] of Object.entries(operations)) {
			const input = Object.fromEntries(Object.entries(operation.input).map(([field, {kind, choices}]) => {
				const values = {
					id: one, text: 'x y', secret: 'hidden-value', integer: 5, number: 1.5, choice: choices?.[0], switch: true, pair: {key: 'k', value: 'v'}, filter: 'x', spec: {name: 'x', targetcolonyid: one},
				};
				return [field, values[kind as keyof typeof values]];
			}));
			const line = commandLineOf(name as OperationName, input, {signer: third});
			const {words, flags, unknown} = parseArguments(inShell(line).words, types);
			const entry = findCommand(words[0], words[1]);
			assert.ok(entry, line);
			assert.deepEqual(unknown, [], line);
			assert.ok(Object.keys(flags).every(flag => Object.hasOwn(flagsOf(entry), flag)), line);
			assert.ok(!line.includes('hidden-value'));
		}
	});

	test('hands the spec over whole', () => {
		const text = 'a\'b"c\\d $x `y`\n\t\u001B[2J\u202E%s %d';
		const {input} = inShell(commandLineOf('process.submit', {spec: {targetcolonyid: one, in: {text}}}));
		assert.deepEqual(JSON.parse(input), {targetcolonyid: one, in: {text}});
	});
});
