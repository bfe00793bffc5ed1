import {formatClock} from '../core/time.ts';
import type {ResultOf} from '../operations/index.ts';
import type {State} from './state.ts';

export const verifySlot = 'audit-verify';

/** Under which key a step of verifying is asked: the colony, which time it is, after which seal, and how many rows retention has dropped before it. */
export const verifyKey = (colonyid: string, time: number, after: number, dropped: number): string => `${colonyid} ${time} ${after} ${dropped}`;

type Verified = ResultOf<'audit.verify'>;

/** How it stands with verifying the history of this colony's installation. */
export type Verdict = {state: 'running' | 'stopped' | 'intact' | 'broken'; short: string; result?: Verified; /** The last seal that was checked, and the last there is. */ to: number; last: number | undefined; /** Rows that retention has dropped, as far as it went. */ dropped: number; time: number; at?: number};

/** What came of verifying it last; undefined where nobody has. */
export function verdictOf(state: State): Verdict | undefined {
	const answer = state.answers[verifySlot];
	const [colonyid, time, after, dropped] = (answer?.key ?? '').split(' ');
	if (answer === undefined || colonyid !== state.colony?.colonyid) {
		return undefined;
	}

	const result = answer.result as Verified | undefined;
	const isOpen = state.overlays.some(({kind}) => kind === 'verify');
	const common = {result, to: result?.to ?? Number(after), last: result?.last?.number, dropped: Number(dropped) + (result?.dropped ?? 0), time: Number(time), at: answer.at};
	if (result && !result.intact) {
		return {...common, state: 'broken', short: 'NOT INTACT'};
	}

	if (result && !result.more) {
		return {...common, state: 'intact', short: `verified intact ${formatClock(answer.at!, state.utc)}`};
	}

	return isOpen && !answer.error ? {...common, state: 'running', short: 'verifying …'} : {...common, state: 'stopped', short: `verified up to seal ${common.to}, v begins anew`};
}
