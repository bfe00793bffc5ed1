import {Counter, Histogram, type Registry} from 'prom-client';
import {limits} from '../core/limits.ts';
import type {Id} from '../core/types.ts';
import type {Committed, Move} from '../operations/index.ts';

/** Seconds: from what a machine does at once to a day. */
const secondsBuckets = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400];
const groupBuckets = [1, 2, 4, 8, 16, 32, 64];

/** In place of the id of a colony where there are too many. */
const other = 'other';

/** What is counted of one colony. `labels` of prom-client hashes them, so each is made once. */
type OfColony = {
	submitted: Counter.Internal;
	assigned: Counter.Internal;
	waited: Histogram.Internal<'colony'>;
	ran: Histogram.Internal<'colony'>;
	closed: Map<string, Counter.Internal>;
	requeued: Map<string, Counter.Internal>;
};

function made<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
	const value = map.get(key) ?? make();
	map.set(key, value);
	return value;
}

function instruments(registry: Registry) {
	const registers = [registry];
	const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) => new Counter({name: `colonies_processes_${name}_total`, help, labelNames, registers});
	const histogram = (name: string, help: string) => new Histogram({name: `colonies_process_${name}_seconds`, help, labelNames: ['colony'], buckets: secondsBuckets, registers});
	return {
		submitted: counter('submitted', 'Processes that were submitted through this server.', ['colony']),
		assigned: counter('assigned', 'Attempts that this server gave to computers.', ['colony']),
		closed: counter('closed', 'Processes that this server closed, by outcome: successful, failed, cancelled or expired.', ['colony', 'outcome']),
		requeued: counter('requeued', 'Processes that this server put back to waiting, by reason: deadline, computer (taken from it) or retry.', ['colony', 'reason']),
		waited: histogram('wait', 'Seconds from submission, or from the return to the queue, to assignment.'),
		ran: histogram('run', 'Seconds from start to end of attempts that were closed.'),
		group: new Histogram({name: 'colonies_group_calls', help: 'Concurrent calls that shared a transaction, by operation.', labelNames: ['operation'], buckets: groupBuckets, registers}),
	};
}

/**
Counts what a broker commits, by colony. The first 1,000 colonies that this server sees have labels of their own, the rest share the label `other`.
@returns the function that hears a commit
*/
export function countWork(registry: Registry): (committed: Committed) => void {
	const all = instruments(registry);
	const colonies = new Map<Id, OfColony>();
	const make = (colony: string): OfColony => ({
		submitted: all.submitted.labels({colony}), assigned: all.assigned.labels({colony}), waited: all.waited.labels({colony}), ran: all.ran.labels({colony}), closed: new Map(), requeued: new Map(),
	});
	const rest = make(other);
	const of = (colony: Id): [OfColony, string] => {
		const known = colonies.get(colony);
		if (known === undefined && colonies.size >= limits.measured) {
			return [rest, other];
		}

		return [known ?? made(colonies, colony, () => make(colony)), colony];
	};

	const count = (move: Move): void => {
		const [counts, colony] = of(move.colony);
		switch (move.kind) {
			case 'submitted': {
				counts.submitted.inc();
				break;
			}

			case 'assigned': {
				counts.assigned.inc();
				counts.waited.observe(move.seconds);
				break;
			}

			case 'closed': {
				const {outcome} = move;
				made(counts.closed, outcome, () => all.closed.labels({colony, outcome})).inc();
				if (move.seconds !== undefined) {
					counts.ran.observe(move.seconds);
				}

				break;
			}

			case 'requeued': {
				const {reason} = move;
				made(counts.requeued, reason, () => all.requeued.labels({colony, reason})).inc();
				break;
			}
		}
	};

	const groups = new Map<string, Histogram.Internal<'operation'>>();
	return ({moves, group}) => {
		for (const move of moves) {
			count(move);
		}

		if (group !== undefined) {
			made(groups, group.operation, () => all.group.labels({operation: group.operation})).observe(group.calls);
		}
	};
}
