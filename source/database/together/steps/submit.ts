import {shifted} from '../../../core/moments.ts';
import type {Id, Process} from '../../../core/types.ts';
import {fingerprintOf} from '../../demands.ts';
import {complete, given} from '../../processes.ts';
import type {Database} from '../../types.ts';
import {bytesOf, bytesOfAll} from '../../values.ts';
import type {Answered, Slot} from '../calls.ts';
import {imageOf, rowOf, type SubmitCall} from '../submit.ts';
import {
	forgetAll, inSteps, keepAll, noteAll, open, type Run,
} from './opening.ts';

const known = 'select d.demand_id, d.fingerprint from colonies.demands d where d.colony_id = $1 and d.fingerprint = any ($2::bytea[]) for key share skip locked';

const add = `insert into colonies.live (process_id, colony_id, demand_id, entered_at, submission_time, target_computer_ids, computer_type, timeout, max_retries, mem, cores, gpus, traceparent, attributes)
	select i.id, $1::bytea, i.demand, i.at, i.at, i.targets::bytea[], i.type, i.timeout, i.retries, i.mem, i.cores, i.gpus, i.traceparent, i.attributes
	from unnest($2::bytea[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[], $7::integer[], $8::integer[], $9::bigint[], $10::integer[], $11::integer[], $12::text[], $13::jsonb[])
		with ordinality as i(id, demand, at, targets, type, timeout, retries, mem, cores, gpus, traceparent, attributes, n) order by i.n`;

type Good = {call: SubmitCall; demand: number; at: string};

async function addAll(run: Run, colony: Id, good: readonly Good[]): Promise<void> {
	const specs = good.map(({call: {spec}}) => spec);
	await run('add', add, [
		bytesOf(colony),
		good.map(({call}) => bytesOf(call.processid)),
		good.map(({demand}) => demand),
		good.map(({at}) => at),
		specs.map(spec => `{${bytesOfAll(spec.targetcomputerids).map(id => JSON.stringify(id)).join(',')}}`),
		specs.map(spec => spec.computertype),
		specs.map(spec => spec.timeout),
		specs.map(spec => spec.maxretries),
		specs.map(spec => spec.mem),
		specs.map(spec => spec.cores),
		specs.map(spec => spec.gpus),
		specs.map(spec => spec.traceparent ?? null),
		specs.map(spec => given(spec)),
	]);
}

/** As `submitTogether` does, in steps. */
export async function submitInSteps(database: Database, colony: Id, slot: Slot, calls: readonly SubmitCall[]): Promise<Array<Answered<{process: Process; demand: number}>>> {
	return inSteps(database, async run => {
		const prints = calls.map(({spec}) => fingerprintOf(spec));
		const [{number, now, fresh, allowed}, {rows}, kept] = await Promise.all([
			open(run, {colony, slot, calls, owner: true}),
			run<{demand_id: number; fingerprint: string}>('demands', known, [bytesOf(colony), bytesOfAll([...new Set(prints)])]),
			keepAll(run, calls.map(call => ({call, subject: call.processid}))),
		]);
		const demands = new Map(rows.map(row => [row.fingerprint, row.demand_id]));
		const good = new Map<SubmitCall, Good>(calls.flatMap((call, index): Array<[SubmitCall, Good]> => {
			const demand = demands.get(prints[index]!);
			return allowed[index] && demand !== undefined && kept.isFree(call) ? [[call, {call, demand, at: shifted(now, BigInt(index))}]] : [];
		}));
		// Those that run alone keep their keys themselves.
		await forgetAll(run, kept.calls.filter(call => !good.has(call)));
		const images = [...good.values()].map(({call, at}) => ({actor: call.signer, subject: call.processid, detail: {...imageOf(colony, call), submissiontime: at}}));
		if (good.size > 0) {
			await Promise.all([addAll(run, colony, [...good.values()]), noteAll(run, {number: number!, colony, what: 'process.submit', from: null, to: 'waiting'}, images)]);
		}

		return calls.map((call, index) => {
			const done = good.get(call);
			return done === undefined ? {isAlone: true, isSpent: fresh[index] === true} : {isAlone: false, result: {process: complete(rowOf(colony, call, done.at)), demand: done.demand}};
		});
	});
}
