import type {State, Step} from '../state.ts';

/** What a row of the key map or an item of a menu does. */
export type Action = (state: State, value: string | undefined) => Step;

/** A step that asks for nothing outside. */
export const quiet = (state: State): Step => [state, []];

/** Where a page stands that is scrolled: by lines, by a page, or to an end; never beyond its last line. */
export function scrolled(from: number, how: string | undefined, {end, page}: {end: number; page: number}): number {
	const by = {page, '-page': -page, first: -from, last: end}[how!] ?? Number(how);
	return Math.max(0, Math.min(end, from + by));
}

/** Says one sentence in the last row. */
export const say = (state: State, text: string): State => ({...state, notice: {text, at: state.now}});
