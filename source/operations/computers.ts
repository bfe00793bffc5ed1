import {colonyOwner, member, memberOrSelf} from '../core/authority.ts';
import {type Forecast, type ForecastOfMany, changesForetold, forecastSentences} from '../core/forecast.ts';
import {limits} from '../core/limits.ts';
import {formatAge} from '../core/time.ts';
import {type Computer, computerStates} from '../core/types.ts';
import {
	computerChanges, computers, forecast, forecastMany, past,
} from '../database/index.ts';
import {type Column, defineMany, defineOperation} from './define.ts';
import {
	choice, computerSpec, filterOf, identity, idList, line, optional, spec,
} from './fields.ts';
import {at} from './moments.ts';
import {pagingFields, toPageRequest} from './paging.ts';

const one = {colonyid: identity('Colony'), computerid: identity('Computer')};
type One = {colonyid: string; computerid: string};
const colony = ({colonyid}: {colonyid: string}) => colonyid;
const columns: ReadonlyArray<Column<Computer>> = ['computerid', 'name', ['state', ({status}) => computerStates[status]], ['seen', ({lastseen}, now) => formatAge(lastseen, now)], 'computertype', 'cores', 'mem', 'gpus', 'cpu', 'gpu'];

export const registerComputer = defineOperation({
	name: 'computer.register',
	summary: 'Register a computer and make its key; it waits for approval.',
	input: {colonyid: one.colonyid, computerid: identity('Computer', 'Id of the new computer: its identity'), spec: spec('Spec', 'What the computer is: a JSON object', computerSpec, ['computerid', 'colonyid', 'status'])},
	route: 'POST /colonies/{colonyid}/computers',
	allow: colonyOwner,
	colony,
	operator: true,
	creates: 'computerid',
	changes: ['computers'],
	handle: async ({client, input}) => computers.register(client, input.colonyid, input.computerid, input.spec),
});

export const listComputers = defineOperation({
	name: 'computer.list',
	summary: 'List the computers of a colony, pending ones first.',
	input: {
		colonyid: one.colonyid,
		state: optional(choice('State', 'Only computers in this state', computerStates)),
		computertype: optional(line('Type', 'Only computers of this type')),
		text: optional(line('Text', 'Only those with this text in the name, or an id that begins with it', {longest: limits.name})),
		filter: optional(filterOf('computers')),
		at,
		...pagingFields,
	},
	route: 'GET /colonies/{colonyid}/computers',
	allow: memberOrSelf,
	colony,
	self: () => true,
	changes: [],
	columns,
	commands: [{words: ['computer', 'ls'], summary: 'List the computers of a colony, pending ones first.'}],
	// A pending or disapproved computer sees its own record and no other (domain.md, "Who may do what").
	async handle({client, input, who}) {
		const {colonyid, at, ...asked} = input;
		const filter = {...asked, only: who.role === 'owner' || who.role === 'approved' ? undefined : who.actor};
		return at === undefined
			? computers.list(client, colonyid, filter, toPageRequest(input))
			: past.listComputers(client, colonyid, filter, {...toPageRequest(input), at: await past.resolveMoment(client, at)});
	},
});

export const countComputers = defineOperation({
	name: 'computer.count',
	summary: 'Count the computers of a colony by state, up to 10,000 each.',
	input: {colonyid: one.colonyid, at},
	route: 'GET /colonies/{colonyid}/computers/count',
	allow: member,
	colony,
	changes: [],
	handle: async ({client, input: {colonyid, at}}) => at === undefined
		? computers.count(client, colonyid, limits.counted)
		: past.countComputers(client, colonyid, {at: await past.resolveMoment(client, at), limit: limits.counted}),
});

export const getComputer = defineOperation({
	name: 'computer.get',
	summary: 'Show a computer.',
	input: {...one, at},
	route: 'GET /colonies/{colonyid}/computers/{computerid}',
	allow: memberOrSelf,
	colony,
	self: ({computerid}, actor) => computerid === actor,
	changes: [],
	columns,
	handle: async ({client, input: {colonyid, computerid, at}}) => at === undefined
		? computers.get(client, colonyid, computerid)
		: past.getComputer(client, colonyid, computerid, await past.resolveMoment(client, at)),
});

export const forecastComputer = defineOperation({
	name: 'computer.forecast',
	summary: 'Say what approving, disapproving or removing a computer would do to the processes of its colony, and change nothing.',
	input: {...one, change: choice('Change', 'What would be done to it', changesForetold)},
	route: 'GET /colonies/{colonyid}/computers/{computerid}/forecast',
	allow: member,
	colony,
	changes: [],
	layout: (result: Forecast) => ({lines: forecastSentences(result), rows: [], columns: []}),
	handle: async ({client, input}) => forecast(client, {
		colony: input.colonyid, computer: input.computerid, change: input.change, limit: limits.counted,
	}),
});

