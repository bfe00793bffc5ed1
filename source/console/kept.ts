import {plural} from '../core/text.ts';
import {formatSpan, milliseconds} from '../core/time.ts';
import type {ResultOf} from '../operations/index.ts';
import type {Ask} from './answers.ts';
import {answerIn} from './asking.ts';
import {type State, storeNow} from './state.ts';
import {formatCount} from './views/chart.ts';

type Kept = ResultOf<'process.kept'>;

/** The ask for how long closed processes of the colony are kept. */
export const askKept = ({colony}: State): readonly Ask[] => colony ? [{slot: 'kept', key: colony.colonyid, operation: 'process.kept', input: {colonyid: colony.colonyid}, topics: ['colonies'], every: 30_000}] : [];

/** How long they are kept, as far as it is known. */
export const keptIn = (state: State): Kept | undefined => answerIn(state, 'kept', state.colony?.colonyid ?? '', 'process.kept').result;

const kept = (span: string): string => span === 'off' ? 'for ever' : span;

/** How long the closed processes of an installation are kept where its colonies say nothing. */
export const installationKeeps = ({installation: {successful, failed}}: Kept): string => successful === 'off' && failed === 'off' ? 'for ever' : `successful ${kept(successful)}, failed ${kept(failed)}`;

/** The same of the colony; where it says nothing itself, it is said who does. */
export function colonyKeeps({successful, failed, own}: Kept): string {
	const text = `successful ${kept(successful)}, failed ${kept(failed)}`;
	const isOwn = own.successful !== null || own.failed !== null;
	return successful === 'off' && failed === 'off' ? 'for ever' : `${text}${isOwn ? '' : ' (installation)'}`;
}

/** The same in a few cells: `30d/90d`. */
export const keptShort = ({successful, failed}: Kept): string => successful === 'off' && failed === 'off' ? 'for ever' : [successful, failed].map(span => kept(span)).join('/');

/** When some of the colony were removed last because they were due, and how many are due now; undefined where that never was. */
export function removedText(state: State, {due, lastremoved, lastcount}: Kept): string | undefined {
	const parts = [
		...(lastremoved === null ? [] : [`${formatCount(lastcount)} ${formatSpan(storeNow(state) - milliseconds(lastremoved)!)} ago`]),
		...(due === 0 ? [] : [`${due > 9999 ? `~${formatCount(10_000)}` : plural(due, 'process')} due now`]),
	];
	return parts.length === 0 ? undefined : parts.join(', ');
}
