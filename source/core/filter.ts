import {InvalidInput} from './errors.ts';
import {quoted} from './text.ts';

/** What a filter text asks for, in the terms of the list operations. */
export type Filter = {
	text?: string;
	computertype?: string;
	computerid?: string;
	/** Seconds in the present state. */
	olderthan?: number;
	youngerthan?: number;
	attribute?: string;
};

const units: Record<string, number> = {s: 1, m: 60, h: 3600, d: 86_400};

/** Seconds of a span such as `90s`, `5m`, `1h30m`, `2d`. @throws InvalidInput */
export function parseSpan(text: string): number {
	const parts = [...text.matchAll(/(\d+(?:\.\d+)?)([smhd])/g)];
	if (parts.length === 0 || parts.map(part => part[0]).join('') !== text) {
		throw new InvalidInput(`${quoted(text)} is no span of time.`, {hint: 'Write 90s, 5m, 1h30m or 2d.'});
	}

	return parts.reduce((sum, [, value, unit]) => sum + (Number(value) * units[unit!]!), 0);
}

const terms: ReadonlyArray<readonly [RegExp, (filter: Filter, value: string) => Filter]> = [
	[/^type:(.*)$/, (filter, computertype) => ({...filter, computertype})],
	[/^computer:(.*)$/, (filter, computerid) => ({...filter, computerid})],
	[/^(?:age|wait)>=?(.*)$/, (filter, span) => ({...filter, olderthan: parseSpan(span)})],
	[/^(?:age|wait)<=?(.*)$/, (filter, span) => ({...filter, youngerthan: parseSpan(span)})],
	[/^(?:in\.|out\.|err\.)?([^=]+=.*)$/, (filter, attribute) => ({...filter, attribute})],
];

/**
Reads a filter: words, and terms `type:gpu`, `computer:ID`, `age>5m`, `age<1h`, `key=value`.
@throws InvalidInput
*/
export function parseFilter(text: string): Filter {
	let filter: Filter = {};
	const words: string[] = [];
	for (const word of text.split(/\s+/).filter(word => word !== '')) {
		const term = terms.map(([pattern, apply]) => [pattern.exec(word), apply] as const).find(([match]) => match);
		if (!term) {
			words.push(word);
			continue;
		}

		const [match, apply] = term;
		if (match![1] === '') {
			throw new InvalidInput(`${quoted(word)} has no value.`, {hint: 'Write type:gpu, computer:ID, age>5m, age<1h or key=value.'});
		}

		filter = apply(filter, match![1]!);
	}

	return words.length > 0 ? {...filter, text: words.join(' ')} : filter;
}
