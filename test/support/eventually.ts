import assert from 'node:assert/strict';
import {setTimeout} from 'node:timers/promises';

/** Looks again and again until it is so, a minute at most. */
export async function eventually(isSo: () => Promise<boolean> | boolean, otherwise: string): Promise<void> {
	const deadline = performance.now() + 60_000;
	while (!await isSo()) { // eslint-disable-line no-await-in-loop
		assert.ok(performance.now() < deadline, otherwise);
		await setTimeout(5); // eslint-disable-line no-await-in-loop
	}
}
