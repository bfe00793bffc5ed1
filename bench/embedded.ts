import {openMemory, startPostgres} from '../test/support/databases.ts';
import {type Figure, median, spreadOf} from './support/measure.ts';
import {openOursOn, openOurs, rounds, seconds} from './support/ours.ts';

/** The embedded database beside a PostgreSQL that writes through to its disk, each with one caller. */
export async function * embedded(): AsyncGenerator<Figure> {
	const server = await startPostgres({fsync: true, settings: {max_wal_size: '4GB'}});
	const [native, inside] = [await openOurs(server, {computers: 2}), await openOursOn(await openMemory(), {computers: 2})];
	const [mine, theirs]: [number[], number[]] = [[], []];
	await inside.run(1, 1);
	await native.run(1, 1);
	for (let round = 0; round < rounds; round++) {
		mine.push(await inside.run(1, seconds) / seconds); // eslint-disable-line no-await-in-loop
		theirs.push(await native.run(1, seconds) / seconds); // eslint-disable-line no-await-in-loop
	}

	yield {name: 'whole lives a second on the embedded database, one caller', unit: '/s', ours: median(mine), peer: 'PostgreSQL', theirs: median(theirs), ratio: median(mine) / median(theirs), goal: {of: 'ratio', least: 1}, spread: spreadOf(mine)};
	await inside.close();
	await native.close();
	await server.stop();
}
