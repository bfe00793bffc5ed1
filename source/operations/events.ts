import {anyMember} from '../core/authority.ts';
import {limits} from '../core/limits.ts';
import {shortId} from '../core/text.ts';
import {type Event, eventsAfter, type Page, readPlace} from '../database/index.ts';
import {type Column, defineOperation} from './define.ts';
import {
	identity, integer, line, optional, otherwise,
} from './fields.ts';

const columns: ReadonlyArray<Column<Event>> = ['at', 'what', 'subject', ['change', ({from, to}) => [from, to].filter(Boolean).join(' → ')], ['actor', ({actor}) => shortId(actor)]];

export const listEvents = defineOperation({
	name: 'event.list',
	summary: 'List what changed in a colony, oldest first.',
	input: {
		colonyid: identity('Colony'),
		after: optional(line('After', 'Only what came after this event, an id of an earlier answer')),
		count: otherwise(integer('Count', 'How many rows at most', {least: 1, most: limits.events}), 10),
	},
	route: 'GET /colonies/{colonyid}/events',
	allow: anyMember,
	colony: ({colonyid}) => colonyid,
	changes: [],
	columns,
	commands: [{words: ['event', 'ls'], summary: 'List what changed in a colony, oldest first.'}],
	async handle({client, input}): Promise<Page<Event>> {
		const events = await eventsAfter(client, {after: input.after === undefined ? {txid: 0, row: 0} : readPlace(input.after), colony: input.colonyid, limit: input.count + 1});
		const rows = events.slice(0, input.count);
		return {rows, positions: rows.map(({id}) => id), more: {before: input.after !== undefined, after: events.length > rows.length}};
	},
});
