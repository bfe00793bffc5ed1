import assert from 'node:assert/strict';
import process from 'node:process';
import {after, before, test} from 'node:test';
import {groupBy} from '../source/core/group-by.ts';
import {processStates, type Id} from '../source/core/types.ts';
import {together} from '../source/database/index.ts';
import {openPostgres} from '../source/database/postgres.ts';
import type {Database} from '../source/database/types.ts';
import {createIdentity, type Identity} from '../source/identity/index.ts';
import {Broker} from '../source/operations/index.ts';
import {freshPlace, noPostgres} from './support/databases.ts';
import {openColony, outcomeOf, type Colony} from './support/colony.ts';
import {Random} from './support/random.ts';

const skip = noPostgres;
const worlds = Number(process.env.GROUP_WORLDS ?? 40);
const calls = 64;

let databases: Database[] = [];
let ways: Record<'at once' | 'in steps', Colony>;
let alone: Colony;

before(async () => {
	if (skip) {
		return;
	}

	const place = await freshPlace();
	databases = [await openPostgres({...place, poolSize: 6}), await openPostgres({...place, poolSize: 6})];
	const [one, other] = databases as [Database, Database];
	together.goInSteps(other);
	ways = {'at once': await openColony(one), 'in steps': await openColony(other)};
	alone = await openColony(one, new Broker(one, {local: true, groups: false}));
});

after(async () => Promise.all(databases.map(async database => database.close())));

/** What a world begins with, and what is asked in it. Everything is named by a number, so that it can be done twice. */
type World = {
	/** `key`: with which one it acts: its first, one that its owner has given it since, or one that was replaced. */
	computers: Array<{type: string; state: 'approved' | 'pending' | 'disapproved'; key: 'first' | 'other' | 'replaced'}>;
	submits: Array<{type: string; /** A computer, or the owner. */ by: number | undefined; key?: string}>;
	assigns: Array<{by: number; key?: string}>;
	closes: Array<{by: 'itself' | 'another' | 'the owner'; process: number}>;
};

function worldOf(seed: number): World {
	const random = new Random(seed);
	// What computers of two types may run, or is of two types for one, would go by who came first.
	const isMixed = random.chance(0.3);
	const submits = Array.from({length: calls}, () => ({type: random.pick(isMixed ? ['', 'b'] : ['a', 'b']), by: random.chance(0.2) ? random.below(8) : undefined}));
	return {
		computers: Array.from({length: 1 + random.below(8)}, () => ({type: isMixed ? 'a' : random.pick(['a', 'b']), state: random.pick(['approved', 'approved', 'approved', 'pending', 'disapproved']), key: random.pick(['first', 'first', 'other', 'other', 'replaced'])})),
		// A key is used again for the very same alone.
		submits: submits.flatMap(call => random.chance(0.2) ? Array.from({length: 2}, (_, index) => ({...call, key: `submit ${index}`})).map(twin => ({...twin, key: `submit ${submits.indexOf(call)}`})) : [call]).slice(0, calls),
		assigns: Array.from({length: calls}, () => {
			const by = random.below(8);
			return {by, ...(random.chance(0.2) ? {key: `assign ${by} ${random.below(3)}`} : {})};
		}),
		closes: Array.from({length: calls}, () => ({by: random.pick(['itself', 'itself', 'itself', 'another', 'the owner']), process: random.below(calls)})),
	};
}

/** How often each is there. */
const counted = (texts: readonly string[]): Record<string, number> => Object.fromEntries([...groupBy(texts, text => text)].map(([text, {length}]) => [text, length] as const).sort(([one], [other]) => one < other ? -1 : 1));

/** What became of a world: each answer, the state and the history of each process, by the names that the world has for them. */
let runs = 0;

