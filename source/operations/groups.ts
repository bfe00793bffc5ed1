import {toColoniesError, Unavailable} from '../core/errors.ts';
import {plural} from '../core/text.ts';
import type {Id} from '../core/types.ts';
import {
	type ClaimCursors, type ComputerRow, type Database, isConnectionLoss, slotOf, sqlstateOf, type together,
} from '../database/index.ts';
import {provedId} from './authorise.ts';
import {
	type Answer, fingerprintOf, type Job, type Outcome,
} from './carry-out.ts';
import {KnownComputers} from './known-computers.ts';
import type {Commit} from './moves.ts';
import type {Joined, JoinedResult, Together} from './together.ts';

/** Calls that go together at most. */
const most = 64;

/** Text of the calls of a group at most, in UTF-16 units, unless it is of one call: a statement with 64 large submissions would take hundreds of megabytes. */
const mostText = 1_048_576;

/** Groups of one kind under way at a time: while one is answered, the next is on its way. */
const underWay = 2;

/** Calls of one kind that wait for their group at most. */
const mostWaiting = 5000;

/** What a group is carried out with. */
export type GroupTools = {
	database: Database;
	cursors: ClaimCursors;
	/** A computer did something. */
	sawComputer: (colony: Id, computer: Id) => void;
	/** A group was committed. */
	committed: (commit: Commit) => void;
};

type Waiter = {job: Job; call: Joined<Record<string, any>>; marks: string[]; resolve: (outcome: Outcome | undefined) => void; reject: (error: unknown) => void};

/** Calls that are alike. */
type Queue = {waiting: Waiter[]; underWay: number; colony: Id; slot: together.Slot; together: Together};

/**
Coalesces concurrent calls of one operation about one colony. The first starts at once; those that arrive while it is in flight share one statement and one commit.
There is no timer, so a lone call never waits. Each call gets its own answer, after the commit. A call that a group cannot serve runs alone.
*/
export class Groups {
	readonly #tools: GroupTools;
	readonly #queues = new Map<string, Queue>();
	readonly computers: KnownComputers;

	constructor(tools: GroupTools) {
		this.#tools = tools;
		this.computers = new KnownComputers(tools.database);
	}

	/**
	Carries out a job with others like it.
	@returns undefined where it is to be carried out alone; where its nonce was spent by then, the job says so
	@throws ColoniesError
	*/
	async carryOut(job: Job): Promise<Outcome | undefined> {
		const {operation: {together, colony}, caller, inputs: [input], inputs: {length}, options} = job;
		if (together === undefined || length !== 1 || 'root' in caller || options.signal?.aborted) {
			return undefined;
		}

		const proved = provedId(caller);
		// Of one that is not known the key is taken for that of its own id; the statement says whether it is.
		const computer = together.byComputer ? await this.computers.find(colony!(input as never), proved) : this.computers.get(colony!(input as never), proved);
		const found = this.#queueFor(job, together, {proved, computer});
		if (found === undefined) {
			return undefined;
		}

		const {key, queue, call, marks} = found;
		if (queue.waiting.length >= mostWaiting) {
			throw new Unavailable(`The database is busy: ${plural(queue.waiting.length, 'call')} like this one before it.`, {hint: 'Try it again in a moment.'});
		}

		return new Promise((resolve, reject) => {
			queue.waiting.push({job, call, marks, resolve, reject});
			if (queue.waiting.length === 1) {
				queueMicrotask(() => {
					this.#start(key, queue);
				});
			}
		});
	}

	/** The queue of a call, and what no other of its group may share with it. */
	#queueFor({operation, caller, inputs, options, isSpent}: Job, together: Together, {proved, computer}: {proved: Id; computer: ComputerRow | undefined}): {key: string; queue: Queue; call: Joined<Record<string, any>>; marks: string[]} | undefined {
		const [input] = inputs as [Record<string, any>];
		const colony = operation.colony!(input);
		const signer = computer?.computer_id ?? proved;
		const spent = 'signer' in caller && !isSpent ? {signer: proved, nonce: caller.signer.nonce, created: caller.signer.created} : undefined;
		const keyed = operation.keyed && options.idempotencyKey !== undefined ? {signer, key: options.idempotencyKey, fingerprint: fingerprintOf(operation, inputs)} : undefined;
		const call = {signer, proved, spent, keyed, input, computer};
		const kind = together.kindOf(call);
		if (kind === undefined) {
			return undefined;
		}

