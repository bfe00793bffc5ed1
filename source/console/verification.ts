import {formatClock} from '../core/time.ts';
import type {ResultOf} from '../operations/index.ts';
import type {State} from './state.ts';

export const verifySlot = 'audit-verify';

/** Under which key a step of verifying is asked: the colony, which time it is, after which seal, and how many rows retention has dropped before it. */
export const verifyKey = (colonyid: string, time: number, after: number, dropped: number): string => `${colonyid} ${time} ${after} ${dropped}`;

export const presentSlot = 'audit-present';

/** Under which key a step of comparing the present is asked: the colony, which time it is verified, from which position, and what was compared before it. */
export const presentKey = (colonyid: string, time: number, position: string, before: Counts): string => [colonyid, time, position, ...Object.values(before)].join(' ');

type Compared = ResultOf<'audit.present'>;
type Counts = Compared['compared'];

/** How far the present has been compared with the verified history. `before`: what was compared in earlier steps. */
export type Comparison = {state: 'running' | 'stopped' | 'agrees' | 'differs'; deviations: Compared['deviations']; compared: Counts; share: number; position: string};

export const nothingCompared: Counts = {colonies: 0, computers: 0, processes: 0, attributes: 0, rows: 0, unknown: 0};

/** What came of comparing the present, after the history was verified for that time; undefined where nobody has. */
export function comparisonOf(state: State, time: number): Comparison | undefined {
	const answer = state.answers[presentSlot];
	const [colonyid, of, position, ...counts] = (answer?.key ?? '').split(' ');
	if (answer === undefined || colonyid !== state.colony?.colonyid || Number(of) !== time) {
		return undefined;
	}

	const result = answer.result as Compared | undefined;
	const compared = Object.fromEntries(Object.keys(nothingCompared).map((name, index) => [name, Number(counts[index]) + (result?.compared[name as keyof Counts] ?? 0)])) as Counts;
	const common = {deviations: result?.deviations ?? [], compared, share: result?.share ?? 0, position: position!};
	if (result && !result.agrees) {
		return {...common, state: 'differs'};
	}

	return {...common, state: result && !result.more ? 'agrees' : (answer.error ? 'stopped' : 'running')};
}

/** The next step of comparing, until something is not as the history says. */
export function nextComparison(state: State, colonyid: string, time: number): {key: string; position: string | undefined} {
	const answer = state.answers[presentSlot];
	const known = comparisonOf(state, time);
	const result = answer?.result as Compared | undefined;
	if (known === undefined) {
		return {key: presentKey(colonyid, time, '-', nothingCompared), position: undefined};
	}

	const position = known.state === 'running' ? result?.position : undefined;
	return position
		? {key: presentKey(colonyid, time, position, known.compared), position}
		: {key: answer!.key, position: known.position === '-' ? undefined : known.position};
}

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
		if (comparisonOf(state, common.time)?.state === 'differs') {
			return {...common, state: 'intact', short: 'PRESENT DIFFERS'};
		}

		return {...common, state: 'intact', short: `verified intact ${formatClock(answer.at!, state.utc)}`};
	}

	return isOpen && !answer.error ? {...common, state: 'running', short: 'verifying …'} : {...common, state: 'stopped', short: `verified up to seal ${common.to}, v begins anew`};
}
