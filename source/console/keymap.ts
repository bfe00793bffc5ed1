import {type Binding, keyedOverlays, type Mode} from './keymap/binding.ts';
import {anywhereKeys} from './keymap/anywhere.ts';
import {attentionKeys} from './keymap/attention.ts';
import {auditKeys} from './keymap/audit.ts';
import {colonyKeys} from './keymap/colonies.ts';
import {computerKeys} from './keymap/computers.ts';
import {keyKeys} from './keymap/keys.ts';
import {listKeys} from './keymap/lists.ts';
import {overlayKeys} from './keymap/overlays.ts';
import {pastKeys} from './keymap/past.ts';
import {planKeys} from './keymap/plan.ts';
import {processKeys} from './keymap/processes.ts';
import {pulseKeys} from './keymap/pulse.ts';
import {serverKeys} from './keymap/server.ts';
import {screenKeys} from './keymap/screen.ts';
import {screens} from './screens/index.ts';
import type {State} from './state.ts';

export type {Binding, Mode} from './keymap/binding.ts';

/** Every key of the console: it dispatches, and the footer, the help page and the readme are printed from it. */
export const keymap: readonly Binding[] = [...screenKeys, ...listKeys, ...pulseKeys, ...processKeys, ...computerKeys, ...colonyKeys, ...attentionKeys, ...keyKeys, ...auditKeys, ...serverKeys, ...pastKeys, ...overlayKeys, ...planKeys, ...anywhereKeys];

/** The modes that a key is looked up in, the nearest first. */
export function modesOf(state: State): Mode[] {
	const top = state.overlays.at(-1);
	if (top === undefined) {
		return screens[state.screen].body ? [state.screen, 'screen', 'anywhere'] : [state.screen, 'list', 'screen', 'anywhere'];
	}

	const keyed = keyedOverlays.find(kind => kind === top.kind);
	if (top.kind === 'plan' && (top.stage === 'running' || top.stage === 'ended')) {
		// It goes on while the operator looks at something else.
		return ['plan', 'screen', 'anywhere'];
	}

	return keyed ? [keyed, 'anywhere'] : [];
}

/** What a key means now: a row of the key map, or undefined. */
export function resolve(state: State, chord: string): Binding | undefined {
	for (const mode of modesOf(state)) {
		const found = keymap.find(binding => binding.mode === mode && binding.chords.includes(chord));
		if (found) {
			return found;
		}
	}

	return undefined;
}

/** What a key may do before it is known what the store holds. */
const early: ReadonlySet<string> = new Set(['quit', 'suspend', 'help', 'palette', 'command-line', 'screen', 'last-screen', 'body-scroll', 'refresh', 'repaint', 'identity', 'back', 'plan-show']);

/** Why a key comes too early: typed ahead, it would act on a list that nobody has seen. The keychain is there at once. */
function tooEarly({action}: Binding, state: State): string | undefined {
	const {of} = screens[state.screen];
	const isThere = state.knownLoaded || state.overlays.length > 0 || (of === 'machine' && state.lists[state.screen].loadedAt !== undefined);
	return isThere || early.has(action) ? undefined : (state.context ? 'Nothing is read yet.' : 'The database is not open yet.');
}

/** Why a key cannot do now what it stands for; undefined where it can. */
export const whyNot = (binding: Binding, state: State): string | undefined => tooEarly(binding, state) ?? binding.disabled?.(state);

/** The rows of the key map that hold where the operator is, for the help page; help on help shows the screen below it. */
export function bindingsHere(state: State) {
	const {overlays} = state;
	const read = overlays.at(-1)?.kind === 'search' ? overlays.slice(0, -1) : overlays;
	const below = {...state, overlays: read.at(-1)?.kind === 'help' ? read.slice(0, -1) : read};
	return modesOf(below).map(mode => ({mode, bindings: keymap.filter(binding => binding.mode === mode)}));
}
