import type {Id, Process} from '../../core/types.ts';
import type {Context} from '../../operations/index.ts';
import {type Fleet, isCode, type Member} from './fleet.ts';
import {
	type Attempt, kindOf, pick, planAttempt, type WorkKind, workKinds,
} from './workload.ts';

/** How many processes may wait before no more are submitted, and how many closed ones are kept. */
export type Bounds = {waiting: number; closed: number};

/** `pace`: how many times faster than usual it goes. Times below are milliseconds at pace 1. */
export type LifeOptions = {context: Context; fleet: Fleet; random: () => number; pace: number; bounds: Bounds};

/** One who acts at each tick, when there is something to do at this time. */
type Actor = {tick(now: number): Promise<void>};

export type Life = Actor & {
	/** Lets computers that were refused ask again at the next tick. */
	wake(): void;
};

const between = {
	/** Shortest and longest pause of a computer for which there was nothing. */
	asking: [500, 2000],
	/** The same of one that was refused; it is woken when computers change. */
	refused: [1000, 8000],
	submissions: [500, 1500],
	counts: 5000,
	sweeps: 5000,
} as const;

/** Submissions that a start makes without a pause, so that there is something to see. */
const opening = 12;
/** Processes removed in one sweep at most. */
const sweep = 15;

/** The owner, who submits about one process a second while not too many wait. */
function createSubmitter({context, fleet, random, pace, bounds}: LifeOptions): Actor {
	const caller = {identity: fleet.owner};
	const waiting = new Map<WorkKind | undefined, number>();
	let [total, submitted, due, counted] = [0, 0, 0, Number.NEGATIVE_INFINITY];

	const count = (demand: WorkKind | undefined): void => {
		total++;
		waiting.set(demand, (waiting.get(demand) ?? 0) + 1);
	};

	const recount = async (): Promise<void> => {
		const {rows} = await context.run(caller, 'process.list', {
			colonyid: fleet.colonyid, state: 'waiting', count: bounds.waiting, attributes: false,
		});
		waiting.clear();
		total = 0;
		for (const process of rows) {
			count(kindOf(process));
		}
	};

	const submit = async (kind: WorkKind): Promise<void> => {
		const {job, targets, timeout, computertype, cores, mem, gpus, maxretries} = kind;
		const targetcomputerids = fleet.members.filter(({name}) => targets.includes(name)).map(({identity}) => identity.id);
		await context.run(caller, 'process.submit', {
			spec: {
				targetcolonyid: fleet.colonyid, targetcomputerids, computertype, cores, mem, gpus, maxretries,
				timeout: timeout > 0 ? Math.ceil(timeout / pace) : -1, in: {job, ...kind.in(random)},
			},
		});
		count(kind);
		submitted++;
	};

	return {
		async tick(now) {
			if (now >= counted + between.counts) {
				await recount();
				counted = now;
			}

			const kinds = workKinds.filter(kind => (waiting.get(kind) ?? 0) < kind.most);
			if (now >= due && total < bounds.waiting && kinds.length > 0) {
				const [least, most] = between.submissions;
				due = submitted < opening ? now : now + least + (random() * (most - least));
				await submit(pick(kinds, random));
			}
		},
	};
}

type Job = {processid: Id; started: number | undefined; attempt: Attempt; reported: number};

