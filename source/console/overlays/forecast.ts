import {type ChangeForetold, type ForecastEffects, changesForetold} from '../../core/forecast.ts';
import {roughly} from '../../core/explanation.ts';
import {limits} from '../../core/limits.ts';
import {answerIn} from '../asking.ts';
import type {Ask} from '../answers.ts';
import type {Overlay, PlanOverlay, State} from '../state.ts';

type Confirm = Extract<Overlay, {kind: 'confirm'}>;

const slot = 'forecast';

/** The change of one computer that a question is about. */
function changeIn({deed}: Confirm): {change: ChangeForetold; computerid: string; colonyid: string} | undefined {
	const change = 'operation' in deed ? changesForetold.find(name => deed.operation === `computer.${name}`) : undefined;
	if (change === undefined || !('input' in deed)) {
		return undefined;
	}

	const {computerid, colonyid} = deed.input;
	return typeof computerid === 'string' && typeof colonyid === 'string' ? {change, computerid, colonyid} : undefined;
}

/** Asks what the change would do, while the question stands. */
export function askForecast(overlay: Confirm): readonly Ask[] {
	const about = changeIn(overlay);
	return about ? [{slot, key: `${about.change} ${about.computerid}`, operation: 'computer.forecast', input: about, topics: ['processes', 'computers']}] : [];
}

/** The change of many computers that a plan is about, before it is carried out. */
function changeOf({name, stage, plan, number}: PlanOverlay): {change: ChangeForetold; key: string; computerids: string[]} | undefined {
	const change = changesForetold.find(each => name === `computer.${each}`);
	const computerids = plan?.entries.map(({id}) => id) ?? [];
	return change === undefined || stage !== 'ready' || computerids.length === 0 || computerids.length > limits.batch ? undefined : {change, key: `plan ${number}`, computerids};
}

/** Asks what the plan would do, until it is carried out. */
export function askPlanForecast(overlay: PlanOverlay, {colony}: State): readonly Ask[] {
	const about = changeOf(overlay);
	return about ? [{slot, key: about.key, operation: 'computer.forecastmany', input: {colonyid: colony!.colonyid, computerids: about.computerids, change: about.change}, topics: ['processes', 'computers']}] : [];
}

const number = (count: number): string => roughly(Math.min(count, limits.counted), count > limits.counted);

function textOf({change, runnable, stranded, requeued}: ForecastEffects, it = 'it'): string {
	if (change === 'approve') {
		return runnable === 0
			? `Nothing waits for ${it} alone.`
			: `${number(runnable)} waiting ${runnable === 1 ? 'process' : 'processes'} can run then.`;
	}

	const back = requeued === 0 ? `Nothing runs on ${it}` : `${number(requeued)} running ${requeued === 1 ? 'goes' : 'go'} back to waiting`;
	return `${back}, ${stranded === 0 ? 'and others can run all that waits' : `${number(stranded)} left that nobody can run`}.`;
}

/** What the change of a computer would do; undefined where the question is about something else, or the store does not say. */
export function forecastText(state: State, overlay: Confirm): string | undefined {
	const about = changeIn(overlay);
	if (!about) {
		return undefined;
	}

	return said(answerIn(state, slot, `${about.change} ${about.computerid}`, 'computer.forecast'));
}

/** What a plan on computers would do; undefined where it is about something else, or about too many. */
export function planForecastText(state: State, overlay: PlanOverlay): string | undefined {
	const about = changeOf(overlay);
	return about && said(answerIn(state, slot, about.key, 'computer.forecastmany'), about.computerids.length === 1 ? 'it' : 'them');
}

function said({result, error}: {result?: ForecastEffects | undefined; error?: unknown}, it?: string): string | undefined {
	if (result) {
		return textOf(result, it);
	}

	return error ? undefined : 'Counting what that changes …';
}
