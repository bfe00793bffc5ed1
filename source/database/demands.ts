import {createHash} from 'node:crypto';
import type {Demand, Id} from '../core/types.ts';
import type {Client} from './types.ts';

/** The same for equal demands: SHA-256 over what is asked, with the targets in order and once each. */
const fingerprint = (demand: Demand): string => createHash('sha256').update(JSON.stringify([
	demand.computertype,
	demand.cores,
	demand.mem,
	demand.gpus,
	[...new Set(demand.targetcomputerids)].sort(),
])).digest('hex');

async function find(client: Client, colony: Id, prints: readonly string[]): Promise<Map<string, number>> {
	const {rows} = await client.query<{fingerprint: string; demand_id: number}>('select fingerprint, demand_id from demands where colony_id = $1 and fingerprint = any ($2)', [colony, prints]);
	return new Map(rows.map(row => [row.fingerprint, row.demand_id]));
}

async function insert(client: Client, colony: Id, demands: ReadonlyMap<string, Demand>): Promise<void> {
	await client.query(
		`insert into demands (colony_id, fingerprint, target_computer_ids, computer_type, cores, mem, gpus)
		select $1, d.fingerprint, array(select jsonb_array_elements_text(d.targets)), d.type, d.cores, d.mem, d.gpus
		from jsonb_to_recordset($2::jsonb) as d(fingerprint text, targets jsonb, type text, cores integer, mem bigint, gpus integer)
		order by d.fingerprint
		on conflict do nothing`,
		[colony, JSON.stringify([...demands].map(([print, demand]) => ({
			fingerprint: print, targets: demand.targetcomputerids, type: demand.computertype, cores: demand.cores, mem: demand.mem, gpus: demand.gpus,
		})))],
	);
}

/**
The rows of `demands` for what these processes ask, in the order given; made where they are new.
Work that asks the same shares one row, so that a claim looks at kinds of work, not at every process in front of it.
*/
export async function demandIds(client: Client, colony: Id, demands: readonly Demand[]): Promise<number[]> {
	const prints = demands.map(demand => fingerprint(demand));
	// Again after it was made, and until none is missing: another transaction may make it first, or clear it away just then.
	for (;;) {
		const known = await find(client, colony, prints); // eslint-disable-line no-await-in-loop
		const missing = new Map(prints.flatMap((print, index) => known.has(print) ? [] : [[print, demands[index]!] as const]));
		if (missing.size === 0) {
			return prints.map(print => known.get(print)!);
		}

		await insert(client, colony, missing); // eslint-disable-line no-await-in-loop
	}
}

/** Removes demands that no waiting process has had for an hour. A submission that comes in between is tried again by whoever runs it. */
export async function removeUnusedDemands(client: Client): Promise<number> {
	const {rowCount} = await client.query(`delete from demands d where created_at < statement_timestamp() - interval '1 hour'
		and not exists (select from processes p where p.demand_id = d.demand_id)`);
	return rowCount;
}
