import {InvalidInput} from '../core/errors.ts';
import {isTime} from '../core/moments.ts';
import {quoted} from '../core/text.ts';
import type {Id, Time} from '../core/types.ts';
import {
	cells, type Client, present, retention, toldDrops,
} from '../database/index.ts';
import {isId} from '../identity/index.ts';
import {
	type Deviation, judgeAbsent, judgeAttributes, judgeColonies, judgeComputers, judgeProcesses,
} from './compare-present.ts';
import {judgeDrops, withoutDropped} from './judge-drops.ts';

/** What a step of comparing the present with the history found. */
export type Compared = {
	agrees: boolean;
	/** What is not as the history says; at most so many that a step ends early after them. */
	deviations: Deviation[];
	/** What was compared in this step. `unknown`: what retention left nothing to compare with. `rows`: rows of the history whose subjects were looked for. */
	compared: {colonies: number; computers: number; processes: number; attributes: number; rows: number; unknown: number};
	/** Whether there is more: go on from `position`. */
	more: boolean;
	position: string | null;
	/** How far it has come, of 1. */
	share: number;
};

/** Rows that one statement looks at, wrong attributes that it tells of, deviations and milliseconds after which a step is enough. */
const portion = {processes: 500, others: 500, rows: 5000, drops: 10, attributes: 100, deviations: 100, time: 1000};

const stages = ['colonies', 'computers', 'processes', 'history', 'drops'] as const;
type Stage = (typeof stages)[number];

/** Where comparing goes on. `key`: after which row; `until`: the time at which it began. */
type Place = {stage: Stage; key: string[]; until: Time};

const encode = ({stage, key, until}: Place): string => Buffer.from(JSON.stringify([stage, until, ...key])).toString('base64url');

/** @throws InvalidInput when it is none that a step gave */
function decode(position: string): Place {
	try {
		const parts = JSON.parse(Buffer.from(position, 'base64url').toString()) as string[];
		const [stage, until, ...key] = parts as [Stage, Time, ...string[]];
		const isKey = stage === 'history' || stage === 'drops' ? isTime(key[0]) && /^-?\d{1,18}$/.test(key[1]!) : key.every(part => isId(part));
		if (stages.includes(stage) && isTime(until) && (key.length === 0 || (isKey && key.length <= 2))) {
			return {stage, key, until};
		}
	} catch {
		// Said below.
	}

	throw new InvalidInput(`${quoted(position)} is no position in this comparison.`, {hint: 'Give the one that the step before returned, or none to begin.'});
}

/** What one portion came to. `end`: the key of the last row that was looked at; undefined at the end of the stage. */
type Portion = {end: string[] | undefined; deviations: Deviation[]; compared: Partial<Compared['compared']>};
type Ask = {after: readonly string[]; colony: Id | undefined; until: Time};

// What retention may have dropped is read after the rows: it drops nothing before that stands in the history.
const portions: Record<Stage, (client: Client, ask: Ask) => Promise<Portion>> = {
	async colonies(client, ask) {
		const {rows, end} = await present.colonies(client, {...ask, limit: portion.others});
		const {deviations, unknown} = judgeColonies(rows, await retention.horizon(client));
		return {end, deviations, compared: {colonies: rows.length, unknown}};
	},
	async computers(client, ask) {
		const {rows, end} = await present.computers(client, {...ask, limit: portion.others});
		const {deviations, unknown} = judgeComputers(rows, await retention.horizon(client));
		return {end, deviations, compared: {computers: rows.length, unknown}};
	},
	async processes(client, ask) {
		const looked = {...ask, limit: portion.processes};
		const {rows, end} = await present.processes(client, looked);
		const {wrong, compared} = await present.attributes(client, looked, portion.attributes);
		const horizon = await retention.horizon(client);
		const {deviations, unknown} = judgeProcesses(rows, horizon);
		return {end, deviations: [...deviations, ...judgeAttributes(wrong, horizon)], compared: {processes: rows.length, attributes: compared, unknown}};
	},
	async history(client, ask) {
		const {rows, end, rowsLooked} = await present.absent(client, {...ask, limit: portion.rows});
		const missed = await withoutDropped(client, rows);
		return {end, deviations: judgeAbsent(missed, await retention.horizon(client)), compared: {rows: rowsLooked}};
	},
	async drops(client, ask) {
		const rows = await toldDrops.list(client, {...ask, limit: portion.drops});
		const last = rows.length < portion.drops ? undefined : rows.at(-1)!;
		return {end: last && [last.at, String(last.place.row)], deviations: await judgeDrops(client, rows, await retention.horizon(client)), compared: {}};
	},
};

/** Ids are spread evenly over all there can be; the history over its time. Each is taken for half of the work. */
function shareOf({stage, key: [first], until}: Place, begins: Time | null): number {
	if (stage === 'processes') {
		return 0.5 * Number.parseInt((first ?? '0').slice(0, 8), 16) / 0x1_00_00_00_00;
	}

	if (stage !== 'history') {
		return stage === 'drops' ? 1 : 0;
	}

	const [from, to] = [Date.parse(begins ?? until), Date.parse(until)];
	return 0.5 + (0.5 * Math.max(0, Math.min(1, (Date.parse(first ?? begins ?? until) - from) / Math.max(1, to - from))));
}

/** Deviations but those of colonies that live in another cell by the history. */
async function withoutElsewhere(client: Client, deviations: readonly Deviation[]): Promise<Deviation[]> {
	const away = deviations.length === 0 ? new Set<Id>() : await cells.elsewhere(client, [...new Set(deviations.map(({colonyid}) => colonyid).filter(id => isId(id)))]);
	return deviations.filter(({colonyid}) => !away.has(colonyid));
}

/**
A step of comparing colonies, computers, processes and their attributes with what the history says of each, and of looking for what it says is there; as far as it gets in about a second.
A row and its history are read in one statement, and a change writes both in one transaction, so what changes meanwhile is never taken for a deviation.
@param position where the step before came to
*/
export async function comparePresent(client: Client, {colonyid: colony, position}: {colonyid?: Id; position?: string}): Promise<Compared> {
	const {now, begins} = await present.times(client);
	const until = performance.now() + portion.time;
	const compared = {colonies: 0, computers: 0, processes: 0, attributes: 0, rows: 0, unknown: 0};
	const deviations: Deviation[] = [];
	let place: Place | undefined = position === undefined ? {stage: 'colonies', key: [], until: now} : decode(position);
	while (place !== undefined && performance.now() < until && deviations.length < portion.deviations) {
		const {stage, key, until: began}: Place = place;
		const found: Portion = await portions[stage](client, {after: key, colony, until: began}); // eslint-disable-line no-await-in-loop
		deviations.push(...await withoutElsewhere(client, found.deviations)); // eslint-disable-line no-await-in-loop
		for (const [name, count] of Object.entries(found.compared)) {
			compared[name as keyof typeof compared] += count;
		}

		const next: Stage | undefined = found.end === undefined ? stages[stages.indexOf(stage) + 1] : stage;
		place = next === undefined ? undefined : {stage: next, key: found.end ?? [], until: began};
	}

	return {
		agrees: deviations.length === 0, deviations, compared, more: place !== undefined, position: place ? encode(place) : null, share: place ? shareOf(place, begins) : 1,
	};
}
