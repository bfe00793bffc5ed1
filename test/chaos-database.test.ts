// What befalls a database, one thing after the other, while computers work: half of bench/chaos.ts, in short.
import {after, before, test} from 'node:test';
import {noDisk} from './support/clusters.ts';
import {noPostgres} from './support/databases.ts';
import {endure, rate} from './support/soak/endure.ts';
import {type Fault, ofDatabases} from './support/soak/faults.ts';
import {Soak} from './support/soak/soak.ts';

let soak: Soak;
before(async () => {
	if (!noPostgres) {
		soak = await Soak.open({rate});
	}
});
after(async () => {
	await soak?.close();
});

const [onSmallDisks, others] = [ofDatabases.filter(({diskSize}) => diskSize !== undefined), ofDatabases.filter(({diskSize}) => diskSize === undefined)];
const expected = 'nothing is lost or done twice, and work goes on at both servers';

const endureShared = (fault: Fault) => async (): Promise<void> => endure(soak, fault);
for (const fault of others) {
	test(`${fault.name}: ${expected}`, {skip: noPostgres}, endureShared(fault));
}

for (const fault of onSmallDisks) {
	test(`${fault.name}: ${expected}`, {skip: noPostgres || noDisk()}, async t => {
		const own = await Soak.open({rate, diskSize: fault.diskSize});
		t.after(async () => own.close());
		await endure(own, fault);
	});
}
