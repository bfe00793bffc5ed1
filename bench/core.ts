import {setTimeout as pause} from 'node:timers/promises';
import {startPostgres} from '../test/support/databases.ts';
import {
	type Figure, mean, median, postgresPid, spreadOf, watched,
} from './support/measure.ts';
import {
	commitsOf, openOurs, rounds, seconds,
} from './support/ours.ts';
import {
	given, openBare, openBoss, openGraphile, type Peer,
} from './support/peers.ts';

/* eslint-disable no-await-in-loop, @eslint-community/eslint-comments/disable-enable-pair -- One after the other is how it is measured. */

/** What is aimed at, by callers: of graphile-worker, of pg-boss, of the bare statements. */
const goals: Record<number, Partial<Record<string, number>>> = {
	1: {graphile: 0.9},
	32: {graphile: 2, boss: 10, bare: 0.6},
	256: {graphile: 3.5, boss: 10, bare: 1},
};

type Round = {rate: number; cpu: number; others: number};

async function round(pid: number, run: () => Promise<number>): Promise<Round> {
	const {result: lives, seconds: took, node, postgres, others} = await watched(pid, run);
	return {rate: lives / took, cpu: (node + postgres) / lives, others};
}

/**
Whole lives a second in this process: submitted with two attributes, assigned, closed, with authority, idempotency keys and the history, beside queues that do the first three. PostgreSQL writes through to its disk.
*/
export async function * core(): AsyncGenerator<Figure> {
	const server = await startPostgres({fsync: true, settings: {max_connections: '400', max_wal_size: '4GB', shared_buffers: '512MB'}});
	const pid = postgresPid(server.folder);
	const [ours, ...peers] = [await openOurs(server), await openGraphile(server), await openBoss(server), await openBare(server)] as const;
	const named: Array<[key: string, peer: Pick<Peer, 'name' | 'run'>]> = [['graphile', peers[0]], ['boss', peers[1]], ['bare', peers[2]]];
	for (const callers of [1, 32, 256]) {
		const [mine, theirs] = [[] as Round[], new Map<string, Round[]>(named.map(([key]) => [key, []]))];
		// Warm: prepared, connected, with rows in the tables.
		await ours.run(callers, 1);
		for (const [, peer] of named) {
			await peer.run(callers, 1);
		}

		for (let turn = 0; turn < rounds; turn++) {
			mine.push(await round(pid, async () => ours.run(callers, seconds)));
			for (const [key, peer] of named) {
				theirs.get(key)!.push(await round(pid, async () => peer.run(callers, seconds)));
			}
		}

		const rate = median(mine.map(({rate}) => rate));
		for (const [key, {name}] of named) {
			const rates = theirs.get(key)!.map(({rate}) => rate);
			const least = goals[callers]![key];
			yield {
				name: `whole lives a second, ${callers} callers`, unit: '/s', ours: rate, peer: name, theirs: median(rates), ratio: rate / median(rates), ...(least === undefined ? {} : {goal: {of: 'ratio', least}}),
				spread: spreadOf(mine.map(({rate}) => rate)), others: median(mine.map(({others}) => others)),
			};
		}

		const cpus = [mine, theirs.get('graphile')!].map(each => median(each.map(({cpu}) => cpu)));
		yield {name: `processor a life, ${callers} callers`, unit: 'ms', ours: cpus[0]!, peer: peers[0].name, theirs: cpus[1]!, ratio: cpus[0]! / cpus[1]!, ...(callers === 1 ? {} : {goal: {of: 'ours', most: 0.6}})};
	}

	const before = await commitsOf(ours.database);
	const lives = await ours.run(32, seconds);
	yield {name: 'commits a life, 32 callers', unit: '', ours: (await commitsOf(ours.database) - before) / lives, goal: {of: 'ours', most: 0.5}};
	const signed = await watched(pid, async () => ours.run(32, seconds, {signs: true}));
	yield {name: 'whole lives a second, each call signed and verified here, 32 callers', unit: '/s', ours: signed.result / signed.seconds, note: `${((signed.node + signed.postgres) / signed.result).toFixed(2)} ms of processor a life, signatures made and verified in this process`};
	yield * lists(ours, pid);
	yield * beside(ours, pid);
	for (const each of [ours, ...peers]) {
		await each.close();
	}

	await server.stop();
}

/** What a list of 100 costs for each in it. */
async function * lists({colony, computers}: Awaited<ReturnType<typeof openOurs>>, pid: number): AsyncGenerator<Figure> {
	const length = 100;
	const [computer] = computers;
	const [submits, closes]: [number[], number[]] = [[], []];
	for (let turn = 0; turn < 10; turn++) {
		const submitted = await watched(pid, async () => colony.broker.runMany({identity: colony.owner}, 'process.submit', Array.from({length}, () => ({spec: {targetcolonyid: colony.id, timeout: 600, in: given}}))));
		const running = await colony.broker.runMany({identity: computer!}, 'process.assign', Array.from({length}, () => ({colonyid: colony.id})));
		const inputs = running.map(answer => ({colonyid: colony.id, processid: (answer as {result: {processid: string}}).result.processid}));
		const closed = await watched(pid, async () => colony.broker.runMany({identity: computer!}, 'process.successful', inputs));
		submits.push(submitted.postgres / length);
		closes.push(closed.postgres / length);
	}

	yield {name: 'lists of 100: processor of PostgreSQL a submission', unit: 'ms', ours: mean(submits)};
	yield {name: 'lists of 100: processor of PostgreSQL a close', unit: 'ms', ours: mean(closes), goal: {of: 'ours', most: 0.1}};
}

/** How much is left beside a transaction that is held open, and beside four readers that scan the tables. */
async function * beside(ours: Awaited<ReturnType<typeof openOurs>>, pid: number): AsyncGenerator<Figure> {
	const rate = async () => (await round(pid, async () => ours.run(32, seconds))).rate;
	const hold = async (work: () => Promise<void>, reads: boolean) => ours.database.transaction(async client => {
		await client.query('set transaction isolation level repeatable read');
		await client.query('select count(*) from colonies.live');
		const stop = new AbortController();
		const reading = (async () => {
			for (;;) {
				if (!reads || stop.signal.aborted) {
					return;
				}

				await client.query('select count(*) from colonies.live, colonies.colonies');
				await client.query('select count(*) from (select from colonies.history limit 20000) h');
				await pause(20);
			}
		})();
		const kept = setInterval(() => {
			void client.query('select 1').catch(() => undefined);
		}, 5000);
		await work();
		clearInterval(kept);
		stop.abort();
		await reading;
	});

	for (const [name, readers] of [['a transaction that is held open', 0], ['four readers that scan the tables', 4]] as const) {
		const [without, within]: [number[], number[]] = [[], []];
		for (let turn = 0; turn < 3; turn++) {
			without.push(await rate());
			const work = async () => {
				for (let part = 0; part < 3; part++) {
					within.push(await rate());
				}
			};

			if (readers === 0) {
				await hold(work, false);
			} else {
				let done!: () => void;
				const over = new Promise<void>(resolve => {
					done = resolve;
				});
				const held = Array.from({length: readers}, async () => hold(async () => over, true));
				await work();
				done();
				await Promise.all(held);
			}
		}

		yield {name: `whole lives a second beside ${name}, 32 callers`, unit: '/s', ours: median(within), peer: 'without', theirs: median(without), ratio: median(within) / median(without), goal: {of: 'ratio', least: 0.9}, spread: spreadOf(within)};
	}
}
