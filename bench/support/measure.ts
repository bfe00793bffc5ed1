import {readdirSync, readFileSync} from 'node:fs';
import os from 'node:os';
import process from 'node:process';

/**
One figure of a bench: ours beside a peer's in the same run. `ratio`: ours of the peer's; `spread`: of the rounds, from the lowest to the highest, in percent of the median; `others`: percent of the machine that other programs took meanwhile.
*/
export type Figure = {
	name: string;
	unit: string;
	ours: number;
	peer?: string;
	theirs?: number;
	ratio?: number;
	/** What is aimed at, of the ratio or of ours, and whether that is a least or a most. */
	goal?: {of: 'ratio' | 'ours'; least?: number; most?: number};
	spread?: number;
	others?: number;
	/** What bounds it. */
	note?: string;
};

export const median = (values: readonly number[]): number => [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)]!;

export function mean(values: readonly number[]): number {
	let sum = 0;
	for (const value of values) {
		sum += value;
	}

	return sum / values.length;
}

/** The value below which a share of all lie. */
export const quantile = (values: readonly number[], share: number): number => [...values].sort((one, other) => one - other)[Math.min(values.length - 1, Math.floor(values.length * share))]!;

/** From the lowest to the highest, in percent of the median. */
export const spreadOf = (values: readonly number[]): number => 100 * (Math.max(...values) - Math.min(...values)) / median(values);

/** Whether a figure is where it should be; undefined where nothing is aimed at. */
export function isMet({goal, ratio, ours}: Figure): boolean | undefined {
	if (goal === undefined) {
		return undefined;
	}

	const value = goal.of === 'ratio' ? ratio! : ours;
	return value >= (goal.least ?? -Infinity) && value <= (goal.most ?? Infinity);
}

const ticks = 100;

type Times = {ppid: number; own: number; reaped: number};

function timesOf(pid: string): Times | undefined {
	try {
		const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
		const fields = text.slice(text.lastIndexOf(')') + 2).split(' ').map(Number);
		return {ppid: fields[1]!, own: fields[11]! + fields[12]!, reaped: fields[13]! + fields[14]!};
	} catch {
		return undefined;
	}
}

/** Milliseconds of processor that a process and its children have taken so far, those that have ended too. */
export function cpuOf(pid: number): number {
	const all = new Map(readdirSync('/proc').filter(name => /^\d+$/.test(name)).flatMap(name => {
		const times = timesOf(name);
		return times ? [[Number(name), times] as const] : [];
	}));
	const root = all.get(pid);
	const children = [...all.values()].filter(({ppid}) => ppid === pid);
	return ((root?.own ?? 0) + (root?.reaped ?? 0) + children.reduce((sum, {own}) => sum + own, 0)) * (1000 / ticks);
}

/** Milliseconds of processor that this process has taken so far. */
export function ownCpu(): number {
	const {user, system} = process.cpuUsage();
	return (user + system) / 1000;
}

/** Milliseconds of processor that the whole machine has spent so far, on anything. */
export function machineCpu(): number {
	const fields = readFileSync('/proc/stat', 'utf8').split('\n')[0]!.split(/\s+/).slice(1).map(Number);
	// Columns 4 and 5 are idle and waiting for a disk, the last two are counted in the first two (proc(5)).
	const [user = 0, nice = 0, system = 0] = fields;
	const [irq = 0, softirq = 0, steal = 0] = fields.slice(5);
	return (user + nice + system + irq + softirq + steal) * (1000 / ticks);
}

/** The process id of the PostgreSQL of a folder. */
export const postgresPid = (folder: string): number => Number(readFileSync(`${folder}/data/postmaster.pid`, 'utf8').split('\n')[0]);

/** Watches what a piece of work takes: of this process, of PostgreSQL and of others, in milliseconds of processor. */
export async function watched<Result>(pid: number, work: () => Promise<Result>): Promise<{result: Result; seconds: number; node: number; postgres: number; others: number}> {
	const [began, node, postgres, machine] = [performance.now(), ownCpu(), cpuOf(pid), machineCpu()];
	const result = await work();
	const took = performance.now() - began;
	const [nodeTook, postgresTook] = [ownCpu() - node, cpuOf(pid) - postgres];
	const others = Math.max(0, machineCpu() - machine - nodeTook - postgresTook);
	return {result, seconds: took / 1000, node: nodeTook, postgres: postgresTook, others: 100 * others / (took * os.availableParallelism())};
}

/** So many callers, each with its next turn when the one before has ended, for so many seconds. @returns how many turns */
export async function callersFor(seconds: number, callers: number, turn: (caller: number) => Promise<void>): Promise<number> {
	const until = performance.now() + (seconds * 1000);
	let turns = 0;
	await Promise.all(Array.from({length: callers}, async (_, caller) => {
		while (performance.now() < until) {
			await turn(caller); // eslint-disable-line no-await-in-loop
			turns++;
		}
	}));
	return turns;
}
