import {anyMember, ownerOrRoot} from '../core/authority.ts';
import {InvalidInput, NotAllowed} from '../core/errors.ts';
import {limits} from '../core/limits.ts';
import {parseSpan, printSpan} from '../core/spans.ts';
import {plural, shortId} from '../core/text.ts';
import type {Id, Time} from '../core/types.ts';
import {type Client, processRetention} from '../database/index.ts';
import {type Column, defineOperation} from './define.ts';
import {identity, keptFor, optional} from './fields.ts';

type Words = {successful: string | null; failed: string | null};

/** How long closed processes are kept, as spans or `off`. `own`: what the colony itself says, null where it says nothing; `installation`: what holds for colonies that say nothing. */
export type Kept = {
	colonyid: Id | null;
	successful: string;
	failed: string;
	own: Words;
	installation: {successful: string; failed: string};
	/** How many are to be removed now, counted to 10,000. */
	due: number;
	/** When some were removed last because of this, and how many of one state at once. */
	lastremoved: Time | null;
	lastcount: number;
};

const word = (seconds: number): string => seconds === 0 ? 'off' : printSpan(seconds);
const wordsOf = ({successful, failed}: processRetention.Spans): Words => ({successful: successful === null ? null : word(successful), failed: failed === null ? null : word(failed)});

/** A setting in words: `successful 30d, failed off`. `default`: what nobody has said. */
const sentence = ({successful, failed}: Words, unsaid: string): string => `successful ${successful ?? unsaid}, failed ${failed ?? unsaid}`;

async function read(client: Client, colonyid: Id | undefined): Promise<Kept> {
	const settings = await processRetention.get(client, colonyid);
	const {successful, failed} = processRetention.effective(settings);
	const {due, last} = await processRetention.outlook(client, colonyid, limits.counted);
	const installation = wordsOf(settings.installation);
	return {
		colonyid: colonyid ?? null, successful: word(successful), failed: word(failed), own: wordsOf(settings.own), installation: {successful: installation.successful ?? 'off', failed: installation.failed ?? 'off'},
		due, lastremoved: last?.at ?? null, lastcount: last?.count ?? 0,
	};
}

const columns: ReadonlyArray<Column<Kept>> = [
	'successful',
	'failed',
	['colony says', ({own}) => sentence(own, '-')],
	['installation says', ({installation}) => sentence(installation, 'off')],
	['due', ({due}) => due > limits.counted ? `~${limits.counted}` : String(due)],
	['last removed', ({lastremoved, lastcount}) => lastremoved === null ? '-' : `${lastcount} at ${lastremoved}`],
];

const colony = ({colonyid}: {colonyid: Id | undefined}) => colonyid!;

export const getProcessRetention = defineOperation({
	name: 'process.kept',
	summary: 'Show how long closed processes are kept.',
	input: {colonyid: optional(identity('Colony', 'Id of the colony; root may leave it out, for the installation'))},
	route: 'GET /processes/retention',
	allow: anyMember,
	colony,
	changes: [],
	columns,
	handle: async ({client, input}) => read(client, input.colonyid),
});

/** What was said for a field: as it was where nothing was given. */
function chosen(given: string | undefined, before: number | null): number | null {
	if (given === undefined) {
		return before;
	}

	return given === 'default' ? null : (given === 'off' ? 0 : Math.round(parseSpan(given)));
}

export const setProcessRetention = defineOperation({
	name: 'process.retention',
	summary: 'Set how long closed processes are kept; what ended earlier is removed for good.',
	input: {
		colonyid: optional(identity('Colony', 'Id of the colony, whose owner sets it; none for the installation, which root sets')),
		successful: optional(keptFor('Successful', 'How long successful processes are kept: 30d, off for ever, default as the installation says')),
		failed: optional(keptFor('Failed', 'How long failed processes are kept: 90d, off for ever, default as the installation says')),
	},
	route: 'PUT /processes/retention',
	across: 'every',
	allow: ownerOrRoot,
	colony,
	operator: true,
	danger: 'high',
	changes: ['colonies'],
	columns,
	async handle({client, input, who}) {
		const {colonyid, successful, failed} = input;
		if (successful === undefined && failed === undefined) {
			throw new InvalidInput('Neither successful nor failed is given.', {hint: 'Say how long processes are kept: 30d, or off for ever.'});
		}

		if (who.role === 'root' && colonyid !== undefined) {
			throw new NotAllowed('How long a colony keeps its processes is set by its owner.', {hint: 'Leave the colony out to set what holds for colonies that say nothing.'});
		}

		const {before, after} = await processRetention.set(client, colonyid, before => ({successful: chosen(successful, before.successful), failed: chosen(failed, before.failed)}));
		const unsaid = colonyid === undefined ? 'off' : 'default';
		return {
			result: await read(client, colonyid),
			changes: [{
				kind: 'noted' as const, noun: 'installation' as const, subject: 'processes', ...(colonyid === undefined ? {} : {colony: colonyid}), what: 'process.retention',
				from: sentence(wordsOf(before), unsaid), to: sentence(wordsOf(after), unsaid), detail: {...after, before},
			}],
		};
	},
	tells({colonyid, successful, failed, due}) {
		const whose = colonyid === null ? 'colonies that say nothing themselves' : `the colony ${shortId(colonyid)}`;
		const kept = (state: string, span: string) => `${state} ones ${span === 'off' ? 'for ever' : `for ${span}`}`;
		return `Closed processes of ${whose} are kept: ${kept('successful', successful)}, ${kept('failed', failed)}. ${due === 0 ? 'None is to be removed now.' : `${due > limits.counted ? `More than ${limits.counted} processes` : plural(due, 'process')} will be removed within an hour.`}`;
	},
});
