import {isSecretKey, visible} from '../../core/text.ts';
import {answerIn} from '../asking.ts';
import type {Ask} from '../answers.ts';
import {layoutOf} from '../layout.ts';
import type {Overlay, State} from '../state.ts';
import {red} from '../terminal/style.ts';
import {box} from '../views/box.ts';
import {wrap} from '../views/wrap.ts';

type Result = Extract<Overlay, {kind: 'result'}>;

const slot = 'result';

const keyOf = ({operation, input}: Result): string => JSON.stringify([operation, input]);

/** Asks for what an operation gives. */
export const askResult = (overlay: Result): readonly Ask[] => [{slot, key: keyOf(overlay), operation: overlay.operation, input: overlay.input, every: 60_000}];

/** Values of secret keys are not for showing. */
const masked = (_: string, value: unknown): unknown => typeof value === 'object' && value !== null && 'key' in value && 'value' in value && isSecretKey(String(value.key)) ? {...value, value: '***'} : value;

/** The result as JSON; undefined while it is not there. */
export const resultText = (overlay: Result, state: State): string | undefined => {
	const {result, at} = answerIn(state, slot, keyOf(overlay), overlay.operation);
	return at === undefined ? undefined : JSON.stringify(result ?? null, masked, 4);
};

/** All rows of the page. */
export function resultRows(overlay: Result, state: State): string[] {
	const {error} = answerIn(state, slot, keyOf(overlay), overlay.operation);
	const width = state.columns - 3;
	if (error) {
		return [error.message, error.hint ?? ''].filter(Boolean).flatMap(line => wrap(visible(line), width)).map(line => red(line));
	}

	return (resultText(overlay, state) ?? 'loading …').split('\n').flatMap(line => wrap(visible(line), width));
}

export function resultPage(overlay: Result, state: State): string[] {
	const {body: height} = layoutOf(state);
	const rows = resultRows(overlay, state);
	const top = Math.min(overlay.scroll, Math.max(0, rows.length - (height - 2)));
	return box(`${overlay.operation} `, rows.slice(top, top + height).map(line => ` ${line}`), {width: state.columns, height});
}
