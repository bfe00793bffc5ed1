/** Lives in a database, a thousand changes a second, until its standard input ends: `node --import tsx bench/support/changes.ts HOST PORT USER DATABASE COLONY OWNER COMPUTER…`, with private keys. */
import process from 'node:process';
import {setTimeout as pause} from 'node:timers/promises';
import {openPostgres} from '../../source/database/postgres.ts';
import {prove} from '../../source/identity/index.ts';
import {Broker} from '../../source/operations/index.ts';

const [host, port, user, database, colonyid, ownerKey, ...keys] = process.argv.slice(2) as [string, string, string, string, string, string, ...string[]];
const store = await openPostgres({host, port: Number(port), user, database, poolSize: 4});
const broker = new Broker(store, {local: true});
const owner = prove(ownerKey);
const computers = keys.map(key => prove(key));
const over = new AbortController();
process.stdin.resume().once('end', () => {
	over.abort();
});

/** Milliseconds between two beginnings, for three changes each. */
const beat = 24;
const began = performance.now();
let turns = 0;
while (!over.signal.aborted) {
	// Eight at once, so that they go together.
	await Promise.all(computers.map(async computer => { // eslint-disable-line no-await-in-loop
		await broker.run({identity: owner}, 'process.submit', {spec: {targetcolonyid: colonyid, computertype: 'live', timeout: 600, in: {job: 'render'}}});
		const {processid} = await broker.run({identity: computer}, 'process.assign', {colonyid});
		await broker.run({identity: computer}, 'process.successful', {colonyid, processid});
	}));
	turns++;
	await pause(Math.max(0, began + (turns * beat) - performance.now())); // eslint-disable-line no-await-in-loop
}

process.stdout.write(String(turns * 3 * computers.length / ((performance.now() - began) / 1000)));
process.exit(0); // eslint-disable-line unicorn/no-process-exit
