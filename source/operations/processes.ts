import {approvedSelf, colonyOwner, member} from '../core/authority.ts';
import {ColoniesError, InvalidInput, NothingToAssign} from '../core/errors.ts';
import {groupBy} from '../core/group-by.ts';
import {limits} from '../core/limits.ts';
import {type Process, processStates} from '../core/types.ts';
import {
	type Done, claim, expire, past, processes, processLists, together,
} from '../database/index.ts';
import {newProcessId} from '../identity/index.ts';
import {
	type Answering, type Call, type Column, defineMany, defineOperation,
} from './define.ts';
import {
	choice, filterOf, flag, identity, line, optional, otherwise, pair, processSpec, seconds, signing, spec,
} from './fields.ts';
import {at} from './moments.ts';
import {secondsOfRun} from './moves.ts';
import {pagingFields, toPageRequest} from './paging.ts';

const one = {colonyid: identity('Colony'), processid: identity('Process')};
const colony = ({colonyid}: {colonyid: string}) => colonyid;
const forItself = signing(optional(identity('Computer', 'Id of the computer, which signs')));
const itself = ({computerid}: {computerid: string | undefined}, actor: string) => computerid === undefined || computerid === actor;

/** What the system says of a process, and a submission cannot. */
const given = ['processid', 'assignedcomputerid', 'status', 'isassigned', 'submissiontime', 'starttime', 'endtime', 'deadline', 'retries', 'out', 'err'];

const columns: ReadonlyArray<Column<Process>> = ['processid', ['state', ({status}) => processStates[status]], 'computertype', 'submissiontime', 'deadline', ['tries', ({retries, maxretries}) => `${retries}/${maxretries}`], 'cores', 'mem', 'gpus', 'assignedcomputerid'];

export const submitProcess = defineMany({
	name: 'process.submit',
	summary: 'Submit a process to a colony; it waits for a computer that may run it.',
	input: {spec: spec('Spec', 'What is to be done: a JSON object', processSpec, given)},
	route: 'POST /colonies/{colonyid}/processes',
	places: {colonyid: ['spec', 'targetcolonyid']},
	many: {by: 'list', isAtomic: true},
	keyed: true,
	allow: member,
	colony: input => input.spec.targetcolonyid,
	changes: ['processes'],
	columns,
	together: {
		kindOf: () => '',
		sizeOf({spec}) {
			let size = spec.targetcomputerids.length * 64;
			for (const [key, value] of Object.entries(spec.in)) {
				size += key.length + value.length;
			}

			return size;
		},
		async carryOut(calls, {database, colony, slot}) {
			const answers = await together.submitTogether(database, colony, slot, calls.map(({input, ...call}) => ({...call, processid: newProcessId(), spec: input.spec})));
			return answers.map(answer => answer.isAlone ? answer : {isAlone: false, result: {result: answer.result.process, work: [answer.result.demand], move: {colony, kind: 'submitted'}}});
		},
	},
	async handleMany({client, calls}) {
		return processes.submit(client, calls[0]!.input.spec.targetcolonyid, calls.map(({input}) => ({processid: newProcessId(), spec: input.spec})));
	},
});

const listed = (state: 'waiting' | 'running' | 'successful' | 'failed', verb: string, renamed?: Record<string, string>) => ({
	words: ['process', verb] as const,
	summary: `List ${state} processes${renamed ? ', the next to run first; with --computerid those that this computer may run' : ''}.`,
	fixed: {state},
	...(renamed ? {renamed, hidden: ['computertype', 'olderthan', 'youngerthan', 'attribute', 'text', 'attributes']} : {hidden: ['runnableby', 'attributes']}),
	empty: `No ${state} processes found`,
});

