import {anyMember, root} from '../core/authority.ts';
import {InvalidInput} from '../core/errors.ts';
import {colonies, past} from '../database/index.ts';
import {defineOperation} from './define.ts';
import {
	colonySpec, filterOf, identity, line, optional, spec,
} from './fields.ts';
import {at} from './moments.ts';
import {pagingFields, toPageRequest} from './paging.ts';

export const registerColony = defineOperation({
	name: 'colony.register',
	summary: 'Register a colony and make the key of its owner.',
	input: {
		colonyid: identity('Colony', 'Id of the new colony: the identity of its owner'),
		spec: spec('Spec', 'What the colony is: a JSON object', colonySpec, ['colonyid']),
		cell: optional(line('Cell', 'Name of the cell where it is to live, where there are several; the emptiest unless given')),
	},
	route: 'POST /colonies',
	across: 'register',
	allow: root,
	operator: true,
	keepsRoot: true,
	creates: 'colonyid',
	changes: ['colonies'],
	handle: async ({client, input}) => colonies.register(client, input.colonyid, input.spec.name),
});

export const listColonies = defineOperation({
	name: 'colony.list',
	summary: 'List all colonies.',
	input: {filter: optional(filterOf('colonies')), at, ...pagingFields},
	route: 'GET /colonies',
	across: {merged: 'ascending'},
	allow: root,
	changes: [],
	commands: [{words: ['colony', 'ls'], summary: 'List all colonies.'}],
	handle: async ({client, input}) => input.at === undefined
		? colonies.list(client, input.filter, toPageRequest(input))
		: past.listColonies(client, input.filter, {...toPageRequest(input), at: await past.resolveMoment(client, input.at)}),
});

export const getColony = defineOperation({
	name: 'colony.get',
	summary: 'Show a colony.',
	input: {colonyid: identity('Colony')},
	route: 'GET /colonies/{colonyid}',
	allow: anyMember,
	colony: ({colonyid}) => colonyid,
	changes: [],
	handle: async ({client, input}) => colonies.get(client, input.colonyid),
});

export const renameColony = defineOperation({
	name: 'colony.rename',
	summary: 'Give a colony another name.',
	input: {colonyid: identity('Colony'), name: colonySpec.name},
	route: 'PUT /colonies/{colonyid}/name',
	about: ({colonyid}) => colonyid,
	allow: root,
	operator: true,
	renames: 'colonyid',
	changes: ['colonies'],
	handle: async ({client, input}) => colonies.rename(client, input.colonyid, input.name),
	tells: ({name}) => `The colony is named ${name} now.`,
});

export const removeColony = defineOperation({
	name: 'colony.remove',
	summary: 'Remove a colony with its computers, processes and attributes.',
	input: {colonyid: identity('Colony'), name: optional(line('Name', 'Name of the colony, to be sure: it must be the one registered'))},
	route: 'DELETE /colonies/{colonyid}',
	about: ({colonyid}) => colonyid,
	allow: root,
	operator: true,
	implies: ['computer.remove', 'process.remove'],
	danger: 'highest',
	changes: ['colonies', 'computers', 'processes', 'attributes'],
	async handle({client, input, author}) {
		const colony = await colonies.get(client, input.colonyid);
		if (input.name !== undefined && input.name !== colony.name) {
			throw new InvalidInput(`The colony is named "${colony.name}", not "${input.name}"; nothing was removed.`);
		}

		return colonies.remove(client, input.colonyid, author);
	},
	tells: ({name}) => `Removed the colony ${name} with all that was in it.`,
});
