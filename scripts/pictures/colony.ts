/* eslint-disable no-await-in-loop -- One after the other, as it would have happened. */
import {brokerContext} from '../../source/contexts/index.ts';
import {embeddedFolder} from '../../source/contexts/places.ts';
import type {Id} from '../../source/core/types.ts';
import {openEmbedded} from '../../source/database/embedded/index.ts';
import {migrate} from '../../source/database/index.ts';
import type {Database} from '../../source/database/types.ts';
import {folders, type Identity, openKeychain} from '../../source/keychain/index.ts';
import {Random} from '../../test/support/random.ts';
import type {Context} from '../../source/operations/index.ts';

export const rootPassword = 'a root password';

/** In minutes. */
const hour = 60;

/** Keys that are always the same, so that ids are too: nothing here is real. */
const keyOf = (number: number): string => number.toString(16).padStart(64, '5');

const fleet = [
	{name: 'edge-1', computertype: '', cpu: 'ARM Cortex-A76 (4) @ 2.400GHz', cores: 4, mem: 8059, gpu: '', gpus: 0},
	{name: 'lab1', computertype: 'render', cpu: 'AMD Ryzen 9 5950X (32) @ 3.400GHz', cores: 32, mem: 80_326, gpu: 'NVIDIA GeForce RTX 2080 Ti Rev. A', gpus: 1},
	{name: 'lab2', computertype: 'render', cpu: 'AMD EPYC 7543 (64) @ 2.800GHz', cores: 64, mem: 257_440, gpu: '', gpus: 0},
	{name: 'gpu-a', computertype: 'gpu_train', cpu: 'AMD EPYC 7543 (64) @ 2.800GHz', cores: 64, mem: 515_714, gpu: 'NVIDIA A100 SXM4 40GB', gpus: 4},
] as const;

const kinds = [
	{on: 'lab1', computertype: 'render', cores: 16, mem: 32_000, gpus: 0, run: 9, fault: 'textures/deck_04.exr is not there', given: (n: number) => ({scene: `bridge_${n % 12}.blend`, frames: `${1 + ((n * 40) % 760)}-800`})},
	{on: 'gpu-a', computertype: 'gpu_train', cores: 16, mem: 64_000, gpus: 2, run: 24, fault: 'CUDA out of memory: tried to allocate 2.50 GiB', given: (n: number) => ({model: 'resnet-50', epochs: String(2 + (n % 18))})},
	{on: 'edge-1', computertype: '', cores: 1, mem: 512, gpus: 0, run: 1, fault: 'no answer from the sensor within 30 s', given: (n: number) => ({sensor: `mast-${n % 40}`, window: '10m'})},
];

/** What a day and a bit left behind, each at so many minutes ago: more by day than by night. In one stretch of yesterday a graphics processor ran out of memory. */
function makeJobs(): Job[] {
	const random = new Random(4);
	const jobs: Job[] = [];
	let ago = 28 * hour;
	for (let number = 0; ; number++) {
		const isBusy = (ago > 4 * hour && ago < 11 * hour) || ago > 22 * hour;
		ago -= 1 + (random.next() * (isBusy ? 9 : 22));
		if (ago < 3) {
			return jobs;
		}

		const kind = kinds[((number * 5) + (number % 4)) % kinds.length]!;
		jobs.push({...kind, number, ago, waited: 0.1 + (random.next() * 2), took: kind.run * (0.4 + (random.next() * 1.6)), fails: kind.on === 'gpu-a' ? ago > 22 * hour && ago < 26 * hour : random.chance(0.03)});
	}
}

type Job = typeof kinds[number] & {number: number; ago: number; waited: number; took: number; fails: boolean};
type Times = {submitted: number; started?: number; ended?: number};

/** Moves a process and its history back in time, by minutes ago. */
async function setBack(database: Database, processid: Id, {submitted, started, ended}: Times): Promise<void> {
	const at = (minutes: number | undefined) => minutes === undefined ? null : new Date(Date.now() - (minutes * 60_000)).toISOString();
	const [submission, start, end] = [at(submitted), at(started), at(ended)];
	await (end === null
		? database.query('update colonies.live set submission_time = $2::timestamptz, start_time = $3::timestamptz, entered_at = coalesce($3::timestamptz, $2::timestamptz) where process_id = colonies.bytes_of($1)', [processid, submission, start])
		: database.query('update colonies.closed set submission_time = $2::timestamptz, start_time = $3::timestamptz, end_time = $4::timestamptz where process_id = colonies.bytes_of($1)', [processid, submission, start, end]));
	await database.query(
		`update colonies.history set
			at = case what when 'process.submit' then $2::timestamptz when 'process.assign' then $3::timestamptz else coalesce($4::timestamptz, $3::timestamptz) end,
			detail = detail || case what
				when 'process.submit' then jsonb_build_object('submissiontime', $2::text)
				when 'process.assign' then jsonb_build_object('start', $3::text, 'wait', (extract(epoch from $3::timestamptz - $2::timestamptz) * 1e6)::bigint)
				when 'attribute.add' then '{}'::jsonb
				else jsonb_build_object('start', $3::text, 'run', (extract(epoch from $4::timestamptz - $3::timestamptz) * 1e6)::bigint) end
		where subject_id = colonies.bytes_of($1)`,
		[processid, submission, start, end],
	);
}

