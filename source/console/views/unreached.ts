import {visible} from '../../core/text.ts';
import {formatSpan} from '../../core/time.ts';
import {unreachedTitle} from '../reach.ts';
import type {State} from '../state.ts';
import {bold, danger} from '../terminal/style.ts';
import {wrapWords} from './wrap.ts';

/** What there is to do by hand: a certificate is trusted by somebody who has compared it. */
function remedies({context, reach}: State): string[] {
	if (reach.barrier !== 'untrusted') {
		return ['It is tried again by itself.'];
	}

	const command = `colonies context add ${visible(context?.name ?? 'NAME')} --host HOST --port PORT --fingerprint FINGERPRINT`;
	return [
		'Nothing is sent to it. It is tried again every 5 seconds, and the console goes on by itself once it is trusted.',
		...(context?.kind === 'server' ? [`To trust a new certificate that you have compared, press : and type connect; or in a shell: ${command}`] : []),
	];
}

/** In place of data that has not come: that there is none yet, and why, in so many cells. */
export const noDataLines = (state: State, width: number): string[] => ['', ...['No data yet.', '', ...unreachedLines(state, width - 6)].map(line => line === '' ? '' : `  ${line}`)];

/** Why the store cannot be worked with, and what to do, in so many cells; nothing where it can be. */
export function unreachedLines(state: State, width: number): string[] {
	const {reach} = state;
	if (reach.reachable) {
		return [];
	}

	const texts = [reach.reason, reach.hint, ...remedies(state)].filter(text => text !== undefined && text !== '') as string[];
	return [bold(danger(`${unreachedTitle(state)} for ${formatSpan(Math.max(0, state.now - reach.since))}`)), ...texts.flatMap(text => wrapWords(visible(text), width))];
}
