import {createHash} from 'node:crypto';
import {setImmediate as turn} from 'node:timers/promises';
import {plural} from '../core/text.ts';
import {microseconds} from '../core/time.ts';
import type {Id, Time} from '../core/types.ts';
import {
	type Client, type Place, placeText, retention, seals,
} from '../database/index.ts';
import {type Difference, differenceOf} from './compare-entries.ts';
import {operatorsChanges} from './operators.ts';
import {requestFault} from './verify-request.ts';

type Seal = seals.Seal;

/**
The first thing that is not as it was sealed. `kind`: what happened to a row, `request` where what was signed does not fit, `seal` where a seal was altered, `head` where one that was kept elsewhere is not on the chain,
`retention` where rows that this head covers were dropped by a retention that it does not cover.
`row`: where it stands in the history; null where it is no row, or not the caller's to see.
*/
export type Fault = {kind: Difference['kind'] | 'request' | 'seal' | 'head' | 'retention'; seal: number | null; row: string | null; message: string};

/** What a step of verifying found. `from`, `to`: seals that it went through; `more`: whether there are seals after them. */
export type Verified = {
	intact: boolean;
	fault: Fault | null;
	from: number;
	to: number;
	more: boolean;
	/** The last seal there is, and when it was made; null where nothing is sealed. */
	last: {number: number; hash: string; madeat: Time} | null;
	/** The number of the seal whose hash was given as the head; null where none was, or where it is not on the chain. */
	head: number | null;
	/** How many rows of these seals retention has dropped, and the time before which it has; null where it has dropped none. */
	dropped: number;
	droppedbefore: Time | null;
	/** In these seals: rows that are there, and changes whose requests were checked. Not told to an owner. */
	rows?: number;
	requests?: number;
};

/** Seals that are read at once, rows that are checked at once, and milliseconds after which a step is enough. */
const portion = {seals: 500, rows: 4000, time: 1000};
/** Signatures between two turns for others in this process. */
const breath = 20;

const whats = operatorsChanges.map(({name}) => name);

export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

type Found = {fault: Fault; colony?: Id | null};
type Counts = {rows: number; requests: number; dropped: number; droppedbefore: Time | null};

const about = (seal: Seal, message: string): Found => ({fault: {kind: 'seal', seal: seal.number, row: null, message}});

const hasItsHash = (seal: Seal): boolean => seal.hash === sha256(seals.sealText(seal));

/** What is wrong with a seal and its place in the chain. */
function chainFault(seal: Seal, predecessor: Seal | undefined): Found | undefined {
	const expected = (predecessor?.number ?? 0) + 1;
	if (seal.number !== expected) {
		return {fault: {kind: 'seal', seal: expected, row: null, message: `Seal ${expected} is missing.`}};
	}

	if (seal.predecessor !== (predecessor?.hash ?? seals.noSeal) || !hasItsHash(seal)) {
		return about(seal, `Seal ${seal.number} was altered.`);
	}

	return undefined;
}

/** What retention may have dropped: of any seal, and of those that a head covers which was kept elsewhere. */
type Allowed = {all: retention.Horizon | undefined; underHead: retention.Horizon | undefined};

const timeOf = (horizon: retention.Horizon | undefined): bigint | undefined => horizon && microseconds(horizon.before);

/** The rows of some seals in turn, checked against each of them. */
class Rows {
	readonly #client: Client;
	readonly #head: Seal | undefined;
	#allowed: Allowed | undefined;

	constructor(client: Client, head: Seal | undefined) {
		this.#client = client;
		this.#head = head;
	}

