import {type RowValue, type ScreenName, type State, screenNames} from '../state.ts';
import {attentionScreen} from './attention.ts';
import {auditScreen} from './audit.ts';
import {coloniesScreen} from './colonies.ts';
import {computersScreen} from './computers.ts';
import {keysScreen} from './keys.ts';
import {processesScreen} from './processes.ts';
import {pulseScreen} from './pulse.ts';
import type {Screen} from './screen.ts';
import {serverScreen} from './server.ts';

export type {Column, Reader, Screen} from './screen.ts';

/** Every list screen by name, in the order of their digits. */
export const screens: Record<ScreenName, Screen> = {
	pulse: pulseScreen as unknown as Screen,
	processes: processesScreen as unknown as Screen,
	computers: computersScreen as unknown as Screen,
	colonies: coloniesScreen as unknown as Screen,
	attention: attentionScreen as unknown as Screen,
	keys: keysScreen as unknown as Screen,
	audit: auditScreen as unknown as Screen,
	server: serverScreen as unknown as Screen,
};

/** The screens that are lists; the others are drawn whole. */
export const listNames = screenNames.filter(name => !screens[name].body);

/** When the data on the screen came, in milliseconds since 1970; undefined where none has come yet. */
export const dataAt = (state: State): number | undefined => screens[state.screen].cameAt ? screens[state.screen].cameAt!(state) : state.lists[state.screen].loadedAt;

/** The row under the cursor of the visible list; undefined where there is none, or it has left the list. */
export function selectedRow(state: State): RowValue | undefined {
	const {rows, cursor, gone} = state.lists[state.screen];
	return cursor === undefined || cursor === gone ? undefined : rows.find(row => screens[state.screen].idOf(row) === cursor);
}
