import assert from 'node:assert/strict';
import {brokerContext} from '../../source/contexts/index.ts';
import {ColoniesError} from '../../source/core/errors.ts';
import type {Id} from '../../source/core/types.ts';
import {migrate} from '../../source/database/index.ts';
import {openPostgres, type PostgresOptions} from '../../source/database/postgres.ts';
import type {Database} from '../../source/database/types.ts';
import {createIdentity, type Identity} from '../../source/identity/index.ts';
import type {Context} from '../../source/operations/index.ts';
import {assembleFleet, type Fleet, type Keys} from '../../source/work/demo/fleet.ts';
import {createLife} from '../../source/work/demo/life.ts';
import {hostileTexts} from './console-states.ts';
import type {Random} from './random.ts';

/** The root password of the living colony. It has no letter that confirms anything. */
export const livingRoot = 'secret';

/** A change in the history. */
export type Written = {history_id: string; txid: string; actor: string; what: string; subject_id: string};

/** A colony with simulated computers at work, some of whom write what no terminal must obey. */
export type Living = {
	colonyid: Id;
	/** Private key of its owner, of a computer that never works, and of the owner of another colony. */
	keys: {owner: string; computer: string; other: string};
	/** Everybody does what is due; it waits for nobody, and is skipped while the turn before is under way. */
	turn: () => void;
	/** Sees to it that some computers are approved, whatever an operator did. */
	tend: () => Promise<void>;
	/** What was written since the beginning under the ids of an operator, oldest first, without what `tend` did. */
	changes: () => Promise<Written[]>;
	/** How many processes are in each state. */
	counts: () => Promise<Record<string, number>>;
	/** Ends the turn under way. */
	rest: () => Promise<void>;
	close: () => Promise<void>;
};

/** Texts that a database can hold. */
const storable = hostileTexts.filter(text => !text.includes('\u0000') && text.isWellFormed());

/** Milliseconds of the demo's own time that a turn takes, and how many times faster than usual its deadlines are. */
const step = 700;
const pace = 20;

function memoryKeys(): Keys & {privateKeyOf: (id: Id) => string} {
	const kept = new Map<Id, {identity: Identity; privateKey: string; label?: Parameters<Keys['describe']>[1]}>();
	return {
		async create() {
			const made = createIdentity();
			kept.set(made.identity.id, made);
			return made;
		},
		identity: async id => kept.get(id)!.identity,
		list: async () => Array.from(kept, ([id, {label}]) => ({id, label})),
		async describe(id, label) {
			kept.set(id, {...kept.get(id)!, label});
		},
		privateKeyOf: id => kept.get(id)!.privateKey,
	};
}

/** Names and descriptions that the operations refuse, as somebody might leave them who writes into the database itself. */
async function disguise(database: Database, colonyid: Id): Promise<void> {
	await database.query(
		`update colonies.computers c set name = left(h.text, 200), cpu = left(h.text, 500), gpu = h.text
		from (select row_number() over () as number, text from unnest($2::text[]) as text) h,
			(select computer_id, row_number() over (order by computer_id) as number from colonies.computers where colony_id = colonies.bytes_of($1) and name like 'hostile%') n
		where c.colony_id = colonies.bytes_of($1) and c.computer_id = n.computer_id and h.number = n.number`,
		[colonyid, storable],
	);
}

/** Somebody who takes no care of anybody's terminal: a computer whose work says hostile things. */
function createStranger(context: Context, {colonyid, owner, member, random}: {colonyid: Id; owner: Identity; member: Identity; random: Random}): () => Promise<void> {
	const text = () => random.pick(storable);
	return async () => {
		await context.run({identity: owner}, 'process.submit', {spec: {targetcolonyid: colonyid, targetcomputerids: [member.id], in: {[text().slice(0, 100)]: text(), password: text()}}}).catch(refused);
		const process = await context.run({identity: member}, 'process.assign', {colonyid}).catch(refused);
		if (process) {
			const of = {colonyid, processid: process.processid};
			for (const type of ['out', 'err'] as const) {
				await context.run({identity: member}, 'attribute.add', {...of, key: text().slice(0, 100), value: text(), type}).catch(refused);
			}

			await context.run({identity: member}, random.chance(0.5) ? 'process.successful' : 'process.failed', of).catch(refused);
		}
	};
}

