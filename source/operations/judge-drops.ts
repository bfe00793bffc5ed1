import {isTime, shifted} from '../core/moments.ts';
import {plural} from '../core/text.ts';
import type {Id, Time} from '../core/types.ts';
import {
	type Client, closedDrops, placeText, type present, processRetention, type retention, toldDrops,
} from '../database/index.ts';
import {isId} from '../identity/index.ts';
import type {Deviation} from './compare-present.ts';
import {dropFault, namedIn} from './verify-drop.ts';
import {readKept, Unreadable} from './kept-request.ts';

type ToldDrop = toldDrops.ToldDrop;
type Closing = toldDrops.Closing;

/** A row about closed processes that were removed together, as far as it can be read. `named`: those that a request names; undefined where the system removed them. */
type Drop = Pick<ToldDrop, 'place' | 'at' | 'by' | 'actor'> & closedDrops.Drop & {colony: Id; state: processRetention.ClosedState; named?: ReadonlySet<Id>};

function isDetail(detail: unknown): detail is closedDrops.Drop {
	const {count, from, before, ids, except, which} = (typeof detail === 'object' && detail !== null ? detail : {}) as Partial<Record<keyof closedDrops.Drop, unknown>>;
	return Number.isSafeInteger(count) && isTime(from) && isTime(before) && isId(ids) && (except === undefined || (Array.isArray(except) && except.every(id => isId(id)))) && (which === undefined || typeof which === 'string');
}

/** The processes that the request of a row names, or what is wrong with it. */
function namedBy({request, detail}: ToldDrop): ReadonlySet<Id> | string {
	if (request === null) {
		return 'has no request, though it is an operator\'s change';
	}

	try {
		const kept = readKept(request);
		return dropFault(kept, detail) ?? new Set(namedIn(kept, detail));
	} catch (error) {
		return `has a request that ${error instanceof Unreadable ? error.message : 'cannot be read'}`;
	}
}

/** Reads a row, or says what is wrong with it: the end of a sentence that begins with the row. */
function read(told: ToldDrop): Drop | string {
	const {place, at, by, actor, colony, state, detail} = told;
	if (colony === null || !isDetail(detail) || !processRetention.closedStates.includes(state as processRetention.ClosedState)) {
		return 'does not say which processes were removed';
	}

	const drop = {...detail, place, at, by, actor, colony, state: state as processRetention.ClosedState};
	if (actor === 'system') {
		return drop;
	}

	if (actor !== colony) {
		return 'is by somebody who may not do that';
	}

	const named = namedBy(told);
	return typeof named === 'string' ? named : {...drop, named};
}

/** When a process ended, by the row that tells of it; undefined where that says it only roughly. */
function endOf({start, run, closed}: Closing): Time | undefined {
	if (isTime(closed)) {
		return closed;
	}

	return isTime(start) && Number.isSafeInteger(run) && (run as number) > 0 ? shifted(start, BigInt(run as number)) : undefined;
}

const later = (time: Time): Time => shifted(time, BigInt(toldDrops.slack) * 1_000_000n);

/** Whether a row takes in that a process, which ended so, is gone. */
function covers(drop: Drop, closing: Closing): boolean {
	if (drop.colony !== closing.colony || drop.state !== closing.state || closing.row > drop.place.row || drop.except?.includes(closing.id)) {
		return false;
	}

	const end = endOf(closing);
	return (drop.named?.has(closing.id) ?? true) && (end === undefined ? closing.at >= drop.from && closing.at < later(drop.before) : end >= drop.from && end < drop.before);
}

/** Whether what the system removed was due by the setting of then. */
function isAllowed(drop: Drop, settings: processRetention.ToldSettings): boolean {
	const seconds = settings.seconds(drop.colony, drop.state, drop.place.row);
	return seconds > 0 && drop.before <= processRetention.secondsBefore([drop.at, drop.by].sort()[0]!, seconds);
}

