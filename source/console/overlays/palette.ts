import {visible} from '../../core/text.ts';
import {layoutOf} from '../layout.ts';
import {itemsOf} from '../palette.ts';
import type {Overlay, State} from '../state.ts';
import {bold, dim, inverse} from '../terminal/style.ts';
import {drawField} from '../terminal/text-edit.ts';
import {fit} from '../terminal/width.ts';
import {box} from '../views/box.ts';

type Palette = Extract<Overlay, {kind: 'palette'}>;

/** The palette: what is typed, and what fits it. */
export function palettePage(overlay: Palette, state: State): string[] {
	const {body: height} = layoutOf(state);
	const width = state.columns;
	const items = itemsOf(overlay, state);
	const room = Math.max(1, height - 4);
	const first = Math.max(0, overlay.cursor + 1 - room);
	const nameWidth = Math.min(40, Math.floor(width / 2));
	const rows = items.slice(first, first + room).map(({name, summary, key, disabled}, index) => {
		const text = ` ${fit(visible(name), nameWidth)} ${fit(key ?? '', 4)} ${visible(disabled ?? summary)}`;
		return first + index === overlay.cursor ? inverse(text) : (disabled === undefined ? text : dim(text));
	});
	const count = items.length > 0 ? `${overlay.cursor + 1} of ${items.length}` : 'nothing is called so';
	return box(`${bold('Palette')} ${count} `, [
		`${bold(':')}${drawField(overlay.edit, {width: Math.max(8, width - 4)})}`,
		dim('enter does it, tab takes its name, arrows move, esc leaves'),
		...rows,
	], {width, height});
}
