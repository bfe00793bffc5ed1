import type {Client} from '../../source/database/types.ts';

type Node = {
	'Node Type': string; 'Relation Name'?: string; 'Index Name'?: string; 'Actual Rows': number; 'Actual Loops': number; Plans?: Node[];
	'Rows Removed by Filter'?: number; 'Rows Removed by Index Recheck'?: number; 'Rows Removed by Join Filter'?: number; Filter?: string;
};

/** What the server did for a statement. */
export type Plan = {
	text: string;
	/** Rows that its scans of tables gave or passed over. */
	read: number;
	/** Rows that it returned. */
	returned: number;
	/** Tables that were read from end to end. */
	sequential: string[];
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

function toPlan(text: string, root: Node): Plan {
	const scans = [...nodesOf(root)].filter(node => node['Node Type'].endsWith('Scan') && (node['Relation Name'] !== undefined || node['Node Type'] === 'Bitmap Index Scan'));
	return {
		text,
		returned: root['Actual Rows'],
		read: scans.reduce((sum, node) => sum + readBy(node), 0),
		sequential: scans.filter(node => node['Node Type'] === 'Seq Scan').map(node => node['Relation Name']!),
		scans: scans.map(node => `${node['Node Type']} ${node['Relation Name'] ?? ''} ${node['Index Name'] ?? ''} ${readBy(node)} rows${node.Filter ? `, filter ${node.Filter}` : ''}`),
	};
}

/** A client that also has each statement explained, and what it explained. What changes something is done twice: give it a transaction that is rolled back. */
export function explaining(client: Client): Client & {plans: Plan[]} {
	const plans: Plan[] = [];
	return {
		plans,
		async query<Row>(text: string, values?: readonly unknown[]) {
			const {rows} = await client.query<{'QUERY PLAN': [{Plan: Node}]}>(`explain (analyze, format json) ${text}`, values);
			plans.push(toPlan(text, rows[0]!['QUERY PLAN'][0].Plan));
			return client.query<Row>(text, values);
		},
	};
}
