import {layoutOf} from '../layout.ts';
import type {State} from '../state.ts';
import {box} from './box.ts';

/** Lines of a page in a box that are seen at once. */
export const pageRoom = (state: State): number => Math.max(1, layoutOf(state).body - 2);

/** Which of so many lines are in sight, ` 1-20 of 57`; nothing where all are. */
export const positionText = (count: number, first: number, room: number): string => count > room ? ` ${first + 1}-${Math.min(count, first + room)} of ${count}` : '';

/** Lines in a box over the whole body, from the one that it is scrolled to; its title says which of them are in sight. */
export function page(title: string, lines: readonly string[], scroll: number, state: State): string[] {
	const room = pageRoom(state);
	const top = Math.min(scroll, Math.max(0, lines.length - room));
	return box(`${title}${positionText(lines.length, top, room)} `, lines.slice(top, top + room).map(line => ` ${line}`), {width: state.columns, height: layoutOf(state).body});
}
