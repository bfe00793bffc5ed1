import {member} from '../core/authority.ts';
import {InvalidInput} from '../core/errors.ts';
import {attributePlaces, filterTables} from '../core/filter-language/index.ts';
import {limits} from '../core/limits.ts';
import {suggestions} from '../database/index.ts';
import {defineOperation} from './define.ts';
import {
	choice, identity, integer, key, line, optional, otherwise,
} from './fields.ts';

const lists = ['processes', 'computers'] as const;

/** The fields of a list whose values can be asked for. */
const suggested = (list: (typeof lists)[number]): string[] => {
	const {fields, attributes} = filterTables[list];
	return [...Object.entries(fields).filter(([, field]) => field.suggested).map(([name]) => name), ...(attributes ? attributePlaces : [])];
};

export const suggestFilter = defineOperation({
	name: 'filter.suggest',
	summary: 'Suggest values for a field of a filter, out of what there is in a colony.',
	input: {
		colonyid: identity('Colony'),
		list: choice('List', 'List that the filter is for', lists),
		field: line('Field', `Field whose values are wanted: ${[...new Set(lists.flatMap(list => suggested(list)))].join(', ')}; of the attributes the keys`),
		key: optional(key('Key', 'Key of an attribute, to get its values')),
		prefix: otherwise(line('Prefix', 'How the value begins', {shortest: 0}), ''),
		count: otherwise(integer('Count', 'How many values at most', {least: 1, most: limits.suggested}), limits.suggested),
	},
	route: 'GET /colonies/{colonyid}/filters/suggest',
	allow: member,
	colony: ({colonyid}) => colonyid,
	changes: [],
	async handle({client, input: {colonyid, list, field, key, prefix, count}}) {
		if (!suggested(list).includes(field)) {
			throw new InvalidInput(`There is nothing to suggest for ${field} of ${list}.`, {hint: `There is for ${suggested(list).join(', ')}.`});
		}

		if ((attributePlaces as readonly string[]).includes(field)) {
			return key === undefined ? suggestions.attributeKeys(client, colonyid, prefix, count) : suggestions.attributeValues(client, colonyid, {key, prefix, count});
		}

		if (field !== 'type') {
			return suggestions.computers(client, colonyid, prefix, count);
		}

		return list === 'processes' ? suggestions.processTypes(client, colonyid, prefix, count) : suggestions.computerTypes(client, colonyid, prefix, count);
	},
});
