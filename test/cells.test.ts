// An installation of several cells as one store: where colonies live, what root sees of all, and a colony that moves with all it has.
import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {createContexts} from '../source/contexts/index.ts';
import {openPostgres} from '../source/database/postgres.ts';
import type {Database} from '../source/database/types.ts';
import {createIdentity, type Identity} from '../source/identity/index.ts';
import type {
	Context, Contexts, Event, InputOf, OperationName, Page, ResultOf,
} from '../source/operations/index.ts';
import {refused, root, rootPassword} from './support/colony.ts';
import {freshHome} from './support/commands.ts';
import {
	freshDatabase, noPostgres, onSocket, type Server, startPostgres,
} from './support/databases.ts';
import {eventually} from './support/eventually.ts';

const skip = noPostgres;

/** An installation of two cells in one database and a third on a server of its own, called `far`. */
class World {
	readonly contexts: Contexts;
	readonly #home = freshHome();

	constructor(readonly first: Server, readonly second: Server, readonly place: {database: string}, readonly far: {database: string}) {
		this.contexts = createContexts({env: {}, folders: this.#home.folders, settings: this.#home.settings});
	}

	get choice() {
		return {dbhost: this.first.host, dbport: this.first.port, dbuser: this.first.user, dbname: this.place.database};
	}

	get farChoice() {
		return {dbhost: this.second.host, dbport: this.second.port, dbuser: this.second.user, dbname: this.far.database};
	}

	async make(): Promise<void> {
		await this.contexts.create(this.choice, () => undefined, {rootpassword: rootPassword, cells: 2});
		await this.contexts.addCell(this.farChoice, 'far', () => undefined);
	}

	/** Opened as a console or a command does. */
	async open(options: {attended?: boolean} = {}): Promise<Context> {
		const context = await this.contexts.open(this.choice, options);
		after(async () => context.close());
		return context;
	}

	/** A cell's schema itself, past the program. */
	async look(cell: 'colonies' | 'colonies_01' | 'far'): Promise<Database> {
		const database = await openPostgres(cell === 'far' ? {...onSocket(this.second), database: this.far.database} : {...onSocket(this.first), database: this.place.database, schema: cell});
		after(async () => database.close());
		return database;
	}
}

async function makeWorld(): Promise<World> {
	const [first, second] = [await startPostgres(), await startPostgres()];
	const [place, far] = [await freshDatabase(first), await freshDatabase(second)] as [{database: string}, {database: string}];
	const world = new World(first, second, place, far);
	await world.make();
	return world;
}

/** A colony, in any cell. */
class Citizen {
	readonly owner: Identity = createIdentity().identity;

	constructor(readonly context: Context) {}

	get id() {
		return this.owner.id;
	}

	async as<Name extends OperationName>(identity: Identity, name: Name, input: Record<string, unknown> = {}): Promise<ResultOf<Name>> {
		return this.context.run({identity}, name, {colonyid: this.id, ...input});
	}

	async own<Name extends OperationName>(name: Name, input: Record<string, unknown> = {}): Promise<ResultOf<Name>> {
		return this.as(this.owner, name, input);
	}

	async submit(spec: Record<string, unknown> = {}): Promise<ResultOf<'process.submit'>> {
		return this.context.run({identity: this.owner}, 'process.submit', {spec: {targetcolonyid: this.id, ...spec}});
	}

	async computer(name = 'lab'): Promise<Identity> {
		const {identity} = createIdentity();
		await this.own('computer.register', {computerid: identity.id, spec: {name, cores: 8, mem: 8000, gpus: 1}});
		await this.own('computer.approve', {computerid: identity.id});
		return identity;
	}
}

async function settle(context: Context, name: string, cell?: string): Promise<{citizen: Citizen; cell: string}> {
	const citizen = new Citizen(context);
	const registered = await context.run(root, 'colony.register', {colonyid: citizen.id, spec: {name}, ...(cell === undefined ? {} : {cell})});
	return {citizen, cell: registered.cell!};
}

/** Moves a colony to its end. */
async function move(context: Context, colonyid: string, cell: string): Promise<ResultOf<'colony.move'>> {
	for (;;) {
		const step = await context.run(root, 'colony.move', {colonyid, cell});
		if (step.state === 'moved') {
			return step;
		}
	}
}

/** Seals and verifies every cell, and compares what is there with the history. */
async function verifyAll(world: World): Promise<void> {
	const attended = await world.open({attended: true});
	for (const {cell} of await attended.run(root, 'cell.list', {})) {
		await eventually(async () => {
			const head = await attended.run(root, 'audit.head', {cell}).catch(() => undefined);
			return head?.unsealed === null;
		}, `The cell ${cell} is not sealed.`);
		const verified = await attended.run(root, 'audit.verify', {cell});
		assert.deepEqual([verified.intact, verified.fault, verified.more], [true, null, false], cell);
		const compared = await attended.run(root, 'audit.present', {cell});
		assert.deepEqual(compared.deviations, [], cell);
		assert.equal(compared.more, false);
	}
}

const world = skip ? undefined : await makeWorld();

test('colonies go to the emptiest cell or the one that is given, and work there as anywhere', {skip}, async () => {
	const context = await world!.open();
	assert.deepEqual((await context.run(root, 'cell.list', {})).map(({cell, answers}) => [cell, answers]), [['colonies', true], ['colonies_01', true], ['far', true]]);
	const cells = new Set<string>();
	for (const name of ['one', 'two', 'three']) {
		const {citizen, cell} = await settle(context, name);
		cells.add(cell);

		const computer = await citizen.computer();
		const {processid} = await citizen.submit({in: {key: 'value'}});
		assert.equal((await citizen.as(computer, 'process.assign', {})).processid, processid);
		await citizen.as(computer, 'process.successful', {processid});
		assert.equal((await citizen.own('process.get', {processid})).status, 2);
	}

	assert.deepEqual([...cells].sort(), ['colonies', 'colonies_01', 'far']);
	assert.equal((await settle(context, 'four', 'far')).cell, 'far');
	await refused(settle(context, 'five', 'fra'), 'not-found', /no cell "fra"/);
	const {citizen} = await settle(context, 'six', 'far');
	await refused(citizen.as(createIdentity().identity, 'process.count', {}), 'not-allowed', /neither the owner nor a computer/);
	await refused(new Citizen(context).own('colony.get', {}), 'not-allowed', /if there is one/);
	await refused(settle(context, 'six again', 'far').then(async ({citizen}) => context.run(root, 'colony.register', {colonyid: citizen.id, spec: {name: 'twice'}})), 'conflict', /registered already/);
});

test('root sees the colonies and changes of all cells in one list, page by page', {skip}, async () => {
	const context = await world!.open();
	const whole = await context.run(root, 'colony.list', {count: 100});
	assert.deepEqual(whole.rows.map(({name}) => name), whole.rows.map(({name}) => name).sort());
	assert.ok(new Set(whole.rows.map(({cell}) => cell)).size === 3);
	for (const name of ['colony.list', 'audit.list'] as const) {
		const listed = async (input: Record<string, unknown>) => context.run(root, name, input) as Promise<Page<object>>;
		const all = await listed({count: 100});
		const [paged, back]: [object[], object[]] = [[], []];
		for (let position: string | undefined; ;) {
			const page = await listed({count: 2, ...(position === undefined ? {} : {position})});
			paged.push(...page.rows);
			if (!page.more.after) {
				break;
			}

			position = page.positions.at(-1);
		}

		for (let position: string | undefined; ;) {
			const page = await listed({count: 2, direction: 'before', ...(position === undefined ? {} : {position})});
			back.unshift(...page.rows);
			if (!page.more.before) {
				break;
			}

			position = page.positions[0];
		}

		assert.deepEqual(paged, all.rows);
		assert.deepEqual(back, all.rows);
	}

	const [entry] = (await context.run(root, 'audit.list', {})).rows;
	assert.equal((await context.run(root, 'audit.get', {entry: entry!.id, cell: entry!.cell})).what, entry!.what);
	await refused(context.run(root, 'audit.list', {all: true}), 'invalid-input', /order of one cell/);
	assert.ok((await context.run(root, 'audit.list', {all: true, cell: 'far'})).rows.length > 0);
});

test('a colony moves with its processes, computers, history and events, and nothing is lost or doubled', {skip}, async () => {
	const context = await world!.open({attended: true});
	const {citizen} = await settle(context, 'mover', 'colonies_01');
	const computer = await citizen.computer();
	const ids: string[] = [];
	for (let index = 0; index < 5; index++) {
		ids.push((await citizen.submit({in: {n: String(index)}, timeout: 600, computertype: index === 4 ? 'other' : ''})).processid);
	}

	await citizen.as(computer, 'process.assign', {});
	await citizen.as(computer, 'process.successful', {processid: ids[0]});
	await citizen.as(computer, 'process.assign', {});
	await citizen.as(computer, 'attribute.add', {processid: ids[1], key: 'out', value: 'so far'});
	await citizen.own('computer.register', {computerid: createIdentity().identity.id, spec: {name: 'new'}});
	const known = await citizen.context.run({identity: citizen.owner}, 'process.submit', {spec: {targetcolonyid: citizen.id, in: {once: '1'}}}, {idempotencyKey: 'once'});
	const before = await stateOf(citizen, ids);
	const events = await eventsOf(citizen);

	const moved = await move(context, citizen.id, 'far');
	assert.deepEqual([moved.from, moved.to, moved.state], ['colonies_01', 'far', 'moved']);
	assert.deepEqual(await stateOf(citizen, ids), before);
	assert.equal((await citizen.context.run({identity: citizen.owner}, 'process.submit', {spec: {targetcolonyid: citizen.id, in: {once: '1'}}}, {idempotencyKey: 'once'})).processid, known.processid);
	const withoutId = (events: readonly Event[]) => events.map(event => ({...event, id: undefined}));
	assert.deepEqual(withoutId(await eventsOf(citizen)), withoutId(events));
	// Who goes on after an event of before the move misses none.
	assert.deepEqual(withoutId(await eventsOf(citizen, events[3]!.id)).slice(-(events.length - 4)), withoutId(events.slice(4)));

	await citizen.as(computer, 'process.successful', {processid: ids[1]});
	assert.equal((await citizen.as(computer, 'process.assign', {})).processid, ids[2]);
	assert.equal((await world!.look('colonies_01').then(async database => database.query('select from colonies.closed where colony_id = colonies.bytes_of($1)', [citizen.id]))).rows.length, 0);
	await verifyAll(world!);

	// And back again, where its history has been.
	await move(context, citizen.id, 'colonies_01');
	await citizen.as(computer, 'process.failed', {processid: ids[2]});
	const steps = (await eventsOf(citizen)).filter(({subject}) => ids.includes(subject)).map(({what, subject}) => `${what} ${subject}`);
	assert.equal(new Set(steps).size, steps.length, 'No step is told twice.');
	await verifyAll(world!);
	await refused(move(context, citizen.id, 'colonies_01'), 'conflict', /already/);
});

/** What happened in a colony, but for where it lives. */
async function eventsOf(citizen: Citizen, after = '0.0'): Promise<Event[]> {
	const events = await citizen.own('event.list', {after, count: 1000});
	return events.rows.filter(({what}) => what !== 'colony.move' && what !== 'colony.arrive');
}

async function stateOf(citizen: Citizen, ids: string[]): Promise<unknown> {
	const processes = await Promise.all(ids.map(async processid => citizen.own('process.get', {processid})));
	const [computers, attention, counts] = [await citizen.own('computer.list'), await citizen.own('attention.list'), await citizen.own('process.count')];
	const history = await Promise.all(ids.map(async processid => citizen.own('process.history', {processid})));
	const pulse = await citizen.own('pulse.get', {});
	return {
		processes, computers: computers.rows.map(row => ({...row, lastseen: undefined})), attention: (attention as unknown as {rows: Array<{text: string}>}).rows.map(({text}) => text), counts,
		history: history.map(({rows}) => rows.map(row => ({...row, id: undefined}))), pulse: (pulse as unknown as {totals: unknown}).totals,
	};
}

/** Works as a computer until it is told to stop, and says which processes it closed. */
async function workOn(citizen: Citizen, computer: Identity, stop: {isOver: boolean}): Promise<string[]> {
	const closed: string[] = [];
	/* eslint-disable no-await-in-loop */
	while (!stop.isOver) {
		const process = await patient(async () => citizen.as(computer, 'process.assign', {wait: 1}), ['nothing-to-assign']);
		if (process) {
			await patient(async () => citizen.as(computer, 'process.successful', {processid: process.processid}), []);
			closed.push(process.processid);
		}
	}
	/* eslint-enable no-await-in-loop */

	return closed;
}

/** Asks again while the store does not answer, as clients do; undefined for what is no answer. */
async function patient<Result>(work: () => Promise<Result>, nothing: readonly string[]): Promise<Result | undefined> {
	const until = performance.now() + 60_000;
	for (;;) {
		try {
			return await work(); // eslint-disable-line no-await-in-loop
		} catch (error) {
			const {code} = error as {code: string};
			if (nothing.includes(code)) {
				return undefined;
			}

			assert.ok(code === 'unavailable' && performance.now() < until, (error as Error).stack);
		}
	}
}

test('a colony moves while it works, seen by two programs: every process runs once', {skip}, async () => {
	const [one, other] = [await world!.open({attended: true}), await world!.open({attended: true})];
	const {citizen} = await settle(one, 'busy', 'colonies');
	const computers = [await citizen.computer('a'), await citizen.computer('b')];
	const elsewhere = Object.assign(new Citizen(other), {owner: citizen.owner});
	const stop = {isOver: false};
	const working = computers.map(async (computer, index) => workOn(index === 0 ? citizen : elsewhere, computer, stop));
	const submitted: string[] = [];
	const submitting = (async () => {
		for (let index = 0; !stop.isOver; index++) {
			const key = `key ${index}`;
			const work = async () => (index % 2 === 0 ? citizen : elsewhere).context.run({identity: citizen.owner}, 'process.submit', {spec: {targetcolonyid: citizen.id, in: {index: String(index)}}}, {idempotencyKey: key});
			submitted.push((await patient(work, []))!.processid); // eslint-disable-line no-await-in-loop
		}
	})();
	const heard: string[] = [];
	for (const cell of ['far', 'colonies_01', 'colonies', 'far']) {
		await move(cell === 'colonies_01' ? other : one, citizen.id, cell); // eslint-disable-line no-await-in-loop
		heard.push(cell);
	}

	stop.isOver = true;
	await submitting;
	const closed = (await Promise.all(working)).flat();
	assert.equal(new Set(closed).size, closed.length);
	assert.equal(new Set(submitted).size, submitted.length);
	const counts = await citizen.own('process.count');
	assert.deepEqual([counts.waiting + counts.running + counts.successful, counts.running, counts.successful, counts.failed], [submitted.length, 0, closed.length, 0]);
	const steps = (await eventsOf(citizen)).filter(({noun}) => noun === 'process').map(({what, subject}) => `${what} ${subject}`);
	assert.equal(steps.length, submitted.length + (2 * closed.length));
	assert.equal(new Set(steps).size, steps.length);
	await verifyAll(world!);
});

test('a server follows a colony to another cell: its events, its work and its measures', {skip}, async () => {
	const hosted = await world!.contexts.openHosted(world!.choice, {rootpassword: rootPassword, notice: () => undefined});
	after(async () => hosted.close());
	const {citizen} = await settle(hosted, 'followed', 'colonies');
	const computer = await citizen.computer();
	const heard: Event[] = [];
	const {stop} = await hosted.broker.follow(citizen.id, events => {
		heard.push(...events);
	});
	const before = await citizen.submit();
	await eventually(() => heard.some(({subject}) => subject === before.processid), 'It is not heard before the move.');
	const other = await world!.open();
	await move(other, citizen.id, 'colonies_01');
	const waiting = citizen.as(computer, 'process.assign', {wait: 20});
	assert.equal((await waiting).processid, before.processid);
	const later = await citizen.submit();
	await eventually(() => heard.some(({subject}) => subject === later.processid), 'It is not heard after the move.');
	// Some may come again after the move; none is missing.
	assert.deepEqual([...new Set(heard.filter(({noun}) => noun === 'process').map(({what, subject}) => `${what} ${subject}`))], [`process.submit ${before.processid}`, `process.assign ${before.processid}`, `process.submit ${later.processid}`]);
	stop();
	const {states, cells} = await hosted.broker.statistics();
	assert.equal(states.find(({colony, state}) => colony === citizen.id && state === 'running')?.count, 1);
	assert.deepEqual(cells, ['colonies', 'colonies_01', 'far'].map(cell => ({cell, answers: true})));
	assert.equal((await hosted.where()).cells, 3);
});

test('a cell that is away is named, and the others go on', {skip}, async () => {
	const context = await world!.open();
	const {citizen} = await settle(context, 'home', 'colonies');
	const {citizen: guest} = await settle(context, 'guest', 'far');
	await world!.second.stop();
	const said: string[] = [];
	const fresh = await world!.open();
	const page = await fresh.run(root, 'colony.list', {}, {notice(sentence) {
		said.push(sentence);
	}});
	assert.deepEqual([page.unanswered, said], [['far'], ['Without "far": it does not answer.']]);
	assert.ok(page.rows.some(({colonyid}) => colonyid === citizen.id));
	assert.ok(!page.rows.some(({colonyid}) => colonyid === guest.id));
	assert.equal((await citizen.submit()).status, 0);
	await refused(guest.submit(), 'unavailable');
	const list = await fresh.run(root, 'cell.list', {});
	assert.deepEqual(list.map(({cell, answers}) => [cell, answers]), [['colonies', true], ['colonies_01', true], ['far', false]]);
	assert.ok((await fresh.run(root, 'audit.head', {})).cells!.some(each => each.cell === 'far' && 'problem' in each));
	await refused(fresh.run(root, 'history.retention', {days: 100}), 'unavailable', /"far"/);
	await refused(move(fresh, citizen.id, 'far'), 'unavailable');
	assert.notEqual((await settle(fresh, 'late')).cell, 'far');
});
