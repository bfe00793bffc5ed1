import assert from 'node:assert/strict';
import {suite, test} from 'node:test';
import {runCommand} from '../source/commands/index.ts';
import {portionsOf} from '../source/commands/many-calls.ts';
import {bar} from '../source/commands/progress.ts';
import {NotAllowed, Unavailable} from '../source/core/errors.ts';
import type {Process} from '../source/core/types.ts';
import {type Context, type Contexts, patiently, type RunOptions} from '../source/operations/index.ts';
import {
	inProcess, openSettled, temporaryFolder, worldOf, writeInto,
} from './support/commands.ts';

const settled = await openSettled();
const {run, colony, computer, home} = settled;
const folder = temporaryFolder();

const spec = (change: Record<string, unknown> = {}) => ({targetcolonyid: colony, ...change});
const specs = (count: number, change: Record<string, unknown> = {}) => Array.from({length: count}, (_, index) => spec({in: {number: String(index)}, ...change}));
const asLines = (values: readonly unknown[]): string => values.map(value => JSON.stringify(value)).join('\n');
const submit = async (content: string, ...more: string[]) => run(['process', 'submit', '--spec', '-', ...more], content);
const numbers = (processes: readonly Process[]) => processes.map(process => process.in?.[0]?.value);
const waiting = async () => (JSON.parse((await run(['process', 'count', '--colonyid', colony])).stdout) as {waiting: number}).waiting;

type Call = {how: 'run' | 'runMany'; count: number; options: RunOptions};

/** The real store, with what is asked of it noted, and answers replaced. `fails`: by the number of the call, from 0; `lost`: it is done first. */
function noted({fails = () => undefined, lost = false}: {fails?: (number: number) => Error | undefined; lost?: boolean} = {}): {calls: Call[]; contexts: Contexts} {
	const calls: Call[] = [];
	const answer = async <Result>(call: Call, work: () => Promise<Result>): Promise<Result> => {
		const failure = fails(calls.push(call) - 1);
		if (failure) {
			if (lost) {
				await work();
			}

			throw failure;
		}

		return work();
	};

	return {calls, contexts: {
		...settled.contexts,
		async open(choice) {
			const context = await settled.contexts.open(choice);
			return {
				...context,
				run: async (caller, name, input, options = {}) => answer({how: 'run', count: 1, options}, async () => context.run(caller, name, input, options)),
				runMany: async (caller, name, inputs, options = {}) => answer({how: 'runMany', count: inputs.length, options}, async () => context.runMany(caller, name, inputs, options)),
			} satisfies Context;
		},
	}};
}

