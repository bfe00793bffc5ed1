import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {EventEmitter, once} from 'node:events';
import {existsSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {createInterface} from 'node:readline';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {runCommand} from '../source/commands/index.ts';
import {createContexts} from '../source/contexts/index.ts';
import type {Process} from '../source/core/types.ts';
import {work} from '../source/door/working.ts';
import {
	freshHome, inProcess, openSettled, settle, temporaryFolder, worldOf, type Run,
} from './support/commands.ts';
import {environmentOf, freshPlace, noPostgres} from './support/databases.ts';

const {contexts, home, run, colony, computer} = await openSettled();
const folder = temporaryFolder();
const here = ['--colonyid', colony, '--computerid', computer];

const submitWith = async (run: Run, colonyid: string, more: Record<string, unknown> = {}): Promise<string> => {
	const {stdout} = await run(['process', 'submit', '--spec', '-'], JSON.stringify({targetcolonyid: colonyid, ...more}));
	return (JSON.parse(stdout) as Process).processid;
};

const submit = async (more: Record<string, unknown> = {}): Promise<string> => submitWith(run, colony, more);

const get = async (processid: string): Promise<Process> => JSON.parse((await run(['process', 'get', '--colonyid', colony, '--processid', processid])).stdout) as Process;

/** A world in which a computer can work, and somebody who sends it signals. */
function workshop(env: NodeJS.ProcessEnv = {}) {
	const signals = new EventEmitter(); // eslint-disable-line unicorn/prefer-event-target -- signals are told by one
	const world = worldOf(contexts, home, {work, signals, env: {PATH: process.env.PATH, ...env}});
	/** Waits until this is said on standard error. */
	const said = async (text: string): Promise<void> => {
		while (!world.stderr.text.includes(text)) {
			await new Promise(resolve => {
				setImmediate(resolve);
			});
		}
	};

	return {world, signals, said};
}

test('a command is run for each process until a signal comes', {timeout: 60_000}, async () => {
	const {world, signals, said} = workshop();
	const processes = [await submit({in: {name: 'Ada'}}), await submit({in: {name: 'nobody'}})];
	const ended = runCommand(['computer', 'work', ...here, '--', 'sh', '-c', '[ "$COLONIES_IN_NAME" = Ada ] && echo "Hello, $COLONIES_IN_NAME!" --debug'], world);
	await said('successful after');
	await said('failed after');
	signals.emit('SIGTERM');
	assert.equal(await ended, 0);
	const [first, second] = await Promise.all(processes.map(async id => get(id)));
	assert.deepEqual(first!.out?.map(({key, value}) => [key, value]), [['exitcode', '0'], ['stdout', 'Hello, Ada! --debug\n']]);
	assert.deepEqual([first!.status, second!.status], [2, 3]);
	const short = (id: string) => `${id.slice(0, 4)}..${id.slice(-4)}`;
	const lines = world.stderr.text.trim().split('\n').map(line => line.replace(/\d+\.\ds/, 'N'));
	assert.deepEqual(lines, [
		`The computer ${short(computer)} works for the colony ${short(colony)}, 1 at a time; a signal stops it.`,
		`${short(processes[0]!)} started`,
		`${short(processes[0]!)} successful after N`,
		`${short(processes[1]!)} started`,
		`${short(processes[1]!)} failed after N: The program ended with the exit code 1.`,
		'Stopping: what runs is finished first. Another signal aborts it.',
		'Stopped.',
	]);
	assert.equal(world.stdout.text, '');
	assert.equal(signals.eventNames().length, 0);
});

test('so many at a time, and all of them finish after a signal', {timeout: 60_000}, async () => {
	const {world, signals, said} = workshop();
	const go = path.join(folder, 'go');
	const processes = await Promise.all(['a', 'b', 'c', 'd'].map(async () => submit()));
	const ended = runCommand(['computer', 'work', ...here, '--concurrency', '3', '--', 'sh', '-c', `until [ -e ${go} ]; do sleep 0.02; done`], world);
	while (world.stderr.text.split('started').length < 4) {
		await new Promise(resolve => {
			setImmediate(resolve);
		});
	}

	// The terminal and npx send the same one; it counts once.
	signals.emit('SIGINT');
	signals.emit('SIGINT');
	await said('Stopping');
	writeFileSync(go, '');
	assert.equal(await ended, 0);
	const states = (await Promise.all(processes.map(async id => get(id)))).map(({status}) => status);
	assert.deepEqual(states.sort(), [0, 2, 2, 2]);
	assert.doesNotMatch(world.stderr.text, /Aborting/);
	await Promise.all(processes.map(async processid => run(['process', 'remove', '--colonyid', colony, '--processid', processid])));
});

test('a second signal aborts what runs', {timeout: 60_000}, async () => {
	const {world, signals, said} = workshop();
	const processid = await submit();
	const ended = runCommand(['computer', 'work', ...here, '--', 'sleep', '60'], world);
	await said('started');
	// Again and again, as an operator does who is in a hurry.
	const timer = setInterval(() => {
		signals.emit('SIGINT');
	}, 50);
	assert.equal(await ended, 0);
	clearInterval(timer);
	const {status, err} = await get(processid);
	assert.equal(status, 3);
	assert.deepEqual(err?.map(({key, value}) => [key, value]), [['error', 'The program was ended by SIGTERM.'], ['signal', 'SIGTERM']]);
});

test('what cannot work is refused before anything is asked for', {timeout: 60_000}, async () => {
	const {world} = workshop();
	const refused = async (...words: string[]): Promise<string> => {
		const {world} = workshop();
		const code = await runCommand(['computer', 'work', ...words], world);
		return `${code} ${world.stderr.text.split('\n')[0]}`;
	};

	const stranger = 'ab'.repeat(32);
	const plain = path.join(folder, 'plain');
	writeFileSync(plain, '');
	assert.equal(await refused(...here), '2 colonies: `colonies computer work` needs a command to run.');
	assert.equal(await refused(...here, '--'), '2 colonies: `colonies computer work` needs a command to run.');
	assert.equal(await refused(...here, 'sleep', '60'), '2 colonies: "sleep" is not expected after `colonies computer work`.');
	assert.equal(await refused(...here, '--', 'no-such-program'), '2 colonies: There is no program "no-such-program".');
	assert.equal(await refused(...here, '--', plain), `2 colonies: There is no program "${plain}".`);
	assert.equal(await refused(...here, '--', folder), `2 colonies: There is no program "${folder}".`);
	assert.equal(await refused(...here, '--concurrency', '0', '--', 'true'), '2 colonies: --concurrency must be a whole number from 1 to 1000, not "0".');
	assert.equal(await refused('--colonyid', colony, '--computerid', stranger, '--', 'true'), '3 colonies: The keychain holds no key for abab..abab.');
	assert.equal(await runCommand(['computer', 'work', ...here, '--', 'true'], {...world, work: undefined}), 70);
	// Other commands take no such words.
	assert.match((await run(['colony', 'ls', '--', 'x'])).stderr, /"x" is not expected/);
});

test('a computer of its own process finishes what it runs when it is told to end', {timeout: 120_000, skip: noPostgres}, async () => {
	const where = await freshPlace();
	const home = freshHome();
	const env = {...environmentOf(where), COLONIES_ROOT_PASSWORD: 'secret'};
	const contexts = createContexts({env, folders: home.folders, settings: home.settings});
	const run = inProcess(contexts, home);
	assert.equal((await run(['database', 'create'])).code, 0);
	const {colony, computer} = await settle(run);
	const processid = await submitWith(run, colony);
	const next = await submitWith(run, colony);

	const [started, go] = ['begun', 'finish'].map(name => path.join(folder, name)) as [string, string];
	const program = fileURLToPath(new URL('../cli.tsx', import.meta.url));
	const child = spawn(process.execPath, ['--import', 'tsx', program, 'computer', 'work', '--colonyid', colony, '--computerid', computer, '--', 'sh', '-c', `env; : > ${started}; until [ -e ${go} ]; do sleep 0.02; done; echo finished`], {
		cwd: path.dirname(program), env: {...process.env, ...env, COLONIES_HOME: home.folders.config}, stdio: ['ignore', 'ignore', 'pipe'],
	});
	const exited = once(child, 'exit');
	for await (const line of createInterface(child.stderr)) {
		if (line.endsWith('started')) {
			child.kill('SIGTERM');
		} else if (line.startsWith('Stopping')) {
			writeFileSync(go, '');
		}
	}

	assert.deepEqual(await exited, [0, null]);
	assert.ok(existsSync(started));
	const find = async (id: string) => JSON.parse((await run(['process', 'get', '--colonyid', colony, '--processid', id])).stdout) as Process;
	const {status, out} = await find(processid);
	assert.equal(status, 2);
	const {value} = out!.find(({key}) => key === 'stdout')!;
	assert.match(value, /finished\n$/);
	assert.doesNotMatch(value, /secret|COLONIES_DB/);
	assert.equal((await find(next)).status, 0);
});
