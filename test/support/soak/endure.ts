import assert from 'node:assert/strict';
import type {Beats, Fault} from './faults.ts';
import {meet, type Pace} from './phase.ts';
import type {Soak} from './soak.ts';

/** Processes submitted a second. */
export const rate = 30;
/** Processes that each half of the computers closes before and after a fault. */
const closedCount = 6;
/** What happens between two beats: acknowledgments, refusals. */
const activityCount = 4;

const untilMoreClosed = async (soak: Soak): Promise<void> => {
	const {closings} = soak.ledger;
	const wanted = closings.map(({length}) => length + closedCount);
	await soak.until(() => closings.every(({length}, half) => length >= wanted[half]!), `both halves of the computers closed ${closedCount} more`);
};

const counted: Pace = {
	before: untilMoreClosed,
	beats: (soak): Beats => async function * ({times}) {
		for (let beat = 0; beat < times; beat++) {
			const {activity} = soak.ledger;
			await soak.until(() => soak.ledger.activity >= activity + activityCount, 'something happened');
			yield;
		}
	},
	after: untilMoreClosed,
};

/** Brings a fault upon a soak, counting what is done and never the time, and checks that nothing was lost or done twice, and that both halves of the computers went on. */
export async function endure(soak: Soak, fault: Fault): Promise<void> {
	const {lost, doubled, audit, acknowledged} = await meet(soak, fault, counted);
	assert.deepEqual({lost, doubled, audit}, {lost: [], doubled: [], audit: undefined});
	assert.ok(acknowledged > 2 * closedCount);
}
