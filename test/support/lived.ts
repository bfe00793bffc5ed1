import assert from 'node:assert/strict';
import type {Time} from '../../source/core/types.ts';
import {rollPulse} from '../../source/database/index.ts';
import type {Colony} from './colony.ts';

/** A process's life in all its ways, and what is kept of it. */
export async function live(colony: Colony): Promise<void> {
	const computer = await colony.computer();
	const running = await colony.running(computer, {in: {key: String.raw`a\b`}, timeout: 60});
	await colony.add(computer, running, {key: 'result', value: 'done'});
	const {rows: [moment]} = await colony.database.query<{time: Time}>('select clock_timestamp() as time');
	const closed = await colony.close(computer, running);
	assert.deepEqual(await colony.get(running), closed);
	assert.ok(Math.abs(Date.parse(closed.endtime) - Date.now()) < 60_000, closed.endtime);
	await colony.close(computer, await colony.running(computer), 'failed');
	await colony.submit();
	const {rows} = await colony.own('process.list', {state: 'successful'});
	assert.deepEqual(rows, [closed]);
	const past = await colony.own('process.list', {state: 'running', at: moment!.time});
	assert.deepEqual(past.rows.map(({processid}) => processid), [running.processid]);
	assert.equal((await colony.own('process.history', {processid: running.processid})).rows.length, 3);
	while (await rollPulse(colony.database)) {
		// There is more.
	}

	const {totals} = await colony.own('pulse.get', {span: '1h'});
	assert.deepEqual([totals.submitted, totals.successful, totals.failed], [3, 1, 1]);
}

/** Seals all that was done up to now, and checks it. */
export async function intact(colony: Colony): Promise<void> {
	while (await colony.broker.seal()) {
		// There is more.
	}

	const {intact, last} = await colony.own('audit.verify');
	assert.ok(intact && last);
}
