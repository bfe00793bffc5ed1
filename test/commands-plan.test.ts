import assert from 'node:assert/strict';
import {Readable} from 'node:stream';
import {suite, test} from 'node:test';
import {runCommand} from '../source/commands/index.ts';
import {Unavailable} from '../source/core/errors.ts';
import type {Process} from '../source/core/types.ts';
import type {Contexts} from '../source/operations/index.ts';
import {
	inProcess, openSettled, temporaryFolder, worldOf, writeInto,
} from './support/commands.ts';

const settled = await openSettled();
const {run, colony, computer, contexts, home} = settled;
const folder = temporaryFolder();

const inColony = (verb: string, ...more: string[]) => ['process', verb, '--colonyid', colony, ...more];

/** So many processes of a type, failed. */
async function failed(type: string, count: number): Promise<string[]> {
	const specs = Array.from({length: count}, () => JSON.stringify({targetcolonyid: colony, targetcomputerids: [computer], computertype: type})).join('\n');
	const {stdout} = await run(['process', 'submit', '--spec', '-', '--output', 'json'], `[${specs.replaceAll('\n', ',')}]`);
	const ids = (JSON.parse(stdout) as Process[]).map(({processid}) => processid);
	for (const processid of ids) {
		await run(inColony('cancel', '--processid', processid));
	}

	return ids;
}

type Line = {processid: string; outcome: string; reason?: string};
const linesOf = (stdout: string): Line[] => stdout.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as Line);
const stateOf = async (processid: string): Promise<number> => (JSON.parse((await run(inColony('get', '--processid', processid))).stdout) as Process).status;

/** Runs a command line on a terminal on which this is typed. */
async function typed(words: readonly string[], text: string) {
	const stdin = Object.assign(Readable.from([Buffer.from(text)]), {isTTY: true, setRawMode: () => undefined});
	const world = worldOf(contexts, home, {stdin});
	const code = await runCommand(words, world);
	return {code, stdout: world.stdout.text, stderr: world.stderr.text};
}

