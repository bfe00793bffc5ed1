import assert from 'node:assert/strict';
import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import type {Process} from '../source/core/types.ts';
import {programHandler} from '../source/work/program.ts';
import {temporaryFolder} from './support/commands.ts';
import {openMemory} from './support/databases.ts';
import {openYard, startComputer} from './support/working.ts';

const yard = await openYard(await openMemory());
const {colony} = yard;
const folder = temporaryFolder();

type Spec = Partial<Parameters<typeof colony.submit>[0]>;

/** Runs a shell script for one process, and gives what became of it. */
async function runScript(script: string, {spec = {}, env = {}}: {spec?: Spec; env?: Record<string, string>} = {}) {
	const computer = await colony.computer();
	const notices: string[] = [];
	const handler = programHandler({
		command: ['sh', '-c', script], env: {PATH: process.env.PATH, ...env}, grace: 300,
		notice(sentence) {
			notices.push(sentence);
		},
	});
	const {worker, ended, started} = startComputer(yard, computer, handler);
	await colony.submit({targetcomputerids: [computer.id], ...spec});
	await started();
	const progress = await ended();
	await worker.stop();
	const closed = await colony.get(progress.process);
	const values = (list: Process['in']) => Object.fromEntries((list ?? []).map(({key, value}) => [key, value]));
	return {...progress, notices, out: values(closed.out), err: values(closed.err), closed};
}

const isAlive = (pid: number): boolean => {
	try {
		process.kill(pid, 0);
		// One that has ended and waits to be buried is not alive.
		return !existsSync('/proc/self/stat') || !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
	} catch {
		return false;
	}
};

/** Waits until all these have ended. */
const gone = async (...pids: number[]): Promise<void> => {
	while (pids.some(pid => isAlive(pid))) {
		await new Promise(resolve => {
			setImmediate(resolve);
		});
	}
};

test('a program gets its process, and what it says and how it ends is kept', {timeout: 60_000}, async () => {
	const {state, out, err, process: {processid, targetcolonyid, assignedcomputerid}} = await runScript('echo "$COLONIES_IN_NAME, $COLONIES_IN_TEST_KEY_1"; echo "$COLONIES_PROCESSID $COLONIES_COLONYID $COLONIES_COMPUTERID"; cat; echo careful >&2', {
		spec: {in: {name: 'Ada', 'test key-1': 'one\ntwo', TEST_KEY_1: 'comes second'}},
	});
	assert.equal(state, 'successful');
	const [first, second, ids, json] = out.stdout!.split('\n');
	assert.deepEqual([first, second, ids], ['Ada, one', 'two', `${processid} ${targetcolonyid} ${assignedcomputerid}`]);
	assert.equal((JSON.parse(json!) as Process).processid, processid);
	assert.deepEqual([out.exitcode, err], ['0', {stderr: 'careful\n'}]);
});

test('one that fails says how', {timeout: 60_000}, async () => {
	const {state, reason, out, err} = await runScript('echo half; echo wrong >&2; exit 3');
	assert.deepEqual({state, reason, out, err}, {
		state: 'failed', reason: 'The program ended with the exit code 3.', out: {stdout: 'half\n'}, err: {stderr: 'wrong\n', exitcode: '3', error: 'The program ended with the exit code 3.'},
	});
	const killed = await runScript('kill -SEGV $$');
	assert.deepEqual(killed.err, {signal: 'SIGSEGV', error: 'The program was ended by SIGSEGV.'});
});

test('no secret of ours is in its environment, and nothing left over from another process', {timeout: 60_000}, async () => {
	const secret = 'hunter2';
	const names = ['COLONIES_ROOT_PASSWORD', 'COLONIES_NEW_ROOT_PASSWORD', 'COLONIES_PRIVATE_KEY', 'COLONIES_DBPASSWORD', 'COLONIES_DBHOST', 'DATABASE_URL', 'PGPASSWORD', 'COLONIES_IN_OLD'];
	const {out} = await runScript('env', {env: {...Object.fromEntries(names.map(name => [name, secret])), COLONIES_HOME: '/somewhere', OTHER: 'kept'}});
	assert.doesNotMatch(out.stdout!, /hunter2/);
	assert.match(out.stdout!, /^COLONIES_HOME=\/somewhere$/m);
	assert.match(out.stdout!, /^OTHER=kept$/m);
});

