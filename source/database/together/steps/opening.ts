import type {Id, Time} from '../../../core/types.ts';
import {type Engine, findEngine} from '../../citus.ts';
import {asOneStatement, settingOnePlan} from '../../session.ts';
import {lockOf} from '../../idempotency.ts';
import {isGood, nonceTable, proofOf} from '../../nonces.ts';
import type {Database, Rows} from '../../types.ts';
import {bytesOf, bytesOfAll} from '../../values.ts';
import type {Call, Slot} from '../calls.ts';

/** Runs one step: a statement that is prepared under its name. Steps that do not wait for one another go out together. */
export type Run = <Row = Record<string, unknown>>(name: string, text: string, values: readonly unknown[]) => Promise<Rows<Row>>;

/** What a group begins with. */
export type Opened = {
	/** The number of its rows in the history; undefined where that would come before what is sealed. */
	number: number | undefined;
	/** The time of the server. */
	now: Time;
	/** Whether the nonce of each call is spent now; null where it has none. */
	fresh: Array<boolean | null>;
	/** Whether each call passes authorization. */
	allowed: boolean[];
};

type Group = {
	colony: Id;
	slot: Slot;
	calls: readonly Call[];
	/** Whether the owner may. */
	owner: boolean;
	/** What else is asked of a computer `c`, with values from `$3` on. */
	computers?: {name: string; condition: string; values: readonly unknown[]};
};

/** In a statement about no table, which Citus carries out where all sessions meet. Whoever raises the base of the numbers waits for those that hold this lock. */
const start = 'select txid_current() as txid, statement_timestamp() as now, pg_advisory_xact_lock_shared(hashtextextended(\'colonies.txid_base\', 0))::text as held';

const standing = (condition: string): string => `select b.base, b.sealed, (select true from colonies.colonies where colony_id = $1 for key share skip locked) as owner,
	array(select c.computer_id from colonies.computers c where c.colony_id = $1 and c.computer_id = any ($2::bytea[]) and c.computer_id <> $1 and c.status + 0 = 1 and ${condition} order by c.computer_id for share skip locked) as members
	from colonies.txid_base b`;

const spend = (slot: number): string => `insert into ${nonceTable(slot)} (proof) select i.proof from unnest($1::bytea[], $2::bigint[]) as i(proof, created) where ${isGood('i.created')} order by i.proof on conflict do nothing returning proof`;

/** Spends the nonces of a group, and finds out which of its calls are allowed: those whose rows nobody else is changing. The rows that say so stay as they are until the commit. */
export async function open(run: Run, {colony, slot, calls, owner, computers = {name: '', condition: 'true', values: []}}: Group): Promise<Opened> {
	const signers = [...new Set(calls.map(({signer}) => signer))];
	const [{rows: [started]}, {rows: [found]}, spent] = await Promise.all([
		run<{txid: number; now: Time}>('start', start, []),
		run<{base: number; sealed: number; owner: boolean | null; members: Id[]}>(`standing${computers.name}`, standing(computers.condition), [bytesOf(colony), bytesOfAll(signers), ...computers.values]),
		slot === undefined ? undefined : run<{proof: string}>(`spend_${slot}`, spend(slot), [calls.map(call => proofOfCall(call)), calls.map(call => call.spent?.created ?? null)]),
	]);
	const number = started!.txid + found!.base;
	const proofs = new Set(spent?.rows.map(({proof}) => proof));
	const fresh = calls.map(call => spent === undefined ? null : call.spent !== undefined && proofs.has(proofOf(call.spent)));
	const members = new Set(found!.members);
	const isOpen = found!.owner === true && number > found!.sealed;
	return {
		number: number > found!.sealed ? number : undefined, now: started!.now, fresh,
		allowed: calls.map(({signer}, index) => isOpen && fresh[index] !== false && ((owner && signer === colony) || members.has(signer))),
	};
}

const proofOfCall = ({spent}: Call): string | null => spent === undefined ? null : bytesOf(proofOf(spent));

/** A step that a process took, as a row of the history. */
export type Noted = {actor: Id; subject: Id; detail: object};

const note = `insert into colonies.history (txid, actor, noun, subject_id, colony_id, what, from_state, to_state, detail)
	select $1::bigint, i.actor, 'process', i.subject, $2::bytea, $3, $4, $5, i.detail from unnest($6::bytea[], $7::bytea[], $8::jsonb[]) with ordinality as i(actor, subject, detail, n) order by i.n`;

