import type pg from 'pg';
import {begin} from '../session.ts';
import {toText} from '../values.ts';

/** What pg says on the wire, as its own queries do (pg/lib/connection.js). */
type Wire = {
	parse(message: {name: string; text: string}): void;
	bind(message: {statement: string; values: Array<string | null>}): void;
	describe(message: {type: 'P'; name: string}): void;
	execute(message: object): void;
	sync(): void;
};

/** One statement of a flight: its text as it is sent, and a name under which it is prepared. */
export type Leg = {name: string; text: string; values: readonly unknown[]};

type Result = pg.QueryResult<Record<string, unknown>>;
type QueryClass = new (config: object, values?: unknown, callback?: (error: Error | null, results: Result | Result[]) => void) => object;

/** How a flight ended badly. `isOver`: whether the server had answered all but the commit. `mayHavePrepared`: whether what it prepares in the session is not known any more. */
export class FlightFailed extends Error {
	constructor(readonly reason: unknown, readonly isOver: boolean, readonly mayHavePrepared: boolean) {
		super('A flight failed.');
	}
}

const commit: Leg = {name: 'colonies_commit', text: 'commit', values: []};
const beginning: Leg = {name: 'colonies_begin', text: begin, values: []};

/** What each session has prepared. */
const prepared = new WeakMap<pg.PoolClient, Set<string>>();

/**
Sends begin, statements and commit as one message with one `Sync` (PostgreSQL, "Extended Query", "Pipelining"): the server skips what comes behind a failure, and answers once. pg knows of one statement a query alone, so this is one of its queries that sends several.
@param timeout milliseconds after which the connection is given up
@throws FlightFailed
*/
export async function fly(Query: unknown, client: pg.PoolClient, legs: readonly Leg[], {prepares, timeout}: {prepares: boolean; timeout: number}): Promise<Result[]> {
	const known = prepared.get(client) ?? new Set();
	prepared.set(client, known);
	const all = [beginning, ...legs, commit];
	const added = prepares ? all.filter(({name}) => !known.has(name)) : [];
	let results: Result | Result[] = [];
	await new Promise<void>((resolve, reject) => {
		class Flight extends (Query as QueryClass) {
			readonly query_timeout = timeout;

			requiresPreparation(): boolean {
				return true;
			}

			prepare(wire: Wire): void {
				for (const {name, text, values} of all) {
					const statement = prepares ? name : '';
					if (!prepares || !known.has(name)) {
						wire.parse({name: statement, text});
					}

					wire.bind({statement, values: values.map(value => toText(value))});
					wire.describe({type: 'P', name: ''});
					wire.execute({});
				}

				wire.sync();
			}
		}

		const flight = new Flight({text: 'flight'}, undefined, (error, answers) => {
			if (error) {
				const {_results: so} = flight as unknown as {_results: Result | Result[]};
				const isOver = Array.isArray(so) && so.filter(({command}) => command !== undefined && command !== null).length === all.length - 1;
				reject(new FlightFailed(error, isOver, added.length > 0));
				return;
			}

			results = answers;
			resolve();
		});
		client.query(flight as never);
	});
	for (const {name} of added) {
		known.add(name);
	}

	return results;
}
