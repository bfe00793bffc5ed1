import type {Id, Process} from '../../core/types.ts';
import {fingerprintOf} from '../demands.ts';
import {submissionImage} from '../images.ts';
import {
	complete, given, rowOf, type Submission,
} from '../processes.ts';
import type {Database} from '../types.ts';
import {bytesOf, bytesOfAll} from '../values.ts';
import {
	admitting, type Answered, type Call, type CallRow, freshOf, noting, perSlot, type Slot, statementOf, timeText,
} from './calls.ts';

export type SubmitCall = Call & Submission;

const columns = [
	'process_id bytea', 'demand bytea', 'targets text', 'type text', 'timeout integer', 'retries integer', 'mem bigint', 'cores integer', 'gpus integer', 'traceparent text', 'attributes jsonb', 'image jsonb',
] as const;

/** As \`submit\` does, for calls of several. Kinds of work that are new are for the path that makes their rows. */
const textOf = perSlot(slot => `with ${admitting({slot, first: 2, columns, owner: true})}, known as materialized (
		select d.demand_id, d.fingerprint from colonies.demands d where d.colony_id = $1 and d.fingerprint = any ($9) for key share skip locked
	), kept as (
		insert into colonies.idempotency_keys (signer, key, fingerprint, subjects)
		select a.signer, a.key, a.fingerprint, array[a.process_id] from allowed a where a.key is not null and a.demand in (select k.fingerprint from known k) order by a.signer, a.key
		on conflict do nothing returning signer, key
	), good as materialized (
		select a.*, k.demand_id, statement_timestamp() + (a.n - 1) * interval '1 microsecond' as at from allowed a join known k on k.fingerprint = a.demand
		where a.key is null or exists (select from kept t where t.signer = a.signer and t.key = a.key)
	), added as (
		insert into colonies.live (process_id, colony_id, demand_id, entered_at, submission_time, target_computer_ids, computer_type, timeout, max_retries, mem, cores, gpus, traceparent, attributes)
		select g.process_id, $1, g.demand_id, g.at, g.at, g.targets::bytea[], g.type, g.timeout, g.retries, g.mem, g.cores, g.gpus, g.traceparent, g.attributes from good g order by g.n
	), ${noting({actor: 'x.signer', what: '\'process.submit\'', states: ['null', '\'waiting\''], detail: `jsonb_build_object('submissiontime', ${timeText('x.at')}) || x.image`}, 'good')}
	select ${freshOf(slot)} as fresh, g.demand_id, g.at from input i left join good g on g.n = i.n order by i.n`);

type Row = CallRow & {demand_id: number | null; at: string};

/** Submits processes of several callers to one colony, each for itself, in one transaction. `demand`: the row of \`demands\` that it belongs to. */
export async function submitTogether(database: Database, colony: Id, slot: Slot, calls: readonly SubmitCall[]): Promise<Array<Answered<{process: Process; demand: number}>>> {
	const lists = [
		calls.map(({processid}) => bytesOf(processid)),
		calls.map(({spec}) => bytesOf(fingerprintOf(spec))),
		calls.map(({spec}) => `{${bytesOfAll(spec.targetcomputerids).map(id => JSON.stringify(id)).join(',')}}`),
		calls.map(({spec}) => spec.computertype),
		calls.map(({spec}) => spec.timeout),
		calls.map(({spec}) => spec.maxretries),
		calls.map(({spec}) => spec.mem),
		calls.map(({spec}) => spec.cores),
		calls.map(({spec}) => spec.gpus),
		calls.map(({spec}) => spec.traceparent ?? null),
		calls.map(({spec}) => given(spec)),
		calls.map(call => imageOf(colony, call)),
	];
	const [answer] = await database.flight([statementOf('submit', slot, {text: textOf(slot), before: [bytesOf(colony)], calls, lists})]);
	return (answer!.rows as Row[]).map(({fresh, demand_id: demand, at}, index) => demand === null
		? {isAlone: true, isSpent: fresh === true}
		: {isAlone: false, result: {process: complete(rowOf(colony, calls[index]!, at)), demand}});
}

/** What the history keeps of it, without the time. */
export function imageOf(colony: Id, call: SubmitCall): object {
	const {submissiontime: _, ...image} = submissionImage(rowOf(colony, call, ''));
	return image;
}
