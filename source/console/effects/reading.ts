import type {Id} from '../../core/types.ts';
import {type Reader, screens} from '../screens/index.ts';
import type {State} from '../state.ts';
import type {Handler} from './handler.ts';
import {errorText, type Session} from './session.ts';

/** How long the cursor must rest before what it is on is read, in milliseconds. */
const rest = 120;

/** What a screen reads its rows with, as the operator stood then. */
export const readerOf = (session: Session, state: State): Reader => ({
	state,
	run: async (name, input) => session.context.run(await session.callerOf(state.acting), name, input),
	runAsRoot: async (name, input) => session.context.run({root: session.root!}, name, input),
	where: async () => session.context.where(),
	keys: async () => session.keychain.list(),
});

/** Reads a page of a screen. */
export const load: Handler<'load'> = async (session, {screen, sequence, query}, state) => {
	try {
		const page = await screens[screen].read(query, readerOf(session, state));
		session.dispatch({type: 'loaded', screen, sequence, page, at: Date.now()});
	} catch (error) {
		session.dispatch({type: 'not-loaded', screen, sequence, error: errorText(error)});
	}
};

/** Waits until the cursor rests, for each slot by itself. What is asked for the same thing again does not begin the wait anew: under steady news it would never end otherwise. */
class Rests {
	readonly #timers = new Map<string, {key: string; timer: NodeJS.Timeout}>();

	wait(slot: string, key: string, isSoon: boolean, act: () => void): void {
		const before = this.#timers.get(slot);
		if (isSoon && before?.key === key) {
			return;
		}

		clearTimeout(before?.timer);
		const timer = setTimeout(() => {
			this.#timers.delete(slot);
			act();
		}, isSoon ? rest : 0);
		this.#timers.set(slot, {key, timer});
	}

	clear(): void {
		for (const {timer} of this.#timers.values()) {
			clearTimeout(timer);
		}

		this.#timers.clear();
	}
}

/** `isLate`: whether the answer to a later read is there already, beside which this one would tell what was. */
async function readDetail(session: Session, id: Id, state: State, isLate: () => boolean): Promise<void> {
	try {
		const process = await session.context.run(await session.callerOf(state.acting), 'process.get', {colonyid: state.colony!.colonyid, processid: id, at: state.past?.at});
		if (!isLate()) {
			session.dispatch({type: 'detailed', process});
		}
	} catch (error) {
		if (!isLate()) {
			session.dispatch({type: 'not-detailed', id, error: errorText(error)});
		}
	}
}

/** Reads what is asked for by what is in sight: one console's. */
export class Reading {
	readonly #rests = new Rests();
	/** Reads of a detail that were begun, and the latest of them that was answered. */
	#details = 0;
	#detailed = 0;
	#counting = false;
	#countAgain: State | undefined;

	/** Lets nothing begin any more. */
	close(): void {
		this.#rests.clear();
	}

	readonly loadDetail: Handler<'load-detail'> = (session, {id, soon = false}, state) => {
		this.#rests.wait('detail', id, soon, () => {
			const turn = ++this.#details;
			void readDetail(session, id, state, () => {
				if (turn < this.#detailed) {
					return true;
				}

				this.#detailed = turn;
				return false;
			});
		});
	};

	readonly ask: Handler<'ask'> = (session, {ask: {slot, key, operation, input, rests = false}, sequence}, state) => {
		this.#rests.wait(`ask ${slot}`, key, rests, () => {
			void (async () => {
				try {
					const caller = await session.callerOf(state.acting);
					const began = Date.now();
					const result: unknown = await session.context.run(caller, operation, input);
					session.dispatch({type: 'asked', slot, sequence, result, began, at: Date.now()});
				} catch (error) {
					session.dispatch({type: 'not-asked', slot, sequence, error: errorText(error)});
				}
			})();
		});
	};

	/** One count at a time, however often it is asked for. */
	readonly count: Handler<'count'> = async (session, _, state) => {
		if (this.#counting) {
			this.#countAgain = state;
			return;
		}

		this.#counting = true;
		try {
			const input = {colonyid: state.colony!.colonyid, at: state.past?.at};
			const caller = await session.callerOf(state.acting);
			const {context} = session;
			const [counts, computers] = await Promise.all([context.run(caller, 'process.count', input), context.run(caller, 'computer.count', input)]);
			session.dispatch({type: 'counted', ...input, counts, computers});
		} catch {
			// The list on the screen says what is wrong; counts come again with the next change.
		}

		this.#counting = false;
		const again = this.#countAgain;
		this.#countAgain = undefined;
		if (again) {
			void this.count(session, {type: 'count'}, again);
		}
	};
}
