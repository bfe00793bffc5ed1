import {InvalidInput} from './errors.ts';
import {suggestion} from './nearest.ts';
import {quoted} from './text.ts';

/** The names of all options of a type: one that is missing, or that the type does not have, does not compile. */
export const namesOf = <Options>(names: Readonly<Record<keyof Required<Options>, true>>): string[] => Object.keys(names);

/**
Refuses options that nobody knows: a misspelt one would be passed over in silence.
@param of what takes them, as it ends the sentence
@throws InvalidInput
*/
export function refuseUnknownOptions(given: unknown, known: readonly string[], of: string): void {
	if (typeof given !== 'object' || given === null || Array.isArray(given)) {
		throw new InvalidInput(`The options of ${of} must be an object, not ${quoted(given)}.`, {hint: suggestion('', known)});
	}

	const unknown = Object.keys(given).find(name => !known.includes(name));
	if (unknown !== undefined) {
		throw new InvalidInput(`Unknown option ${quoted(unknown)} of ${of}.`, {hint: suggestion(unknown, known)});
	}
}
