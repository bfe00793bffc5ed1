import {ownerOrRoot} from '../core/authority.ts';
import {InvalidInput, NotFound} from '../core/errors.ts';
import {limits} from '../core/limits.ts';
import {quoted, shortId} from '../core/text.ts';
import type {Time} from '../core/types.ts';
import {audit, placeText, readPlace, seals} from '../database/index.ts';
import {cellField} from './cells.ts';
import {type Column, defineOperation} from './define.ts';
import {
	flag, hash, identity, integer, line, optional, otherwise,
} from './fields.ts';
import {operatorsChanges, otherChanges} from './operators.ts';
import {pagingFields, toPageRequest} from './paging.ts';
import {type Compared, comparePresent} from './present.ts';
import {verify, type Verified} from './verify.ts';

const colonyid = optional(identity('Colony', 'Id of the colony; root may leave it out, for all of them'));
const cell = cellField;
const colony = (input: {colonyid: string | undefined}) => input.colonyid!;

const known = [...operatorsChanges.map(({name}) => name), ...otherChanges];

/** The changes that are meant by a name: one of them (`computer.approve`), all of a noun (`computer`) or of a verb (`approve`). @throws InvalidInput */
function whatsOf(name: string | undefined): string[] | undefined {
	if (name === undefined) {
		return undefined;
	}

	const whats = known.filter(what => what === name || what.split('.').includes(name));
	if (whats.length === 0) {
		throw new InvalidInput(`${quoted(name)} is nothing that the history tells of.`, {hint: `It tells of ${known.join(', ')}.`});
	}

	return [...new Set(whats)];
}

/** The words of a filter: what was done (`disapprove`, `computer`, `computer.remove`), and the rest of them, which is part of a name. */
function readWords(filter: string | undefined): {what?: string; text?: string} {
	const words = (filter ?? '').split(/\s+/).filter(word => word !== '');
	const what = words.find(word => known.some(name => name === word || name.split('.').includes(word)));
	const text = words.filter((word, index) => word !== what || index !== words.indexOf(what)).join(' ');
	return {what, text: text === '' ? undefined : text};
}

type Entry = audit.AuditEntry;

const who = ({actor, actorname}: Entry): string => actorname ?? shortId(actor);
const object = ({subject, name, noun}: Entry): string => name ?? (noun === 'installation' ? subject : shortId(subject));
const columns: ReadonlyArray<Column<Entry>> = ['id', 'at', ['who', who], 'what', ['object', object], ['change', ({from, to}) => [from, to].filter(Boolean).join(' → ')], ['signed', ({signed}) => signed ? 'yes' : '-'], ['sealed', ({sealed}) => sealed ? 'yes' : 'not yet']];

export const listAudit = defineOperation({
	name: 'audit.list',
	summary: 'List who changed what and when, the latest first: operators\' changes, or all.',
	input: {
		colonyid,
		cell,
		all: otherwise(flag('All', 'Everything, not operators\' changes alone'), false),
		filter: optional(line('Filter', 'Words: what was done (disapprove, computer, computer.remove), and part of the name of who or what', {longest: limits.name, shortest: 0})),
		text: optional(line('Text', 'Only what colonies and computers did, or what was done to them, with this text in the name or an id that begins with it; with --all among the latest 100,000', {longest: limits.name})),
		actor: optional(line('Actor', 'Only what somebody did: an id, root or system; with --all among the latest 100,000')),
		subject: optional(line('Subject', 'Only what was done to one thing: its id')),
		what: optional(line('What', 'Only such changes: computer.disapprove, or all of a verb or a noun; with --all among the latest 100,000')),
		...pagingFields,
	},
	route: 'GET /audit',
	across: {merged: 'descending'},
	allow: ownerOrRoot,
	colony,
	changes: [],
	columns,
	commands: [{words: ['audit', 'ls'], summary: 'List who changed what and when, the latest first: operators\' changes, or all.'}],
	async handle({client, input}) {
		const words = readWords(input.filter);
		const filter = {colony: input.colonyid, all: input.all, text: input.text ?? words.text, actor: input.actor, subject: input.subject, whats: whatsOf(input.what ?? words.what)};
		return audit.list(client, filter, toPageRequest(input));
	},
});