export const listProcesses = defineOperation({
	name: 'process.list',
	summary: 'List the processes of a colony.',
	input: {
		colonyid: one.colonyid,
		state: optional(choice('State', 'Only processes in this state', processStates)),
		computerid: signing(optional(identity('Computer', 'Only processes assigned to this computer, which signs'))),
		runnableby: signing(optional(identity('Runnable by', 'Only waiting processes that this computer may run, in the order in which it gets them; it signs'))),
		computertype: optional(line('Type', 'Only processes that ask for this computer type')),
		olderthan: optional(seconds('Older than', 'Only those in their state for longer than this, in seconds')),
		youngerthan: optional(seconds('Younger than', 'Only those in their state for less than this, in seconds')),
		attribute: optional(pair('Attribute', 'Only those that have this attribute, KEY=VALUE')),
		text: optional(line('Text', 'Only those whose id begins with this text, or whose type has it')),
		filter: optional(filterOf('processes')),
		attributes: otherwise(flag('Attributes', 'Whether to bring the attributes along'), true),
		at,
		...pagingFields,
	},
	route: 'GET /colonies/{colonyid}/processes',
	allow: member,
	colony,
	changes: [],
	columns,
	commands: [
		{
			words: ['process', 'ls'], summary: 'List processes in any state, the latest change first.', hidden: ['runnableby', 'attributes'],
		},
		listed('waiting', 'psw', {computerid: 'runnableby'}),
		listed('running', 'ps'),
		listed('successful', 'pss'),
		listed('failed', 'psf'),
	],
	async handle({client, input}) {
		const {colonyid, runnableby, attributes, count, position, direction, reversed, at, ...filter} = input;
		if (runnableby !== undefined && reversed === true) {
			throw new InvalidInput('What a computer may run is listed in the order in which it gets it, and in no other.', {hint: 'Leave out --reversed, or the computer.'});
		}

		const page = {...toPageRequest({count, position, direction, reversed}), attributes};
		if (at !== undefined) {
			if (runnableby !== undefined) {
				throw new InvalidInput('What a computer may run is told of now alone, not of a moment that has been.', {hint: 'Leave out the moment, or the computer.'});
			}

			return past.listProcesses(client, colonyid, filter, {...page, at: await past.resolveMoment(client, at)});
		}

		return runnableby === undefined
			? processLists.list(client, colonyid, filter, page)
			: processLists.listRunnable(client, colonyid, runnableby, {count, attributes, filter: filter.filter});
	},
});

export const countProcesses = defineOperation({
	name: 'process.count',
	summary: 'Count the processes of a colony by state, up to 10,000 each.',
	input: {colonyid: one.colonyid, at},
	route: 'GET /colonies/{colonyid}/processes/count',
	allow: member,
	colony,
	changes: [],
	handle: async ({client, input: {colonyid, at}}) => at === undefined
		? processLists.count(client, colonyid, limits.counted)
		: past.countProcesses(client, colonyid, {at: await past.resolveMoment(client, at), limit: limits.counted}),
});

export const getProcess = defineOperation({
	name: 'process.get',
	summary: 'Show a process with its attributes.',
	input: {...one, at},
	route: 'GET /colonies/{colonyid}/processes/{processid}',
	allow: member,
	colony,
	changes: [],
	columns,
	handle: async ({client, input: {colonyid, processid, at}}) => at === undefined
		? processes.get(client, colonyid, processid)
		: past.getProcess(client, colonyid, processid, await past.resolveMoment(client, at)),
});

export const versionOfProcess = defineMany({
	name: 'process.version',
	summary: 'Tell in which state a process is and since when, with a version that every change of it replaces.',
	input: one,
	route: 'GET /colonies/{colonyid}/processes/{processid}/version',
	many: {by: 'list', route: 'POST /colonies/{colonyid}/processes/versions'},
	allow: member,
	work: true,
	colony,
	changes: [],
	async handleMany({client, calls}) {
		const found = await processes.versions(client, calls[0]!.input.colonyid, calls.map(({input}) => input.processid));
		return found.map(each => each instanceof ColoniesError ? each : {result: each, changes: []});
	},
});

type Assignment = Call<{colonyid: string; computerid: string | undefined; wait: number}>;

