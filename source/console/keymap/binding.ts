import type {ScreenName, State} from '../state.ts';

/** The kinds of overlay whose keys stand in the key map; the others take text, or every key themselves (typing.ts). */
export const keyedOverlays = ['command-line', 'detail', 'difference', 'explain', 'entry', 'verify', 'help', 'menu', 'plan', 'columns', 'result'] as const;
export type KeyedOverlay = (typeof keyedOverlays)[number];

/** Where a key means something: everywhere, on any screen, on any that is a list, on one screen, or in one kind of overlay. */
export type Mode = 'anywhere' | 'screen' | 'list' | ScreenName | KeyedOverlay;

export type Binding = {
	mode: Mode;
	/** The key as it is pressed; several that do the same stand in one row. */
	chords: readonly string[];
	/** An action of actions.ts. */
	action: string;
	value?: string;
	/** What it does, for the help page and the readme. */
	label: string;
	/** What the footer calls it; left out where it does not stand there. */
	hint?: string;
	/** Whether the footer calls it now; left out where it always does. */
	offered?: (state: State) => boolean;
	/** Whether it changes something on the server, or in the keychain. */
	changes?: boolean;
	/** Why it cannot be done now; undefined when it can. */
	disabled?: (state: State) => string | undefined;
};
