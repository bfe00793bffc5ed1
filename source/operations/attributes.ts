import {approvedSelf, member} from '../core/authority.ts';
import {type Attribute, attributeTypes} from '../core/types.ts';
import {attributes} from '../database/index.ts';
import {type Column, defineOperation} from './define.ts';
import {
	choice, identity, key, optional, otherwise, signing, value,
} from './fields.ts';

const of = {colonyid: identity('Colony'), processid: identity('Process')};
const colony = ({colonyid}: {colonyid: string}) => colonyid;
const columns: ReadonlyArray<Column<Attribute>> = ['attributeid', ['list', ({attributetype}) => attributeTypes[attributetype]], 'key', 'value'];

export const addAttribute = defineOperation({
	name: 'attribute.add',
	summary: 'Add an attribute to a running process; the same key again replaces the value.',
	input: {
		...of,
		computerid: signing(optional(identity('Computer', 'Id of the computer that runs it, which signs'))),
		key: key('Key', 'Key of the attribute, 1 to 200 characters'),
		value: value('Value', 'Value of the attribute, up to 1 MiB'),
		type: otherwise(choice('Type', 'Which list it goes to: out, or err for what went wrong', ['out', 'err']), 'out'),
	},
	route: 'POST /colonies/{colonyid}/processes/{processid}/attributes',
	allow: approvedSelf,
	work: true,
	colony,
	self: ({computerid}, actor) => computerid === undefined || computerid === actor,
	changes: ['attributes'],
	columns,
	async handle({client, input, who}) {
		const attributetype = input.type === 'out' ? 1 : 2;
		return attributes.put(client, input.colonyid, who.actor, input.processid, {
			attributetype, key: input.key, value: input.value,
		});
	},
});

export const getAttribute = defineOperation({
	name: 'attribute.get',
	summary: 'Show an attribute of a process.',
	input: {...of, attributeid: identity('Attribute')},
	route: 'GET /colonies/{colonyid}/processes/{processid}/attributes/{attributeid}',
	allow: member,
	colony,
	changes: [],
	columns,
	handle: async ({client, input}) => attributes.get(client, input.colonyid, input.processid, input.attributeid),
});

export const listAttributes = defineOperation({
	name: 'attribute.list',
	summary: 'List the attributes of a process: in, out and err.',
	input: of,
	route: 'GET /colonies/{colonyid}/processes/{processid}/attributes',
	allow: member,
	colony,
	changes: [],
	columns,
	commands: [{words: ['attribute', 'ls'], summary: 'List the attributes of a process: in, out and err.'}],
	handle: async ({client, input}) => attributes.list(client, input.colonyid, input.processid),
});