const nothing = () => new NothingToAssign('No process was assigned.', {hint: 'See what waits, and for whom, with `colonies process psw --colonyid …`.'});

/** One claim a computer: its calls share it, and get what there is in their order. */
async function assignEach({client, cursors, held}: Pick<Answering<unknown>, 'client' | 'cursors' | 'held'>, calls: readonly Assignment[]): Promise<Array<Done<Process> | ColoniesError>> {
	const answers: Array<Done<Process> | ColoniesError> = calls.map(() => nothing());
	for (const [, places] of groupBy(calls.keys(), place => calls[place]!.who.actor)) {
		const {result, changes, isHeld} = await claim(client, calls[places[0]!]!.who.computer!, places.length, cursors); // eslint-disable-line no-await-in-loop
		if (isHeld) {
			held();
		}

		for (const [index, process] of result.entries()) {
			answers[places[index]!] = {result: process, changes: [changes[index]!]};
		}
	}

	return answers;
}

export const assignProcess = defineMany({
	name: 'process.assign',
	summary: 'Give the oldest waiting process that may run on a computer to it.',
	input: {colonyid: one.colonyid, computerid: forItself, wait: otherwise(seconds('Wait', 'Seconds to wait for a process when there is none, up to 60', limits.wait), 0)},
	route: 'POST /colonies/{colonyid}/processes/assign',
	query: ['wait'],
	many: {by: 'count'},
	keyed: true,
	waits: true,
	allow: approvedSelf,
	work: true,
	colony,
	self: itself,
	changes: ['processes'],
	columns,
	nothing,
	together: {
		byComputer: true,
		kindOf({input, signer, computer}) {
			return computer === undefined || !itself(input, signer) ? undefined : JSON.stringify([computer.computer_type, computer.cores, computer.mem, computer.gpus]);
		},
		async carryOut(calls, {database, cursors, colony, slot}) {
			const answers = await together.assignTogether(database, {colony, kind: calls[0]!.computer!, cursors}, slot, calls.map(({input, ...call}) => ({...call, waits: input.wait > 0})));
			return answers.map(answer => answer.isAlone ? answer : {isAlone: false, result: answer.result === undefined ? {result: undefined} : {result: answer.result.process, move: {colony, kind: 'assigned', seconds: answer.result.waited / 1_000_000}}});
		},
	},
	async handleMany({client, calls, cursors, held, also}) {
		// What is past its deadline may be the oldest now (domain.md, "Time limits").
		await also({actor: 'system'}, await expire(client, {colony: calls[0]!.input.colonyid, limit: limits.expired}));
		return assignEach({client, cursors, held}, calls);
	},
});

const closing = (to: 'successful' | 'failed') => defineMany({
	name: `process.${to}`,
	summary: `Mark a running process as ${to}.`,
	input: {...one, computerid: forItself},
	route: `POST /colonies/{colonyid}/processes/{processid}/${to}`,
	many: {by: 'list', route: `POST /colonies/{colonyid}/processes/${to}`},
	allow: approvedSelf,
	work: true,
	colony,
	self: itself,
	changes: ['processes'],
	columns,
	together: {
		kindOf: ({input, signer}) => itself(input, signer) ? '' : undefined,
		subject: ({processid}) => processid,
		async carryOut(calls, {database, colony, slot}) {
			const answers = await together.closeTogether(database, {colony, to}, slot, calls.map(({input, ...call}) => ({...call, processid: input.processid})));
			return answers.map(answer => answer.isAlone ? answer : {isAlone: false, result: {result: answer.result, move: {colony, kind: 'closed', outcome: to, seconds: secondsOfRun(answer.result)}}});
		},
	},
	commands: [{words: ['process', to], summary: `Mark a running process as ${to}.`, said: `Process marked as ${to}`}],
	async handleMany({client, calls}) {
		return processes.close(client, {colony: calls[0]!.input.colonyid, computer: calls[0]!.who.actor, processes: calls.map(({input}) => input.processid), to});
	},
});

export const closeSuccessful = closing('successful');
export const closeFailed = closing('failed');
