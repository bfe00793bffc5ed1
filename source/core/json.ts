import {type Place, placeOf} from './json-fault.ts';

/** Why a text from outside is not taken: it is no JSON (where, `jsonFault` tells), or it has a number that JavaScript cannot hold. */
export type JsonFault = {kind: 'syntax'} | {kind: 'number'; number: string; place: Place};

/** What is said of a number that is out of range. */
export const numberRange = 'A number is at most 1.8e308, and what a field takes is less: see its description.';

/** Texts are matched as well, so that digits inside them are passed over. */
const textOrNumber = /"(?:[^"\\]+|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const maybeTooLarge = /\d[eE]\+?\d{3}|\d{308}/;

/** The first number of a JSON text beyond the range of a double: `JSON.parse` makes infinity of it. */
function numberTooLarge(text: string): JsonFault | undefined {
	if (!maybeTooLarge.test(text)) {
		return undefined;
	}

	for (const {0: token, index} of text.matchAll(textOrNumber)) {
		if (!token.startsWith('"') && !Number.isFinite(Number(token))) {
			return {kind: 'number', number: token, place: placeOf(text, index)};
		}
	}

	return undefined;
}

/** Reads JSON that somebody wrote. */
export function parseJson(text: string): {value: unknown} | {fault: JsonFault} {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		return {fault: {kind: 'syntax'}};
	}

	const fault = numberTooLarge(text);
	return fault ? {fault} : {value};
}

/** Whether lists and objects stand in each other more than so many levels deep. It goes no deeper than that itself, so a circle is too deep as well. */
export const isDeeperThan = (value: unknown, levels: number): boolean =>
	typeof value === 'object' && value !== null && (levels === 0 || Object.values(value).some(inner => isDeeperThan(inner, levels - 1)));
