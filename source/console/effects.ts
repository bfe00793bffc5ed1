import {type Failure, forgetKey, runDeed, sendsForm} from './effects/changing.ts';
import {listContexts, useContext} from './effects/contexts.ts';
import type {Handler} from './effects/handler.ts';
import {loadKnown} from './effects/known.ts';
import {Planning} from './effects/planning.ts';
import {load, Reading} from './effects/reading.ts';
import {type Dispatch, Session} from './effects/session.ts';
import type {Effect, ErrorText, State} from './state.ts';
import type {World} from './world.ts';

/** What the terminal does for an effect. */
export type Outside = {copy: (text: string) => void; suspend: () => void; quit: () => void};

/** Carries out what `update` asks for; everything that comes of it goes back as a message. */
export class Effects {
	readonly #session: Session;
	readonly #outside: Outside;
	readonly #reading = new Reading();
	readonly #planning = new Planning();
	/** Changes under way: they are finished before the store is let go. */
	readonly #changes = new Set<Promise<unknown>>();
	#lastFailure: Failure;

	constructor(world: World, dispatch: Dispatch, outside: Outside) {
		this.#session = new Session(world, dispatch);
		this.#outside = outside;
	}

	/** Begins to carry out an effect; `state` is the one that came with it. Never throws. */
	run(effect: Effect, state: State): void {
		this.#session.readOnly = state.past ? 'past' : state.readOnly;
		void (this.#handlers[effect.type] as Handler<any>)(this.#session, effect, state);
	}

	/** Lets go of the store. Changes under way are finished first, and plans stopped. @returns what went wrong with a change after the operator had left, and what became of a plan */
	async close(): Promise<{failure?: ErrorText; outcomes: readonly string[]}> {
		this.#session.isClosed = true;
		this.#reading.close();
		this.#planning.stop();
		const awaited = this.#changes.size > 0;
		await Promise.allSettled(this.#changes);
		await this.#session.close();
		return {failure: awaited ? this.#lastFailure : undefined, outcomes: this.#planning.outcomes};
	}

	/** What each kind of effect does. */
	readonly #handlers: {[Type in Effect['type']]: Handler<Type>} = {
		open: async (session, {demo}) => session.open(demo ? {demo: true} : session.world.choice),
		load,
		'load-known': async (session, {select}) => loadKnown(session, select),
		watch: async (session, _, state) => session.watch(state),
		count: this.#reading.count,
		'load-detail': this.#reading.loadDetail,
		ask: this.#reading.ask,
		run: this.#changing(runDeed),
		'forget-key': this.#changing(forgetKey),
		'mark-all': this.#planning.markAll,
		'stop-marking': this.#planning.stopMarking,
		'make-plan': this.#planning.make,
		'apply-plan': this.#changing(this.#planning.apply),
		'plan-rate': this.#planning.changeRate,
		'stop-plan': this.#planning.stopPlan,
		'send-form': this.#changing(sendsForm),
		copy: ({dispatch}, {text, what}) => {
			this.#outside.copy(text);
			dispatch({type: 'noticed', text: `Copied ${what} to the clipboard, where the terminal allows it.`});
		},
		async remember({world}, {key, value}) {
			// A view setting that cannot be kept is no reason to disturb anybody.
			await world.settings.set(key, value).catch(() => undefined);
		},
		'list-contexts': listContexts,
		'use-context': useContext,
		suspend: () => {
			this.#outside.suspend();
		},
		quit: () => {
			this.#outside.quit();
		},
	};

	/** A change is waited for when the operator leaves meanwhile. */
	#changing<Type extends Effect['type']>(change: (...parameters: Parameters<Handler<Type>>) => Promise<Failure>): Handler<Type> {
		return (session, effect, state) => {
			this.#lastFailure = undefined;
			const done = (async () => {
				this.#lastFailure = await change(session, effect, state);
			})();
			this.#changes.add(done);
			void done.finally(() => {
				this.#changes.delete(done);
			});
		};
	}
}