/** One computer: asks for work while it has room, tells how it goes, closes it. `running`: what it ran when the demo stopped. */
function createWorker({context, fleet, random, pace}: LifeOptions, {identity, room}: Member, running: readonly Process[]): Life {
	const caller = {identity};
	const {colonyid} = fleet;
	const begin = ({processid, timeout}: Process, started?: number): Job => ({
		processid, started, attempt: planAttempt({limit: timeout * 1000 * pace}, random), reported: 0,
	});
	let jobs = running.map(process => begin(process));
	let [due, pause, refused] = [0, 0, false];

	const rest = (now: number, [least, most]: readonly [number, number]): void => {
		pause = Math.min(most, Math.max(least, pause * 2));
		due = now + pause;
	};

	const beRefused = (now: number): void => {
		// What it ran was taken away when it was disapproved.
		jobs = [];
		refused = true;
		rest(now, between.refused);
	};

	/** @returns whether the job goes on */
	const work = async (job: Job, now: number): Promise<boolean> => {
		const {processid, attempt} = job;
		job.started ??= now;
		for (const {after, ...report} of attempt.reports.slice(job.reported)) {
			if (now < job.started + after) {
				return true;
			}

			await context.run(caller, 'attribute.add', {colonyid, processid, ...report}); // eslint-disable-line no-await-in-loop
			job.reported++;
		}

		await context.run(caller, `process.${attempt.to}`, {colonyid, processid});
		return false;
	};

	const workOn = async (job: Job, now: number): Promise<void> => {
		try {
			if (await work(job, now)) {
				return;
			}
		} catch (error) {
			if (isCode(error, 'not-allowed')) {
				beRefused(now);
			} else if (!isCode(error, 'conflict', 'not-found')) {
				throw error;
			}
		}

		// Closed, or no longer its own: past the deadline, cancelled, removed.
		jobs = jobs.filter(each => each !== job);
	};

	const ask = async (now: number): Promise<void> => {
		try {
			const process = await context.run(caller, 'process.assign', {colonyid});
			jobs.push(begin(process, now));
			[due, pause, refused] = [now, 0, false];
		} catch (error) {
			if (isCode(error, 'nothing-to-assign')) {
				refused = false;
				rest(now, between.asking);
			} else if (isCode(error, 'not-allowed')) {
				beRefused(now);
			} else {
				throw error;
			}
		}
	};

	return {
		async tick(now) {
			for (const job of jobs) {
				await workOn(job, now); // eslint-disable-line no-await-in-loop
			}

			if (now >= due && jobs.length < room) {
				await ask(now);
			}
		},
		wake() {
			if (refused) {
				[due, pause] = [0, 0];
			}
		},
	};
}

/** The owner again, who removes the oldest closed processes beyond the bound. */
function createSweeper({context, fleet: {colonyid, owner}, bounds}: LifeOptions): Actor {
	const caller = {identity: owner};
	let due = 0;
	return {
		async tick(now) {
			if (now < due) {
				return;
			}

			due = now + between.sweeps;
			const {successful, failed} = await context.run(caller, 'process.count', {colonyid});
			const excess = Math.min(sweep, successful + failed - bounds.closed);
			if (excess <= 0) {
				return;
			}

			const state = successful >= failed ? 'successful' : 'failed';
			const {rows} = await context.run(caller, 'process.list', {
				colonyid, state, direction: 'before', count: excess, attributes: false,
			});
			for (const {processid} of rows) {
				try {
					await context.run(caller, 'process.remove', {colonyid, processid}); // eslint-disable-line no-await-in-loop
				} catch (error) {
					if (!isCode(error, 'not-found')) {
						throw error;
					}
				}
			}
		},
	};
}

/** Brings the demo to life: at each tick everybody does what is due. What still runs from an earlier start is taken up again. @throws ColoniesError */
export async function createLife(options: LifeOptions): Promise<Life> {
	const {context, fleet} = options;
	const {rows} = await context.run({identity: fleet.owner}, 'process.list', {
		colonyid: fleet.colonyid, state: 'running', count: 1000, attributes: false,
	});
	const workers = fleet.members.map(member => createWorker(options, member, rows.filter(({assignedcomputerid}) => assignedcomputerid === member.identity.id)));
	const actors: readonly Actor[] = [createSubmitter(options), ...workers, createSweeper(options)];
	return {
		/** @throws ColoniesError for what has to be waited out, after everybody had a turn unless the store is away */
		async tick(now) {
			const errors: unknown[] = [];
			for (const actor of actors) {
				try {
					await actor.tick(now); // eslint-disable-line no-await-in-loop
				} catch (error) {
					errors.push(error);
					if (isCode(error, 'unavailable')) {
						break;
					}
				}
			}

			if (errors.length > 0) {
				throw errors[0];
			}
		},
		wake() {
			for (const worker of workers) {
				worker.wake();
			}
		},
	};
}
