import {execFile} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import fs from 'node:fs/promises';
import {hostname} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {promisify} from 'node:util';
import {ColoniesError} from '../../core/errors.ts';
import {visible} from '../../core/text.ts';

/** Who holds a lock. */
export type Holder = {
	pid: number;
	/** When the process started, as the system tells it, so that another one with its number is not taken for it. */
	processStart: string;
	host: string;
	/** The run of the system, and the space in which its process numbers count; empty where the system does not tell. */
	boot: string;
	pidSpace: string;
	/** For people: `colonies server start`. */
	command: string;
	/** RFC 3339. */
	since: string;
	/** Of this taking of the lock alone. */
	token: string;
};

export type Lock = {holder: Holder; release(): Promise<void>};

const readIfThere = async (file: string): Promise<string> => {
	try {
		return await fs.readFile(file, 'utf8');
	} catch {
		return '';
	}
};

const linkIfThere = async (file: string): Promise<string> => {
	try {
		return await fs.readlink(file);
	} catch {
		return '';
	}
};

/** When a process started; undefined when there is none, empty when the system does not tell. A zombie is none: it has no files open. */
async function processStart(pid: number): Promise<string | undefined> {
	const stat = await readIfThere(`/proc/${pid}/stat`);
	if (stat !== '') {
		// The name in the second field may hold anything, also blanks and brackets.
		const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
		return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
	}

	try {
		process.kill(pid, 0);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'EPERM') {
			return undefined;
		}
	}

	try {
		const {stdout} = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)], {env: {...process.env, LC_ALL: 'C', TZ: 'UTC'}});
		return stdout.trim();
	} catch {
		return '';
	}
}

/** The words of the command, for people. What follows the first flag may be a secret. */
function ownCommand(): string {
	const [script = '', ...words] = process.argv.slice(1);
	const flag = words.findIndex(word => !/^[a-z]{2,20}$/.test(word));
	return [path.basename(script, '.js'), ...words.slice(0, flag === -1 ? 2 : Math.min(flag, 2))].join(' ');
}

async function ownRecord(): Promise<Holder> {
	const boot = await readIfThere('/proc/sys/kernel/random/boot_id');
	return {
		pid: process.pid,
		processStart: await processStart(process.pid) ?? '',
		host: hostname(),
		boot: boot.trim(),
		pidSpace: await linkIfThere('/proc/self/ns/pid'),
		command: ownCommand(),
		since: new Date().toISOString(),
		token: randomBytes(8).toString('hex'),
	};
}

const parseHolder = (text: string): Holder | undefined => {
	try {
		const holder = JSON.parse(text) as Partial<Holder>;
		return typeof holder.pid === 'number' && typeof holder.token === 'string' ? holder as Holder : undefined;
	} catch {
		return undefined;
	}
};

type Verdict = 'alive' | 'dead' | 'unknown';

/** Whether the holder still runs, as seen from here. */
async function judge(holder: Holder, self: Holder): Promise<Verdict> {
	if (holder.boot !== self.boot) {
		return holder.host === self.host ? 'dead' : 'unknown';
	}

	// In another container of this machine its number means another process here.
	if (holder.pidSpace !== self.pidSpace || (holder.boot === '' && holder.host !== self.host)) {
		return 'unknown';
	}

	const start = await processStart(holder.pid);
	if (start === undefined) {
		return 'dead';
	}

	// Where its start cannot be learned, a process of that number is taken for the holder.
	return start === '' || holder.processStart === '' || start === holder.processStart ? 'alive' : 'dead';
}

function refusal(folder: string, file: string, {pid, command, since, host}: Holder, verdict: Verdict): ColoniesError {
	const who = `process ${pid}${command ? ` (${visible(command)})` : ''}${verdict === 'unknown' ? ` of ${visible(host)}` : ''}`;
	return new ColoniesError('in-use', `The embedded database in ${folder} is open in ${who} since ${since}.`, {
		hint: verdict === 'unknown'
			? `Close it there, or use a PostgreSQL for both. If that computer or container is gone for certain, remove ${file}.`
			: 'Close that one, or use a PostgreSQL server for both.',
	});
}