export const forecastComputers = defineOperation({
	name: 'computer.forecastmany',
	summary: `Say what approving, disapproving or removing computers would do, up to ${limits.batch} of them together, and change nothing.`,
	input: {colonyid: one.colonyid, computerids: idList('Computers', 'Ids of the computers, separated by commas', limits.batch), change: choice('Change', 'What would be done to them', changesForetold)},
	route: 'POST /colonies/{colonyid}/computers/forecast',
	allow: member,
	colony,
	changes: [],
	layout: (result: ForecastOfMany) => ({lines: forecastSentences(result), rows: [], columns: []}),
	handle: async ({client, input}) => forecastMany(client, {
		colony: input.colonyid, computers: input.computerids, change: input.change, limit: limits.counted,
	}),
});

/** What an owner does to computers, one or many, each for itself. What was done is told again under the same idempotency key, be it removed since. */
const changing = {
	input: {...one, ifstate: optional(choice('If state', 'Only when it is in this state', computerStates))},
	allow: colonyOwner,
	colony,
	operator: true,
	keyed: true,
	again: {
		subject: ({computerid}: One) => computerid,
		done: async (client: Parameters<typeof computers.get>[0], {colonyid, computerid}: One): Promise<Computer> => computers.getEvenRemoved(client, colonyid, computerid),
		now: async (client: Parameters<typeof computers.get>[0], {colonyid, computerid}: One): Promise<Computer> => computers.get(client, colonyid, computerid),
	},
};

const listOn = (verb: string) => ({by: 'list', route: `POST /colonies/{colonyid}/computers/${verb}`, most: limits.changed} as const);

export const renameComputer = defineOperation({
	name: 'computer.rename',
	summary: 'Give a computer another name.',
	input: {...one, name: computerSpec.name},
	route: 'PUT /colonies/{colonyid}/computers/{computerid}/name',
	allow: colonyOwner,
	colony,
	operator: true,
	renames: 'computerid',
	changes: ['computers'],
	handle: async ({client, input}) => computers.rename(client, input.colonyid, input.computerid, input.name),
	tells: ({name}: Computer) => `The computer is named ${name} now.`,
});

export const rekeyComputer = defineOperation({
	name: 'computer.rekey',
	summary: 'Give a computer a new key; its id, state, processes and history stay.',
	input: {...one, keyid: identity('Key', 'Id of the new key, 64 hex digits')},
	route: 'PUT /colonies/{colonyid}/computers/{computerid}/key',
	allow: colonyOwner,
	colony,
	operator: true,
	creates: 'keyid',
	rekeys: 'computerid',
	danger: 'high',
	changes: ['computers'],
	handle: async ({client, input}) => computers.rekey(client, input.colonyid, input.computerid, input.keyid),
	tells: ({name}: Computer) => `${name} has a new key; requests signed with the old one are refused from now on.`,
});

export const approveComputer = defineMany({
	...changing,
	name: 'computer.approve',
	summary: 'Let a registered computer receive processes.',
	route: 'POST /colonies/{colonyid}/computers/{computerid}/approve',
	many: listOn('approve'),
	changes: ['computers', 'processes'],
	handleMany: async ({client, calls}) => computerChanges.approve(client, calls[0]!.input.colonyid, calls.map(({input}) => input)),
	tells: ({name}: Computer) => `Approved ${name}.`,
});

export const disapproveComputer = defineMany({
	...changing,
	name: 'computer.disapprove',
	summary: 'Keep a computer from receiving processes; what it runs goes back to waiting.',
	route: 'POST /colonies/{colonyid}/computers/{computerid}/disapprove',
	many: listOn('disapprove'),
	implies: ['process.requeue'],
	danger: 'high',
	changes: ['computers', 'processes', 'attributes'],
	handleMany: async ({client, calls}) => computerChanges.disapprove(client, calls[0]!.input.colonyid, calls.map(({input}) => input)),
	tells: ({name}: Computer) => `Disapproved ${name}; what it ran waits again.`,
});

export const removeComputer = defineMany({
	...changing,
	name: 'computer.remove',
	summary: 'Remove a computer; what it runs goes back to waiting.',
	route: 'DELETE /colonies/{colonyid}/computers/{computerid}',
	many: listOn('remove'),
	implies: ['process.requeue'],
	danger: 'high',
	changes: ['computers', 'processes', 'attributes'],
	handleMany: async ({client, calls}) => computerChanges.remove(client, calls[0]!.input.colonyid, calls.map(({input}) => input)),
	tells: ({name}: Computer) => `Removed ${name}; what it ran waits again.`,
});