suite('process submit takes', () => {
	test('an array, JSON Lines, and one object; one array comes back, in their order', async () => {
		const three = specs(3);
		for (const content of [JSON.stringify(three), JSON.stringify(three, undefined, 4), asLines(three), `\n${asLines(three).replaceAll('\n', '\r\n\n')}\n`]) {
			const {code, stdout, stderr} = await submit(content);
			assert.deepEqual({code, stderr}, {code: 0, stderr: ''});
			assert.deepEqual(numbers(JSON.parse(stdout) as Process[]), ['0', '1', '2']);
		}

		assert.equal((JSON.parse((await submit(JSON.stringify([spec()]))).stdout) as Process[]).length, 1);
		assert.ok(!Array.isArray(JSON.parse((await submit(JSON.stringify(spec()))).stdout)));
		const file = writeInto(folder, 'specs.jsonl', asLines(three));
		assert.equal((JSON.parse((await run(['process', 'submit', '--spec', file])).stdout) as Process[]).length, 3);
		assert.equal((await submit(asLines(three), '--output', 'csv')).stdout.trim().split('\r\n').length, 4);
	});

	test('nothing of a list with a fault, and says which it is', async () => {
		const before = await waiting();
		const cases: Array<[content: string, message: RegExp]> = [
			[JSON.stringify([spec(), spec({cores: -1}), spec()]), /^colonies: Of the 3, number 2: spec\.cores must be a whole number/],
			[asLines([spec(), spec(), 5]), /^colonies: Of the 3, number 3: spec must be a JSON object, not "5"\./],
			[`${JSON.stringify(spec())}\n\n{"targetcolonyid": x}\n`, /^colonies: Standard input is not JSON: the fault is at line 3, column 20\./],
			['{\n"a": 1,\n}\n', /^colonies: Standard input is not JSON: the fault is at line 3, column 1\./],
			[JSON.stringify([]), /^colonies: Standard input is an empty list\./],
			[JSON.stringify([spec(), {targetcolonyid: 'ab'.repeat(32)}]), /^colonies: A list is for one colony; this one is for 2 colonies\./],
			[JSON.stringify([spec(), spec({status: 1})]), /^colonies: Of the 2, number 2: spec cannot set status/],
		];
		for (const [content, message] of cases) {
			const {code, stdout, stderr} = await submit(content);
			assert.deepEqual({code, stdout}, {code: 2, stdout: ''}, stderr);
			assert.match(stderr, message);
		}

		assert.equal(await waiting(), before);
	});

	test('thousands in portions, each under a key of its own, with unknown fields said once', async () => {
		const {calls, contexts} = noted();
		const {code, stdout, stderr} = await inProcess(contexts, home)(['process', 'submit', '--spec', '-'], asLines(specs(2500, {priority: 1})));
		assert.deepEqual({code, stderr}, {code: 0, stderr: 'Unknown field left out: "spec.priority".\n'});
		assert.deepEqual(calls.map(({how, count}) => [how, count]), [['runMany', 1000], ['runMany', 1000], ['runMany', 500]]);
		assert.equal(new Set(calls.map(({options}) => options.idempotencyKey)).size, 3);
		const processes = JSON.parse(stdout) as Process[];
		assert.deepEqual(numbers(processes), Array.from({length: 2500}, (_, index) => String(index)));
		assert.equal(new Set(processes.map(({processid}) => processid)).size, 2500);
	});

	test('what was submitted before a portion fails is printed, and its number said', async () => {
		const before = noted({fails: number => number === 1 ? new NotAllowed('You may not do that any more.', {hint: 'Ask the owner.'}) : undefined});
		const {code, stdout, stderr} = await inProcess(before.contexts, home)(['process', 'submit', '--spec', '-'], asLines(specs(1500)));
		assert.deepEqual({code, stderr}, {code: 4, stderr: 'colonies: You may not do that any more. 1000 of 1500 were done before.\nAsk the owner.\n'});
		assert.equal((JSON.parse(stdout) as Process[]).length, 1000);
	});

	test('a lost answer doubles nothing: the same request is sent again', async () => {
		for (const content of [JSON.stringify(spec()), asLines(specs(3))]) {
			const count = await waiting();
			const {calls, contexts} = noted({fails: number => number === 0 ? new Unavailable('The connection was lost.') : undefined, lost: true});
			const {code, stdout, stderr} = await inProcess(contexts, home)(['process', 'submit', '--spec', '-'], content);
			assert.deepEqual({code, stderr}, {code: 0, stderr: 'The connection was lost. Trying again …\n'});
			assert.equal(calls.length, 2);
			assert.ok(calls[0]!.options.idempotencyKey);
			assert.equal(calls[0]!.options.idempotencyKey, calls[1]!.options.idempotencyKey);
			const submitted = [JSON.parse(stdout)].flat() as Process[];
			assert.equal(await waiting(), count + submitted.length);
		}
	});

	test('a progress bar on a terminal, which goes away', async () => {
		const world = worldOf(settled.contexts, home);
		world.stderr.isTTY = true;
		const file = writeInto(folder, 'many.jsonl', asLines(specs(2200)));
		assert.equal(await runCommand(['process', 'submit', '--spec', file], world), 0);
		const shown = world.stderr.text.split('\r');
		assert.deepEqual(shown.slice(1, 4).map(text => text.replace(/^▕.*▏ /, '')), ['0 of 2,200', '1,000 of 2,200', '2,000 of 2,200']);
		assert.equal(shown.at(-1), '\u001B[K');
		const quiet = worldOf(settled.contexts, home);
		assert.equal(await runCommand(['process', 'submit', '--spec', file], quiet), 0);
		assert.equal(quiet.stderr.text, '');
	});
});

suite('portions', () => {
	const size = (portion: readonly unknown[]) => Buffer.byteLength(JSON.stringify(portion));

	test('fit into a request, keep the order, and leave nothing out', () => {
		const inputs = Array.from({length: 3000}, (_, index) => ({spec: {in: {key: 'é'.repeat(index % 3000)}}}));
		const portions = portionsOf(inputs);
		assert.deepEqual(portions.flat(), inputs);
		assert.ok(portions.every(portion => portion.length <= 1000 && size(portion) <= 900_002));
	});

	test('one that is too large alone stands alone', () => {
		const large = {spec: 'x'.repeat(2_000_000)};
		assert.deepEqual(portionsOf([{spec: 1}, large, {spec: 2}, {spec: 3}]).map(portion => portion.length), [1, 1, 2]);
		assert.deepEqual(portionsOf([]), []);
	});

	test('a bar has as many cells at every step', () => {
		assert.equal(bar(0, 100), `▕${' '.repeat(30)}▏ 0 of 100`);
		assert.equal(bar(100, 100), `▕${'█'.repeat(30)}▏ 100 of 100`);
		for (let done = 0; done <= 12_000; done += 7) {
			assert.equal([...bar(done, 12_000).replace(/▏ [\d,]+ of 12,000$/, '')].length, 31);
		}
	});
});

