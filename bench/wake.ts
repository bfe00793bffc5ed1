import {setTimeout as pause} from 'node:timers/promises';
import {openPostgres} from '../source/database/postgres.ts';
import {createIdentity, type Identity} from '../source/identity/index.ts';
import {Broker} from '../source/operations/index.ts';
import {type Colony, openColony} from '../test/support/colony.ts';
import {freshDatabase, startPostgres} from '../test/support/databases.ts';
import {type Figure, median, quantile} from './support/measure.ts';
import {call, rounds} from './support/ours.ts';

/* eslint-disable no-await-in-loop, @eslint-community/eslint-comments/disable-enable-pair -- One after the other is how it is measured. */
const many = 1000;

/** Approved computers, brought in at once. */
async function bringIn(colony: Colony, count: number): Promise<Identity[]> {
	const identities = Array.from({length: count}, () => createIdentity().identity);
	await colony.database.query(
		`insert into colonies.computers (computer_id, colony_id, name, computer_type, cpu, cores, mem, gpu, gpus, status)
		select id, colonies.bytes_of($1), 'lab', '', '', 8, 8000, '', 1, 1 from unnest(colonies.bytes_of_all($2)) id`,
		[colony.id, identities.map(({id}) => id)],
	);
	return identities;
}

/** Computers that wait at one broker, as many as there are identities; when each has work, in milliseconds by the clock of this process. */
async function wait(broker: Broker, colony: Colony, computers: readonly Identity[]): Promise<Array<Promise<number>>> {
	const waiting = computers.map(async computer => {
		await call({...colony, broker} as Colony, computer, 'process.assign', {colonyid: colony.id, wait: 60});
		return performance.now();
	});
	while (broker.waiting.size < computers.length) {
		await pause(5);
	}

	// Until each has asked once in vain.
	await pause(computers.length > 1 ? 2000 : 30);
	return waiting;
}

/** How soon computers that wait at one server have work that is submitted at another one. */
export async function * wake(): AsyncGenerator<Figure> {
	const server = await startPostgres({fsync: true, settings: {max_wal_size: '4GB'}});
	const where = await freshDatabase(server);
	const [first, second] = [await openPostgres(where), await openPostgres(where)];
	const colony = await openColony(first);
	const other = new Broker(second, {local: true});
	const computers = await bringIn(colony, many);
	const submit = async () => call(colony, colony.owner, 'process.submit', {spec: {targetcolonyid: colony.id}});
	const alone: number[] = [];
	for (let turn = 0; turn < 60; turn++) {
		const [got] = await wait(other, colony, [computers[turn]!]);
		const sent = performance.now();
		await submit();
		alone.push(await got! - sent);
	}

	yield {name: 'one computer waits: from a submission sent to work in hand, median', unit: 'ms', ours: median(alone.slice(10)), goal: {of: 'ours', most: 8}, note: `99 of 100 within ${quantile(alone.slice(10), 0.99).toFixed(1)} ms`};
	const [medians, lasts]: [number[], number[]] = [[], []];
	for (let turn = 0; turn < rounds; turn++) {
		const waiting = await wait(other, colony, computers);
		const sent = performance.now();
		await Promise.all(Array.from({length: many}, submit));
		const times = (await Promise.all(waiting)).map(at => at - sent);
		medians.push(median(times));
		lasts.push(quantile(times, 0.99));
	}

	yield {name: '1,000 wait, 1,000 are submitted at once: to work in hand, median', unit: 'ms', ours: median(medians), goal: {of: 'ours', most: 200}};
	yield {name: 'the same, 99 of 100 within', unit: 'ms', ours: median(lasts), goal: {of: 'ours', most: 600}};
	await Promise.all([other.close(), colony.broker.close()]);
	await Promise.all([first.close(), second.close()]);
	await server.stop();
}
