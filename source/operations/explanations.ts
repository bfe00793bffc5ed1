import {member} from '../core/authority.ts';
import {
	type ComputerAnswer, type Explanation, type Reason, approval, asked, compare, conditionText, inShort, obstacles, registration, roughly, silentMinutes,
} from '../core/explanation.ts';
import {limits} from '../core/limits.ts';
import {conditions} from '../core/matching.ts';
import {plural, shortId} from '../core/text.ts';
import {formatAge} from '../core/time.ts';
import {computerStates, type Id} from '../core/types.ts';
import {type Client, explain, processes} from '../database/index.ts';
import {type Column, defineOperation} from './define.ts';
import {
	idList, identity, integer, otherwise,
} from './fields.ts';

type Asked = explain.Asked;
type Found = {front?: explain.InFront; fix?: {computerid: Id; name: string}};

/** What is true of each of these waiting processes: where it is nearest to the front, else which approval it lacks. */
async function look(client: Client, waiting: readonly Asked[], limit: number): Promise<Map<Id, Found>> {
	const fronts = await explain.inFront(client, waiting.map(({processid}) => processid), {limit, silence: limits.silence});
	const stuck = waiting.filter(({processid}) => !fronts.has(processid));
	const fixes = stuck.length === 0 ? new Map<Id, {computerid: Id; name: string}>() : await explain.approvable(client, stuck.map(({processid}) => processid));
	return new Map(waiting.map(({processid}) => [processid, {front: fronts.get(processid), fix: fixes.get(processid)}]));
}

function reasonOf({processid, colonyid, state}: Asked, {front, fix}: Found): Reason {
	if (state !== 'waiting') {
		return {processid, verdict: state, says: inShort(state)};
	}

	if (front) {
		const {behind, more, silent} = front;
		return behind === 0 && !more
			? {processid, verdict: 'being-taken', says: silent ? 'not fetched' : inShort('being-taken'), behind: 0, more: false}
			: {processid, verdict: 'behind', says: inShort('behind', behind, more), behind, more};
	}

	return fix
		? {processid, verdict: 'one-fix-away', says: inShort('one-fix-away'), fix: approval(colonyid, fix)}
		: {processid, verdict: 'nobody-can', says: inShort('nobody-can')};
}

/** What is to be said of a computer that does not ask for work. */
function silence({silent, name, lastseen}: explain.InFront): string {
	if (!silent) {
		return '';
	}

	return lastseen === undefined ? ` ${name} has never asked for work: is it running?` : ` ${name} has not been seen at work for more than ${silentMinutes} minutes: is it running?`;
}

const stateWords = {running: 'It runs', successful: 'It was done', failed: 'It failed'} as const;

/** The verdict in a sentence or two. */
function sentence({verdict, fix}: Reason, {state, computerid, demand}: Asked, front: explain.InFront | undefined, computers: readonly ComputerAnswer[]): string {
	if (state !== 'waiting') {
		const name = computers.find(computer => computer.computerid === computerid)?.name ?? (computerid === undefined ? undefined : shortId(computerid));
		return `It does not wait. ${stateWords[state]}${name === undefined ? '' : ` on ${name}`}.`;
	}

	if (front) {
		return `${verdict === 'being-taken' ? `${front.silent ? 'It' : 'Being taken: it'} is the next on ${front.name}.` : `Behind ${roughly(front.behind, front.more)} on ${front.name}.`}${silence(front)}`;
	}

	if (verdict === 'one-fix-away') {
		return `One fix away: ${fix!.says.replace(/^A/, 'a')}.`;
	}

	const [nearest] = computers;
	return `Nobody can: it asks for ${asked(demand)}. ${nearest === undefined ? 'The colony has no computers.' : `Nearest is ${nearest.name}: ${obstacles(nearest)}.`}`;
}

const one = {colonyid: identity('Colony'), processid: identity('Process')};
const colony = ({colonyid}: {colonyid: string}) => colonyid;

const tableColumns: ReadonlyArray<Column<ComputerAnswer>> = [
	'name',
	['state', ({status}) => computerStates[status]],
	['seen', ({lastseen}, now) => formatAge(lastseen, now)],
	...conditions.filter(({name}) => name !== 'approved').map(({name}): Column<ComputerAnswer> => [name, computer => conditionText(computer.conditions.find(answer => answer.name === name)!)]),
	['may run', ({mayrun}) => mayrun ? 'yes' : 'no'],
];

const othersText = ({others}: Explanation): string[] => others.map(({unmet, count}) => `${plural(count, 'computer')} ${unmet.length === 0 ? 'may run it' : `cannot for ${unmet.join(', ')}`}`);

export const explainProcess = defineOperation({
	name: 'process.explain',
	summary: 'Say why a process waits: who could run it, what keeps the nearest computers from it, and what goes before it.',
	input: {...one, count: otherwise(integer('Count', 'How many computers at most, the nearest first', {least: 1, most: limits.count}), 20)},
	route: 'GET /colonies/{colonyid}/processes/{processid}/explanation',
	allow: member,
	colony,
	changes: [],
	layout: (explanation: Explanation) => ({lines: [explanation.says, ...(explanation.fix && explanation.verdict === 'nobody-can' ? [`What would help: ${explanation.fix.says}.`] : []), ...othersText(explanation)], rows: explanation.computers, columns: tableColumns}),
	async handle({client, input}): Promise<Explanation> {
		const [about] = await explain.readAsked(client, input.colonyid, [input.processid]);
		if (!about) {
			throw processes.unknownProcess(input.processid);
		}

		const {computers, others} = (await explain.nearest(client, [input.processid], input.count)).get(input.processid)!;
		const found: Found = about.state === 'waiting' ? (await look(client, [about], limits.counted)).get(input.processid)! : {};
		const answers = computers.map(computer => compare(computer, about.demand));
		const reason = reasonOf(about, found);
		const fix = reason.fix ?? (reason.verdict === 'nobody-can' ? registration(input.colonyid, about.demand) : undefined);
		const {behind, more, ...front} = found.front ?? {};
		return {
			...reason,
			says: sentence(reason, about, found.front, answers),
			...(fix ? {fix} : {}),
			state: about.state,
			...(found.front ? {front: front as Explanation['front']} : {}),
			computers: answers,
			others,
		};
	},
});

export const listReasons = defineOperation({
	name: 'process.reasons',
	summary: `Say in a few words of each of some processes why it waits, up to ${limits.reasons} of them.`,
	input: {colonyid: one.colonyid, processids: idList('Processes', 'Ids of the processes, separated by commas', limits.reasons)},
	route: 'POST /colonies/{colonyid}/processes/reasons',
	allow: member,
	colony,
	changes: [],
	columns: ['processid', ['why', ({says}: Reason) => says], ['fix', ({fix}: Reason) => fix?.says ?? '']],
	async handle({client, input}): Promise<Reason[]> {
		const about = await explain.readAsked(client, input.colonyid, input.processids);
		const found = await look(client, about.filter(({state}) => state === 'waiting'), limits.before);
		const reasons = new Map(about.map(asked => [asked.processid, reasonOf(asked, found.get(asked.processid) ?? {})]));
		return input.processids.flatMap(id => reasons.get(id) ?? []);
	},
});
