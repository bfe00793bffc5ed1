import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {
	existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync,
} from 'node:fs';
import {hostname, tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {
	after, beforeEach, describe, test,
} from 'node:test';
import type {ColoniesError} from '../source/core/errors.ts';
import {readHolder, takeLock, type Holder as Record_} from '../source/database/embedded/lock.ts';
import {failureOf} from './support/outcomes.ts';
import {startHolder} from './support/processes.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'colonies-lock-'));
const file = path.join(folder, 'lock');

after(() => {
	rmSync(folder, {recursive: true, force: true});
});

const refused = async (): Promise<ColoniesError> => failureOf(takeLock(folder));

/** A process that has ended, and whose number is free again. */
async function deadProcess(): Promise<number> {
	const child = spawn(process.execPath, ['--version'], {stdio: 'ignore'});
	await once(child, 'exit');
	return child.pid!;
}

/** What this process writes into a lock, with changes. */
async function record(changes: Partial<Record_>): Promise<string> {
	const lock = await takeLock(folder);
	await lock.release();
	return JSON.stringify({...lock.holder, ...changes});
}

void describe('the lock of an embedded database', () => {
	beforeEach(() => {
		for (const name of readdirSync(folder)) {
			rmSync(path.join(folder, name));
		}
	});

	void test('is held once, names its holder, and is free after its release', async () => {
		const lock = await takeLock(folder);
		const {code, message, hint} = await refused();
		assert.equal(code, 'in-use');
		assert.match(message, new RegExp(`^The embedded database in ${folder} is open in process ${process.pid} \\(.+\\) since \\d{4}-.+Z\\.$`));
		assert.match(hint ?? '', /PostgreSQL/);
		assert.equal((await readHolder(folder))?.pid, process.pid);
		await lock.release();
		assert.deepEqual(readdirSync(folder), []);
		assert.equal(await readHolder(folder), undefined);
		await (await takeLock(folder)).release();
	});

	void test('names the command, and none of its flags: they may be secret', async () => {
		const other = startHolder('server', 'start', '--rootpassword=secret', '--dbpassword', 'secret');
		await other.ask(`take ${folder}`);
		const {message} = await refused();
		assert.match(message, new RegExp(`process ${other.pid} \\(embedded-holder\\.ts server start\\) since`));
		assert.ok(!readFileSync(file, 'utf8').includes('secret'));
		await other.end();
	});

	void test('is taken from the dead', async () => {
		const pid = await deadProcess();
		const stale: Array<[why: string, content: string]> = [
			['its process has ended', await record({pid, token: 'a'})],
			['its number belongs to a process that started at another time', await record({processStart: '1', token: 'b'})],
			['the machine was started again since', await record({boot: 'another run', token: 'c'})],
			['the machine lost power while it was written', ''],
			['its writing was cut off', '{"pid": 1'],
		];
		for (const [why, content] of stale) {
			writeFileSync(file, content);
			assert.equal(await readHolder(folder), undefined, why);
			const lock = await takeLock(folder);
			assert.deepEqual(readdirSync(folder), ['lock'], why);
			assert.equal((JSON.parse(readFileSync(file, 'utf8')) as Record_).token, lock.holder.token);
			assert.equal((await refused()).code, 'in-use');
			await lock.release();
		}
	});

	void test('is not taken from whoever cannot be seen from here', async () => {
		const pid = await deadProcess();
		const elsewhere = [
			await record({pid, boot: 'another run', host: `not-${hostname()}`}),
			await record({pid, pidSpace: 'pid:[1]', host: 'a-container'}),
		];
		for (const content of elsewhere) {
			writeFileSync(file, content);
			const {code, hint, message} = await refused();
			assert.equal(code, 'in-use');
			assert.match(message, / of (?:not-|a-container)/);
			assert.ok(hint?.includes(`remove ${file}`));
			assert.equal(readFileSync(file, 'utf8'), content);
		}
	});

	void test('is taken from the successor of a dead one that died too', async () => {
		const pid = await deadProcess();
		const [first, second, astray] = [await record({pid, token: 'first'}), await record({pid, token: 'second'}), await record({token: 'third'})];
		writeFileSync(file, first);
		writeFileSync(`${file}.first`, second);
		writeFileSync(`${file}.second`, '');
		writeFileSync(`${file}.astray`, astray);
		const lock = await takeLock(folder);
		assert.deepEqual(readdirSync(folder), ['lock']);
		await lock.release();
	});

	void test('leaves a lock alone that is not its own any more', async () => {
		const lock = await takeLock(folder);
		rmSync(file);
		const other = await takeLock(folder);
		await lock.release();
		assert.ok(existsSync(file));
		await other.release();
	});

	void test('goes to exactly one of several processes that want it at once', async () => {
		const processes = Array.from({length: 5}, () => startHolder());
		const pid = await deadProcess();
		const before = ['', await record({pid, token: 'dead'}), 'cut off'];
		for (let round = 0; round < 60; round++) {
			const content = before[round % before.length]!;
			if (content !== '') {
				writeFileSync(file, content);
			}

			const answers = await Promise.all(processes.map(async one => one.ask(`take ${folder}`)));
			const holders = processes.filter((_, index) => answers[index]!.done === 'taken');
			assert.equal(holders.length, 1, JSON.stringify(answers));
			assert.ok(answers.every(({done, code}) => done === 'taken' || code === 'in-use'), JSON.stringify(answers));
			assert.equal((await readHolder(folder))?.pid, holders[0]!.pid);
			await holders[0]!.ask('release');
		}

		await Promise.all(processes.map(async one => one.end()));
	});

	void test('passes on from each killed process to one of those that wait', async () => {
		const processes = Array.from({length: 4}, () => startHolder());
		while (processes.length > 0) {
			const answers = await Promise.all(processes.map(async one => one.ask(`take ${folder}`)));
			const index = answers.findIndex(({done}) => done === 'taken');
			assert.equal(answers.filter(({done}) => done === 'taken').length, 1, JSON.stringify(answers));
			await processes[index]!.kill();
			processes.splice(index, 1);
		}
	});
});
