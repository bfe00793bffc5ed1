import type {Id, Process} from '../../core/types.ts';
import type {Context} from '../../operations/index.ts';
import {type Fleet, type Member, refusal} from './fleet.ts';
import {type Attempt, pick, planAttempt, type WorkKind, workKinds} from './workload.ts';

/** `pace`: how many times faster than usual it goes. `bounds`: how many processes may wait before no more are submitted, and how many closed ones are kept. */
export type LifeOptions = {context: Context; fleet: Fleet; random: () => number; pace: number; bounds: {waiting: number; closed: number}};

/** Does what is due at a time in milliseconds, at pace 1. @throws ColoniesError for what has to be waited out */
type Tick = (now: number) => Promise<void>;

/** Submissions that a start makes without a pause, so that there is something to see. */
const opening = 12;
/** Processes that one sweep removes at most. */
const sweep = 15;
/** Pauses in milliseconds: of a computer before it asks again, doubled up to the longest of an idle one or of one that is refused, and of the owner before it counts. */
const pauses = {first: 500, idle: 2000, refused: 8000, counts: 5000};

/** The owner, who submits about a process a second while not too many wait. */
function createSubmitter({context, fleet: {colonyid, owner, members}, random, pace, bounds}: LifeOptions): Tick {
	let waiting: Array<Pick<Process, 'mem'>> = [];
	let [submitted, due, counting] = [0, 0, 0];
	return async now => {
		if (now >= counting) {
			waiting = (await context.run({identity: owner}, 'process.list', {colonyid, state: 'waiting', count: bounds.waiting, attributes: false})).rows;
			counting = now + pauses.counts;
		}

		const kinds = workKinds.filter(({mem, most}) => waiting.filter(process => process.mem === mem).length < most);
		if (now < due || waiting.length >= bounds.waiting || kinds.length === 0) {
			return;
		}

		due = submitted < opening ? now : now + 500 + (random() * 1000);
		const {job, targets, timeout, weight, most, in: given, ...demand}: WorkKind = pick(kinds, random);
		const targetcomputerids = members.filter(({name}) => targets.includes(name)).map(({computerid}) => computerid);
		waiting.push(await context.run({identity: owner}, 'process.submit', {
			spec: {targetcolonyid: colonyid, targetcomputerids, ...demand, timeout: timeout > 0 ? Math.ceil(timeout / pace) : -1, in: {job, ...given(random)}},
		}));
		submitted++;
	};
}

/** The owner again, who removes the oldest closed processes beyond the bound. */
function createSweeper({context, fleet: {colonyid, owner}, bounds}: LifeOptions): Tick {
	let due = 0;
	return async now => {
		if (now < due) {
			return;
		}

		due = now + pauses.counts;
		const {successful, failed} = await context.run({identity: owner}, 'process.count', {colonyid});
		const count = Math.min(sweep, successful + failed - bounds.closed);
		if (count > 0) {
			const state = successful >= failed ? 'successful' : 'failed';
			const {rows} = await context.run({identity: owner}, 'process.list', {colonyid, state, direction: 'before', count, attributes: false});
			for (const {processid} of rows) {
				await refusal(context.run({identity: owner}, 'process.remove', {colonyid, processid}), 'not-found'); // eslint-disable-line no-await-in-loop
			}
		}
	};
}

type Job = {started: number; attempt: Attempt; said: number};

/** One computer: asks for work while it has room, tells how it goes, closes it. `running`: what it ran when an earlier demo ended. */
function createWorker({context, fleet: {colonyid}, random, pace}: LifeOptions, {identity, room}: Member, running: readonly Process[]): {tick: Tick; wake(): void} {
	const jobs = new Map<Id, Job>();
	let [due, pause] = [0, pauses.first];

	const begin = ({processid, timeout}: Process, now: number): void => {
		jobs.set(processid, {started: now, attempt: planAttempt(timeout * 1000 * pace, random), said: 0});
		[due, pause] = [now, pauses.first];
	};

	const work = async (processid: Id, job: Job, now: number): Promise<void> => {
		const {started, attempt: {reports, to}} = job;
		for (const {after, ...report} of reports.slice(job.said)) {
			if (now < started + after) {
				return;
			}

			await context.run({identity}, 'attribute.add', {colonyid, processid, ...report}); // eslint-disable-line no-await-in-loop
			job.said++;
		}

		await context.run({identity}, `process.${to}`, {colonyid, processid});
		jobs.delete(processid);
	};

	for (const process of running) {
		begin(process, 0);
	}

	return {
		async tick(now) {
			for (const [processid, job] of jobs) {
				if (await refusal(work(processid, job, now), 'not-allowed', 'conflict', 'not-found')) { // eslint-disable-line no-await-in-loop
					// No longer its own: past the deadline, cancelled, removed, or the computer was disapproved.
					jobs.delete(processid);
				}
			}

			if (now >= due && jobs.size < room) {
				const code = await refusal(context.run({identity}, 'process.assign', {colonyid}).then(process => {
					begin(process, now);
				}), 'nothing-to-assign', 'not-allowed');
				if (code) {
					pause = Math.min(pause, code === 'not-allowed' ? pauses.refused : pauses.idle);
					due = now + pause;
					pause *= 2;
				}
			}
		},
		wake() {
			[due, pause] = [0, pauses.first];
		},
	};
}

/**
Brings the demo to life: at each tick everybody does what is due, whatever befalls the others. `wake` lets every computer with room ask at the next one. What runs since an earlier demo is taken up again.
@throws ColoniesError
*/
export async function createLife(options: LifeOptions): Promise<{tick: Tick; wake(): void}> {
	const {context, fleet: {colonyid, owner, members}} = options;
	const {rows} = await context.run({identity: owner}, 'process.list', {colonyid, state: 'running', count: 1000, attributes: false});
	const workers = members.map(member => createWorker(options, member, rows.filter(({assignedcomputerid}) => assignedcomputerid === member.computerid)));
	const ticks = [createSubmitter(options), ...workers.map(({tick}) => tick), createSweeper(options)];
	return {
		async tick(now) {
			const failures: unknown[] = [];
			for (const tick of ticks) {
				await tick(now).catch((error: unknown) => failures.push(error)); // eslint-disable-line no-await-in-loop
			}

			if (failures.length > 0) {
				throw failures[0];
			}
		},
		wake() {
			for (const worker of workers) {
				worker.wake();
			}
		},
	};
}
