import fc from 'fast-check';
import type {Worker} from '../../source/core/matching.ts';
import {
	attributeTypes, type AttributeKind, type ComputerStatus, type Demand, type Id, type ProcessStatus, type Time,
} from '../../source/core/types.ts';
import {demandIds} from '../../source/database/demands.ts';
import type {Client} from '../../source/database/types.ts';
import {sha3} from '../../source/identity/index.ts';

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
	/** Attributes of any kind, beside those. */
	texts?: ReadonlyArray<{kind: AttributeKind; key: string; value: string}>;
};

const columns = 'process_id, colony_id, submission_time, start_time, assigned_computer_id, target_computer_ids, computer_type, timeout, max_retries, mem, cores, gpus, attributes, status';
const values = 'colonies.bytes_of(id), colonies.bytes_of($1), entered, case when status > 0 then entered end, colonies.bytes_of(assigned), colonies.bytes_of_all(array(select jsonb_array_elements_text(targets))), type, -1, 0, mem, cores, gpus, attributes, status';
const placed = 'jsonb_to_recordset($2::jsonb) as i(id text, demand bigint, status smallint, entered timestamptz, assigned text, targets jsonb, type text, mem bigint, cores integer, gpus integer, attributes jsonb)';

/** What stands in the row of a process of its attributes; what a running one has written stands elsewhere. */
function inRow({status, attributes = {}, texts = []}: Placed): Partial<Record<AttributeKind, Array<Record<string, string>>>> | undefined {
	const all = [...Object.entries(attributes).map(([key, value]) => ({kind: 'in' as const, key, value})), ...texts];
	const lists = attributeTypes.map(kind => [kind, all.filter(text => text.kind === kind).map(({key, value}) => ({[key]: value}))] as const);
	const kept = lists.filter(([kind, list]) => list.length > 0 && (status !== 1 || kind === 'in'));
	return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

/** Puts processes into a colony, of whatever state and time. */
export async function place(client: Client, colony: Id, processes: readonly Placed[]): Promise<void> {
	const live = processes.filter(({status}) => status < 2);
	const demandOf = new Map<Id, number>((await demandIds(client, colony, live)).map((demand, index) => [live[index]!.processid, demand]));
	const rows = JSON.stringify(processes.map(each => ({
		id: each.processid, demand: demandOf.get(each.processid), status: each.status, entered: each.entered, assigned: each.assignedcomputerid,
		targets: each.targetcomputerids, type: each.computertype, mem: each.mem, cores: each.cores, gpus: each.gpus, attributes: inRow(each),
	})));
	await client.query(`insert into colonies.live (${columns}, entered_at, demand_id) select ${values}, entered, demand from ${placed} where status < 2`, [colony, rows]);
	await client.query(`insert into colonies.closed (${columns}, end_time) select ${values}, entered from ${placed} where status > 1`, [colony, rows]);
	await client.query(
		'insert into colonies.outputs (process_id, attribute_type, key, value) select colonies.bytes_of(process), type, key, value from jsonb_to_recordset($1::jsonb) as i(process text, type smallint, key text, value text)',
		[JSON.stringify(processes.filter(({status}) => status === 1).flatMap(({processid, texts = []}) =>
			texts.filter(({kind}) => kind !== 'in').map(({kind, key, value}) => ({process: processid, type: attributeTypes.indexOf(kind), key, value}))))],
	);
}

/** Puts computers into a colony, in whatever state. */
export async function placeComputers(client: Client, colony: Id, computers: ReadonlyArray<Worker & {name?: string}>): Promise<void> {
	await client.query(
		`insert into colonies.computers (colony_id, computer_id, name, computer_type, cpu, cores, mem, gpu, gpus, status)
		select colonies.bytes_of($1), colonies.bytes_of(id), name, type, '', cores, mem, '', gpus, status
		from jsonb_to_recordset($2::jsonb) as i(id text, name text, type text, cores integer, mem bigint, gpus integer, status smallint)`,
		[colony, JSON.stringify(computers.map(each => ({
			id: each.computerid, name: each.name ?? 'lab', type: each.computertype ?? '', cores: each.cores, mem: each.mem, gpus: each.gpus, status: each.status,
		})))],
	);
}
