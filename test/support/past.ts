import type {Colony as Registered, Computer, Id, Process, Time} from '../../source/core/types.ts';
import type {Database} from '../../source/database/types.ts';
import {createIdentity, type Identity} from '../../source/identity/index.ts';
import {Broker} from '../../source/operations/index.ts';
import {Colony, outcomeOf, root} from './colony.ts';
import type {Random} from './random.ts';

/** What the ordinary lists said of a colony at a moment. */
export type Recorded = {
	at: Time;
	colony: Colony;
	processes: Process[];
	computers: Computer[];
	counts: unknown;
	computerCounts: unknown;
	colonies: Registered[];
};

type Page<Row> = {rows: Row[]; positions: string[]; more: {before: boolean; after: boolean}; at?: Time};

/** Reads a list to its end. */
export async function readAll<Row>(read: (page: {position?: string; direction?: 'after' | 'before'}) => Promise<Page<Row>>, direction: 'after' | 'before' = 'after'): Promise<Row[]> {
	const rows: Row[] = [];
	for (let position: string | undefined, more = true; more;) {
		const page: Page<Row> = await read({position, direction});
		if (direction === 'after') {
			rows.push(...page.rows);
		} else {
			rows.unshift(...page.rows);
		}

		more = direction === 'after' ? page.more.after : page.more.before;
		position = direction === 'after' ? page.positions.at(-1) : page.positions[0];
	}

	return rows;
}

/** A computer: its id, and who proves to be it now. */
type Member = {id: Id; identity: Identity; colony: Colony};

/** Whatever people and computers may do, at random, in some colonies; and somebody who writes down what the lists say meanwhile. */
export class Workload {
	readonly colonies: Colony[] = [];
	readonly recorded: Recorded[] = [];
	readonly #random: Random;
	readonly #database: Database;
	readonly #brokers: readonly Broker[];
	readonly #computers: Member[] = [];
	readonly #processes: Array<{id: Id; colony: Colony}> = [];

	constructor(database: Database, random: Random) {
		this.#database = database;
		this.#random = random;
		this.#brokers = [new Broker(database, {local: true}), new Broker(database, {local: true})];
	}

