import {formatSpan} from '../core/time.ts';
import {type State, storeName} from './state.ts';

type Told = Pick<State, 'context' | 'reach' | 'now'>;

/** How the header calls a store that cannot be worked with: nobody answers, or somebody whom we do not trust, or who does not let us in. */
export const unreachedTitle = ({reach: {barrier}}: Pick<State, 'reach'>): string => ({untrusted: 'NOT TRUSTED', refused: 'REFUSED'})[barrier!] ?? 'AWAY';

/** The same in a few words, as the beginning of a sentence. An error of trust is never told as an absence. */
export function unreachedShort(state: Told): string {
	const name = storeName(state);
	const {barrier} = state.reach;
	return barrier === 'untrusted' ? `The certificate of the ${name} is not trusted` : (barrier === 'refused' ? `The ${name} does not let you in` : `The ${name} is away`);
}

const untilBack: Readonly<Record<'untrusted' | 'refused' | 'away', string>> = {untrusted: 'until it is trusted', refused: 'until it does', away: 'until it is back'};

/** Until when changes are refused. */
export const untilReached = ({reach: {barrier}}: Pick<State, 'reach'>): string => untilBack[barrier ?? 'away'];

/** What the operator should know of a store that cannot be worked with, the longest first; the last fits two rows of 60 cells. `age`: what there is to say of how old the data is. */
export function unreachedTexts(state: Told, age: string): string[] {
	const {barrier, reason = '', since} = state.reach;
	if (barrier === 'untrusted') {
		const rest = 'Somebody may stand in between; nothing is sent. 8 says what to do.';
		return [`${reason} ${rest}`, `The ${storeName(state)}'s certificate is not trusted. ${rest}`];
	}

	const away = barrier === undefined ? `The ${storeName(state)} is away for ${formatSpan(state.now - since)}` : unreachedShort(state);
	const text = `${away}${age}. Changes are refused ${untilReached(state)}.`;
	return [...(reason === '' ? [] : [`${text} ${reason}`]), text];
}
