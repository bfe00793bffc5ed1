import {isSecretKey} from '../../core/text.ts';
import {answerIn} from '../asking.ts';
import type {Ask} from '../answers.ts';
import type {Overlay, State} from '../state.ts';
import {danger} from '../terminal/style.ts';
import {type Row, rowsOf} from '../views/rows.ts';
import {textPieces} from '../views/wrap.ts';

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
export function resultRows(overlay: Result, state: State): Row[] {
	const {error} = answerIn(state, slot, keyOf(overlay), overlay.operation);
	const width = state.columns - 4;
	if (error) {
		return [error.message, error.hint ?? ''].filter(Boolean).flatMap(line => rowsOf(textPieces(line, width), {style: danger}));
	}

	return rowsOf(textPieces(resultText(overlay, state) ?? 'loading …', width));
}
