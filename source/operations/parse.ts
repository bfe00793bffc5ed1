import * as v from 'valibot';
import {ColoniesError, InvalidInput, TooLarge, toColoniesError} from '../core/errors.ts';
import {complaintAboutFilter} from '../core/filter-language/index.ts';
import {plural, quoted} from '../core/text.ts';
import type {Notice} from './carry-out.ts';
import type {AnyOperation} from './registry.ts';
import {
	type Field, type Fields, type ValueOf, objectSchema,
} from './fields.ts';

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

	const shown = field?.kind === 'secret' ? '' : `, not ${quoted(issue.input)}`;
	return issue.message.includes('MiB')
		? new TooLarge(`${name} ${issue.message}.`, {hint: 'Keep large data elsewhere and pass its address.'})
		: new InvalidInput(`${name} ${issue.message}${shown}.`, {hint});
}

function unknownIn(fields: Fields, input: unknown, path: string): string[] {
	if (typeof input !== 'object' || input === null) {
		return [];
	}

	return Object.entries(input).flatMap(([name, value]) => {
		const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
		if (field === undefined) {
			return [`${path}${name}`];
		}

		return field.kind === 'spec' && field.fields ? unknownIn(field.fields, value, `${path}${name}.`).filter(unknown => !field.reserved?.includes(unknown.slice(path.length + name.length + 1))) : [];
	});
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
Checks an input against the fields of an operation.
@returns the value, and the names of fields that it has beside them (for a warning: they are left out).
@throws InvalidInput or TooLarge, one sentence about the first thing that is wrong
*/
export function parseInput<Some extends Fields>(fields: Some, input: unknown): {value: ValueOf<Some>; unknown: string[]} {
	const parsed = v.safeParse(objectSchema(fields), input, {abortEarly: true});
	if (!parsed.success) {
		throw complain(fields, parsed.issues[0]);
	}

	refuseReserved(fields, input as Record<string, unknown>, parsed.output);
	return {value: parsed.output, unknown: unknownIn(fields, input, '')};
}

/** What is said of fields that are left out. */
export const leftOut = (fields: readonly string[]): string => `Unknown ${fields.length === 1 ? 'field' : 'fields'} left out: ${fields.map(field => quoted(field)).join(', ')}.`;

/** Checks every input. @throws InvalidInput or TooLarge, which names the item where there are many */
export function parseAll(operation: AnyOperation, inputs: ReadonlyArray<Record<string, unknown>>, notice: Notice = () => undefined): Array<Record<string, any>> {
	const unknown = new Set<string>();
	const values = inputs.map((input, index) => {
		try {
			const parsed = parseInput(operation.input, input);
			for (const field of parsed.unknown) {
				unknown.add(field);
			}

			return parsed.value as Record<string, any>;
		} catch (error) {
			const {code, message, hint} = toColoniesError(error);
			throw inputs.length === 1 ? error : new ColoniesError(code, `Of the ${inputs.length}, number ${index + 1}: ${message}`, {hint});
		}
	});
	if (unknown.size > 0) {
		notice(leftOut([...unknown]));
	}

	const colonies = new Set(values.map(value => operation.colony?.(value as never)));
	if (colonies.size > 1) {
		throw new InvalidInput(`A list is for one colony; this one is for ${plural(colonies.size, 'colony')}.`, {hint: 'Send a list to each.'});
	}

	return values;
}

/** Checks one field alone, for forms: undefined when it is fine, else what is wrong with it. */
export function complaintAbout(field: Field, input: unknown): string | undefined {
	const parsed = v.safeParse(field.schema, input, {abortEarly: true});
	if (!parsed.success && field.list !== undefined && typeof input === 'string') {
		return complaintAboutFilter(field.list, input)!.message;
	}

	return parsed.success ? undefined : `${field.label} ${input === undefined ? 'is missing' : parsed.issues[0].message}.`;
}
