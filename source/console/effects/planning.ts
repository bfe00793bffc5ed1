import {limits} from '../../core/limits.ts';
import {applyPlan, type Reported} from '../../operations/apply-plan.ts';
import {goesOnAt, makePlan, type Seen} from '../../operations/plan.ts';
import {seenOf} from '../marks.ts';
import {outcomeText} from '../plans.ts';
import {screens} from '../screens/index.ts';
import type {Failure} from './changing.ts';
import type {Handler} from './handler.ts';
import {errorText} from './session.ts';
import {readerOf} from './reading.ts';

/** Marks and plans of one console: what reads and changes many, and how it is stopped. */
export class Planning {
	#marking = new AbortController();
	/** Plans under way, by number. */
	readonly #plans = new Map<number, {stopping: AbortController; rate: number}>();
	/** What became of plans that were under way when the operator left. */
	readonly #left: string[] = [];
	#isLeaving = false;

	/** What became of the plans that leaving has stopped, for whoever is at the shell by then. */
	get outcomes(): readonly string[] {
		return this.#left;
	}

	/** Lets nothing begin any more: what is under way ends before its next page or list. */
	stop(): void {
		this.#isLeaving = true;
		this.#marking.abort();
		for (const {stopping} of this.#plans.values()) {
			stopping.abort();
		}
	}

	/** Reads all that a list has, page by page, up to as many as a plan takes. */
	readonly markAll: Handler<'mark-all'> = async (session, {screen, number}, state) => {
		this.#marking.abort();
		const marking = new AbortController();
		this.#marking = marking;
		try {
			const reader = readerOf(session, state);
			let left = limits.planned;
			for (let position: string | undefined; ;) {
				// eslint-disable-next-line no-await-in-loop
				const page = await screens[screen].read({count: Math.min(limits.count, left), position, direction: 'after'}, reader);
				if (marking.signal.aborted) {
					return;
				}

				const seen: Seen[] = page.rows.map(row => seenOf(screen, row));
				left -= seen.length;
				position = goesOnAt(page);
				const ended = position === undefined ? 'all' : (left > 0 ? undefined : 'most');
				session.dispatch({type: 'marked', number, seen, ended});
				if (ended !== undefined) {
					return;
				}
			}
		} catch (error) {
			session.dispatch({type: 'not-marked', number, error: errorText(error)});
		}
	};

	readonly stopMarking: Handler<'stop-marking'> = () => {
		this.#marking.abort();
	};

	/** Freezes what is marked. */
	readonly make: Handler<'make-plan'> = async (session, {number, name, colonyid, seen, as}) => {
		try {
			const plan = await makePlan({context: session.context, caller: await session.callerOf(as), name, colonyid}, {seen});
			session.dispatch({type: 'planned', number, plan});
		} catch (error) {
			session.dispatch({type: 'not-planned', number, error: errorText(error)});
		}
	};

	/** Carries a plan out to its end, to a stop, or until the operator leaves. */
	readonly apply = async (...[session, {number, plan, rate, as}]: Parameters<Handler<'apply-plan'>>): Promise<Failure> => {
		const running = {stopping: new AbortController(), rate};
		this.#plans.set(number, running);
		const all: Reported[] = [];
		try {
			await applyPlan({
				context: session.planContext(), caller: await session.callerOf(as), plan, rate: () => running.rate, signal: running.stopping.signal,
				tell({reported, waits}) {
					all.push(...reported);
					session.dispatch({type: 'plan-went', number, reported, waits});
				},
			});
			return undefined;
		} catch (error) {
			const failure = errorText(error);
			session.dispatch({type: 'not-planned', number, error: failure});
			return failure;
		} finally {
			this.#plans.delete(number);
			if (this.#isLeaving && all.length > 0) {
				this.#left.push(outcomeText({plan, reported: all}));
			}

			session.dispatch({type: 'plan-ended', number});
		}
	};

	readonly changeRate: Handler<'plan-rate'> = (_, {number, rate}) => {
		const running = this.#plans.get(number);
		if (running) {
			running.rate = rate;
		}
	};

	readonly stopPlan: Handler<'stop-plan'> = (_, {number}) => {
		this.#plans.get(number)?.stopping.abort();
	};
}
