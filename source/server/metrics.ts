import type {IncomingMessage, ServerResponse} from 'node:http';
import {setTimeout as pause} from 'node:timers/promises';
import {
	collectDefaultMetrics, Counter, Gauge, Histogram, Registry,
} from 'prom-client';
import type {HostedContext, Statistics} from '../operations/index.ts';
import {methodOf} from './log.ts';
import type {Visit} from './visit.ts';
import {countWork} from './work-metrics.ts';

/** Milliseconds for which what was read from the database is good: longer where reading took long, so that it takes a twentieth of the time at most, and never longer than a minute. */
const freshMs = 1000;
const longestFreshMs = 60_000;
const restFactor = 20;

/** Milliseconds that the database has to answer; after that it counts as away. Prometheus gives a scrape ten seconds. */
const answerTimeoutMs = 2000;

/** Gauges of prom-client that are named like counters, which `promtool check metrics` refuses. Each has a twin without a total. */
const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

let ofProcess: Registry | undefined;

/** What there is to say about this process, however many handlers it has. */
function processRegistry(): Registry {
	if (ofProcess === undefined) {
		ofProcess = new Registry();
		collectDefaultMetrics({register: ofProcess});
		for (const name of misnamed) {
			ofProcess.removeSingleMetric(name);
		}
	}

	return ofProcess;
}

function gauges(registry: Registry) {
	const gauge = (name: string, help: string, labelNames: string[] = []) => new Gauge({name: `colonies_${name}`, help, labelNames, registers: [registry]});
	return {
		up: gauge('database_up', 'Whether the database answered when this was read.'),
		cells: gauge('cell_up', 'Whether each cell answered when this was read, where there are several.', ['cell']),
		processes: gauge('processes', 'Processes by colony and state, counted up to 10,000; up to 1,000 where there are more than 100 colonies. The first 1,000 colonies by id.', ['colony', 'state']),
		oldest: gauge('oldest_waiting_seconds', 'How long the longest waiting of the first 100 processes in line has waited, since it was submitted or came back. The first 1,000 colonies by id.', ['colony']),
		connections: gauge('database_connections', 'Open connections to the database.'),
		idle: gauge('database_connections_idle', 'Of the open connections, those that are idle.'),
		writable: gauge('database_writable', 'Whether the database takes changes; 0 for a standby, and for one that is set to be read-only.'),
		listening: gauge('database_listening', 'Whether notifications of the database arrive. Where they do not, changes and work are found by polling every 200 ms.'),
		queued: gauge('database_waiting', 'Calls that wait for a connection to the database.'),
		waiting: gauge('computers_waiting', 'Computers that wait for work at this server.'),
		watching: gauge('watchers', 'Open streams of events at this server.'),
		deadlines: gauge('deadline_lag_seconds', 'How long the longest overdue deadline has passed.'),
		events: gauge('event_lag_seconds', 'How long ago the history was read to its end, while somebody watches.'),
		unsealed: gauge('history_unsealed_rows', 'Rows of the history that no seal covers, counted up to 10,000.'),
		unsealedFor: gauge('history_unsealed_seconds', 'Age of the oldest row of the history that no seal covers.'),
		overdue: gauge('retention_overdue_seconds', 'How long the oldest closed process (processes) or row (history) has exceeded its retention; 0 where it is kept for ever.', ['kind']),
	};
}

function fill(all: ReturnType<typeof gauges>, statistics: Statistics | undefined): void {
	all.up.set(statistics ? 1 : 0);
	all.writable.set(statistics && statistics.pool.noChanges === undefined ? 1 : 0);
	all.listening.set(statistics?.pool.listening ? 1 : 0);
	all.cells.reset();
	for (const {cell, answers} of statistics?.cells ?? []) {
		all.cells.set({cell}, answers ? 1 : 0);
	}

	all.processes.reset();
	for (const {colony, state, count} of statistics?.states ?? []) {
		all.processes.set({colony, state}, count);
	}

	all.oldest.reset();
	for (const {colony, seconds} of statistics?.oldest ?? []) {
		all.oldest.set({colony}, seconds);
	}

	if (statistics) {
		const {pool, waiting, watching, lag, unsealed, overdue} = statistics;
		all.unsealed.set(unsealed.rows);
		all.unsealedFor.set(unsealed.seconds);
		all.overdue.set({kind: 'processes'}, overdue.processes);
		all.overdue.set({kind: 'history'}, overdue.history);
		all.connections.set(pool.connections);
		all.idle.set(pool.idle);
		all.queued.set(pool.waiting);
		all.waiting.set(waiting);
		all.watching.set(watching);
		all.deadlines.set(lag.deadlines);
		all.events.set(lag.events);
	}
}

export type Metrics = {
	readonly contentType: string;
	/** Notes a request that is over. */
	note(request: IncomingMessage, response: ServerResponse, visit: Visit): void;
	/** In the text format of Prometheus. */
	read(): Promise<string>;
	/** Counts no longer. */
	close(): void;
};

/** What the database says, undefined where it does not say it in time. */
async function inTime(reading: Promise<Statistics | undefined>): Promise<Statistics | undefined> {
	const stop = new AbortController();
	try {
		return await Promise.race([reading, pause(answerTimeoutMs, undefined, {signal: stop.signal})]);
	} finally {
		stop.abort();
	}
}

/** What is measured of one context, its commits and its requests. The database is asked when it is read, once a second at most. */
export function createMetrics({broker}: HostedContext): Metrics {
	const registry = new Registry();
	const labelNames = ['route', 'method', 'status'] as const;
	const requests = new Counter({name: 'colonies_http_requests_total', help: 'Answered requests.', labelNames, registers: [registry]});
	const seconds = new Histogram({
		name: 'colonies_http_request_duration_seconds', help: 'Seconds from request to answer, the waiting of those that wait included; streams are not in it.', labelNames, registers: [registry], buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
	});
	const all = gauges(registry);
	const stopCounting = broker.hearCommitted(countWork(registry));
	let last: {until: number; statistics: Promise<Statistics | undefined>} = {until: -Infinity, statistics: Promise.resolve(undefined)};
	const ask = async (): Promise<Statistics | undefined> => {
		const began = performance.now();
		let rest = 0;
		try {
			const statistics = await broker.statistics();
			rest = (performance.now() - began) * restFactor;
			return statistics;
		} catch {
			return undefined;
		} finally {
			last.until = performance.now() + Math.min(longestFreshMs, Math.max(freshMs, rest));
		}
	};

	return {
		contentType: registry.contentType,
		note(request, response, visit) {
			const labels = {route: visit.route, method: methodOf(request), status: response.headersSent ? response.statusCode : 'none'};
			requests.inc(labels);
			if (!visit.isStream) {
				seconds.observe(labels, (performance.now() - visit.started) / 1000);
			}
		},
		async read() {
			if (performance.now() >= last.until) {
				// One that is under way is waited for, and not begun again.
				last = {until: Number.POSITIVE_INFINITY, statistics: Promise.resolve(undefined)};
				last.statistics = ask();
			}

			fill(all, await inTime(last.statistics));
			return Registry.merge([registry, processRegistry()]).metrics();
		},
		close: stopCounting,
	};
}
