import {ColoniesError, toColoniesError} from '../core/errors.ts';
import {shortId, visible} from '../core/text.ts';
import {
	type AnyOperation, type Field, type Fields, fromText, isForRoot, type OperationName, operations, parseInput,
} from '../operations/index.ts';
import {askOperation, whyNoChange} from './deeds.ts';
import {screens, selectedRow} from './screens/index.ts';
import {whyColonyGone} from './forms.ts';
import {onTop, over} from './stack.ts';
import type {Acting, FormField, Overlay, State, Step} from './state.ts';
import {textOf} from './terminal/text-edit.ts';

type OperationForm = Extract<Overlay, {kind: 'form'}> & {operation: OperationName};

/** What the fields of an operation are filled with: what is selected. */
function selected(state: State): Readonly<Record<string, string | undefined>> {
	const row = selectedRow(state);
	const open = state.overlays.findLast(({kind}) => kind === 'detail');
	return {
		colonyid: state.screen === 'colonies' && row ? screens.colonies.idOf(row) : state.colony?.colonyid,
		computerid: state.screen === 'computers' && row ? screens.computers.idOf(row) : undefined,
		processid: open?.kind === 'detail' ? open.id : (state.screen === 'processes' && row ? screens.processes.idOf(row) : undefined),
		id: undefined,
	};
}

/** Who does it: root, or as the operator acts where that may; else the owner. */
function actorOf(operation: AnyOperation, state: State): Acting | undefined {
	if (isForRoot(operation)) {
		return {kind: 'root', id: 'root', name: 'root'};
	}

	const roles = {owner: 'owner', computer: 'approved', root: 'root'} as const;
	const may = (acting: Acting): boolean => operation.allow.allowed.includes(roles[acting.kind]) || operation.allow.self.includes(roles[acting.kind]);
	return [state.acting, ...state.colony?.as ?? []].find(acting => acting !== undefined && may(acting)) ?? state.acting;
}

const isRead = ({changes, operator}: AnyOperation): boolean => changes.length === 0 && operator !== true;

const hows: Partial<Record<Field['kind'], string>> = {switch: 'true or false', spec: 'a JSON object'};

const summaryOf = ({summary, choices, kind}: Field): string => [summary, choices ? `one of ${choices.join(', ')}` : hows[kind]].filter(Boolean).join('; ');

/** The form of an operation, out of its input, filled with what is selected. */
export function openOperation(state: State, name: OperationName): Step {
	const operation: AnyOperation = operations[name];
	const filled = selected(state);
	const fields = Object.entries(operation.input as Fields).map(([field, definition]): FormField => {
		const given = definition.optional ? undefined : filled[field];
		return {name: field, label: definition.label, summary: summaryOf(definition), kind: definition.kind === 'secret' ? 'secret' : 'text', optional: definition.optional, edit: textOf(given ?? '')};
	});
	const focus = Math.max(0, fields.findIndex(({optional, edit}) => !optional && edit.text === ''));
	return [over(state, {kind: 'form', purpose: 'operation', operation: name, ...(state.colony && 'colonyid' in operation.input && !isForRoot(operation) ? {colonyid: state.colony.colonyid} : {}), title: name.replace('.', ' '), intro: visible(operation.summary), fields, focus, busy: false}), []];
}

/** The input that a form describes: what is empty is left out. @throws ColoniesError */
function inputOf({operation, fields}: OperationForm): Record<string, unknown> {
	const definitions = operations[operation].input as Fields;
	const input = Object.fromEntries(fields.filter(({edit}) => edit.text.trim() !== '').map(({name, edit}) => {
		const text = edit.text.trim();
		const field = definitions[name]!;
		if (field.kind === 'spec') {
			return [name, readJson(name, text)];
		}

		return [name, field.json.type === 'array' ? text.split(/[\s,]+/) : (field.kind === 'secret' ? edit.text : fromText(field, text))];
	}));
	parseInput(definitions, input);
	return input;
}

function readJson(name: string, text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		throw new ColoniesError('invalid-input', `${name} is not JSON.`, {hint: 'Write {"name": "value"}.'});
	}
}

/** A form whose result is in sight: it stays below for another try, and closes without a question unless more is typed. */
const asSent = (form: OperationForm): OperationForm => ({...form, error: undefined, fields: form.fields.map(field => ({...field, given: undefined}))});

/** Does what the form of an operation says: what only reads is shown, anything else is asked about first. The form stays below until it is done. */
export function sendOperation(state: State, form: OperationForm): Step {
	const operation: AnyOperation = operations[form.operation];
	try {
		const gone = whyColonyGone(form, state);
		if (gone !== undefined) {
			throw new ColoniesError('not-found', gone);
		}

		const input = inputOf(form);
		const acting = actorOf(operation, state);
		if (isRead(operation)) {
			return [over(onTop(state, () => asSent(form)), {kind: 'result', operation: form.operation, input, scroll: 0}), []];
		}

		const reason = whyNoChange(state) ?? (acting === undefined ? 'The keychain holds no key that may do this.' : undefined);
		if (reason !== undefined) {
			throw new ColoniesError('unavailable', reason);
		}

		const [, subject] = Object.entries(input).find(([name]) => name === 'processid' || name === 'computerid') ?? Object.entries(input).find(([name]) => name === 'colonyid') ?? [];
		return askOperation(onTop(state, () => ({...form, error: undefined})), {operation: form.operation, input, as: acting!, object: typeof subject === 'string' ? shortId(visible(subject)) : ''});
	} catch (error) {
		const {code, message, hint} = toColoniesError(error);
		return [onTop(state, () => ({...form, error: {code, message, hint}})), []];
	}
}