	/** What is wrong with the rows of seals that follow one another. */
	async check(group: readonly Seal[], start: Place, counts: Counts): Promise<Found | undefined> {
		const entries = await seals.entriesBetween(this.#client, start, group.at(-1)!.to);
		const places = seals.readEntries(entries);
		let [at, before] = [0, start];
		for (const seal of group) {
			const from = at;
			while (at < places.length && !isAfter(places[at]!, seal.to)) {
				at++;
			}

			if (sha256(seals.entryBytes(entries, from, at)) === seal.content) {
				counts.rows += at - from;
			} else {
				const found = await this.#differenceIn(seal, before, counts); // eslint-disable-line no-await-in-loop
				if (found) {
					return found;
				}
			}

			before = seal.to;
		}

		return undefined;
	}

	/** Looks at a seal whose rows are not all there as they were. */
	async #differenceIn(seal: Seal, start: Place, counts: Counts): Promise<Found | undefined> {
		// Retention drops nothing before it is sealed that it may, so what is allowed is read after the rows.
		const {kept, present} = await seals.keptAndPresent(this.#client, seal, start);
		const isKnown = this.#allowed !== undefined;
		const found = await this.#judge(seal, kept, present, counts);
		if (found === undefined || !isKnown) {
			return found;
		}

		// It may have gone on since this step began.
		this.#allowed = undefined;
		return this.#judge(seal, kept, present, counts);
	}

	async #judge(seal: Seal, kept: Buffer | undefined, present: Buffer, counts: Counts): Promise<Found | undefined> {
		const {all, underHead} = await this.#readAllowed();
		const horizon = this.#head && seal.number <= this.#head.number ? underHead : all;
		const rows = seals.readEntries(present);
		if (kept === undefined && rows.length > 0) {
			return about(seal, `The rows of seal ${seal.number} are not as they were sealed, and its list of them was dropped, so that it cannot be told which.`);
		}

		if (kept !== undefined && sha256(kept) !== seal.content) {
			return about(seal, `The rows of seal ${seal.number} are not as they were sealed, and its list of them was altered, so that it cannot be told which.`);
		}

		const listed = kept && seals.readEntries(kept);
		const isRight = (horizon: retention.Horizon | undefined): boolean => listed === undefined
			? horizon !== undefined && seal.newest < horizon.before
			: differenceOf(listed, rows, timeOf(horizon)) === undefined;
		if (isRight(horizon)) {
			counts.rows += rows.length;
			counts.dropped += seal.rows - rows.length;
			counts.droppedbefore = rows.length < seal.rows ? horizon!.before : counts.droppedbefore;
			return undefined;
		}

		if (horizon !== all && isRight(all)) {
			return retained(seal, seal.rows - rows.length, all!);
		}

		return listed === undefined
			? {fault: {kind: 'dropped', seal: seal.number, row: null, message: `All ${plural(seal.rows, 'row')} of seal ${seal.number} were dropped, and its list of them with them.`}}
			: this.#told(seal, differenceOf(listed, rows, timeOf(horizon))!);
	}

	async #readAllowed(): Promise<Allowed> {
		if (this.#allowed === undefined) {
			const all = await retention.horizon(this.#client);
			this.#allowed = {all, underHead: this.#head && await retention.horizon(this.#client, this.#head.to)};
		}

		return this.#allowed;
	}

