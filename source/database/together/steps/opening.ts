import type {Id, Time} from '../../../core/types.ts';
import {type Engine, findEngine} from '../../citus.ts';
import {asOneStatement, settingOnePlan} from '../../session.ts';
import {insertingRows, valuesOfRows} from '../../history.ts';
import {lockOf} from '../../idempotency.ts';
import {isGoodAt, nonceTable, proofOf} from '../../nonces.ts';
import {type Given, givingNumbers} from '../../numbering.ts';
import type {Database, Rows} from '../../types.ts';
import {bytesOf, bytesOfAll} from '../../values.ts';
import type {Call, Slot} from '../calls.ts';

/** Runs one step: a statement that is prepared under its name. Steps that do not wait for one another go out together. */
export type Run = <Row = Record<string, unknown>>(name: string, text: string, values: readonly unknown[]) => Promise<Rows<Row>>;

/** What a group begins with. */
export type Opened = {
	/** What its rows of the history are given, as many as it has calls. */
	given: Given;
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

/** Takes what rows of the history are given. Who raises the base of the numbers waits for those that hold this lock. */
const start = `${givingNumbers}, pg_advisory_xact_lock_shared(hashtextextended('colonies.txid_base', 0))::text as held`;

/** Computers with what their present key proves, beside each other. */
const standing = (condition: string): string => `select b.base, b.sealed, (select true from colonies.colonies where colony_id = $1 and coalesce(leaving_until < statement_timestamp(), true) for key share skip locked) as owner,
	array(select c.computer_id || coalesce(c.key_id, c.computer_id) from colonies.computers c where c.colony_id = $1 and c.computer_id = any ($2::bytea[]) and c.computer_id <> $1 and c.status + 0 = 1 and ${condition} order by c.computer_id for share skip locked) as members
	from colonies.txid_base b`;

/** Out of a table, so that Citus hands it on as it is. */
const spend = (slot: number): string => `insert into ${nonceTable(slot)} (proof) select i.proof from unnest($1::bytea[]) as i(proof), colonies.txid_base order by i.proof on conflict do nothing returning proof`;

/** Spends the nonces of a group, and finds out which of its calls are allowed: those whose rows nobody else is changing. The rows that say so stay as they are until the commit. */
export async function open(run: Run, {colony, slot, calls, owner, computers = {name: '', condition: 'true', values: []}}: Group): Promise<Opened> {
	const signers = [...new Set(calls.map(({signer}) => signer))];
	const [{rows: [started]}, {rows: [found]}, spent] = await Promise.all([
		run<Given>('start', start, [calls.length]),
		run<{base: number; sealed: number; owner: boolean | null; members: string[]}>(`standing${computers.name}`, standing(computers.condition), [bytesOf(colony), bytesOfAll(signers), ...computers.values]),
		slot === undefined ? undefined : run<{proof: string}>(`spend_${slot}`, spend(slot), [calls.flatMap(({spent}) => spent === undefined ? [] : [bytesOf(proofOf(spent))])]),
	]);
	const given = started!;
	const proofs = new Set(spent?.rows.map(({proof}) => proof));
	const fresh = calls.map(({spent: nonce}) => spent === undefined ? null : nonce !== undefined && proofs.has(proofOf(nonce)) && isGoodAt(nonce.created, given.now));
	const members = new Set(found!.members);
	// A row that comes before what is sealed is refused where it is written alone.
	const isOpen = found!.owner === true && given.txid + found!.base > found!.sealed;
	return {given, fresh, allowed: calls.map(({signer, proved}, index) => isOpen && fresh[index] !== false && ((owner && proved === colony) || members.has(`${signer}${proved}`)))};
}

/** A step that a process took, as a row of the history. */
export type Noted = {actor: Id; subject: Id; detail: object};

/** Writes rows of the history about processes. */
export async function noteAll(run: Run, {txid, now, rows: numbers}: Given, {colony, ...step}: {colony: Id; what: string; from: string | null; to: string}, rows: readonly Noted[]): Promise<void> {
	if (rows.length > 0) {
		const all = rows.map(({actor, subject, detail}, index) => ({...step, id: numbers[index]!, actor: bytesOf(actor), noun: 'process', subject: bytesOf(subject), colony: bytesOf(colony), detail: JSON.stringify(detail)}));
		await run('note', insertingRows, [txid, now, null, null, ...valuesOfRows(all)]);
	}
}

/** Of so many calls. As a list of values, for the time is the server's. */
function keep(count: number): string {
	const rows = Array.from({length: count}, (_, row) => `(${[1, 2, 3, 4].map(column => `$${(row * 4) + column}`).join(', ')})`);
	return `insert into colonies.idempotency_keys (signer, key, fingerprint, subjects) values ${rows.join(', ')} on conflict do nothing returning signer, key`;
}

/** What is kept under the key of a call: the process that it made or took, or none. */
type Subject<Of extends Call> = {call: Of; subject: Id | undefined};

/** Keeps what calls that have a key did. `calls`: those that it was kept for; `isFree`: whether nobody else had the key of a call, or it has none. */
export async function keepAll<Of extends Call>(run: Run, all: ReadonlyArray<Subject<Of>>): Promise<{calls: Of[]; isFree: (call: Of) => boolean}> {
	const keyed = all.flatMap(({call, subject}) => call.keyed === undefined ? [] : [{call, subject, ...call.keyed}]).sort((one, other) => nameOf(one.signer, one.key) < nameOf(other.signer, other.key) ? -1 : 1);
	if (keyed.length === 0) {
		return {calls: [], isFree: () => true};
	}

	const values = keyed.flatMap(({signer, key, fingerprint, subject}) => [bytesOf(signer), key, bytesOf(fingerprint), subject === undefined ? [] : [bytesOf(subject)]]);
	const {rows} = await run<{signer: Id; key: string}>(`keep_${keyed.length}`, keep(keyed.length), values);
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
