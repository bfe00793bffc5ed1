import {createHash} from 'node:crypto';
import type {Demand, Id} from '../core/types.ts';
import type {Client} from './types.ts';
import {bytesOf, bytesOfAll} from './values.ts';

/** The same for equal demands: SHA-256 over what is asked, with the targets in order and once each. */
export const fingerprintOf = (demand: Demand): string => createHash('sha256').update(JSON.stringify([
	demand.computertype,
	demand.cores,
	demand.mem,
	demand.gpus,
	[...new Set(demand.targetcomputerids)].sort(),
])).digest('hex');

/** Finds rows by their fingerprints and holds them, so that none is cleared away before this transaction ends. */
async function find(client: Client, colony: Id, prints: readonly string[]): Promise<Map<string, number>> {
	const {rows} = await client.query<{fingerprint: string; demand_id: number}>('select fingerprint, demand_id from colonies.demands where colony_id = $1 and fingerprint = any ($2) for key share', [bytesOf(colony), bytesOfAll(prints)]);
	return new Map(rows.map(row => [row.fingerprint, row.demand_id]));
}

async function insert(client: Client, colony: Id, demands: ReadonlyMap<string, Demand>): Promise<void> {
	const values: unknown[] = [bytesOf(colony)];
	const given = (value: unknown) => `$${values.push(value)}`;
	const rows = [...demands].sort(([one], [other]) => one < other ? -1 : 1).map(([print, {targetcomputerids, computertype, cores, mem, gpus}]) => `($1, ${[bytesOf(print), bytesOfAll(targetcomputerids), computertype, cores, mem, gpus].map(value => given(value)).join(', ')})`);
	await client.query(`insert into colonies.demands (colony_id, fingerprint, target_computer_ids, computer_type, cores, mem, gpus) values ${rows.join(', ')} on conflict do nothing`, values);
}

/**
The rows of `demands` for what these processes ask, in the order given; made where they are new, and held until the transaction ends.
Work that asks the same shares one row, so that a claim looks at kinds of work, not at every process in front of it.
*/
export async function demandIds(client: Client, colony: Id, demands: readonly Demand[]): Promise<number[]> {
	const prints = demands.map(demand => fingerprintOf(demand));
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

/** What is asked in some rows of `demands`. Rows that are cleared away are left out. */
export async function readDemands(client: Client, ids: readonly number[]): Promise<Array<{id: number; colony: Id; demand: Demand}>> {
	const {rows} = await client.query<DemandRow>('select demand_id, colony_id, target_computer_ids, computer_type, cores, mem, gpus from colonies.demands where demand_id = any ($1::bigint[])', [ids]);
	return rows.map(row => ({id: row.demand_id, colony: row.colony_id, demand: toDemand(row)}));
}

type DemandRow = {demand_id: number; colony_id: Id; target_computer_ids: Id[]; computer_type: string; cores: number; mem: number; gpus: number};

const toDemand = (row: Omit<DemandRow, 'demand_id' | 'colony_id'>): Demand => ({targetcomputerids: row.target_computer_ids, computertype: row.computer_type, cores: row.cores, mem: row.mem, gpus: row.gpus});

/** What waits for a group of work, whose row is `group`, as many as `limit`: along its index, for only that way few pages are read where little of it waits. */
export const waitingIn = (group: string, limit: string): string => `select from colonies.live p where p.demand_id = ${group}.demand_id and p.status = 0 order by p.submission_time limit ${limit}`;

/** What waits in some colonies, as rows of `demands` with how many processes ask it, counted to `limit` and no further. */
export async function waitingDemands(client: Client, colonies: readonly Id[], limit: number): Promise<Map<number, number>> {
	const {rows} = await client.query<{demand_id: number; count: number}>(
		`select d.demand_id, w.count from colonies.demands d
		cross join lateral (select count(*)::int as count from (${waitingIn('d', '$2')}) waiting) w
		where d.colony_id = any ($1) and w.count > 0`,
		[bytesOfAll(colonies), limit],
	);
	return new Map(rows.map(row => [row.demand_id, row.count]));
}

/** That nothing which waits or runs asks this. What runs is found colony by colony, for nothing has it in order by what it asks. */
const unused = `not exists (select from colonies.live p where p.demand_id = d.demand_id and p.status = 0)
	and d.demand_id not in (select r.demand_id from colonies.colonies c cross join lateral (select p.demand_id from colonies.live p where p.colony_id = c.colony_id and p.status = 1 offset 0) r)`;

/** Removes demands, an hour old at least, that nothing asks which waits or runs. Those that a submission holds just then stay. */
export async function removeUnusedDemands(client: Client): Promise<number> {
	const {rows} = await client.query<{demand_id: number}>(`select d.demand_id from colonies.demands d where d.created_at < statement_timestamp() - interval '1 hour' and ${unused} for update of d skip locked`);
	if (rows.length === 0) {
		return 0;
	}

	// Looked at again in a statement of its own, now that they are locked: what was submitted until then is seen. No foreign key does this, for it would look through all that is live for each that goes.
	const {rowCount} = await client.query(`delete from colonies.demands d where d.demand_id = any ($1::bigint[]) and ${unused}`, [rows.map(row => row.demand_id)]);
	return rowCount;
}
