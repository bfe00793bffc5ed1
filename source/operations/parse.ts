import * as v from 'valibot';
import {type ColoniesError, InvalidInput, TooLarge} from '../core/errors.ts';
import {complaintAboutFilter} from '../core/filter-language/index.ts';
import {plural, quoted} from '../core/text.ts';
import type {AnyOperation} from './define.ts';
import {
	type Field, type Fields, type ValueOf, objectSchema,
} from './fields.ts';
import {numbered} from './numbered.ts';
import {refuseDepth, refuseUnknown} from './unknown.ts';
import {mostOf} from './wire.ts';

const nameOf = (issue: v.BaseIssue<unknown>): string => v.getDotPath(issue) ?? 'input';

function fieldAt(fields: Fields, issue: v.BaseIssue<unknown>): Field | undefined {
	const [first, ...rest] = (issue.path ?? []).map(item => String(item.key));
	let field = first === undefined ? undefined : fields[first];
	for (const name of rest) {
		field = field?.fields?.[name] ?? field;
	}

	return field;
}

function complain(fields: Fields, issue: v.BaseIssue<unknown>): ColoniesError {
	const field = fieldAt(fields, issue);
	const hint = field && `${field.label}: ${field.summary}.`;
	const name = nameOf(issue);
	if (issue.input === undefined) {
		return new InvalidInput(`${name} is missing.`, {hint});
	}

	if (field?.list !== undefined && typeof issue.input === 'string') {
		return complaintAboutFilter(field.list, issue.input)!;
	}

	const fault = typeof issue.input === 'string' ? field?.fault?.(issue.input) : undefined;
	if (fault !== undefined) {
		return new InvalidInput(`${name} ${fault.problem}.`, {hint: fault.hint});
	}

	const shown = field?.kind === 'secret' ? '' : `, not ${quoted(issue.input)}`;
	return issue.message.includes('MiB')
		? new TooLarge(`${name} ${issue.message}.`, {hint: 'Keep large data elsewhere and pass its address.'})
		: new InvalidInput(`${name} ${issue.message}${shown}.`, {hint});
}

/** A spec does not set who somebody is, nor a state. What stands beside it in the input it may repeat. */
function refuseReserved(fields: Fields, input: Readonly<Record<string, unknown>>, value: Readonly<Record<string, unknown>>): void {
	for (const [name, field] of Object.entries(fields).filter(([name]) => value[name] !== undefined)) {
		const given = input[name] as Readonly<Record<string, unknown>>;
		for (const reserved of field.reserved ?? []) {
			const set = Object.hasOwn(given, reserved) ? given[reserved] : undefined;
			const repeats = Object.hasOwn(fields, reserved) && typeof set === 'string' && set.toLowerCase() === value[reserved];
			if (set !== undefined && !repeats) {
				throw new InvalidInput(`${name} cannot set ${reserved}, here to ${quoted(set)}.`, {hint: `Leave ${reserved} out of it.`});
			}
		}
	}
}

/**
Checks an input against the fields of an operation. What is not known in it is refused, at every level.
@throws InvalidInput or TooLarge, one sentence about the first thing that is wrong
*/
export function parseInput<Some extends Fields>(fields: Some, input: unknown): ValueOf<Some> {
	refuseDepth(input, 'The input');
	refuseUnknown(fields, input, 'the input');
	const parsed = v.safeParse(objectSchema(fields), input, {abortEarly: true});
	if (!parsed.success) {
		throw complain(fields, parsed.issues[0]);
	}

	refuseReserved(fields, input as Record<string, unknown>, parsed.output);
	return parsed.output;
}

/** Checks every input of a list of calls. @throws InvalidInput or TooLarge, which names the item where there are many */
export function parseAll(operation: AnyOperation, inputs: readonly unknown[]): Array<Record<string, any>> {
	const values = numbered(inputs, input => parseInput(operation.input as Fields, input));
	const colonies = new Set(values.map(value => operation.colony?.(value)));
	if (colonies.size > 1) {
		throw new InvalidInput(`A list is for one colony; this one is for ${plural(colonies.size, 'colony')}.`, {hint: 'Send a list to each.'});
	}

	return values;
}

/** The same for a list that comes in one request. @throws InvalidInput or TooLarge, also where there are none or too many, and for an operation that takes no list */
export function parseList(operation: AnyOperation, inputs: readonly unknown[]): Array<Record<string, any>> {
	if (operation.many === undefined || inputs.length === 0 || inputs.length > mostOf(operation)) {
		throw new InvalidInput(operation.many ? `A list of 1 to ${mostOf(operation)} is taken, not of ${inputs.length}.` : `${operation.name} takes no list.`);
	}

	return parseAll(operation, inputs);
}

/** Checks one field alone, for forms: undefined when it is fine, else what is wrong with it. */
export function complaintAbout(field: Field, input: unknown): string | undefined {
	const parsed = v.safeParse(field.schema, input, {abortEarly: true});
	if (!parsed.success && field.list !== undefined && typeof input === 'string') {
		return complaintAboutFilter(field.list, input)!.message;
	}

	return parsed.success ? undefined : `${field.label} ${input === undefined ? 'is missing' : parsed.issues[0].message}.`;
}