suite('trying again', () => {
	test('ends after a bounded number, with the last error, and is said once', async () => {
		const said: string[] = [];
		let tries = 0;
		await assert.rejects(patiently(async () => {
			tries++;
			throw new Unavailable(`Try ${tries} had no answer.`);
		}, sentence => said.push(sentence), [0, 0, 0]), {message: 'Try 4 had no answer.'});
		assert.deepEqual(said, ['Try 1 had no answer. Trying again …']);
	});

	test('is for what had no answer alone', async () => {
		let tries = 0;
		await assert.rejects(patiently(async () => {
			tries++;
			throw new NotAllowed('No.');
		}, () => undefined, [0, 0]), {code: 'not-allowed'});
		assert.equal(tries, 1);
	});

	test('what may not come twice is not sent twice', async () => {
		const {calls, contexts} = noted({fails: () => new Unavailable('The connection was lost.')});
		const {code} = await inProcess(contexts, home)(['computer', 'register', '--colonyid', colony, '--spec', writeInto(folder, 'computer.json', JSON.stringify({name: 'once'}))]);
		assert.deepEqual([code, calls.length, calls[0]!.options.idempotencyKey], [8, 1, undefined]);
	});
});

suite('process assign', () => {
	const assign = (...more: string[]) => ['process', 'assign', '--colonyid', colony, '--computerid', computer, ...more];

	test('gives up to so many, as a list; none is the usual error', async () => {
		let taken: string;
		do {
			taken = (await run(assign('--count', '1000'))).stdout;
		} while (taken !== '');

		const none = await run(assign('--count', '5'));
		assert.deepEqual([none.code, none.stdout], [7, '']);
		await submit(asLines(specs(3)));
		const {calls, contexts} = noted();
		const {code, stdout, stderr} = await inProcess(contexts, home)(assign('--count', '5'));
		assert.deepEqual({code, stderr}, {code: 0, stderr: ''});
		assert.deepEqual(numbers(JSON.parse(stdout) as Process[]), ['0', '1', '2']);
		assert.deepEqual(calls.map(({how, count}) => [how, count]), [['runMany', 5]]);
		assert.ok(calls[0]!.options.idempotencyKey);
		assert.equal((await run(assign('--count', '0'))).code, 2);
		assert.equal((await run(assign('--count', '1001'))).code, 2);
	});

	test('one is a list too when a number is given', async () => {
		await submit(asLines(specs(2)));
		assert.equal((JSON.parse((await run(assign('--count', '1'))).stdout) as Process[]).length, 1);
		assert.equal((JSON.parse((await run(assign())).stdout) as Process).status, 1);
	});

	test('waits for work', async () => {
		const begun = performance.now();
		const assigned = run(assign('--wait', '30'));
		const {stdout} = await submit(JSON.stringify(spec()));
		const {code, stdout: got} = await assigned;
		assert.equal(code, 0);
		assert.equal((JSON.parse(got) as Process).processid, (JSON.parse(stdout) as Process).processid);
		assert.ok(performance.now() - begun < 15_000);
		assert.equal((await run(assign('--wait', '0.05'))).code, 7);
		assert.equal((await run(assign('--wait', '61'))).code, 2);
	});
});

suite('when a computer was last seen', () => {
	test('is an age in tables, and never a guess', async () => {
		const ls = ['computer', 'ls', '--colonyid', colony, '--output', 'table'];
		assert.match((await run(ls)).stdout, /^COMPUTERID +NAME +STATE +SEEN /);
		const raw = JSON.parse((await run(['computer', 'get', '--colonyid', colony, '--computerid', computer])).stdout) as {lastseen?: string};
		const {stdout} = await run(['computer', 'get', '--colonyid', colony, '--computerid', computer, '--output', 'table']);
		assert.match(stdout, raw.lastseen === undefined ? /\nseen +-$/m : /\nseen +\d+s$/m);
		assert.match(stdout, /\nstate +approved$/m);
	});
});
