import {settingOnePlan} from '../../source/database/session.ts';
import type {
	Client, Database, Rows, Statement,
} from '../../source/database/types.ts';

type Node = {
	'Node Type': string; 'Relation Name'?: string; 'Index Name'?: string; 'Plan Rows': number; 'Actual Rows': number; 'Actual Loops': number; Plans?: Node[];
	'Rows Removed by Filter'?: number; 'Rows Removed by Index Recheck'?: number; Filter?: string;
	'Shared Hit Blocks'?: number; 'Shared Read Blocks'?: number;
};

/** What the server did for a statement. */
export type Plan = {
	text: string;
	/** Rows that its scans gave or passed over, of `demands` and `outputs`, and of the other tables: kinds of work are few, and their rows short; what running processes have written so far is as little as runs. */
	kinds: number;
	read: number;
	/** Entries that it has gone through in indexes of attributes, and in others beside those, to hold them against each other: a thousand take a tenth of a millisecond. */
	entries: number;
	/** Rows that it returned. */
	returned: number;
	/** Pages that it looked at, of tables and indexes: 8 KB each. */
	buffers: number;
	/** Tables that were read from end to end. */
	sequential: string[];
	/** Indexes that it used. */
	indexes: string[];
	/** For people: its scans, one a line. */
	scans: string[];
};

function * nodesOf(node: Node): Generator<Node> {
	yield node;
	for (const child of node.Plans ?? []) {
		yield * nodesOf(child);
	}
}

const readBy = (node: Node): number => node['Actual Loops'] * (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0));

const sum = (nodes: Node[]): number => nodes.reduce((total, node) => total + readBy(node), 0);
const isOfKinds = (node: Node): boolean => ['demands', 'outputs'].includes(node['Relation Name'] ?? '') || /^(?:demands|outputs)/.test(node['Index Name'] ?? '');

/** The table of a piece of one, a month of `closed` or of the history, and of any other the table itself. */
const tableOf = (relation: string): string => relation.replace(/^(closed|history)_(?:\d+|other|before)$/, '$1');

/** Whether this reads a piece of a table that has nothing in it, as those of the days to come. */
const isOfNothing = (node: Node): boolean => tableOf(node['Relation Name']!) !== node['Relation Name'] && node['Plan Rows'] <= 1 && readBy(node) === 0;

function toPlan(text: string, root: Node): Plan {
	const scans = [...nodesOf(root)].filter(node => node['Node Type'].endsWith('Scan') && (node['Relation Name'] !== undefined || node['Node Type'] === 'Bitmap Index Scan'));
	const entries = scans.filter(node => node['Node Type'] === 'Bitmap Index Scan');
	const isByAttribute = entries.some(node => node['Index Name']!.includes('attribute'));
	return {
		text,
		returned: root['Actual Rows'],
		buffers: (root['Shared Hit Blocks'] ?? 0) + (root['Shared Read Blocks'] ?? 0),
		kinds: sum(scans.filter(node => isOfKinds(node))),
		read: sum(scans.filter(node => !isOfKinds(node) && !(isByAttribute && entries.includes(node)))),
		entries: isByAttribute ? sum(entries) : 0,
		sequential: scans.filter(node => node['Node Type'] === 'Seq Scan' && !isOfNothing(node)).map(node => tableOf(node['Relation Name']!)),
		indexes: [...nodesOf(root)].flatMap(node => node['Index Name'] ?? []),
		scans: scans.map(node => `${node['Node Type']} ${tableOf(node['Relation Name'] ?? '')} ${node['Index Name'] ?? ''}: ${readBy(node)} rows${node.Filter ? `, filter ${node.Filter}` : ''}`),
	};
}

/** The client of a transaction which explains each statement before it runs it. What that did is undone, so that the statement itself finds all as it was. */
function explaining(client: Client, plans: Plan[]): Client {
	return {
		async query<Row>(text: string, values?: readonly unknown[]) {
			if (!/^\s*(?:with|select|insert|update|delete)\b/.test(text)) {
				return client.query<Row>(text, values);
			}

			await client.query('savepoint explained');
			const {rows} = await client.query<{'QUERY PLAN': [{Plan: Node}]}>(`explain (analyze, buffers, format json) ${text}`, values);
			await client.query('rollback to savepoint explained');
			plans.push(toPlan(text, rows[0]!['QUERY PLAN'][0].Plan));
			return client.query<Row>(text, values);
		},
	};
}

/** Runs the statements of a flight one after another, so that each can be looked at. */
export async function oneByOne(client: Client, statements: readonly Statement[]): Promise<Rows[]> {
	const answers: Rows[] = [];
	for (const {text, values} of statements) {
		answers.push(await client.query(text, values));
	}

	return answers;
}

/** The same database, which collects the plan of every statement. */
export function explained(database: Database): Database & {plans: Plan[]} {
	const plans: Plan[] = [];
	return {
		plans,
		kind: database.kind,
		schema: database.schema,
		query: async (text, values) => database.transaction(async client => explaining(client, plans).query(text, values)),
		transaction: async work => database.transaction(async client => work(explaining(client, plans))),
		flight: async statements => database.transaction(async client => {
			await client.query(settingOnePlan);
			return oneByOne(explaining(client, plans), statements);
		}),
		listen: async (...given) => database.listen(...given),
		notify: async (...given) => database.notify(...given),
		watchReachability: tell => database.watchReachability(tell),
		execute: async (...given) => database.execute(...given),
		load: () => database.load(),
		describe: async () => database.describe(),
		close: async () => database.close(),
	};
}

/** Runs statements that bring in very many rows, with the indexes made afterwards and foreign keys taken on trust. Only a superuser may. */
export async function bulk(database: Database, work: (client: Client) => Promise<void>): Promise<void> {
	await database.transaction(async client => {
		await client.query('set local session_replication_role = replica');
		const {rows: indexes} = await client.query<{name: string; made: string}>('select indexname as name, indexdef as made from pg_indexes where schemaname = \'colonies\' and tablename in (\'live\', \'closed\') and indexname not like \'%_pkey\'');
		for (const {name} of indexes) {
			await client.query(`drop index colonies.${name}`);
		}

		await work(client);
		for (const {made} of indexes) {
			await client.query(made.replace(' ON ONLY ', ' ON '));
		}
	});
	await database.query('vacuum (analyze)');
}
