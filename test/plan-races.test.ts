import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {Unavailable} from '../source/core/errors.ts';
import type {Id} from '../source/core/types.ts';
import {openPostgres} from '../source/database/postgres.ts';
import {applyPlan, type Reported} from '../source/operations/apply-plan.ts';
import {Broker, type Context} from '../source/operations/index.ts';
import {readKept} from '../source/operations/kept-request.ts';
import {makePlan, type PlannableName} from '../source/operations/plan.ts';
import {namedIn} from '../source/operations/verify-drop.ts';
import {type Colony, openColony, outcomeOf} from './support/colony.ts';
import {freshPlace, noPostgres} from './support/databases.ts';

/** Random numbers that are the same in every run. */
function randomFrom(seed: number): (below: number) => number {
	let state = seed;
	return below => {
		state = ((state * 1_103_515_245) + 12_345) % 2_147_483_648;
		return Math.floor(state / 65_536) % below;
	};
}

/** A broker whose answers are lost now and then, after what was asked for was done or before. */
const losing = (broker: Broker, random: (below: number) => number): Pick<Context, 'runMany'> => ({
	async runMany(...given) {
		const fate = random(6);
		if (fate === 0) {
			throw new Unavailable('The connection was lost before.');
		}

		const answers = await broker.runMany(...given);
		if (fate === 1) {
			throw new Unavailable('The connection was lost after.');
		}

		return answers;
	},
});

/** Changes processes as workers and other operators do, until it is told to stop. */
async function disturb(colony: Colony, {ids, computers, random, isOver}: {ids: readonly Id[]; computers: Array<Awaited<ReturnType<Colony['computer']>>>; random: (below: number) => number; isOver: () => boolean}): Promise<void> {
	while (!isOver()) {
		const computer = computers[random(computers.length)]!;
		const processid = ids[random(ids.length)]!;
		const acts = [
			async () => colony.close(computer, await colony.assign(computer), random(2) === 0 ? 'failed' : 'successful'),
			async () => colony.assign(computer),
			async () => colony.close(computer, {processid}),
			async () => colony.own(`process.${(['retry', 'cancel', 'remove'] as const)[random(3)]!}`, {processid}),
			async () => colony.own(random(2) === 0 ? 'computer.disapprove' : 'computer.approve', {computerid: computer.id}),
		];
		await outcomeOf(acts[random(acts.length)]!());
	}
}

type Step = {id: number; subject: Id; what: string; isPlan: boolean};

async function stepsAfter(colony: Colony, mark: number): Promise<Map<Id, Step[]>> {
	const steps = new Map<Id, Step[]>();
	const add = (step: Step) => {
		steps.set(step.subject, [...(steps.get(step.subject) ?? []), step]);
	};

	for (const {history_id: id, noun, subject_id: subject, what, request, detail} of (await colony.history()).filter(row => row.history_id > mark)) {
		const isPlan = request !== null && 'inputs' in (JSON.parse(request) as object);
		if (noun === 'process') {
			add({id, subject, what, isPlan});
		}

		// Closed processes that a plan removed together have one row.
		for (const removed of what === 'process.drop' ? namedIn(readKept(request!), detail) : []) {
			add({id, subject: removed, what: 'process.remove', isPlan});
		}
	}

	return steps;
}

const names: PlannableName[] = ['process.retry', 'process.cancel', 'process.remove'];

test('a plan that is applied while workers and operators race it touches nothing that has changed, and does everything else once', {skip: noPostgres}, async () => {
	const where = await freshPlace();
	const databases = await Promise.all([1, 2].map(async () => openPostgres({...where, poolSize: 5})));
	after(async () => Promise.all(databases.map(async database => database.close())));
	const fates = new Set<string>();
	for (const seed of [1, 2, 3, 4]) {
		const random = randomFrom(seed);
		const colony = await openColony(databases[0]!);
		const beside = colony.through(new Broker(databases[1]!, {local: true}));
		const computers = await Promise.all([1, 2, 3].map(async () => colony.computer()));
		const submitted = await colony.broker.runMany({identity: colony.owner}, 'process.submit', Array.from({length: 160}, () => ({spec: {targetcolonyid: colony.id, timeout: -1}})));
		const ids = submitted.flatMap(answer => 'result' in answer ? [answer.result.processid] : []);
		for (let count = 0; count < 110; count++) {
			const computer = computers[count % 3]!;
			const process = await colony.assign(computer);
			if (count % 4 !== 0) {
				await colony.close(computer, process, count % 3 === 0 ? 'successful' : 'failed');
			}
		}

		const name = names[seed % 3]!;
		const caller = {identity: colony.owner};
		const plan = await makePlan({context: colony.broker, caller, name, colonyid: colony.id}, {filter: {}});
		assert.equal(plan.entries.length + plan.leftOut.length, 160);
		const mark = (await colony.history()).at(-1)!.history_id;
		let left = 15;
		await disturb(beside, {ids, computers, random, isOver: () => left-- === 0});
		let isOver = false;
		const disturbing = [7, 8, 9].map(async number => disturb(beside, {ids, computers, random: randomFrom(seed + number), isOver: () => isOver}));
		const told: Reported[] = [];
		const reported = await applyPlan({
			context: losing(colony.broker, random), caller, plan, rate: () => 150, signal: new AbortController().signal, tell({reported}) {
				told.push(...reported);
			},
		});
		isOver = true;
		await Promise.all(disturbing);
		assert.deepEqual(told, reported);
		assert.deepEqual(reported.map(({id}) => id), plan.entries.map(({id}) => id));
		const steps = await stepsAfter(colony, mark);
		for (const {id, fate, reason} of reported) {
			const all = steps.get(id) ?? [];
			fates.add(fate);
			const told = `${fate} ${reason ?? ''}: ${JSON.stringify(all)}`;
			if (fate === 'done') {
				assert.deepEqual(all.map(({isPlan}) => isPlan).slice(0, 1), [true], told);
				assert.equal(all[0]!.what, name);
				assert.equal(all.filter(({isPlan}) => isPlan).length, 1, told);
			} else {
				assert.ok(fate === 'changed' || fate === 'gone', told);
				assert.ok(all.length > 0 && all.every(({isPlan}) => !isPlan), told);
			}
		}

		for (const {id} of plan.leftOut) {
			assert.ok((steps.get(id) ?? []).every(({isPlan}) => !isPlan), 'What was left out is left alone.');
		}
	}

	assert.deepEqual([...fates].sort(), ['changed', 'done', 'gone'], 'All of it happened.');
});