/*
The lock is a chain. `lock` holds the record of a holder with a token; whoever finds it dead succeeds it by creating `lock.TOKEN`, and so on; the end of the chain holds the lock.
A record comes into being whole and at most once, by link(2), so of several who would succeed the same dead one, one does. The holder then puts its own record
in the place of `lock` and removes the rest. Somebody who read the chain before that may create a link which nothing leads to any more; so a record counts only
when, after it was created, the chain still leads to it.
*/

type End = {
	/** Where the last record stands; undefined when there is no lock. */
	last: string | undefined;
	/** Undefined also for a record that was cut off when the machine lost power: no living process leaves one behind. */
	holder: Holder | undefined;
	/** Where the record of a successor goes. */
	next: string;
};

async function findEnd(file: string): Promise<End> {
	for (let end: End = {last: undefined, holder: undefined, next: file}; ;) {
		const text = await readRecord(end.next); // eslint-disable-line no-await-in-loop
		if (text === undefined) {
			return end;
		}

		const holder = parseHolder(text);
		end = {last: end.next, holder, next: holder ? `${file}.${holder.token}` : `${end.next}.cut-off`};
	}
}

async function readRecord(file: string): Promise<string | undefined> {
	try {
		return await fs.readFile(file, 'utf8');
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
			return undefined;
		}

		throw error;
	}
}

/** Creates a file with this content, whole, unless it is there. */
async function create(file: string, record: Holder): Promise<boolean> {
	const unfinished = `${file}-${record.token}`;
	await fs.writeFile(unfinished, `${JSON.stringify(record)}\n`, {mode: 0o600, flush: true});
	try {
		await fs.link(unfinished, file);
		return true;
	} catch (error) {
		if (['EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code!)) {
			return false;
		}

		throw error;
	} finally {
		await fs.rm(unfinished, {force: true});
	}
}

/** Makes the chain as short as it can be: this holder alone. */
async function shorten(file: string, record: Holder): Promise<void> {
	const unfinished = `${file}-${record.token}`;
	await fs.writeFile(unfinished, `${JSON.stringify(record)}\n`, {mode: 0o600});
	await fs.rename(unfinished, file);
	const folder = path.dirname(file);
	const others = (await fs.readdir(folder)).filter(name => /^lock[.-]/.test(name));
	await Promise.all(others.map(async name => fs.rm(path.join(folder, name), {force: true})));
}

/** Who holds the lock of a folder now; undefined when nobody living does. */
export async function readHolder(folder: string): Promise<Holder | undefined> {
	const {holder} = await findEnd(path.join(folder, 'lock'));
	return holder && await judge(holder, await ownRecord()) !== 'dead' ? holder : undefined;
}

async function release(file: string, {token}: Holder): Promise<void> {
	const text = await readRecord(file);
	if (text !== undefined && parseHolder(text)?.token === token) {
		await fs.rm(file, {force: true});
	}
}

/** Tries once. Undefined: another process was quicker, and the chain wants another look. */
async function tryToTake(folder: string, file: string): Promise<Lock | undefined> {
	const record = await ownRecord();
	const {last, holder, next} = await findEnd(file);
	const verdict = holder ? await judge(holder, record) : 'dead';
	if (verdict !== 'dead') {
		throw refusal(folder, last!, holder!, verdict);
	}

	if (!await create(next, record)) {
		return undefined;
	}

	const end = await findEnd(file);
	if (end.holder?.token !== record.token) {
		await fs.rm(next, {force: true});
		return undefined;
	}

	if (next !== file) {
		await shorten(file, record);
	}

	return {holder: record, release: async () => release(file, record)};
}

/**
Takes the lock of a folder, `FOLDER/lock`, also from a holder that is dead for certain. It is held until it is released or this process ends.
@throws ColoniesError `in-use`, which names the holder; errors of the file system as they are
*/
export async function takeLock(folder: string): Promise<Lock> {
	for (;;) {
		const lock = await tryToTake(folder, path.join(folder, 'lock')); // eslint-disable-line no-await-in-loop
		if (lock) {
			return lock;
		}
	}
}