/** A seal, for people and for keeping elsewhere. `upto`: the last row that it covers. */
export type Head = {number: number; hash: string; madeat: Time; upto: string; rows: number};

const toHead = ({number, hash, madeat, to, rows}: seals.Seal): Head => ({number, hash, madeat, upto: placeText(to), rows});

export const getAudit = defineOperation({
	name: 'audit.get',
	summary: 'Show a change with the request that was signed, its image and its seal.',
	input: {colonyid, cell, entry: line('Entry', 'Id of the change, as it is listed')},
	route: 'GET /audit/entries/{entry}',
	across: 'found',
	allow: ownerOrRoot,
	colony,
	changes: [],
	async handle({client, input}) {
		const place = readPlace(input.entry);
		const entry = await audit.get(client, place, input.colonyid);
		if (entry === undefined) {
			throw new NotFound(`There is no change ${quoted(input.entry)}.`, {hint: 'Take its id from `colonies audit ls`; it may have been dropped by retention.'});
		}

		const seal = await seals.sealOf(client, place);
		return {...entry, seal: seal ? toHead(seal) : null};
	},
});

/** The last seal, and since when changes are not sealed. `cells`: those of every cell, where there are several; of the first, it is the last seal itself. */
export type Heads = Head & {unsealed: Time | null; cells?: CellHead[]};

/** The last seal of a cell, or why it is not known. */
export type CellHead = {cell: string} & ((Head & {unsealed: Time | null}) | {problem: string});

export const getHead = defineOperation({
	name: 'audit.head',
	summary: 'Show the last seal of the history: its hash, kept elsewhere, proves that nothing was cut off.',
	input: {colonyid, cell},
	route: 'GET /audit/head',
	across: 'heads',
	allow: ownerOrRoot,
	colony,
	changes: [],
	async handle({client}): Promise<Heads> {
		const last = await seals.lastSeal(client);
		if (last === undefined) {
			throw new NotFound('Nothing is sealed yet.', {hint: 'It is, within two seconds, while a server, a console or the embedded database is up.'});
		}

		return {...toHead(last), unsealed: await seals.unsealedSince(client, last)};
	},
});

/** What an owner is told: whether it is intact, and where it is not only what concerns the own colony. */
function forOwner({rows: _, requests: __, ...verified}: Verified, isOwn: boolean): Verified {
	const {fault} = verified;
	return fault?.row && fault.kind !== 'retention' && !isOwn
		? {...verified, fault: {...fault, row: null, message: `A row of seal ${fault.seal} that is of another colony, or gone, is not as it was sealed.`}}
		: verified;
}

export const verifyAudit = defineOperation({
	name: 'audit.verify',
	summary: 'Check seals, rows and signatures of the history, as far as it gets in a second; go on after the seal that it came to.',
	input: {
		colonyid,
		cell,
		after: otherwise(integer('After', 'Only the seals after this one', {most: Number.MAX_SAFE_INTEGER}), 0),
		head: optional(hash('Head', 'Hash of a seal, kept elsewhere: it must be on the chain')),
	},
	route: 'GET /audit/verification',
	allow: ownerOrRoot,
	colony,
	changes: [],
	async handle({client, input, who}): Promise<Verified> {
		const {verified, colony} = await verify(client, input);
		return who.role === 'root' ? verified : forOwner(verified, colony === input.colonyid);
	},
});

export const compareAudit = defineOperation({
	name: 'audit.present',
	summary: 'Compare colonies, computers, processes and attributes with what the history says of them, as far as it gets in a second; go on from the position that it came to.',
	input: {colonyid, cell, position: optional(line('Position', 'Where the step before came to; none to begin', {longest: 1000}))},
	route: 'GET /audit/present',
	allow: ownerOrRoot,
	colony,
	changes: [],
	handle: async ({client, input}): Promise<Compared> => comparePresent(client, input),
});
