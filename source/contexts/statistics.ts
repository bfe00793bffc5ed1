import type {ColoniesError} from '../core/errors.ts';
import type {Statistics} from '../operations/index.ts';

type Told = {cell: {name: string}; result: Statistics} | {cell: {name: string}; problem: ColoniesError};

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const most = (values: readonly number[]): number => Math.max(0, ...values);

/**
The statistics of several cells as those of one store: colonies beside each other, counts added, the worst of what lags. `cells` says which answered.
@throws ColoniesError where none did
*/
export function mergeStatistics(told: readonly Told[]): Statistics {
	const all = told.flatMap(each => 'result' in each ? [each.result] : []);
	if (all.length === 0) {
		throw (told[0] as {problem: ColoniesError}).problem;
	}

	const of = (read: (statistics: Statistics) => number): number[] => all.map(each => read(each));
	const [first] = all;
	return {
		states: all.flatMap(({states}) => states),
		oldest: all.flatMap(({oldest}) => oldest),
		pool: {
			...first!.pool,
			connections: sum(of(({pool}) => pool.connections)), idle: sum(of(({pool}) => pool.idle)), waiting: sum(of(({pool}) => pool.waiting)),
			listening: all.every(({pool}) => pool.listening), deaf: all.some(({pool}) => pool.deaf),
			noChanges: all.find(({pool}) => pool.noChanges !== undefined)?.pool.noChanges,
		},
		waiting: sum(of(({waiting}) => waiting)),
		watching: sum(of(({watching}) => watching)),
		lag: {deadlines: most(of(({lag}) => lag.deadlines)), events: most(of(({lag}) => lag.events))},
		unsealed: {rows: sum(of(({unsealed}) => unsealed.rows)), seconds: most(of(({unsealed}) => unsealed.seconds))},
		overdue: {processes: most(of(({overdue}) => overdue.processes)), history: most(of(({overdue}) => overdue.history))},
		cells: told.map(each => ({cell: each.cell.name, answers: 'result' in each})),
	};
}
