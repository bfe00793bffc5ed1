import type {Action} from './actions/action.ts';
import {auditing} from './actions/auditing.ts';
import {changing} from './actions/changing.ts';
import {fixing} from './actions/fixing.ts';
import {commandLines} from './actions/command-lines.ts';
import {marking} from './actions/marking.ts';
import {menus} from './actions/menus.ts';
import {moving} from './actions/moving.ts';
import {opening} from './actions/opening.ts';
import {past} from './actions/past.ts';
import {planning} from './actions/planning.ts';
import {pulseActions} from './actions/pulse.ts';
import {searching} from './actions/searching.ts';
import {settings} from './actions/settings.ts';
import {viewing} from './actions/viewing.ts';
import {closeTop} from './stack.ts';
import type {MenuItem, State, Step} from './state.ts';

/** Does what the chosen item of a menu says, as if its key had been pressed. */
export function chooseItem(state: State, item: MenuItem): Step {
	if (item.disabled) {
		return [{...state, notice: {text: item.disabled, at: state.now}}, []];
	}

	return actions[item.action]!(closeTop(state), item.value);
}

/** Every action that the key map and the menus name. */
export const actions: Record<string, Action> = {
	...moving,
	...marking,
	...viewing,
	...planning,
	...opening,
	...menus,
	...changing,
	...fixing,
	...auditing,
	...pulseActions,
	...settings,
	...commandLines,
	...past,
	...searching,
	'menu-choose'(state) {
		const menu = state.overlays.at(-1)!;
		const item = menu.kind === 'menu' ? menu.items[menu.cursor] : undefined;
		return item ? chooseItem(state, item) : [state, []];
	},
};