suite('a change of many processes', () => {
	test('is shown as a plan first, and the count is typed', async () => {
		const ids = await failed('planned', 7);
		await run(inColony('retry', '--processid', ids[0]!));
		const refused = await typed(inColony('retry', '--filter', 'type:planned'), 'y\n');
		assert.equal(refused.code, 13);
		assert.equal(refused.stdout, '');
		assert.match(refused.stderr, /^Plan: retry 6 processes of the colony [\da-f]{4}\.\.[\da-f]{4}, at 50 a second \(0s\)\.\n(?: {2}[\da-f]{4}\.\.[\da-f]{4} {2}failed for \d+s {2}planned\n){5} {2}and 1 more\nLeft out: 1 process\.\n {2}1: it is waiting: only a closed process can be retried\nType 6 to go on: colonies: The answer was not 6; nothing was changed\.\n/);
		assert.equal(await stateOf(ids[1]!), 3);
		const {code, stdout, stderr} = await typed(inColony('retry', '--filter', 'type:planned'), '6\n');
		assert.equal(code, 0, stderr);
		assert.match(stderr, /Type 6 to go on: 6 done\.\n$/);
		// What a filter finds and the action is not for is counted above; a line is for what was done.
		assert.deepEqual(linesOf(stdout).map(({processid, outcome}) => `${processid} ${outcome}`).sort(), ids.slice(1).map(id => `${id} done`).sort());
		assert.equal(await stateOf(ids[6]!), 0);
	});

	test('goes without a question with --yes, and not without a terminal', async () => {
		const ids = await failed('unasked', 3);
		const asked = await run(inColony('remove', '--filter', 'type:unasked'), '3\n');
		assert.equal(asked.code, 13);
		assert.match(asked.stderr, /\ncolonies: There is no terminal to type the count on; nothing was changed\.\nGive --yes/);
		const {code, stdout, stderr} = await run(inColony('remove', '--filter', 'type:unasked', '--yes', '--output', 'table'));
		assert.equal(code, 0, stderr);
		assert.match(stdout, /^PROCESSID +OUTCOME/);
		assert.equal((await run(inColony('get', '--processid', ids[0]!))).code, 5);
		const none = await run(inColony('remove', '--filter', 'type:unasked'));
		assert.deepEqual([none.code, none.stdout], [0, '']);
		assert.equal(none.stderr, 'Nothing to remove: no process was found.\n');
	});

	test('that is for none of them says so in one sentence, and of those that were named each by itself', async () => {
		const ids = await failed('inapplicable', 3);
		const reason = 'only a waiting or running process can be cancelled';
		const found = await run(inColony('cancel', '--filter', 'type:inapplicable', '--yes'));
		assert.deepEqual(found, {code: 0, stdout: '', stderr: `Nothing to cancel: 3 processes left out (it is failed: ${reason}).\n`});
		assert.equal((await run(inColony('cancel', '--filter', 'type:inapplicable', '--yes', '--output', 'json'))).stdout, '[]\n');
		const named = await run(inColony('cancel', '--processid', ids.join(',')));
		assert.equal(named.code, 0, named.stderr);
		assert.deepEqual(linesOf(named.stdout), ids.map(processid => ({processid, outcome: 'left-out', reason: `it is failed: ${reason}`})));
		assert.equal(await stateOf(ids[0]!), 3);
	});

	test('takes ids in one flag, and from a list, in all that lists are printed as', async () => {
		const ids = await failed('named', 4);
		const several = await run(inColony('retry', '--processid', `${ids[0]!},${ids[1]!.toUpperCase()}`, '--yes'));
		assert.deepEqual(linesOf(several.stdout).map(({outcome}) => outcome), ['done', 'done'], several.stderr);
		const shapes = [ids.join('\n'), ids.map(id => JSON.stringify(id)).join('\n'), ids.map(processid => JSON.stringify({processid, outcome: 'done'})).join('\r\n\n'), JSON.stringify(ids), JSON.stringify(ids.map(processid => ({processid})), undefined, 4)];
		for (const [index, content] of shapes.entries()) {
			const verb = index % 2 === 0 ? 'cancel' : 'retry';
			const {code, stdout, stderr} = await run(inColony(verb, '--from', '-', '--yes'), content);
			assert.equal(code, 0, stderr);
			assert.equal(linesOf(stdout).length, 4, content);
		}

		const file = writeInto(folder, 'ids', `${ids[0]!}\nnonsense\n`);
		const wrong = await run(inColony('retry', '--from', file, '--yes'));
		assert.equal(wrong.code, 2);
		assert.match(wrong.stderr, /has no id of a process at line 2: "nonsense"\./);
		const piped = await typed(inColony('remove', '--from', '-'), `${ids[0]!}\n${ids[1]!}\n`);
		assert.match(piped.stderr, /There is no terminal to type the count on/);
	});

	test('is meant in one way, and one process is changed as before', async () => {
		const [one] = await failed('single', 1);
		for (const [words, message] of [
			[inColony('retry'), /It is not said which processes are meant/],
			[inColony('retry', '--processid', one!, '--filter', 'x'), /exclude each other/],
			[inColony('retry', '--processid', 'abc'), /--processid must be ids of 64 hex digits/],
			[inColony('retry', '--filter', 'type:single', '--ifstate', 'failed'), /--ifstate is for one process/],
			[inColony('retry', '--filter', 'age>nonsense'), /must be a span of time/],
			[inColony('retry', '--filter', 'x', '--rate', '0'), /--rate must be a whole number from 1 to 1000/],
		] as const) {
			const {code, stderr} = await run(words);
			assert.equal(code, 2, stderr);
			assert.match(stderr, message);
		}

		const late = await run(inColony('retry', '--processid', one!, '--ifstate', 'successful'));
		assert.equal(late.code, 6);
		assert.match(late.stderr, /has changed since it was looked at: it is failed now/);
		const {code, stderr} = await run(inColony('retry', '--processid', one!, '--ifstate', 'failed'));
		assert.deepEqual([code, stderr.endsWith('waits again.\n')], [0, true]);
	});

	/** The settled store, of which each list of changes is first let do something else. */
	const disturbed = (before: () => Promise<unknown>, lost = false): Contexts => ({
		...contexts,
		async open(choice) {
			const context = await contexts.open(choice);
			let calls = 0;
			return {
				...context,
				async runMany(caller, name, inputs, options) {
					if (name !== 'process.version') {
						await before();
					}

					const answers = await context.runMany(caller, name, inputs, options);
					if (lost && name !== 'process.version' && calls++ === 0) {
						throw new Unavailable('The connection was lost.');
					}

					return answers;
				},
			};
		},
	});

	test('leaves alone what has changed since, and says so', async () => {
		const ids = await failed('raced', 3);
		const racing = inProcess(disturbed(async () => run(inColony('retry', '--processid', ids[1]!))), home);
		const {code, stdout, stderr} = await racing(inColony('remove', '--filter', 'type:raced', '--yes'));
		assert.equal(code, 6);
		assert.match(stderr, /\ncolonies: Of 3 processes not all were removed: 2 done, 1 changed since\.\nThose that had changed were left as they are/);
		const raced = linesOf(stdout).find(({processid}) => processid === ids[1]);
		assert.deepEqual([raced?.outcome, raced?.reason?.includes('it is waiting now')], ['changed', true]);
		assert.equal(await stateOf(ids[1]!), 0);
	});

	test('is done once although an answer is lost', async () => {
		const ids = await failed('lost', 3);
		const {code, stdout, stderr} = await inProcess(disturbed(async () => undefined, true), home)(inColony('retry', '--filter', 'type:lost', '--yes'));
		assert.equal(code, 0, stderr);
		assert.match(stderr, /The connection was lost\. Trying again …\n3 done\.\n$/);
		assert.deepEqual(linesOf(stdout).map(({outcome}) => outcome), ['done', 'done', 'done']);
		assert.equal(await stateOf(ids[0]!), 0);
	});

	test('stops at an interrupt, before the next list', async () => {
		await failed('stopped', 40);
		const hears = new Set<(name: NodeJS.Signals) => void>();
		const signals = {
			on: (_: string, hear: (name: NodeJS.Signals) => void) => hears.add(hear),
			removeListener: (_: string, hear: (name: NodeJS.Signals) => void) => hears.delete(hear),
		};
		const stopping = inProcess(disturbed(async () => {
			for (const hear of hears) {
				hear('SIGINT');
			}
		}), home, {signals});
		const {code, stdout, stderr} = await stopping(inColony('remove', '--filter', 'type:stopped', '--rate', '50', '--yes'));
		assert.equal(code, 13);
		assert.match(stderr, /Stopping after what is under way …\ncolonies: Of 40 processes not all were removed: 13 done, 27 not tried\.\n/);
		assert.equal(linesOf(stdout).length, 40);
		assert.equal(hears.size, 0);
	});
});
