import {ownerOrRoot, root} from '../core/authority.ts';
import {InvalidInput} from '../core/errors.ts';
import {limits} from '../core/limits.ts';
import {plural} from '../core/text.ts';
import {retention} from '../database/index.ts';
import {defineOperation} from './define.ts';
import {identity, integer, optional} from './fields.ts';

const days = (label: string, summary: string) => optional(integer(label, summary, {least: 0, most: limits.days}));

export const getRetention = defineOperation({
	name: 'history.get',
	summary: 'Show how long the history is kept.',
	input: {colonyid: optional(identity('Colony', 'Id of the colony whose owner asks; root needs none'))},
	route: 'GET /history/retention',
	allow: ownerOrRoot,
	colony: ({colonyid}) => colonyid!,
	changes: [],
	handle: async ({client}) => retention.get(client),
});

const kept = (days: number | null, without: string): string => days === null ? without : plural(days, 'day', 'days');

export const setRetention = defineOperation({
	name: 'history.retention',
	summary: 'Set how long the history is kept; what is older is dropped for good.',
	input: {
		days: days('Days', 'Days that the history is kept; 0 for ever'),
		compressafter: days('Compress after', 'Days after which it and closed processes are compressed, where TimescaleDB is; 0 for never'),
	},
	route: 'PUT /history/retention',
	across: 'every',
	allow: root,
	operator: true,
	danger: 'high',
	changes: [],
	async handle({client, input}) {
		if (input.days === undefined && input.compressafter === undefined) {
			throw new InvalidInput('Neither days nor compressafter is given.', {hint: 'Say how many days the history is kept; 0 is for ever.'});
		}

		const before = await retention.get(client);
		const chosen = (given: number | undefined, was: number | null) => given === undefined ? was : (given === 0 ? null : given);
		const next = {days: chosen(input.days, before.days), compressafter: chosen(input.compressafter, before.compressafter)};
		if (next.days !== null && next.compressafter !== null && next.compressafter >= next.days) {
			throw new InvalidInput(`The history would be dropped after ${plural(next.days, 'day', 'days')}, before it is compressed after ${plural(next.compressafter, 'day', 'days')}.`, {hint: 'Compress it sooner than it is dropped.'});
		}

		const result = await retention.set(client, next);
		return {result, changes: [{kind: 'noted' as const, noun: 'installation' as const, subject: 'history', what: 'history.retention', from: kept(before.days, 'for ever'), to: kept(result.days, 'for ever'), detail: next}]};
	},
	tells: ({days, compressafter}) => `The history is kept ${days === null ? 'for ever' : `for ${plural(days, 'day', 'days')}`}${compressafter === null ? '' : ` and compressed after ${plural(compressafter, 'day', 'days')}`}.`,
});
