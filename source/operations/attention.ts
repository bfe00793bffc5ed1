import {
	type AttentionLine, type Look, attentionKinds, byUrgency, severities,
} from '../core/attention.ts';
import {member} from '../core/authority.ts';
import {
	approval, asked, registration, roughly,
} from '../core/explanation.ts';
import {limits} from '../core/limits.ts';
import {plural, shortId} from '../core/text.ts';
import {formatAge, formatSpan} from '../core/time.ts';
import type {Id} from '../core/types.ts';
import {attention, type Client, type Page} from '../database/index.ts';
import {type Column, defineOperation} from './define.ts';
import {identity} from './fields.ts';

type Kind<Row> = {
	find: (client: Client, colony: Id) => Promise<attention.Found<Row>>;
	line: (row: Row, colony: Id) => AttentionLine;
	/** What the others of the kind are, and where they are listed. */
	rest: {text: string; show: Look};
};

const most = limits.attention;
const on = (computer: string | null): string => computer === null ? '' : ` on ${computer}`;
const ofProcess = ({processid, computertype}: {processid: Id; computertype: string}) => ({noun: 'process', id: processid, name: computertype, count: 1} as const);
const list = (filter: string): Look => ({screen: 'processes', filter, says: 'Show them'});
const open = (processid: Id): Look => ({screen: 'processes', filter: processid, says: 'Show it'});
const tries = ({retries, maxretries}: {retries: number; maxretries: number}): string => maxretries === 0 ? 'it has no retries' : `${retries} of ${maxretries} retries used`;

const deadline: Kind<attention.Due> = {
	find: async (client, colony) => attention.due(client, colony, most),
	line: row => ({
		kind: 'deadline',
		severity: row.passed ? 'high' : 'medium',
		text: row.passed ? `past its deadline, and still runs${on(row.computer)}` : `near its deadline${on(row.computer)}: under a tenth of ${formatSpan(row.timeout * 1000)} left`,
		since: row.since,
		...ofProcess(row),
		fix: open(row.processid),
	}),
	rest: {text: 'near or past their deadline', show: list('state:running')},
};

const nobody: Kind<attention.Stuck> = {
	find: async (client, colony) => attention.stuck(client, colony, most, limits.counted),
	line: (row, colony) => ({
		kind: 'nobody',
		severity: 'high',
		text: `no computer can run ${roughly(Math.min(row.waiting, limits.counted), row.waiting > limits.counted)} waiting: ${asked(row)}`,
		since: row.since,
		...ofProcess(row),
		count: row.waiting,
		fix: (row.computerid === null ? undefined : approval(colony, {computerid: row.computerid, name: row.name!})) ?? registration(colony, row) ?? open(row.processid),
	}),
	rest: {text: 'kinds of work that no computer can run', show: list('state:waiting')},
};

const silent: Kind<attention.Silent> = {
	find: async (client, colony) => attention.silent(client, colony, most, limits.silence),
	line: ({computerid, name, since, running}, colonyid) => ({
		kind: 'silent',
		// It may just be busy with one long process.
		severity: 'medium',
		text: `silent while it runs ${plural(running, 'process')}`,
		since,
		noun: 'computer',
		id: computerid,
		name,
		count: running,
		fix: {operation: 'computer.disapprove', input: {colonyid, computerid}, says: `Disapprove ${name}, so that what it runs waits again`},
	}),
	rest: {text: 'computers silent while they run something', show: {screen: 'computers', filter: '', says: 'Show them'}},
};

const spent: Kind<attention.Spent> = {
	find: async (client, colony) => attention.spent(client, colony, most),
	line: (row, colonyid) => ({
		kind: 'spent',
		severity: 'medium',
		text: `failed, deadline exceeded; ${tries(row)}`,
		since: row.since,
		...ofProcess(row),
		fix: {operation: 'process.retry', input: {colonyid, processid: row.processid}, says: `Retry ${shortId(row.processid)}`},
	}),
	rest: {text: 'failed at their deadline with no retry left', show: list('state:failed')},
};

const pending: Kind<attention.Pending> = {
	find: async (client, colony) => attention.pending(client, colony, most),
	line: ({computerid, name, since}, colony) => ({
		kind: 'pending',
		severity: 'medium',
		text: 'waits for approval',
		since,
		noun: 'computer',
		id: computerid,
		name,
		count: 1,
		fix: approval(colony, {computerid, name}),
	}),
	rest: {text: 'computers wait for approval', show: {screen: 'computers', filter: 'state:pending', says: 'Show them'}},
};

const slow: Kind<attention.Slow> = {
	find: async (client, colony) => attention.slow(client, colony, most),
	line: (row, colonyid) => ({
		kind: 'slow',
		severity: 'low',
		text: `runs${on(row.computer)} longer than 99 of 100 of its type (${formatSpan(row.usual * 1000)})`,
		since: row.since,
		...ofProcess(row),
		fix: {operation: 'process.cancel', input: {colonyid, processid: row.processid}, says: `Cancel ${shortId(row.processid)}`},
	}),
	rest: {text: 'run longer than 99 of 100 of their type', show: list('state:running')},
};

const lastTry: Kind<attention.LastTry> = {
	find: async (client, colony) => attention.lastTries(client, colony, most),
	line: row => ({
		kind: 'last-try', severity: 'low', text: `runs its last try${on(row.computer)}, ${tries(row)}`, since: row.since, ...ofProcess(row), fix: open(row.processid),
	}),
	rest: {text: 'run their last try', show: list('state:running')},
};

const kinds = {
	deadline, nobody, silent, spent, pending, slow, 'last-try': lastTry,
} as const satisfies Record<(typeof attentionKinds)[number], Kind<any>>;

/** The lines of one kind, and one for the rest where there are more. */
async function linesOf({find, line, rest}: Kind<any>, client: Client, colony: Id): Promise<AttentionLine[]> {
	const {rows, total} = await find(client, colony);
	const lines = rows.map(row => line(row, colony));
	const last = lines.at(-1);
	return last === undefined || total <= lines.length
		? lines
		: [...lines, {...last, severity: lines.map(({severity}) => severity).sort((one, other) => severities.indexOf(other) - severities.indexOf(one))[0]!, text: `and ${roughly(total - lines.length, total >= limits.before)} more: ${rest.text}`, id: '', name: '', count: total - lines.length, fix: rest.show}];
}

const columns: ReadonlyArray<Column<AttentionLine>> = [
	'severity',
	'kind',
	['age', ({since}, now) => formatAge(since, now)],
	['what', ({noun, id, name}) => [noun, name, noun === 'process' && id !== '' ? shortId(id) : ''].filter(text => text !== '').join(' ')],
	'text',
	['fix', ({fix}) => fix.says],
];

const summary = 'List what in a colony asks for attention, the most severe first.';

export const listAttention = defineOperation({
	name: 'attention.list',
	summary,
	input: {colonyid: identity('Colony')},
	route: 'GET /colonies/{colonyid}/attention',
	allow: member,
	colony: ({colonyid}) => colonyid,
	changes: [],
	columns,
	commands: [{words: ['attention', 'ls'], summary}],
	async handle({client, input}): Promise<Page<AttentionLine>> {
		const lines: AttentionLine[] = [];
		for (const kind of attentionKinds) {
			lines.push(...await linesOf(kinds[kind], client, input.colonyid)); // eslint-disable-line no-await-in-loop
		}

		return {rows: lines.sort(byUrgency), positions: [], more: {before: false, after: false}};
	},
});
