import {shifted} from '../../../core/moments.ts';
import type {Id, Process} from '../../../core/types.ts';
import {fingerprintOf} from '../../demands.ts';
import {
	adding, addingValues, complete, rowOf, type Timed,
} from '../../processes.ts';
import type {Database} from '../../types.ts';
import {bytesOf, bytesOfAll} from '../../values.ts';
import type {Answered, Slot} from '../calls.ts';
import {imageOf, type SubmitCall} from '../submit.ts';
import {
	forgetAll, inSteps, keepAll, noteAll, open,
} from './opening.ts';

const known = 'select d.demand_id, d.fingerprint from colonies.demands d where d.colony_id = $1 and d.fingerprint = any ($2::bytea[]) for key share skip locked';

/** As `submitTogether` does, in steps. */
export async function submitInSteps(database: Database, colony: Id, slot: Slot, calls: readonly SubmitCall[]): Promise<Array<Answered<{process: Process; demand: number}>>> {
	return inSteps(database, async run => {
		const prints = calls.map(({spec}) => fingerprintOf(spec));
		const [{given, fresh, allowed}, {rows}, kept] = await Promise.all([
			open(run, {colony, slot, calls, owner: true}),
			run<{demand_id: number; fingerprint: string}>('demands', known, [bytesOf(colony), bytesOfAll([...new Set(prints)])]),
			keepAll(run, calls.map(call => ({call, subject: call.processid}))),
		]);
		const demands = new Map(rows.map(row => [row.fingerprint, row.demand_id]));
		const good = new Map<SubmitCall, Timed>(calls.flatMap((call, index): Array<[SubmitCall, Timed]> => {
			const demand = demands.get(prints[index]!);
			return allowed[index] && demand !== undefined && kept.isFree(call) ? [[call, {submission: call, demand, at: shifted(given.now, BigInt(index))}]] : [];
		}));
		// Those that run alone keep their keys themselves.
		await forgetAll(run, kept.calls.filter(call => !good.has(call)));
		const images = [...good].map(([call, {at}]) => ({actor: call.signer, subject: call.processid, detail: {...imageOf(colony, call), submissiontime: at}}));
		if (good.size > 0) {
			await Promise.all([run('add', adding, addingValues(colony, [...good.values()])), noteAll(run, given, {colony, what: 'process.submit', from: null, to: 'waiting'}, images)]);
		}

		return calls.map((call, index) => {
			const done = good.get(call);
			return done === undefined ? {isAlone: true, isSpent: fresh[index] === true} : {isAlone: false, result: {process: complete(rowOf(colony, call, done.at)), demand: done.demand}};
		});
	});
}