async function play(at: Colony, world: World, inOrder: <Call, Result>(calls: readonly Call[], act: (call: Call, index: number) => Promise<Result>) => Promise<Result[]>, seed: number) {
	const computers: Array<{id: Id; identity: Identity}> = [];
	const run = runs++;
	for (const {type, state, key} of world.computers) {
		const first = await at.computer({computertype: type, state});
		const computer = {id: first.id, identity: first};
		for (let left = {first: 0, other: 1, replaced: 2}[key]; left > 0; left--) {
			// It has acted with the key that it loses, so that what is remembered of it is out of date.
			await outcomeOf(at.as(computer.identity, 'process.assign', {colonyid: at.id}));
			const {identity} = createIdentity();
			await at.own('computer.rekey', {computerid: computer.id, keyid: identity.id});
			computer.identity = key === 'replaced' && left === 1 ? computer.identity : identity;
		}

		computers.push(computer);
	}

	const by = (index: number | undefined) => index === undefined ? at.owner : computers[index % computers.length]!.identity;
	const approved = computers.filter((_, index) => world.computers[index]!.state === 'approved' && world.computers[index]!.key !== 'replaced');
	const options = ({key}: {key?: string}) => key === undefined ? {} : {idempotencyKey: `${run} ${key}`};
	const submitted = await inOrder(world.submits, async (call, index) => outcomeOf(at.broker.run({identity: by(call.by)}, 'process.submit', {spec: {targetcolonyid: at.id, computertype: call.type, in: {label: call.key ?? String(index), world: String(seed)}}}, options(call))));
	const assigned = await inOrder(world.assigns, async call => outcomeOf(at.broker.run({identity: by(call.by)}, 'process.assign', {colonyid: at.id}, options(call))));
	const {rows: running} = await at.database.query<{id: Id; type: string; computer: Id}>('select process_id as id, assigned_computer_id as computer, computer_type as type from colonies.live where colony_id = colonies.bytes_of($1) and status = 1 order by computer_type, submission_time, process_id', [at.id]);
	const closed = await inOrder(world.closes, async ({by: who, process}) => {
		const place = process % Math.max(1, running.length);
		const target = running[place];
		const another = who === 'another' && approved.find(({id}) => id !== target?.computer);
		const itself = who === 'itself' && computers.find(({id}) => id === target?.computer);
		return target === undefined ? 'none' : outcomeOf(at.as((another || itself || {identity: at.owner}).identity, `process.${place % 2 === 0 ? 'successful' : 'failed'}`, {colonyid: at.id, processid: target.id})); // eslint-disable-line @typescript-eslint/prefer-nullish-coalescing -- Nobody is false.
	});
	// Who asks twice with a key hears twice the same: how many hear that there is nothing depends on who came first, how many processes run does not.
	const answered = assigned.map(outcome => outcome === 'nothing-to-assign' ? 'done' : outcome);
	return {submitted, assigned: counted(answered), running: running.map(({type}) => type), closed: counted(closed), ...await state(at)};
}

/** Everything of a colony, without names, times and order among equals; and none of it is left. */
async function state(at: Colony) {
	const {rows: processes} = await at.database.query<{status: number; type: string; retries: number; computer: Id | null; attributes: unknown; id: Id}>('select process_id as id, status, computer_type as type, retries, assigned_computer_id as computer, attributes from colonies.processes where colony_id = colonies.bytes_of($1)', [at.id]);
	const history = await at.history();
	const chains = processes.map(({id, status, type, retries, computer}) => {
		const steps = history.filter(({subject_id: subject}) => subject === id);
		const assigned = steps.find(({what}) => what === 'process.assign');
		assert.equal(steps.at(-1)!.to_state, processStates[status as 0]);
		assert.ok(steps.every(({from_state: from}, index) => from === (steps[index - 1]?.to_state ?? null)), 'Each step begins where the one before has ended.');
		assert.equal(assigned?.detail.computer, computer ?? undefined);
		const told = steps.map(({what, from_state: from, to_state: to, detail}) => [what, from, to, ...Object.entries(detail as object).map(([name, value]) => `${name} ${['computertype', 'type', 'retries', 'timeout'].includes(name) ? String(value) : typeof value}`).sort()]);
		return JSON.stringify([processStates[status as 0], type, retries, told]);
	});
	await at.database.query('delete from colonies.live where colony_id = colonies.bytes_of($1)', [at.id]);
	await at.database.query('delete from colonies.closed where colony_id = colonies.bytes_of($1)', [at.id]);
	await at.database.query('delete from colonies.history where colony_id = colonies.bytes_of($1)', [at.id]);
	await at.database.query('delete from colonies.computers where colony_id = colonies.bytes_of($1)', [at.id]);
	return {chains: counted(chains)};
}

/** The first of a key does it; who comes after hears the same. Which is first makes no difference to how many there are. */
const atOnce = async <Call, Result>(all: readonly Call[], act: (call: Call, index: number) => Promise<Result>): Promise<Result[]> => Promise.all(all.map(async (call, index) => act(call, index)));

async function oneByOne<Call, Result>(all: readonly Call[], act: (call: Call, index: number) => Promise<Result>): Promise<Result[]> {
	const results: Result[] = [];
	for (const [index, call] of all.entries()) {
		results.push(await act(call, index));
	}

	return results;
}

test(`${worlds} random worlds with ${calls} calls at once have the answers, the states and the history of the same calls one by one`, {skip}, async () => {
	for (let seed = 1; seed <= worlds; seed++) {
		const world = worldOf(seed);
		const expected = await play(alone, world, oneByOne, seed);
		for (const [way, colony] of Object.entries(ways)) {
			assert.deepEqual(await play(colony, world, atOnce, seed), expected, `world ${seed}, ${way}`);
		}
	}
});