/** Moves what happened to the colony and its computers back in time. */
async function setBackRest(database: Database): Promise<void> {
	await database.query('update colonies.history set at = at - case what when \'computer.disapprove\' then interval \'3 hours\' else interval \'30 days\' end where noun <> \'process\' and noun <> \'attribute\'');
}

type Made = {context: Context; owner: Identity; computers: Map<string, Identity>};

async function work(database: Database, {context, owner, computers}: Made): Promise<void> {
	const colonyid = owner.id;
	const submit = async ({computertype, cores, mem, gpus, given, number}: Pick<Job, 'computertype' | 'cores' | 'mem' | 'gpus' | 'given' | 'number'>) => context.run({identity: owner}, 'process.submit', {
		spec: {targetcolonyid: colonyid, computertype, cores, mem, gpus, maxretries: 3, in: given(number)},
	});
	for (const {on, ago, waited, took, fails, ...job} of makeJobs()) {
		const identity = computers.get(on)!;
		const {processid} = await submit(job);
		const of = {colonyid, processid};
		await context.run({identity}, 'process.assign', {colonyid});
		await context.run({identity}, 'attribute.add', {...of, ...(fails ? {key: 'error', value: job.fault, type: 'err'} : {key: 'result', value: `s3://results/${4000 + job.number}.parquet`, type: 'out'})});
		await context.run({identity}, fails ? 'process.failed' : 'process.successful', of);
		const started = ago - waited;
		await setBack(database, processid, {submitted: ago, started, ended: Math.max(0.2, started - took)});
	}

	// What runs now, and what waits: for a computer that was disapproved.
	for (const [index, {on, ...kind}] of kinds.entries()) {
		const {processid} = await submit({...kind, number: 200 + index});
		await context.run({identity: computers.get(on)!}, 'process.assign', {colonyid});
		await context.run({identity: computers.get(on)!}, 'attribute.add', {colonyid, processid, key: 'progress', value: 'step 3 of 8, loss 0.412', type: 'out'});
		await setBack(database, processid, {submitted: 4 + index, started: 3 + index});
	}

	for (let number = 0; number < 9; number++) {
		const {processid} = await submit({...kinds[0]!, cores: 48, mem: 120_000, number: 300 + number});
		await setBack(database, processid, {submitted: 150 - (number * 16)});
	}
}

/** Makes a colony that has worked for more than a day, in the embedded database of a folder, with the key of its owner in the keychain there. Its times are true to the moment at which it is made. */
export async function makeColony(home: string): Promise<void> {
	const places = folders({COLONIES_HOME: home});
	const keychain = openKeychain({folder: places.config});
	const database = await openEmbedded({folder: embeddedFolder(places.data, 'embedded')});
	await migrate(database);
	const context = brokerContext(database, {kind: 'embedded', name: 'embedded', local: true});
	const owner = await keychain.add(keyOf(1));
	await keychain.describe(owner.id, {kind: 'colony', name: 'render-farm', colonyid: owner.id});
	await context.run({root: rootPassword}, 'colony.register', {colonyid: owner.id, spec: {name: 'render-farm'}});
	const computers = new Map<string, Identity>();
	for (const [index, spec] of fleet.entries()) {
		const identity = await keychain.add(keyOf(index + 2));
		await keychain.describe(identity.id, {kind: 'computer', name: spec.name, colonyid: owner.id});
		await context.run({identity: owner}, 'computer.register', {colonyid: owner.id, computerid: identity.id, spec});
		await context.run({identity: owner}, 'computer.approve', {colonyid: owner.id, computerid: identity.id});
		computers.set(spec.name, identity);
	}

	await database.query('alter table colonies.history disable trigger history_is_append_only');
	await context.run({identity: owner}, 'computer.disapprove', {colonyid: owner.id, computerid: computers.get('lab2')!.id});
	await work(database, {context, owner, computers});
	await setBackRest(database);
	await database.query('alter table colonies.history enable trigger history_is_append_only');
	await context.close();
}

