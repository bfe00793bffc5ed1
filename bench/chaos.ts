/**
Two servers on one database, 16 computers that work through them, and somebody who submits at a steady rate; and in turn what befalls such systems: see test/support/soak/faults.ts.
Prints a line a fault: how many processes were acknowledged, how many of them were lost, what was done twice, and the seconds until each half of the computers closed 90 % of what it had closed before again.

	npm run build && node --import tsx bench/chaos.ts [seconds a part] [processes a second] [faults …]

With CHAOS_TOLD=1 it also prints what submitters and computers were told meanwhile, and how often.
Ask for no more processes a second than the machine carries with ease: where it is busy with other things, the seconds tell of those, and a line says so.
A phase has three parts: before the fault, the fault, and until it has recovered, for 60 s at most. Nothing is started again but a server that the fault killed, and a database that ended for want of space.
The database writes through to its disk. The standby replicates synchronously: what is acknowledged is on both. Ends with 1 where something was lost, doubled or altered, or did not recover.
*/
import process from 'node:process';
import {setTimeout as pause} from 'node:timers/promises';
import {ofDatabases, ofServers, type Beats} from '../test/support/soak/faults.ts';
import {meet, type Outcome, type Pace} from '../test/support/soak/phase.ts';
import {Soak} from '../test/support/soak/soak.ts';

const [seconds = '10', rate = '20', ...words] = process.argv.slice(2);
const partMs = Number(seconds) * 1000;
const longestRecoveryMs = 60_000;
// Those that need a disk of their own come last.
const faults = [...ofDatabases, ...ofServers].sort((one, other) => (one.diskSize ?? 0) - (other.diskSize ?? 0));
/** The share of the rate that is carried on a machine that is not busy. */
const carried = 0.8;
const chosen = faults.filter(({word}) => words.length === 0 || words.includes(word));

const beats = (): Beats => async function * ({everyMs}) {
	const until = performance.now() + partMs;
	for (let left = partMs; left > 0; left = until - performance.now()) {
		yield;
		await pause(Math.max(0, Math.min(everyMs, until - performance.now()))); // eslint-disable-line no-await-in-loop
	}
};

const pace: Pace = {
	async before() {
		await pause(partMs);
	},
	beats,
	async after(_, recovered) {
		const until = performance.now() + longestRecoveryMs;
		while (recovered() === undefined && performance.now() < until) {
			await pause(100); // eslint-disable-line no-await-in-loop
		}
	},
};

function print({fault, acknowledged, lost, doubled, seconds, before, failed, audit}: Outcome): void {
	const columns = [fault.padEnd(42), String(acknowledged).padStart(12), String(lost.length).padStart(5), String(doubled.length).padStart(8), (seconds?.toFixed(1) ?? 'never').padStart(10), before.toFixed(1).padStart(9), String(failed).padStart(9)];
	console.log(`${columns.join('')}  ${audit ?? 'intact'}`);
	if (before < carried * Number(rate)) {
		console.log(`    Only ${before.toFixed(1)} of ${rate} processes a second were carried before the fault: the machine is busy, and the seconds tell of that, too.`);
	}

	for (const sentence of [...lost, ...doubled].slice(0, 20)) {
		console.log(`    ${sentence}`);
	}
}

if (!(partMs > 0 && Number(rate) > 0) || chosen.length === 0) {
	console.error(`Usage: node --import tsx bench/chaos.ts [seconds a part] [processes a second] [faults …]\nFaults: ${faults.map(({word}) => word).join(', ')}`);
	process.exit(2); // eslint-disable-line unicorn/no-process-exit
}

let soak: Soak | undefined;
let diskSize: number | undefined;
let isWell = true;
console.log(`${'fault'.padEnd(42)}acknowledged lost doubled   recovers   before/s   failed  audit`);
try {
	for (const fault of chosen) {
		if (soak === undefined || fault.diskSize !== diskSize) {
			await soak?.close(); // eslint-disable-line no-await-in-loop
			diskSize = fault.diskSize;
			soak = await Soak.open({fsync: true, diskSize, rate: Number(rate)}); // eslint-disable-line no-await-in-loop
		}

		const outcome = await meet(soak, fault, pace); // eslint-disable-line no-await-in-loop
		print(outcome);
		if (process.env.CHAOS_TOLD) {
			console.log(soak.told());
		}

		isWell &&= outcome.lost.length === 0 && outcome.doubled.length === 0 && outcome.audit === undefined && outcome.seconds !== undefined;
	}
} finally {
	await soak?.close();
}

process.exit(isWell ? 0 : 1); // eslint-disable-line unicorn/no-process-exit
