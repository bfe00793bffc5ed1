import fc from 'fast-check';
import type {Worker} from '../../source/core/matching.ts';
import type {
	ComputerStatus, Demand, Id, ProcessStatus, Time,
} from '../../source/core/types.ts';
import {demandIds} from '../../source/database/demands.ts';
import type {Client} from '../../source/database/types.ts';
import {attributeId, sha3} from '../../source/identity/index.ts';

/** Ids of a few computers, so that processes often name one that exists. */
export const names: readonly Id[] = ['a', 'b', 'c', 'd'].map(name => sha3(name));

// Small numbers and few words, so that two of them are often equal or next to each other.
const type = fc.constantFrom('', 'gpu', 'cpu');
const cores = fc.nat(3);
const mem = fc.nat(3).map(thousands => thousands * 1000);
const gpus = fc.nat(2);

/** What a process may ask of a computer. */
export const demands: fc.Arbitrary<Demand> = fc.record({
	targetcomputerids: fc.oneof({weight: 2, arbitrary: fc.constant<Id[]>([])}, fc.uniqueArray(fc.constantFrom(...names), {maxLength: 3})),
	computertype: type, cores, mem, gpus,
});

/** A computer in any state. */
export const workers: fc.Arbitrary<Worker> = fc.record({
	computerid: fc.constantFrom(...names),
	status: fc.constantFrom<ComputerStatus>(1, 1, 1, 0, 2),
	computertype: fc.oneof(type, fc.constant(undefined)),
	cores: fc.integer({min: 1, max: 4}),
	mem: fc.integer({min: 1, max: 4}).map(thousands => thousands * 1000),
	gpus,
});

/** A time on the wire, so many microseconds after another. */
export function later(time: Time, microseconds: number): Time {
	const total = (BigInt(Date.parse(time)) * 1000n) + BigInt(time.slice(23, 26)) + BigInt(microseconds);
	return `${new Date(Number(total / 1000n)).toISOString().slice(0, -1)}${String(total % 1000n).padStart(3, '0')}Z`;
}

/** A process as it is put into a database past the operations, to have any past. */
export type Placed = Demand & {
	processid: Id;
	status: ProcessStatus;
	/** When it entered its state; of a waiting one when it was submitted. */
	entered: Time;
	assignedcomputerid?: Id;
	attributes?: Record<string, string>;
};

/** Puts processes into a colony, of whatever state and time. */
export async function place(client: Client, colony: Id, processes: readonly Placed[]): Promise<void> {
	const waiting = processes.filter(({status}) => status === 0);
	const demandOf = new Map<Id, number>((await demandIds(client, colony, waiting)).map((demand, index) => [waiting[index]!.processid, demand]));
	await client.query(
		`insert into processes (process_id, colony_id, demand_id, status, entered_at, submission_time, start_time, end_time, assigned_computer_id, target_computer_ids, computer_type, timeout, max_retries, mem, cores, gpus)
		select id, $1, demand, status, entered, entered, case when status > 0 then entered end, case when status > 1 then entered end, assigned, array(select jsonb_array_elements_text(targets)), type, -1, 0, mem, cores, gpus
		from jsonb_to_recordset($2::jsonb) as i(id text, demand bigint, status smallint, entered timestamptz, assigned text, targets jsonb, type text, mem bigint, cores integer, gpus integer)`,
		[colony, JSON.stringify(processes.map(each => ({
			id: each.processid, demand: demandOf.get(each.processid), status: each.status, entered: each.entered, assigned: each.assignedcomputerid,
			targets: each.targetcomputerids, type: each.computertype, mem: each.mem, cores: each.cores, gpus: each.gpus,
		})))],
	);
	await client.query(
		`insert into attributes (attribute_id, colony_id, process_id, attribute_type, key, value)
		select i.id, $1, i.process, 0, i.key, i.value from jsonb_to_recordset($2::jsonb) as i(id text, process text, key text, value text)`,
		[colony, JSON.stringify(processes.flatMap(({processid, attributes = {}}) => Object.entries(attributes).map(([key, value]) => ({
			id: attributeId(processid, key, 0), process: processid, key, value,
		}))))],
	);
}

/** Puts computers into a colony, in whatever state. */
export async function placeComputers(client: Client, colony: Id, computers: ReadonlyArray<Worker & {name?: string}>): Promise<void> {
	await client.query(
		`insert into computers (colony_id, computer_id, name, computer_type, cpu, cores, mem, gpu, gpus, status)
		select $1, id, name, type, '', cores, mem, '', gpus, status
		from jsonb_to_recordset($2::jsonb) as i(id text, name text, type text, cores integer, mem bigint, gpus integer, status smallint)`,
		[colony, JSON.stringify(computers.map(each => ({
			id: each.computerid, name: each.name ?? 'lab', type: each.computertype ?? '', cores: each.cores, mem: each.mem, gpus: each.gpus, status: each.status,
		})))],
	);
}
