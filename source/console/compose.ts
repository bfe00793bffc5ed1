import {ColoniesError} from '../core/errors.ts';
import {visible} from '../core/text.ts';
import {Effects} from './effects.ts';
import {initialState} from './state.ts';
import {Store} from './store.ts';
import {writeNow} from './terminal/modes.ts';
import type {World} from './world.ts';

/** The two ends of a terminal, and how the console was started. */
export type Terminal = {stdin: NodeJS.ReadStream; stdout: NodeJS.WriteStream; env: NodeJS.ProcessEnv; /** Whether only ASCII is shown. */ ascii: boolean; demo: boolean; debug: boolean};

/** What a way of showing the console has to give: its size, and how it is stopped and closed. */
export type Front = {columns: number; rows: number; suspend: () => void; close: () => Promise<void>};

/** OSC 52: the terminal's clipboard, where it allows that. */
const copySequence = (text: string): string => `\u001B]52;c;${Buffer.from(text).toString('base64')}\u0007`;

/** The console without its looks: the state, what it does outside, and a clock. */
export type Console = {
	store: Store;
	/** Resolves when the operator leaves. */
	left: Promise<void>;
	/** Opens the store that is meant. */
	start: () => void;
	/** Hears nothing any more; then, `finish` waits for changes under way. */
	stop: () => void;
	/** @throws ColoniesError what went wrong with a change after the operator had left */
	finish: () => Promise<void>;
	/** Lets go of the store and says what became of a plan; when something else ends the program. The terminal must be back by then. */
	abandon: () => Promise<void>;
};

/** Puts the console together. `front` is asked for when it is needed, for it may need the console itself. */
export function compose(world: World, {stdout, demo}: Pick<Terminal, 'stdout' | 'demo'>, front: () => Front): Console {
	let leave: () => void = () => undefined;
	const left = new Promise<void>(resolve => {
		leave = resolve;
	});
	const {columns, rows} = stdout;
	const store = new Store(initialState({columns: columns || 80, rows: rows || 24, now: Date.now(), version: world.version, readOnly: world.readOnly}), (effect, state) => {
		effects.run(effect, state);
	});
	const effects = new Effects(world, store.dispatch, {
		copy(text) {
			stdout.write(copySequence(text));
		},
		suspend() {
			front().suspend();
		},
		quit: leave,
	});
	// At once, for the program may end right after.
	const tell = (sentences: readonly string[]): void => {
		if (sentences.length > 0) {
			writeNow(stdout, `${sentences.map(sentence => visible(sentence)).join('\n')}\n`);
		}
	};

	const clock = setInterval(() => {
		store.dispatch({type: 'ticked', now: Date.now()});
	}, 1000);
	return {
		store,
		left,
		start() {
			effects.run({type: 'open', demo}, store.get());
		},
		stop() {
			clearInterval(clock);
			store.close();
		},
		async finish() {
			const {failure, outcomes} = await effects.close();
			tell(outcomes);
			// An opening under way, of a database that does not answer, keeps the shell waiting no longer than this.
			setTimeout(() => {
				process.exit(); // eslint-disable-line unicorn/no-process-exit
			}, 2000).unref();
			if (failure) {
				throw new ColoniesError(failure.code, failure.message, {hint: failure.hint});
			}
		},
		async abandon() {
			tell((await effects.close()).outcomes);
		},
	};
}
