import {typesCount} from './keymap/plan.ts';
import {isTooSmall} from './layout.ts';
import type {FormField, Overlay, State} from './state.ts';
import type {Chord} from './terminal/keys.ts';
import {type EditState, fullText, textLimits} from './terminal/text-edit.ts';

/** The text that is typed into an overlay; undefined where it has none. */
export function editIn(overlay: Overlay | undefined): EditState | undefined {
	switch (overlay?.kind) {
		case 'form': {
			return overlay.busy ? undefined : overlay.fields[overlay.focus]!.edit;
		}

		case 'confirm': {
			return overlay.typed?.edit;
		}

		case 'plan': {
			return typesCount(overlay) ? overlay.edit : undefined;
		}

		case 'filter':
		case 'palette':
		case 'moment':
		case 'search': {
			return overlay.edit;
		}

		default: {
			return undefined;
		}
	}
}

/** What is said where the last key or paste did not fit into the field that is typed in. */
export const fullOf = ({overlays}: State): string | undefined => {
	const edit = editIn(overlays.at(-1));
	return edit && fullText(edit);
};

/**
The key at `index` of those that came at once, and how many of them it stands for: characters for a text field are one paste, as terminals without bracketed paste send it.
So what a text costs goes with its length, in one piece or in many.
*/
export function nextKey(state: State, chords: readonly Chord[], index: number): {chord: Chord; count: number} {
	const isText = !isTooSmall(state) && editIn(state.overlays.at(-1)) !== undefined;
	const texts: string[] = [];
	if (isText) {
		for (let at = index; chords[at]?.text !== undefined; at++) {
			texts.push(chords[at]!.text!);
		}
	}

	return texts.length > 1 ? {chord: {key: 'paste', text: texts.join('')}, count: texts.length} : {chord: chords[index]!, count: 1};
}

const limitsByKind: Record<FormField['kind'], number> = {text: textLimits.long, pairs: textLimits.long, file: textLimits.long, secret: textLimits.secret, integer: textLimits.word};

/** Characters that a field of a form takes. */
export const limitOf = ({kind}: Pick<FormField, 'kind'>): number => limitsByKind[kind];
