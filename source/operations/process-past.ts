import {member} from '../core/authority.ts';
import {type Difference, differences} from '../core/differences.ts';
import {NotFound} from '../core/errors.ts';
import {limits} from '../core/limits.ts';
import {quoted, shortId} from '../core/text.ts';
import {type Process, unsetTime} from '../core/types.ts';
import {processes, processSteps, type Step} from '../database/index.ts';
import {formatSpan, milliseconds} from '../core/time.ts';
import {type Column, defineOperation} from './define.ts';
import {
	flag, identity, integer, optional, otherwise,
} from './fields.ts';
import {pagingFields, toPageRequest} from './paging.ts';

const one = {colonyid: identity('Colony'), processid: identity('Process')};
const colony = ({colonyid}: {colonyid: string}) => colonyid;

const ranFor = ({starttime, endtime}: Step): string => starttime && endtime && starttime !== unsetTime ? formatSpan(milliseconds(endtime)! - milliseconds(starttime)!) : '';

const stepColumns: ReadonlyArray<Column<Step>> = [
	'at',
	'what',
	['change', ({from, to}) => [from, to].filter(Boolean).join(' → ')],
	['computer', ({computername, computerid}) => computername ?? (computerid ? shortId(computerid) : '')],
	['ran', ranFor],
	['why', ({why}) => why ?? ''],
	['by', ({actor, actorname}) => actorname ?? shortId(actor)],
];

export const processHistory = defineOperation({
	name: 'process.history',
	summary: 'Show what happened to a process, step by step: who ran it, when, and why it was returned.',
	input: {
		...one,
		attributes: otherwise(flag('Attributes', 'Whether to bring along what earlier attempts had written'), true),
		longest: optional(integer('Longest', 'Characters of a value at most that are brought along', {least: 1, most: limits.value})),
		...pagingFields,
	},
	route: 'GET /colonies/{colonyid}/processes/{processid}/history',
	allow: member,
	colony,
	changes: [],
	columns: stepColumns,
	handle: async ({client, input}) => processSteps.steps(client, input.colonyid, input.processid, {...toPageRequest(input), attributes: input.attributes, longest: input.longest}),
});

type Reading = Parameters<typeof processes.get>[0];

/** The process beside which another one is put. @throws NotFound */
async function beside(client: Reading, process: Process, other: string | undefined): Promise<Process> {
	const id = other ?? await processSteps.lastSuccessful(client, process.targetcolonyid, process);
	if (id === undefined) {
		const type = process.computertype === '' ? 'without a type' : `of the type ${quoted(process.computertype)}`;
		throw new NotFound(`No other process ${type} has been successful.`, {hint: 'Say with which one it is to be compared: --with ID.'});
	}

	return processes.get(client, process.targetcolonyid, id);
}

export const compareProcesses = defineOperation({
	name: 'process.compare',
	summary: 'Show what differs between a process and the last successful one of its type, or another.',
	input: {...one, with: optional(identity('Other', 'Id of the process to compare it with; the last successful one of its type unless given'))},
	route: 'GET /colonies/{colonyid}/processes/{processid}/compare',
	allow: member,
	colony,
	changes: [],
	columns: ['part', 'name', 'value', 'other'],
	commands: [{words: ['process', 'diff'], summary: 'Show what differs between a process and the last successful one of its type, or another.'}],
	async handle({client, input}): Promise<Difference[]> {
		const process = await processes.get(client, input.colonyid, input.processid);
		const other = await beside(client, process, input.with);
		const computers = await processSteps.computersOf(client, input.colonyid, [process, other].map(({assignedcomputerid}) => assignedcomputerid).filter(id => id !== ''));
		const side = (process: Process) => ({process, computer: computers.get(process.assignedcomputerid)});
		return differences(side(process), side(other));
	},
});
