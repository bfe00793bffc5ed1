import {groupBy} from '../group-by.ts';
import {filterTables, type FilterList, type Operator} from './fields.ts';
import type {Filter, FilterTerm} from './terms.ts';

/** Letters of ASCII in lower case, and no others: as the database compares names, byte by byte. */
export const lowered = (text: string): string => text.replaceAll(/[A-Z]/g, letter => letter.toLowerCase());

/** The conditions that must hold together; each is one term, or alternatives of which one must hold. */
export function groupsOf(filter: Filter): FilterTerm[][] {
	const isAlternative = ({operator, not}: FilterTerm): boolean => operator === 'is' && !not;
	const alternatives = groupBy(filter.filter(term => isAlternative(term)), ({field, key}) => `${field}.${key ?? ''}`);
	return [...alternatives.values(), ...filter.filter(term => !isAlternative(term)).map(term => [term])];
}

const has = (text: string, part: string): boolean => lowered(text).includes(lowered(part));

const tests: Readonly<Record<Operator, (value: string | number, asked: string | number) => boolean>> = {
	is: (value, asked) => value === asked,
	has: (value, asked) => has(String(value), String(asked)),
	'<': (value, asked) => value < asked,
	'<=': (value, asked) => value <= asked,
	'>': (value, asked) => value > asked,
	'>=': (value, asked) => value >= asked,
};

/** Whether a row passes a filter, for lists that are held in memory. `row`: its fields by the names of the language, undefined for what it does not have. */
export function passes(list: FilterList, filter: Filter, row: Readonly<Record<string, string | number | undefined>> & {id: string; name?: string}): boolean {
	const holds = ({field, operator, value, not}: FilterTerm): boolean => {
		if (field === 'word') {
			return (has(row.name ?? '', String(value)) || row.id.startsWith(String(value).toLowerCase())) !== not;
		}

		const found = row[field];
		const {kind} = filterTables[list].fields[field]!;
		return (found !== undefined && (kind === 'id' ? String(found).startsWith(String(value)) : tests[operator](found, value))) !== not;
	};

	return groupsOf(filter).every(group => group.some(term => holds(term)));
}
