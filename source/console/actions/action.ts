import type {State, Step} from '../state.ts';

/** What a row of the key map or an item of a menu does. */
export type Action = (state: State, value: string | undefined) => Step;

/** A step that asks for nothing outside. */
export const quiet = (state: State): Step => [state, []];

/** Says one sentence in the last row. */
export const say = (state: State, text: string): State => ({...state, notice: {text, at: state.now}});
