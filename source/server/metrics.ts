import type {IncomingMessage, ServerResponse} from 'node:http';
import {
	collectDefaultMetrics, Counter, Gauge, Histogram, Registry,
} from 'prom-client';
import type {HostedContext, Statistics} from '../operations/index.ts';
import {methodOf} from './log.ts';
import type {Visit} from './visit.ts';

/** Milliseconds for which what was counted in the database is good. */
const fresh = 1000;

let ofProcess: Registry | undefined;

/** What there is to say about this process, however many handlers it has. */
function processRegistry(): Registry {
	if (ofProcess === undefined) {
		ofProcess = new Registry();
		collectDefaultMetrics({register: ofProcess});
	}

	return ofProcess;
}

function gauges(registry: Registry) {
	const gauge = (name: string, help: string, labelNames: string[] = []) => new Gauge({name: `colonies_${name}`, help, labelNames, registers: [registry]});
	return {
		up: gauge('database_up', 'Whether the database answered when this was read.'),
		processes: gauge('processes', 'Processes by colony and state, counted up to 10,000.', ['colony', 'state']),
		connections: gauge('database_connections', 'Open connections to the database.'),
		idle: gauge('database_connections_idle', 'Of the open connections, those that are idle.'),
		writable: gauge('database_writable', 'Whether the database takes changes; 0 for a standby, and for one that is set to be read-only.'),
		listening: gauge('database_listening', 'Whether notifications of the database arrive. Where they do not, changes and work are found by polling every 200 ms.'),
		queued: gauge('database_waiting', 'Calls that wait for a connection to the database.'),
		waiting: gauge('computers_waiting', 'Computers that wait for work at this server.'),
		watching: gauge('watchers', 'Open streams of events at this server.'),
		deadlines: gauge('deadline_lag_seconds', 'How long the longest overdue deadline has passed.'),
		events: gauge('event_lag_seconds', 'How long ago the history was read to its end, while somebody watches.'),
	};
}

function fill(all: ReturnType<typeof gauges>, statistics: Statistics | undefined): void {
	all.up.set(statistics ? 1 : 0);
	all.writable.set(statistics && statistics.pool.noChanges === undefined ? 1 : 0);
	all.listening.set(statistics?.pool.listening ? 1 : 0);
	all.processes.reset();
	for (const {colony, state, count} of statistics?.states ?? []) {
		all.processes.set({colony, state}, count);
	}

	if (statistics) {
		const {pool, waiting, watching, lag} = statistics;
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
};

/** What is measured of one context and its requests. The database is asked when it is read, once a second at most. */
export function createMetrics({broker}: HostedContext): Metrics {
	const registry = new Registry();
	const labelNames = ['route', 'method', 'status'] as const;
	const requests = new Counter({name: 'colonies_http_requests_total', help: 'Answered requests.', labelNames, registers: [registry]});
	const seconds = new Histogram({
		name: 'colonies_http_request_duration_seconds', help: 'Seconds from request to answer, the waiting of those that wait included; streams are not in it.', labelNames, registers: [registry], buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
	});
	const all = gauges(registry);
	let counted = {at: -Infinity, statistics: Promise.resolve<Statistics | undefined>(undefined)};
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
			if (performance.now() - counted.at > fresh) {
				counted = {at: performance.now(), statistics: broker.statistics().catch(() => undefined)};
			}

			fill(all, await counted.statistics);
			return Registry.merge([registry, processRegistry()]).metrics();
		},
	};
}
