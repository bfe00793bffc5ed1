import assert from 'node:assert/strict';
import type {TestContext} from 'node:test';
import type {ColoniesError} from '../../source/core/errors.ts';
import type {Database} from '../../source/database/types.ts';

/** What a promise was rejected with; the test fails when it was not. */
export async function failureOf(work: Promise<unknown>): Promise<ColoniesError> {
	try {
		await work;
	} catch (error) {
		return error as ColoniesError;
	}

	return assert.fail('It did not fail.');
}

/** Resolves, to the reason, when the database is or has become reachable or not. */
export const turned = async (database: Database, reachable: boolean): Promise<string> => new Promise(resolve => {
	const stop = database.watchReachability(state => {
		if (state.reachable === reachable) {
			resolve(state.reason ?? '');
			queueMicrotask(() => {
				stop();
			});
		}
	});
});

export type Happening<Value> = {
	tell(value: Value): void;
	/** The next one that was told, whether it was before or is to come. */
	next(): Promise<Value>;
};

/** Something that happens now and then, to be awaited. */
export function happening<Value = void>(): Happening<Value> {
	const told: Value[] = [];
	const waiting: Array<(value: Value) => void> = [];
	return {
		tell(value) {
			const wake = waiting.shift();
			if (wake) {
				wake(value);
			} else {
				told.push(value);
			}
		},
		next: async () => told.length > 0
			? told.shift()!
			: new Promise(resolve => {
				waiting.push(resolve);
			}),
	};
}

/** Closes the databases when the test is over, however it ends: what is left open keeps the process from ending. */
export function closeAfter(t: TestContext, ...databases: Database[]): void {
	t.after(async () => {
		await Promise.all(databases.map(async database => database.close()));
	});
}
