import type {Demand} from '../../core/types.ts';

type Random = () => number;

/** A kind of work: what it asks, how often it comes, and how much of it may wait at once. */
export type WorkKind = Omit<Demand, 'targetcomputerids'> & {
	job: string;
	/** Names of the only computers that may run it. */
	targets: readonly string[];
	weight: number;
	most: number;
	/** Seconds; 0 for none. */
	timeout: number;
	maxretries: number;
	in: (random: Random) => Record<string, string>;
};

const whole = (random: Random, least: number, most: number): number => least + Math.floor(random() * (most - least + 1));

/** One of a list, each by its weight. */
export function pick<Item extends {weight: number}>(items: readonly Item[], random: Random): Item {
	let left = random() * items.reduce((sum, {weight}) => sum + weight, 0);
	return items.find(({weight}) => (left -= weight) < 0) ?? items.at(-1)!;
}

// Of work that stands still a little waits and no more, so that it never stops the rest.
const ordinary = 30;
const forPending = 20;

const kind = (job: string, computertype: string, [cores, mem, gpus]: readonly [number, number, number], more: Partial<WorkKind> & Pick<WorkKind, 'weight' | 'in'>): WorkKind => ({
	job, computertype, cores, mem, gpus, targets: [], most: ordinary, timeout: 0, maxretries: 0, ...more,
});

/** All kinds of work; no two ask the same, so that a waiting process tells its kind by what it asks. */
export const workKinds: readonly WorkKind[] = [
	kind('sensor-digest', '', [1, 512, 0], {weight: 4, in: random => ({sensor: `mast-${whole(random, 1, 40)}`, window: '10m'})}),
	kind('firmware-check', '', [1, 256, 0], {weight: 1, targets: ['edge-1', 'edge-2'], in: random => ({version: `4.${whole(random, 0, 9)}.${whole(random, 0, 30)}`})}),
	kind('transcode', 'cpu_batch', [4, 4000, 0], {
		weight: 3, timeout: 20, maxretries: 2, in: random => ({source: `s3://footage/take-${whole(random, 100, 999)}.mov`, codec: 'av1'}),
	}),
	kind('render', 'cpu_batch', [8, 16_000, 0], {weight: 3, in: random => ({scene: `bridge_${whole(random, 1, 12)}.blend`, frames: `${whole(random, 1, 400)}-${whole(random, 401, 800)}`})}),
	kind('fine-tune', 'gpu_train', [16, 64_000, 2], {
		weight: 2, timeout: 45, maxretries: 1, in: random => ({model: 'resnet-50', rate: (random() / 100).toFixed(4), epochs: String(whole(random, 2, 20))}),
	}),
	kind('embed', 'gpu_infer', [4, 16_000, 1], {weight: 4, timeout: 15, in: random => ({corpus: `shard-${whole(random, 0, 255)}`, batch: '256'})}),
	kind('caption', 'gpu_infer', [8, 24_000, 2], {weight: 2, in: random => ({album: `2021-${whole(random, 10, 12)}`, language: random() < 0.5 ? '日本語' : 'svenska'})}),
	kind('pretrain', 'gpu_train', [64, 500_000, 8], {weight: 1, most: forPending, in: random => ({model: 'gpt-small', seed: String(whole(random, 1, 9999))})}),
	kind('assemble-genome', 'cpu_batch', [64, 2_000_000, 0], {weight: 1, most: forPending, in: random => ({sample: `PRJEB${whole(random, 10_000, 99_999)}`})}),
	kind('anneal', 'quantum', [16, 1024, 0], {weight: 0.3, most: 1, in: () => ({qubits: '5000'})}),
	kind('forecast', 'cpu_batch', [512, 1_000_000, 0], {weight: 0.3, most: 1, in: () => ({grid: '1km', hours: '240'})}),
];