	get #broker(): Broker {
		return this.#random.pick(this.#brokers);
	}

	/** The clock of the database, and a moment after which nothing has happened yet: it goes on before anything else is done. */
	async moment(): Promise<Time> {
		const clock = async () => {
			const {rows} = await this.#database.query<{at: Time}>('select clock_timestamp() as at');
			return rows[0]!.at;
		};

		const at = await clock();
		for (let now = at; now <= at;) {
			now = await clock();
		}

		return at;
	}

	async begin(colonies: number): Promise<void> {
		for (let index = 0; index < colonies; index++) {
			await this.#addColony();
			await this.#addComputer();
		}
	}

	/** The kinds of change that chance leaves out now and then, once each. */
	async beginRare(): Promise<void> {
		const [colony] = this.colonies as [Colony];
		const computer = await colony.computer();
		const late = [await colony.running(computer, {timeout: 600}), await colony.running(computer, {timeout: 600, maxretries: 1})];
		await colony.passDeadlines(...late);
		await colony.broker.endExpired();
		// Its deadline was set back behind the history's back.
		await colony.own('process.remove', {processid: late[0]!.processid});
		const failed = await colony.running(computer);
		await colony.close(computer, failed, 'failed');
		await colony.own('process.retry', {processid: failed.processid});
		await colony.own('process.cancel', {processid: failed.processid});
		await colony.own('process.remove', {processid: failed.processid});
		await colony.own('computer.disapprove', {computerid: computer.id});
		await colony.own('computer.rename', {computerid: computer.id, name: 'other'});
		await colony.own('computer.rekey', {computerid: computer.id, keyid: createIdentity().identity.id});
		await colony.own('computer.remove', {computerid: computer.id});
		await this.#broker.run(root, 'colony.rename', {colonyid: colony.id, name: 'other'});
		await this.#removeColony();
	}

	/** Some acts, now and then at once, and what the lists of one colony say then. */
	async step(): Promise<void> {
		const acts = Array.from({length: 1 + this.#random.below(4)}, () => this.#pick());
		if (this.#random.chance(0.3)) {
			await Promise.all(acts.map(async act => this.#try(act)));
		} else {
			for (const act of acts) {
				await this.#try(act);
			}
		}

		await this.#record();
	}

	async #record(): Promise<void> {
		const colony = this.#random.pick(this.colonies);
		const at = await this.moment();
		const [{rows: processes}, {rows: computers}, counts, computerCounts, {rows: colonies}] = await Promise.all([
			colony.own('process.list', {count: 1000}),
			colony.own('computer.list', {count: 1000}),
			colony.own('process.count'),
			colony.own('computer.count'),
			this.#brokers[0]!.run(root, 'colony.list', {count: 1000}),
		]);
		// When computers were last seen is not part of the past.
		this.recorded.push({at, colony, processes, computers: computers.map(({lastseen: _, ...computer}) => computer), counts, computerCounts, colonies});
	}

	async #try(act: () => Promise<unknown>): Promise<void> {
		const outcome = await outcomeOf(act());
		if (!['done', 'conflict', 'not-found', 'nothing-to-assign', 'not-allowed'].includes(outcome)) {
			throw new Error(`An act ended with ${outcome}.`);
		}
	}

	#pick(): () => Promise<unknown> {
		const random = this.#random;
		const process = random.pick(this.#processes) ?? {id: '0'.repeat(64), colony: this.colonies[0]!};
		const stranger = createIdentity().identity;
		const member = random.pick(this.#computers) ?? {id: stranger.id, identity: stranger, colony: this.colonies[0]!};
		const about = {colony: process.colony.through(this.#broker), processid: process.id};
		const own = (name: 'process.retry' | 'process.cancel' | 'process.remove') => async () => about.colony.own(name, {processid: about.processid});
		const change = (name: 'computer.approve' | 'computer.disapprove') => async () => member.colony.own(name, {computerid: member.id});
		const acts: Array<[weight: number, act: () => Promise<unknown>]> = [
			[10, async () => this.#submit()],
			[12, async () => member.colony.as(member.identity, 'process.assign', {colonyid: member.colony.id})],
			[8, async () => this.#work(member)],
			[2, own('process.retry')],
			[1, own('process.cancel')],
			[1, own('process.remove')],
			[2, async () => this.#broker.endExpired()],
			[2, change('computer.approve')],
			[1, change('computer.disapprove')],
			[1, async () => this.#addComputer()],
			[0.6, async () => this.#removeComputer(member)],
			[1, async () => member.colony.own('computer.rename', {computerid: member.id, name: random.pick(['lab', 'Lab', 'edge', 'ärger', 'other'])})],
			[1, async () => this.#rekey(member)],
			[0.3, async () => this.#broker.run(root, 'colony.rename', {colonyid: random.pick(this.colonies).id, name: random.pick(['b', 'a', 'Z', 'é', 'other'])})],
			[0.3, async () => this.#addColony()],
			[0.2, async () => this.#removeColony()],
		];
		let at = random.next() * acts.reduce((sum, [weight]) => sum + weight, 0);
		const [, act] = acts.find(([weight]) => {
			at -= weight;
			return at < 0;
		})!;
		return act;
	}

	async #submit(): Promise<void> {
		const colony = this.#random.pick(this.colonies).through(this.#broker);
		const random = this.#random;
		const spec = () => ({
			targetcolonyid: colony.id, timeout: random.pick([-1, 0, 1, 1, 3600]), maxretries: random.below(3), mem: random.below(3) * 1000, cores: random.below(4), computertype: random.pick(['', 'gpu', 'cpu']),
			traceparent: random.pick([undefined, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01']),
			in: random.pick([{}, {key: 'value', b: String(random.below(9)), a: ''}]),
		});
		const answers = await colony.broker.runMany({identity: colony.owner}, 'process.submit', Array.from({length: random.pick([1, 1, 1, 5])}, () => ({spec: spec()})));
		for (const answer of answers) {
			this.#processes.push({id: (answer as {result: Process}).result.processid, colony});
		}

		this.#processes.splice(0, Math.max(0, this.#processes.length - 300));
	}

	/** Takes a process, writes something, and mostly closes it; or writes on one that it has. */
	async #work({id, identity, colony}: Member): Promise<void> {
		const random = this.#random;
		const {rows: running} = await colony.own('process.list', {state: 'running', computerid: id, count: 1000});
		const process = running.length > 0 && random.chance(0.7) ? random.pick(running) : await colony.assign(identity);
		for (let left = random.below(4); left > 0; left--) {
			await colony.add(identity, process, {key: random.pick(['step', 'result', 'error', 'Äther']), value: String(random.below(5)), type: random.pick(['out', 'err'])});
		}

		if (random.chance(0.6)) {
			await colony.close(identity, process, random.pick(['successful', 'failed']));
		}
	}

	async #addComputer(): Promise<void> {
		const random = this.#random;
		const colony = random.pick(this.colonies);
		// Now and then one that was there before, with another name.
		const known = random.chance(0.2) ? random.pick(this.#computers) : undefined;
		const identity = known?.identity ?? createIdentity().identity;
		const id = known?.id ?? identity.id;
		await colony.own('computer.register', {computerid: id, spec: {name: random.pick(['lab', 'Lab', 'edge', 'ärger']), cores: random.below(9), mem: 8000, computertype: random.pick(['', 'gpu', 'cpu']), cpu: 'AMD'}});
		this.#computers.push({id, identity, colony});
		if (random.chance(0.8)) {
			await colony.own('computer.approve', {computerid: id});
		}
	}

	/** Gives a computer another key; who goes on with the old one is refused. */
	async #rekey(member: Member): Promise<void> {
		const {identity} = createIdentity();
		await member.colony.own('computer.rekey', {computerid: member.id, keyid: identity.id});
		member.identity = identity;
	}

	async #removeComputer({id, colony}: Member): Promise<void> {
		await colony.own('computer.remove', {computerid: id});
		this.#computers.splice(this.#computers.findIndex(member => member.id === id && member.colony === colony), 1);
	}

	async #addColony(): Promise<void> {
		const colony = new Colony(this.#database, this.#brokers[0]!);
		await this.#brokers[0]!.run(root, 'colony.register', {colonyid: colony.id, spec: {name: this.#random.pick(['b', 'a', 'Z', 'é'])}});
		this.colonies.push(colony);
	}

	/** Removes a colony, and registers it again, for only its members can ask for its past. */
	async #removeColony(): Promise<void> {
		const colony = this.#random.pick(this.colonies);
		await this.#brokers[0]!.run(root, 'colony.remove', {colonyid: colony.id});
		await this.#brokers[0]!.run(root, 'colony.register', {colonyid: colony.id, spec: {name: 'again'}});
	}
}
