import {colonyOwner} from '../core/authority.ts';
import {limits} from '../core/limits.ts';
import {shortId} from '../core/text.ts';
import {type Process, processStates} from '../core/types.ts';
import {processChanges, processes} from '../database/index.ts';
import {defineMany} from './define.ts';
import {
	choice, identity, integer, line, optional, time,
} from './fields.ts';

/** What is changed, and how it must be for that. */
const input = {
	colonyid: identity('Colony'),
	processid: identity('Process'),
	ifstate: optional(choice('If state', 'Only when it is in this state', processStates)),
	ifsince: optional(time('If since', 'Only when it entered its state at this moment: its start while it runs, its end when it is closed, else its submission')),
	ifretries: optional(integer('If retries', 'Only when it was tried again so often', {most: limits.retries})),
	ifversion: optional(line('If version', 'Only when nothing of it has changed since `process version` told this')),
};

type Input = {colonyid: string; processid: string};

/** What an owner does to processes, one or many, each for itself. What was done is told again under the same idempotency key, be it removed since. */
const common = {
	input,
	allow: colonyOwner,
	colony: ({colonyid}: Input) => colonyid,
	operator: true,
	keyed: true,
	again: {
		subject: ({processid}: Input) => processid,
		done: async (client: Parameters<typeof processes.get>[0], {colonyid, processid}: Input): Promise<Process> => processes.getEvenRemoved(client, colonyid, processid),
		now: async (client: Parameters<typeof processes.get>[0], {colonyid, processid}: Input): Promise<Process> => processes.get(client, colonyid, processid),
	},
	changes: ['processes', 'attributes'] as const,
};

const listOn = (verb: string) => ({by: 'list', route: `POST /colonies/{colonyid}/processes/${verb}`, most: limits.changed} as const);

export const retryProcess = defineMany({
	...common,
	name: 'process.retry',
	summary: 'Put a closed process back to waiting, with no retries counted.',
	route: 'POST /colonies/{colonyid}/processes/{processid}/retry',
	many: listOn('retry'),
	handleMany: async ({client, calls}) => processChanges.retry(client, calls[0]!.input.colonyid, calls.map(({input}) => input)),
	tells: ({processid}: Process) => `The process ${shortId(processid)} waits again.`,
});

export const cancelProcess = defineMany({
	...common,
	name: 'process.cancel',
	summary: 'Cancel a waiting or running process: it fails.',
	route: 'POST /colonies/{colonyid}/processes/{processid}/cancel',
	many: listOn('cancel'),
	implies: ['attribute.add'],
	danger: 'high',
	handleMany: async ({client, calls}) => processChanges.cancel(client, calls[0]!.input.colonyid, calls.map(({input}) => input)),
	tells: ({processid}: Process) => `Cancelled the process ${shortId(processid)}.`,
});

export const removeProcess = defineMany({
	...common,
	name: 'process.remove',
	summary: 'Remove a process with its attributes, whatever its state.',
	route: 'DELETE /colonies/{colonyid}/processes/{processid}',
	many: listOn('remove'),
	danger: 'high',
	implies: ['process.drop'],
	handleMany: async ({client, calls}) => processChanges.remove(client, calls[0]!.input.colonyid, calls.map(({input}) => input)),
	tells: ({processid}: Process) => `Removed the process ${shortId(processid)}.`,
});
