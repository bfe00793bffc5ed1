import type {AttentionLine, Look} from '../core/attention.ts';
import type {Fix} from '../core/explanation.ts';
import {needsOwner} from './deeds.ts';
import {selectedRow} from './screens/index.ts';
import type {State} from './state.ts';
import {explanationOf} from './why.ts';

/** What mends what is in sight: of the explanation that is open, or of the line under the cursor. */
export function fixInSight(state: State): Fix | Look | undefined {
	const top = state.overlays.at(-1);
	if (top?.kind === 'explain') {
		return explanationOf(state, top.id).result?.fix;
	}

	return state.screen === 'attention' ? (selectedRow(state) as AttentionLine | undefined)?.fix : undefined;
}

/** Why it cannot be mended from here; undefined when it can. */
export function whyNoFix(state: State): string | undefined {
	const fix = fixInSight(state);
	if (!fix) {
		const top = state.overlays.at(-1);
		return top?.kind === 'explain' && explanationOf(state, top.id).result === undefined ? 'It is still being asked.' : 'There is nothing to mend here.';
	}

	return 'operation' in fix ? needsOwner(state) : undefined;
}