/** What operations refuse is nothing to the living. */
function refused(error: unknown): undefined {
	assert.ok(error instanceof ColoniesError, String(error));
}

/** Brings a colony to life in an empty database. */
export async function openLiving(where: PostgresOptions, random: Random): Promise<Living> {
	const database = await openPostgres(where);
	await migrate(database);
	const context = brokerContext(database, {kind: 'database', name: 'living', local: true});
	const keys = memoryKeys();
	const {colonyid, owner, members} = await assembleFleet({context, root: livingRoot, keys});
	const asOwner = {identity: owner};
	const join = async (name: string, more: Record<string, unknown> = {}): Promise<Identity> => {
		const {identity} = await keys.create();
		await context.run(asOwner, 'computer.register', {colonyid, computerid: identity.id, spec: {name, cores: 4, mem: 1000, gpus: 0, ...more}});
		await context.run(asOwner, 'computer.approve', {colonyid, computerid: identity.id});
		return identity;
	};

	for (const number of storable.keys()) {
		await join(`hostile-${number}`);
	}

	await disguise(database, colonyid);
	// Submits in place of the owner, so that whatever the owner does in the history is an operator's.
	const dispatcher = await join('dispatcher', {computertype: 'none'});
	const stranger = await join('stranger', {computertype: 'none', cores: 1});
	const parked = await join('parked', {computertype: 'none', cores: 1});
	const {identity: other} = await keys.create();
	await context.run({root: livingRoot}, 'colony.register', {colonyid: other.id, spec: {name: 'spare'}});
	const fleet: Fleet = {colonyid, owner: dispatcher, members: members.map(member => ({...member, room: 1}))};
	const life = await createLife({context, fleet, random: () => random.next(), pace, bounds: {waiting: 60, closed: 1_000_000}});
	const odd = createStranger(context, {colonyid, owner: dispatcher, member: stranger, random});
	const needed = [dispatcher, stranger, ...members.map(({identity}) => identity).slice(0, 3)];

	const {rows: [last]} = await database.query<{txid: string}>('select max(txid)::text as txid from colonies.history');
	const tended: string[] = [];
	let now = 0;
	let current: Promise<void> | undefined;
	const takeTurn = async (): Promise<void> => {
		now += step;
		await life.tick(now).catch(refused);
		await odd().catch(refused);
	};

	return {
		colonyid,
		keys: {owner: keys.privateKeyOf(colonyid), computer: keys.privateKeyOf(parked.id), other: keys.privateKeyOf(other.id)},
		turn() {
			current ??= takeTurn().finally(() => {
				current = undefined;
			});
		},
		async tend() {
			for (const {id: computerid} of needed) {
				const found = await context.run(asOwner, 'computer.get', {colonyid, computerid}).catch(refused);
				if (!found && await context.run(asOwner, 'computer.register', {colonyid, computerid, spec: {name: 'back again', cores: 8, mem: 16_000, gpus: 0}}).catch(refused)) {
					tended.push(`computer.register ${computerid}`);
				}

				if (found?.status !== 1 && await context.run(asOwner, 'computer.approve', {colonyid, computerid}).catch(refused)) {
					tended.push(`computer.approve ${computerid}`);
				}
			}
		},
		async changes() {
			const {rows} = await database.query<Written>(
				'select history_id::text, txid::text, colonies.text_of(actor) as actor, what, colonies.text_of(subject_id) as subject_id from colonies.history where txid > $1::bigint and actor in (select colonies.bytes_of_any(a) from unnest($2::text[]) a) order by txid, history_id',
				[last!.txid, [colonyid, parked.id, other.id, 'root']],
			);
			const left = [...tended];
			return rows.filter(({what, subject_id: subject, actor}) => {
				const at = actor === colonyid ? left.indexOf(`${what} ${subject}`) : -1;
				if (at !== -1) {
					left.splice(at, 1);
				}

				return at === -1;
			});
		},
		async counts() {
			return context.run(asOwner, 'process.count', {colonyid});
		},
		async rest() {
			await current;
		},
		async close() {
			await current;
			await context.close();
		},
	};
}
