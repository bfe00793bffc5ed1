import {type ChangeForetold, type Forecast, changesForetold} from '../../core/forecast.ts';
import {roughly} from '../../core/explanation.ts';
import {limits} from '../../core/limits.ts';
import {answerIn} from '../asking.ts';
import type {Ask} from '../answers.ts';
import type {Overlay, State} from '../state.ts';

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

const number = (count: number): string => roughly(Math.min(count, limits.counted), count > limits.counted);

function texts({change, runnable, stranded, requeued}: Forecast): {long: string; short: string} {
	if (change === 'approve') {
		return runnable === 0
			? {long: 'Nothing waits for it alone.', short: 'none waits for it'}
			: {long: `${number(runnable)} waiting ${runnable === 1 ? 'process' : 'processes'} can run then.`, short: `${number(runnable)} can run then`};
	}

	const back = requeued === 0 ? 'Nothing runs on it' : `${number(requeued)} running ${requeued === 1 ? 'goes' : 'go'} back to waiting`;
	return {long: `${back}, ${stranded === 0 ? 'and others can run all that waits' : `${number(stranded)} left that nobody can run`}.`, short: `${number(requeued)} go back, ${number(stranded)} stranded`};
}

/** What the change of a computer would do, long and short; undefined where the question is about something else, or the store does not say. */
export function forecastText(state: State, overlay: Confirm): {long: string; short: string} | undefined {
	const about = changeIn(overlay);
	if (!about) {
		return undefined;
	}

	const {result, error} = answerIn(state, slot, `${about.change} ${about.computerid}`, 'computer.forecast');
	if (result) {
		return texts(result);
	}

	return error ? undefined : {long: 'Counting what that changes …', short: 'counting …'};
}
