import {type Binding, bindingsHere} from '../keymap.ts';
import {headingOf} from '../keymap/headings.ts';
import {visible} from '../../core/text.ts';
import {layoutOf} from '../layout.ts';
import type {Overlay, State} from '../state.ts';
import {bold, dim, inverse} from '../terminal/style.ts';
import {fit} from '../terminal/width.ts';
import {box} from './box.ts';
import {type Row, rowsOf} from './rows.ts';
import {wordPieces} from './wrap.ts';

const keyName = (chord: string): string => chord === ' ' ? 'space' : chord;

const warningText = 'changes something; asks first';

/** A key and what it does, the warning on a line of its own where it does not fit beside that. */
function bindingLines({chords, label, changes}: Binding, width: number): Row[] {
	const first = `  ${fit(chords.map(chord => keyName(chord)).join(' '), 16)} `;
	const room = width - first.length;
	if (changes && label.length + warningText.length + 2 <= room) {
		return [`${first}${label}  ${dim(warningText)}`];
	}

	return [...rowsOf(wordPieces(label, room), {first}), ...(changes ? rowsOf(wordPieces(warningText, room), {style: dim, first: ' '.repeat(first.length)}) : [])];
}

/** All lines of the help page: every key that holds on the screen below, from the key map. */
export function helpLines(state: State): Row[] {
	const width = state.columns - 4;
	const lines = bindingsHere(state).flatMap(({mode, bindings}): Row[] => [
		bold(headingOf(mode)),
		...bindings.flatMap(binding => bindingLines(binding, width)),
		'',
	]);
	const notes = ['A lowercase letter never changes anything on the server; what changes it asks first, and only y confirms.', 'In a text field every key is text; esc leaves it.'];
	return [...lines, ...notes.flatMap(note => rowsOf(wordPieces(note, width), {style: dim}))];
}

/** A menu over the body, with the doors of the first run in more words. */
export function menuPage(overlay: Extract<Overlay, {kind: 'menu'}>, state: State): string[] {
	const {body: height} = layoutOf(state);
	const intro = overlay.isWelcome
		? [` Everything is ready: the database is ${visible(state.context?.place ?? 'open')}.`, ' Nothing is in it yet. What would you like to do?', '']
		: [];
	// The item under the cursor stays in sight.
	const first = Math.max(0, overlay.cursor + 1 - Math.max(1, height - 3 - intro.length));
	const items = overlay.items.map(({key, label, summary, disabled}, index) => {
		const text = ` ${key}  ${fit(label, 24)} ${disabled ?? summary ?? ''}`;
		return index === overlay.cursor ? inverse(text) : (disabled ? dim(text) : text);
	});
	return box(`${overlay.title} `, ['', ...intro, ...items.slice(first)], {width: state.columns, height});
}