		const slot = spent && slotOf(spent.created);
		const key = JSON.stringify([operation.name, colony, slot ?? null, kind]);
		const queue: Queue = this.#queues.get(key) ?? {waiting: [], underWay: 0, colony, slot, together};
		this.#queues.set(key, queue);
		const subject = together.subject?.(input);
		const marks = [
			...(spent ? [`nonce ${proved} ${spent.created} ${spent.nonce}`] : []), ...(keyed ? [`key ${signer} ${keyed.key}`] : []), ...(subject === undefined ? [] : [`subject ${subject}`]),
		];
		return {key, queue, call, marks};
	}

	/** Takes the next group: the first that wait, without those that share a nonce, a key or a subject with one before them. A call that nobody waits for any more runs alone, which refuses it. */
	#take(queue: Queue): Waiter[] {
		const [group, rest, taken]: [Waiter[], Waiter[], Set<string>] = [[], [], new Set()];
		let text = 0;
		for (const waiter of queue.waiting) {
			const {job, call: {input}, resolve} = waiter;
			if (job.options.signal?.aborted) {
				resolve(undefined);
				continue;
			}

			const size = queue.together.sizeOf?.(input) ?? 0;
			const fits = group.length === 0 || (group.length < most && text + size <= mostText);
			if (fits && !waiter.marks.some(mark => taken.has(mark))) {
				group.push(waiter);
				text += size;
				for (const mark of waiter.marks) {
					taken.add(mark);
				}
			} else {
				rest.push(waiter);
			}
		}

		queue.waiting = rest;
		return group;
	}

	#start(key: string, queue: Queue): void {
		while (queue.waiting.length > 0 && queue.underWay < underWay) {
			const group = this.#take(queue);
			if (group.length === 0) {
				break;
			}

			queue.underWay++;
			void this.#fly(group, queue).then(() => {
				queue.underWay--;
				this.#start(key, queue);
			});
		}

		if (queue.waiting.length === 0 && queue.underWay === 0) {
			this.#queues.delete(key);
		}
	}

	/** Carries out one group, and tells each what came of it. Never throws. */
	async #fly(group: readonly Waiter[], {colony, slot, together}: Queue): Promise<void> {
		const began = performance.now();
		let answers: Array<together.Answered<JoinedResult<unknown>>>;
		try {
			answers = await together.carryOut(group.map(({call}) => call), {database: this.#tools.database, cursors: this.#tools.cursors, colony, slot});
		} catch (error) {
			const isRefused = sqlstateOf(error) !== undefined && !isConnectionLoss(error);
			for (const {resolve, reject} of group) {
				if (isRefused) {
					// Something of the group cannot be done: each is tried by itself.
					resolve(undefined);
				} else {
					reject(toColoniesError(error));
				}
			}

			return;
		}

		const done = answers.flatMap(answer => answer.isAlone ? [] : [answer.result]);
		const isChanged = done.some(({result}) => result !== undefined);
		const {operation} = group[0]!.job;
		this.#tools.committed({
			topics: new Set(isChanged ? operation.changes : []), work: done.flatMap(({work = []}) => work), took: performance.now() - began,
			moves: done.flatMap(({move}) => move ?? []), ...(done.length > 0 ? {group: {operation: operation.name, calls: done.length}} : {}),
		});
		for (const [index, answer] of answers.entries()) {
			this.#tell(group[index]!, answer);
		}
	}

	#tell({job, call, resolve}: Waiter, answer: together.Answered<JoinedResult<unknown>>): void {
		if (answer.isAlone) {
			job.isSpent ||= answer.isSpent;
			resolve(undefined);
			return;
		}

		const {operation, inputs} = job;
		const colony = operation.colony!(inputs[0] as never);
		if (operation.work && call.signer !== colony) {
			this.#tools.sawComputer(colony, call.signer);
		}

		const {result} = answer.result;
		const answers: Answer[] = [result === undefined ? operation.nothing!() : {result}];
		resolve({answers, computer: call.computer, kept: false, topics: new Set(), work: [], moves: []});
	}
}