	async #told(seal: Seal, {kind, entry}: Difference): Promise<Found> {
		const elsewhere = kind === 'dropped' ? await seals.placeOfRow(this.#client, entry) : undefined;
		const now = await seals.rowAt(this.#client, elsewhere ?? entry);
		const what = now === undefined ? '' : ` (${now.what})`;
		const name = `The row ${placeText(entry)}${what} of seal ${seal.number}`;
		const message = elsewhere ? `${name} was moved: it stands at ${placeText(elsewhere)} now.` : `${name} was ${kind === 'added' ? 'put in afterwards' : kind}.`;
		return {fault: {kind: elsewhere ? 'moved' : kind, seal: seal.number, row: placeText(entry), message}, colony: now?.colonyid};
	}
}

/** Rows that a kept head covers, gone by a retention that it does not cover: root may have set it, or somebody who wrote in root's name. */
const retained = ({number}: Seal, rows: number, {days, at, place}: retention.Horizon): Found => ({
	fault: {
		kind: 'retention',
		seal: number,
		row: placeText(place),
		message: `${plural(rows, 'row')} of seal ${number} ${rows === 1 ? 'was' : 'were'} dropped by a retention of ${plural(days, 'day', 'days')} that was set at ${at}, after this head was kept (row ${placeText(place)}). If root did not set it, somebody else dropped them; if root did, keep a new head.`,
	},
	colony: null,
});

const isAfter = (one: Place, other: Place): boolean => one.txid > other.txid || (one.txid === other.txid && one.row > other.row);

/** What is wrong with the requests of operators' changes between two places. */
async function requestsFault(client: Client, start: Place, group: readonly Seal[], counts: Counts): Promise<Found | undefined> {
	const changes = await seals.changesBetween(client, start, group.at(-1)!.to, whats);
	// What followed from a change stands under the same request, in its transaction.
	const firsts = changes.length === 0 ? undefined : await seals.firstOfSignatures(client, [...new Set(changes.flatMap(({signature}) => signature ?? []))]);
	for (const [index, change] of changes.entries()) {
		if (index % breath === breath - 1) {
			await turn(); // eslint-disable-line no-await-in-loop
		}

		const seal = group.find(({to}) => !isAfter(change.place, to))!;
		const fault = requestFault(change, change.signature !== null && firsts!.get(change.signature) !== change.place.txid);
		if (fault !== undefined) {
			return {fault: {kind: 'request', seal: seal.number, row: placeText(change.place), message: `The row ${placeText(change.place)} (${change.what}) of seal ${seal.number} ${fault}.`}, colony: change.colonyid};
		}

		counts.requests++;
	}

	return undefined;
}

/** Cuts seals that follow one another into groups of not too many rows. */
function groupsOf(chain: readonly Seal[]): Seal[][] {
	const groups: Seal[][] = [];
	let rows = 0;
	for (const seal of chain) {
		if (groups.length === 0 || rows + seal.rows > portion.rows) {
			groups.push([]);
			rows = 0;
		}

		groups.at(-1)!.push(seal);
		rows += seal.rows;
	}

	return groups;
}

const firstOf = (one: Found | undefined, other: Found | undefined): Found | undefined => {
	if (one === undefined || other === undefined) {
		return one ?? other;
	}

	return one.fault.seal! <= other.fault.seal! ? one : other;
};

/** Seals that follow one another as they should, and what is wrong with the one after them. */
function chainOf(read: readonly Seal[], predecessor: Seal | undefined): {chain: Seal[]; found: Found | undefined} {
	const chain: Seal[] = [];
	for (const seal of read) {
		const found = chainFault(seal, chain.at(-1) ?? predecessor);
		if (found) {
			return {chain, found};
		}

		chain.push(seal);
	}

	return {chain, found: undefined};
}

type Step = {to: Seal | undefined; found: Found | undefined; counts: Counts};

/** Checks the rows and requests of a chain, group by group, until time is up. */
async function checkChain(client: Client, chain: readonly Seal[], {predecessor, head}: {predecessor: Seal | undefined; head: Seal | undefined}): Promise<Step> {
	const rows = new Rows(client, head);
	const counts: Counts = {rows: 0, requests: 0, dropped: 0, droppedbefore: null};
	const until = performance.now() + portion.time;
	let to = predecessor;
	for (const group of groupsOf(chain)) {
		const start = seals.startOf(to);
		/* eslint-disable no-await-in-loop */
		const found = firstOf(await rows.check(group, start, counts), await requestsFault(client, start, group, counts));
		/* eslint-enable no-await-in-loop */
		to = group.at(-1)!;
		if (found !== undefined || performance.now() > until) {
			return {to, found, counts};
		}
	}

	return {to, found: undefined, counts};
}

/** What is wrong with where a step begins, and with the head that is given. */
async function startFault(client: Client, {after, predecessor, head, found}: {after: number; predecessor: Seal | undefined; head: string | undefined; found: Seal | undefined}): Promise<Fault | undefined> {
	if (head !== undefined && !(found && hasItsHash(found))) {
		return {kind: 'head', seal: null, row: null, message: `The head ${head} is not on the chain: the seals from some place on were dropped or made anew.`};
	}

	const early = await seals.sealBeforeFirst(client);
	if (early !== undefined) {
		return {kind: 'seal', seal: early, row: null, message: `Seal ${early} was put in: the first one has the number 1.`};
	}

	return after > 0 && predecessor === undefined ? {kind: 'seal', seal: after, row: null, message: `Seal ${after} is missing.`} : undefined;
}

/**
A step of verifying, from the seal after `after` on: the chain of seals, the rows of each and the requests of operators' changes, as far as it gets in about a second.
@param head hash of a seal that must be on the chain; that the seals between it and `after` follow from it, an earlier step has seen
*/
export async function verify(client: Client, {after, head}: {after: number; head?: string}): Promise<{verified: Verified; colony?: Id | null}> {
	const last = await seals.lastSeal(client) ?? null;
	const read = await seals.sealsFrom(client, Math.max(1, after), portion.seals + 1);
	const predecessor = after > 0 && read[0]?.number === after ? read.shift() : undefined;
	const headSeal = head === undefined ? undefined : await seals.sealWithHash(client, head);
	const common = {from: after + 1, last: last && {number: last.number, hash: last.hash, madeat: last.madeat}, head: headSeal?.number ?? null};
	const early = await startFault(client, {after, predecessor, head, found: headSeal});
	if (early) {
		return {verified: {...common, intact: false, fault: early, to: after, more: false, dropped: 0, droppedbefore: null}};
	}

	const {chain, found: wrongSeal} = chainOf(read, predecessor);
	const {to, found: wrongRow, counts} = await checkChain(client, chain, {predecessor, head: headSeal});
	const isThrough = to === (chain.at(-1) ?? predecessor);
	const found = wrongRow ?? (isThrough ? wrongSeal : undefined);
	const reached = to?.number ?? 0;
	return {
		verified: {...common, ...counts, intact: found === undefined, fault: found?.fault ?? null, to: reached, more: found === undefined && last !== null && reached < last.number},
		colony: found?.colony,
	};
}
