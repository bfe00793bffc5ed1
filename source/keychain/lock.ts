import {randomUUID} from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import process from 'node:process';
import {setTimeout as wait} from 'node:timers/promises';
import {ColoniesError, Conflict} from '../core/errors.ts';
import {fileError, systemCode} from './failures.ts';

/** Milliseconds. A change takes some ten of them; one that holds the lock longer than `abandonedAfter` is taken for dead. */
const abandonedAfter = 10_000;
const patience = 15_000;

type Owner = {pid: number; host: string; token: string};

const readOwner = (file: string): Owner | undefined => {
	try {
		return JSON.parse(fs.readFileSync(file, 'utf8')) as Owner;
	} catch {
		return undefined;
	}
};

const isRunning = (pid: number): boolean => {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return systemCode(error) !== 'ESRCH';
	}
};

/** Whether whoever made the lock is gone: its process on this host has ended, or it is far too old. */
function isAbandoned(file: string, owner: Owner | undefined): boolean {
	if (owner?.host === os.hostname() && typeof owner.pid === 'number' && !isRunning(owner.pid)) {
		return true;
	}

	const stats = fs.statSync(file, {throwIfNoEntry: false});
	return stats !== undefined && Date.now() - stats.mtimeMs > abandonedAfter;
}

/** Takes an abandoned lock out of the way. Gives it back when it turns out to be the next holder's. */
function clear(file: string, abandoned: Owner | undefined): void {
	const aside = `${file}.${randomUUID()}`;
	try {
		fs.renameSync(file, aside);
		if (readOwner(aside)?.token !== abandoned?.token) {
			fs.linkSync(aside, file);
		}
	} catch (error) {
		// Another process cleared it first, or holds a newer one.
		if (!['ENOENT', 'EEXIST'].includes(systemCode(error))) {
			throw fileError(file, error);
		}
	} finally {
		fs.rmSync(aside, {force: true});
	}
}

async function acquire(file: string, token: string): Promise<void> {
	const owner: Owner = {pid: process.pid, host: os.hostname(), token};
	const until = Date.now() + patience;
	for (;;) {
		try {
			fs.writeFileSync(file, JSON.stringify(owner), {flag: 'wx', mode: 0o600});
			return;
		} catch (error) {
			if (systemCode(error) !== 'EEXIST') {
				throw fileError(file, error);
			}
		}

		const holder = readOwner(file);
		if (isAbandoned(file, holder)) {
			clear(file, holder);
			continue;
		}

		if (Date.now() > until) {
			throw new ColoniesError('unavailable', `Process ${holder?.pid ?? '?'} has kept ${file} for more than ${patience / 1000} seconds.`, {
				hint: 'Try again; if no other colonies program runs, remove that file.',
			});
		}

		await wait(2 + (Math.random() * 18)); // eslint-disable-line no-await-in-loop
	}
}

/**
Runs `work` while no other process does the same under this lock file.
`confirm` throws when the lock was lost meanwhile (the process was suspended for longer than others wait): call it last before changing anything.
@throws unavailable when others keep the lock for 15 seconds, Conflict from `confirm`
*/
export async function withLock<Result>(file: string, work: (confirm: () => void) => Promise<Result>): Promise<Result> {
	const token = randomUUID();
	const isMine = (): boolean => readOwner(file)?.token === token;
	await acquire(file, token);
	try {
		return await work(() => {
			if (!isMine()) {
				throw new Conflict('Another process changed the settings at the same moment.', {hint: 'Try again.'});
			}
		});
	} finally {
		if (isMine()) {
			fs.rmSync(file, {force: true});
		}
	}
}
