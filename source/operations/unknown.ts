import {InvalidInput} from '../core/errors.ts';
import {isDeeperThan} from '../core/json.ts';
import {limits} from '../core/limits.ts';
import {nearest, suggestion} from '../core/nearest.ts';
import {plural, quoted} from '../core/text.ts';
import type {Field, Fields} from './fields.ts';

type Members = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Own members alone: `constructor` and `__proto__` are names like others. */
const namesIn = (value: unknown): string[] => isObject(value) ? Object.keys(value) : [];

const isSpec = (field: Field | undefined): field is Field & {fields: Fields} => field?.kind === 'spec' && field.fields !== undefined;

/** What may stand in a spec: its fields, and what it may repeat of the input beside it. */
const isKnownIn = ({fields, reserved = []}: Field & {fields: Fields}, name: string): boolean => Object.hasOwn(fields, name) || reserved.includes(name);

/** The spec among some fields that has a field of a name. */
const specWith = (fields: Fields, name: string): string | undefined => Object.entries(fields).find(([, field]) => isSpec(field) && Object.hasOwn(field.fields, name))?.[0];

/** The refusal of a field that nobody knows. `where`: as it ends the sentence. `known`: what may stand there. */
export function unknownField(name: string, where: string, known: Fields, hint?: string): Error {
	const spec = specWith(known, name);
	return new InvalidInput(`Unknown field ${quoted(name)} in ${where}.`, {hint: hint ?? (spec === undefined ? suggestion(name, Object.keys(known)) : `It belongs in ${spec}.`)});
}

/** @throws InvalidInput where lists and objects stand in each other too deep for anything that is known: what reads them further may go as deep as they do */
export function refuseDepth(value: unknown, what: string): void {
	if (isDeeperThan(value, limits.depth)) {
		throw new InvalidInput(`${what} has lists or objects in each other more than ${plural(limits.depth, 'level')} deep.`, {hint: 'Nothing that is known is so deep; send large data as the text of an attribute.'});
	}
}

/** @throws InvalidInput for the first field that nobody knows, at every level */
export function refuseUnknown(fields: Fields, input: unknown, where: string): void {
	for (const name of namesIn(input)) {
		const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
		if (field === undefined) {
			throw unknownField(name, where, fields);
		}

		if (isSpec(field)) {
			const stranger = namesIn((input as Members)[name]).find(inner => !isKnownIn(field, inner));
			if (stranger !== undefined) {
				throw unknownField(stranger, name, field.fields);
			}
		}
	}
}

/** A spec without what nobody knows in it, and the names of that: for those who warn of it and go on. */
export function prune(field: Field, value: unknown): {value: unknown; unknown: string[]} {
	const unknown = isSpec(field) ? namesIn(value).filter(name => !isKnownIn(field, name)) : [];
	return {value: unknown.length === 0 ? value : Object.fromEntries(Object.entries(value as Members).filter(([name]) => !unknown.includes(name))), unknown};
}

/** What is said of fields of a spec that are left out. */
export function leftOut(spec: string, {fields = {}}: Field, names: readonly string[]): string {
	const sentence = `Unknown ${names.length === 1 ? 'field' : 'fields'} left out: ${names.map(name => quoted(`${spec}.${name}`)).join(', ')}.`;
	const meant = names.flatMap(name => nearest(name, Object.keys(fields)) ?? []);
	return meant.length === 0 ? sentence : `${sentence} Did you mean ${[...new Set(meant)].join(', ')}?`;
}
