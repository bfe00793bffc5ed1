import {ColoniesError} from '../core/errors.ts';
import {Effects} from './effects.ts';
import {type State, initialState, storeName} from './state.ts';
import {Store} from './store.ts';
import {toAscii} from './terminal/ascii.ts';
import {setColour} from './terminal/style.ts';
import {withoutStyle} from './terminal/width.ts';
import {headerLines} from './views/frame.ts';
import {listLines} from './views/list.ts';
import type {World} from './world.ts';

/** Whether everything that the first screen shows is there. */
function isComplete(state: State): boolean {
	if (!state.context || !state.knownLoaded) {
		return false;
	}

	const list = state.lists[state.screen];
	return state.colony ? list.loadedAt !== undefined && state.counts !== undefined : true;
}

/** Prints one plain picture of the console's first screen: for pipes, logs and terminals that can only print lines. @throws ColoniesError when the store does not open or answer */
export async function printSnapshot(world: World, {columns: given = 120, demo, ascii}: {columns: number | undefined; demo: boolean; ascii: boolean}): Promise<void> {
	setColour(false);
	const columns = Math.max(60, given);
	const store = new Store(initialState({columns, rows: 46, now: Date.now(), version: world.version, readOnly: true}), (effect, state) => {
		effects.run(effect, state);
	});
	const effects = new Effects(world, store.dispatch, {copy: () => undefined, suspend: () => undefined, quit: () => undefined});
	try {
		const state = await new Promise<State>((resolve, reject) => {
			store.subscribe(() => {
				const now = store.get();
				const failure = now.opening.error ?? now.error ?? now.lists[now.screen].error;
				if (failure) {
					reject(new ColoniesError(failure.code, failure.message, {hint: failure.hint}));
				} else if (isComplete(now)) {
					resolve(now);
				}
			});
			effects.run({type: 'open', demo}, store.get());
		});
		const lines = state.colony !== undefined || state.overlays.length === 0
			? [...headerLines(state), ...listLines({...state, wide: true})]
			: [...headerLines(state), '', 'No colony yet. Open the console in a terminal, or: colonies colony register --spec colony.json', `The ${storeName(state)} is ${state.context!.place}.`];
		await world.print(lines.map(line => withoutStyle(line).trimEnd()).filter((line, index, all) => !(/^│\s*│$/.test(line) && /^│\s*│$/.test(all[index - 1] ?? ''))).map(line => ascii ? toAscii(line) : line).join('\n') + '\n');
	} finally {
		store.close();
		await effects.close();
	}
}