test('what is too large for the environment is on standard input', {timeout: 60_000}, async () => {
	const {state, out, notices} = await runScript('echo "${COLONIES_IN_LARGE-unset} $COLONIES_IN_SMALL"; wc -c', {spec: {in: {large: 'x'.repeat(1_000_000), small: 'y'}}}); // eslint-disable-line no-template-curly-in-string
	assert.equal(state, 'successful');
	assert.match(out.stdout!, /^unset y\n\s*100\d{4}\n$/);
	assert.match(notices.join('\n'), /1 in attribute too large for the environment/);
	// One that reads nothing of it is not bothered.
	assert.equal((await runScript('exit 0', {spec: {in: {large: 'x'.repeat(1_000_000)}}})).state, 'successful');
});

test('of what it puts out the beginning is kept, as much as fits into a request', {timeout: 60_000}, async () => {
	const large = await runScript(String.raw`head -c 3000000 /dev/zero | tr "\0" x`);
	assert.equal(large.out.stdout, `${'x'.repeat(524_288)}\n[Cut here. It was 3000000 bytes in all.]`);
	const controls = await runScript(String.raw`head -c 500000 /dev/zero | tr "\0" "\001"`);
	assert.match(controls.out.stdout!, /\[Cut here\. It was 500000 bytes in all\.]$/);
	const binary = await runScript('head -c 700000 /dev/urandom; head -c 2000000 /dev/zero >&2');
	for (const text of [controls.out.stdout!, binary.out.stdout!, binary.err.stderr!]) {
		const size = Buffer.byteLength(JSON.stringify(text));
		assert.ok(size > 900_000 && size < 1_010_000, `${size}`);
	}

	// A character that the cut goes through is left out.
	const wide = await runScript(String.raw`printf x; yes é | tr -d "\n" | head -c 600000`);
	assert.match(wide.out.stdout!, /^xé+\n\[Cut here\. It was 600001 bytes in all\.]$/);
});

test('at the deadline all that it has started ends, whatever it does against that', {timeout: 60_000}, async () => {
	const file = path.join(folder, 'pids');
	const {state, reason, closed, span} = await runScript(`trap "" TERM; (trap "" TERM; sleep 60) & stubborn=$!; sleep 60 & echo $$ $stubborn $! > ${file}; wait`, {spec: {timeout: 1}});
	assert.deepEqual({state, reason}, {state: 'gone', reason: 'Its deadline has passed.'});
	assert.ok(span < 10_000, `${span}`);
	assert.deepEqual([closed.out, closed.err?.filter(({key}) => key !== 'error') ?? []], [null, []]);
	const pids = readFileSync(file, 'utf8').trim().split(/\s+/).map(Number);
	assert.equal(pids.length, 3);
	await gone(...pids);
});

test('what it leaves behind ends with it', {timeout: 60_000}, async () => {
	const file = path.join(folder, 'left');
	const {state, out} = await runScript(`sleep 60 & echo $! > ${file}; echo done`);
	assert.deepEqual({state, out}, {state: 'successful', out: {stdout: 'done\n', exitcode: '0'}});
	await gone(Number(readFileSync(file, 'utf8')));
});

test('what has left its group is let be, also when it holds the output open', {timeout: 60_000, skip: process.platform === 'darwin' && 'There is no setsid.'}, async () => {
	const file = path.join(folder, 'daemon');
	const {state, out} = await runScript(`setsid sh -c 'echo $$ > ${file}; exec sleep 60' & until [ -s ${file} ]; do sleep 0.02; done; echo done`);
	assert.deepEqual({state, out}, {state: 'successful', out: {stdout: 'done\n', exitcode: '0'}});
	const pid = Number(readFileSync(file, 'utf8'));
	assert.ok(isAlive(pid));
	process.kill(pid);
});

test('one that cannot be started fails its process', {timeout: 60_000}, async () => {
	const computer = await colony.computer();
	const {ended} = startComputer(yard, computer, programHandler({command: [path.join(folder, 'missing')], env: {}, notice: () => undefined}));
	await colony.submit({targetcomputerids: [computer.id]});
	const {state, reason} = await ended();
	assert.equal(state, 'failed');
	assert.match(reason!, /^The program cannot be started: spawn .* ENOENT\.$/);
});