/** Of what the history last left in place and what is not there, that which no row takes in. */
export async function withoutDropped(client: Client, absent: readonly present.Absent[]): Promise<present.Absent[]> {
	const closed = absent.filter(({noun, to}) => noun === 'process' && processRetention.closedStates.includes(to as processRetention.ClosedState));
	if (closed.length === 0) {
		return [...absent];
	}

	const closings = await toldDrops.closingsAt(client, closed.map(({place}) => {
		const [txid, row] = place.split('.').map(Number) as [number, number];
		return {txid, row};
	}));
	const settings = await processRetention.told(client);
	const gone = new Set<Id>();
	/* eslint-disable no-await-in-loop */
	for (const colony of new Set(closings.flatMap(closing => closing.colony ?? []))) {
		const ours = closings.filter(closing => closing.colony === colony);
		const ends = ours.map(closing => endOf(closing) ?? closing.at).sort();
		const drops = (await toldDrops.about(client, colony, {from: processRetention.secondsBefore(ends[0]!, toldDrops.slack), to: ends.at(-1)!}))
			.map(told => read(told))
			.filter((drop): drop is Drop => typeof drop !== 'string' && (drop.named !== undefined || isAllowed(drop, settings)));
		for (const closing of ours.filter(closing => drops.some(drop => covers(drop, closing)))) {
			gone.add(closing.id);
		}
	}
	/* eslint-enable no-await-in-loop */

	return absent.filter(({noun, subject}) => noun !== 'process' || !gone.has(subject));
}

/** Rows that are looked at for one, at most: what it says of more is taken as it is. */
const most = 100_000;

/** Whether the processes that the system removed are those which had ended so, by the history; undefined where that cannot be told. */
async function isAsTold(client: Client, drop: Drop, horizon: retention.Horizon | undefined): Promise<boolean | undefined> {
	if (drop.count > most / 2 || (horizon && drop.from < horizon.before)) {
		return undefined;
	}

	const closings = await toldDrops.closingsBetween(client, {...drop, row: drop.place.row, limit: most});
	const earlier = (await toldDrops.about(client, drop.colony, {from: drop.from, to: drop.before}))
		.map(told => read(told))
		.filter((other): other is Drop => typeof other !== 'string' && other.place.row < drop.place.row);
	// Whose end is told of only roughly may be of this stretch of time or of the next one.
	const isNear = ({at}: Closing): boolean => [drop.from, drop.before].some(edge => at >= edge && at < later(edge));
	if (closings.length === most || closings.some(closing => endOf(closing) === undefined && isNear(closing))) {
		return undefined;
	}

	const ids = closings.filter(closing => covers(drop, closing) && !earlier.some(other => covers(other, closing))).map(({id}) => id);
	return ids.length === drop.count && closedDrops.hashOfIds(ids) === drop.ids;
}

/** What is wrong with rows about closed processes that were removed together: that no setting allowed it, or that others were removed than they say. */
export async function judgeDrops(client: Client, rows: readonly ToldDrop[], horizon: retention.Horizon | undefined): Promise<Deviation[]> {
	const settings = await processRetention.told(client);
	const deviations: Deviation[] = [];
	for (const told of rows) {
		const drop = read(told);
		const place = placeText(told.place);
		const about = {noun: 'process', subject: told.colony ?? '', colonyid: told.colony ?? '', row: place} as const;
		if (typeof drop === 'string') {
			deviations.push({kind: 'altered', ...about, message: `The row ${place} (process.drop) ${drop}.`});
			continue;
		}

		const what = `The row ${place} says that ${plural(drop.count, `${drop.state} process`, `${drop.state} processes`)} of before ${drop.before} ${drop.count === 1 ? 'was' : 'were'} removed at ${drop.at}`;
		if (drop.named === undefined && !isAllowed(drop, settings)) {
			deviations.push({kind: 'dropped', ...about, message: `${what}; no setting of then allowed it.`});
		} else if (drop.named === undefined && await isAsTold(client, drop, horizon) === false) { // eslint-disable-line no-await-in-loop
			deviations.push({kind: 'altered', ...about, message: `${what}; by the history others had ended so.`});
		}
	}

	return deviations;
}