/** Writes rows of the history about processes. */
export async function noteAll(run: Run, {number, colony, what, from, to}: {number: number; colony: Id; what: string; from: string | null; to: string}, rows: readonly Noted[]): Promise<void> {
	if (rows.length > 0) {
		await run('note', note, [number, bytesOf(colony), what, from, to, bytesOfAll(rows.map(({actor}) => actor)), bytesOfAll(rows.map(({subject}) => subject)), rows.map(({detail}) => detail)]);
	}
}

const keep = `insert into colonies.idempotency_keys (signer, key, fingerprint, subjects)
	select i.signer, i.key, i.fingerprint, case when i.subject is null then '{}' else array[i.subject] end from unnest($1::bytea[], $2::text[], $3::bytea[], $4::bytea[]) as i(signer, key, fingerprint, subject)
	order by i.signer, i.key on conflict do nothing returning signer, key`;

/** What is kept under the key of a call: the process that it made or took, or none. */
type Subject<Of extends Call> = {call: Of; subject: Id | undefined};

/** Keeps what calls that have a key did. `calls`: those that it was kept for; `isFree`: whether nobody else had the key of a call, or it has none. */
export async function keepAll<Of extends Call>(run: Run, all: ReadonlyArray<Subject<Of>>): Promise<{calls: Of[]; isFree: (call: Of) => boolean}> {
	const keyed = all.flatMap(({call, subject}) => call.keyed === undefined ? [] : [{call, subject, ...call.keyed}]);
	if (keyed.length === 0) {
		return {calls: [], isFree: () => true};
	}

	const {rows} = await run<{signer: Id; key: string}>('keep', keep, [
		keyed.map(({signer}) => bytesOf(signer)), keyed.map(({key}) => key), keyed.map(({fingerprint}) => bytesOf(fingerprint)), keyed.map(({subject}) => subject === undefined ? null : bytesOf(subject)),
	]);
	const names = new Set(rows.map(({signer, key}) => nameOf(signer, key)));
	const calls = new Set(keyed.filter(({signer, key}) => names.has(nameOf(signer, key))).map(({call}) => call));
	return {calls: [...calls], isFree: call => call.keyed === undefined || calls.has(call)};
}

const nameOf = (signer: Id, key: string): string => `${signer} ${key}`;

/** Takes back what was kept for calls of this group. */
export async function forgetAll(run: Run, calls: readonly Call[]): Promise<void> {
	const keyed = calls.flatMap(({keyed}) => keyed ?? []);
	if (keyed.length > 0) {
		await run('forget', 'delete from colonies.idempotency_keys k using unnest($1::bytea[], $2::text[]) as i(signer, key) where k.signer = i.signer and k.key = i.key', [keyed.map(({signer}) => bytesOf(signer)), keyed.map(({key}) => key)]);
	}
}

const take = `select i.n, pg_try_advisory_xact_lock(${lockOf('i.signer', 'i.key')}) as free from unnest($1::bytea[], $2::text[]) with ordinality as i(signer, key, n) order by i.n`;
const taken = 'select k.signer, k.key from unnest($1::bytea[], $2::text[]) as i(signer, key) join colonies.idempotency_keys k on k.signer = i.signer and k.key = i.key';

/** Takes the keys of calls until the commit, as far as nobody has them. @returns whether a call goes on */
export async function takeKeys<Of extends Call>(run: Run, calls: readonly Of[]): Promise<(call: Of) => boolean> {
	const keyed = calls.flatMap(call => call.keyed === undefined ? [] : [{call, ...call.keyed}]);
	if (keyed.length === 0) {
		return () => true;
	}

	const values = [keyed.map(({signer}) => bytesOf(signer)), keyed.map(({key}) => key)];
	// The lock first: what is looked for then is there when somebody else had it.
	const [{rows: locks}, {rows}] = await Promise.all([run<{free: boolean}>('take', take, values), run<{signer: Id; key: string}>('taken', taken, values)]);
	const names = new Set(rows.map(({signer, key}) => nameOf(signer, key)));
	const stopped = new Set(keyed.filter(({signer, key}, index) => !locks[index]!.free || names.has(nameOf(signer, key))).map(({call}) => call));
	return call => !stopped.has(call);
}

/** How statements are planned that take their values later: PostgreSQL plans each once, and Citus can plan none that writes before it knows the values. */
const planning: Record<Engine, string> = {postgresql: settingOnePlan, citus: asOneStatement([['plan_cache_mode', 'force_custom_plan']])};

/** Carries out a group in one transaction. */
export async function inSteps<Result>(database: Database, work: (run: Run) => Promise<Result>): Promise<Result> {
	const engine = await findEngine(database);
	return database.transaction(async client => {
		const run: Run = async (name, text, values) => client.query(text, values, `colonies_step_${name}`);
		const [, result] = await Promise.all([run(`plans_of_${engine}`, planning[engine], []), work(run)]);
		return result;
	});
}