const tellTale = ({computertype, cores, mem, gpus, pinned}: Omit<Demand, 'targetcomputerids'> & {pinned: boolean}): string => [computertype, cores, mem, gpus, pinned].join('/');
const kindsByDemand = new Map(workKinds.map(kind => [tellTale({...kind, pinned: kind.targets.length > 0}), kind]));

/** The kind of a process; undefined for what somebody else submitted. */
export const kindOf = (demand: Demand): WorkKind | undefined => kindsByDemand.get(tellTale({...demand, pinned: demand.targetcomputerids.length > 0}));

/** An attribute that a computer adds so many milliseconds after the start. */
export type Report = {after: number; key: string; value: string; type: 'out' | 'err'};
/** How an attempt goes. `span` in milliseconds. */
export type Attempt = {span: number; to: 'successful' | 'failed'; reports: readonly Report[]};

const escape = '\u001B';
/** What a careless or malicious worker writes now and then: the console has to show all of it without harm. */
const oddities: ReadonlyArray<{weight: number; key: string; value: (random: Random) => string}> = [
	{weight: 8, key: 'log', value: random => ['loading inputs', `warm-up took ${whole(random, 80, 900)} ms`, '\tcache: cold', 'ready'].join('\n')},
	{weight: 4, key: 'api_token', value: random => `demo-${whole(random, 100_000, 999_999)}-not-a-real-token`},
	{weight: 3, key: 'banner', value: () => `${escape}[2J${escape}[31mALL YOUR TERMINAL${escape}[0m ${escape}]0;renamed\u0007 \u202Eesrever`},
	{weight: 3, key: 'summary', value: () => '完了 ✅ – naïve façade, 👩‍🔬 approved'},
	{weight: 2, key: 'trace', value: random => Array.from({length: 120}, (_, line) => `#${line} 0x${whole(random, 0, 0xFF_FF_FF).toString(16).padStart(8, '0')} in solve_block at solver.c:${whole(random, 20, 900)}`).join('\n')},
	{weight: 80, key: '', value: () => ''},
];

const failures = [
	'CUDA out of memory: tried to allocate 2.50 GiB',
	'checksum mismatch in input 3: expected 9f2c41aa, got 00000000',
	'Traceback (most recent call last):\n  File "job.py", line 88, in <module>\n    main()\nValueError: could not convert string to float: \'n/a\'',
	'no space left on device: /scratch',
];

/** Milliseconds that an attempt takes: mostly a few seconds, some minutes, and now and then longer than its limit in milliseconds allows. */
function spanOf(limit: number, random: Random): number {
	if (limit > 0 && random() < 0.15) {
		return (limit * 1.3) + 1000;
	}

	return random() < 0.02 ? whole(random, 60_000, 240_000) : whole(random, 1500, 6500);
}

/** Decides how an attempt goes, whoever submitted the process. `limit`: its timeout in milliseconds, 0 or less for none. */
export function planAttempt({limit}: {limit: number}, random: Random): Attempt {
	const span = spanOf(limit, random);
	const to = random() < 0.85 ? 'successful' : 'failed';
	const steps = Math.min(12, 1 + Math.floor(span / 4000));
	const progress = Array.from({length: steps}, (_, step): Report => ({
		after: span * (step + 1) / (steps + 1), key: 'progress', type: 'out', value: `step ${step + 1}/${steps}, ${Math.round(100 * (step + 1) / (steps + 1))} %, loss ${(1 / (step + 1 + random())).toFixed(3)}`,
	}));
	const odd = pick(oddities, random);
	const extra: Report[] = odd.key === ''
		? []
		: [{
			after: span * random(), key: odd.key, value: odd.value(random), type: 'out',
		}];
	const last: Report = to === 'successful'
		? {
			after: span, key: 'result', value: `s3://results/${whole(random, 1000, 9999)}.parquet`, type: 'out',
		}
		: {
			after: span, key: 'error', value: failures[whole(random, 0, failures.length - 1)]!, type: 'err',
		};
	return {span, to, reports: [...progress, ...extra, last].sort((one, other) => one.after - other.after)};
}
