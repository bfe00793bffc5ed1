import type {Demand} from '../../core/types.ts';

type Random = () => number;

/** A kind of work: what it asks, how often it comes, how much of it may wait at once, and the names of the only computers that may run it. `timeout` in seconds, 0 for none. */
export type WorkKind = Omit<Demand, 'targetcomputerids'> & {job: string; weight: number; most: number; timeout: number; maxretries: number; targets: readonly string[]; in: (random: Random) => Record<string, string>};

const whole = (random: Random, least: number, most: number): number => least + Math.floor(random() * (most - least + 1));

/** One of a list, each by its weight. */
export function pick<Item extends {weight: number}>(items: readonly Item[], random: Random): Item {
	let left = random() * items.reduce((sum, {weight}) => sum + weight, 0);
	return items.find(({weight}) => {
		left -= weight;
		return left < 0;
	}) ?? items.at(-1)!;
}

// However long some work stands still, no more than this of it waits, so that it never stops the rest.
const usual = {most: 30, timeout: 0, maxretries: 0, targets: []};
const forPending = {...usual, most: 20};
const forNobody = {...usual, most: 1};

/** All kinds of work. No two ask for the same memory, so that a waiting process tells its kind. */
export const workKinds: readonly WorkKind[] = [
	{...usual, job: 'sensor-digest', computertype: '', cores: 1, mem: 512, gpus: 0, weight: 4, in: random => ({sensor: `mast-${whole(random, 1, 40)}`, window: '10m'})},
	{...usual, job: 'firmware-check', computertype: '', cores: 1, mem: 256, gpus: 0, weight: 1, targets: ['edge-1', 'edge-2'], in: random => ({version: `4.${whole(random, 0, 9)}.${whole(random, 0, 30)}`})},
	{...usual, job: 'transcode', computertype: 'cpu_batch', cores: 4, mem: 4000, gpus: 0, weight: 3, timeout: 20, maxretries: 2, in: random => ({source: `s3://footage/take-${whole(random, 100, 999)}.mov`})},
	{...usual, job: 'render', computertype: 'cpu_batch', cores: 16, mem: 32_000, gpus: 0, weight: 3, in: random => ({scene: `bridge_${whole(random, 1, 12)}.blend`, frames: `${whole(random, 1, 400)}-800`})},
	{...usual, job: 'fine-tune', computertype: 'gpu_train', cores: 16, mem: 64_000, gpus: 2, weight: 2, timeout: 45, maxretries: 1, in: random => ({model: 'resnet-50', epochs: String(whole(random, 2, 20))})},
	{...usual, job: 'embed', computertype: 'gpu_infer', cores: 4, mem: 16_000, gpus: 1, weight: 4, timeout: 15, in: random => ({corpus: `shard-${whole(random, 0, 255)}`, batch: '256'})},
	{...usual, job: 'caption', computertype: 'gpu_infer', cores: 8, mem: 24_000, gpus: 2, weight: 2, in: random => ({album: `2021-${whole(random, 10, 12)}`, language: pick([{weight: 1, name: '日本語'}, {weight: 1, name: 'svenska'}], random).name})},
	{...forPending, job: 'pretrain', computertype: 'gpu_train', cores: 64, mem: 500_000, gpus: 8, weight: 1, in: random => ({model: 'gpt-small', seed: String(whole(random, 1, 9999))})},
	{...forPending, job: 'assemble-genome', computertype: 'cpu_batch', cores: 64, mem: 2_000_000, gpus: 0, weight: 1, in: random => ({sample: `PRJEB${whole(random, 10_000, 99_999)}`})},
	{...forNobody, job: 'anneal', computertype: 'quantum', cores: 16, mem: 1024, gpus: 0, weight: 0.3, in: () => ({qubits: '5000'})},
	{...forNobody, job: 'forecast', computertype: 'cpu_batch', cores: 512, mem: 1_000_000, gpus: 0, weight: 0.3, in: () => ({grid: '1km', hours: '240'})},
];

/** What careless or malicious work writes now and then; the console has to show all of it without harm. */
const oddities = [
	{weight: 80, key: '', value: () => ''},
	{weight: 8, key: 'log', value: (random: Random) => `loading inputs\nwarm-up took ${whole(random, 80, 900)} ms\n\tcache: cold\nready`},
	{weight: 4, key: 'api_token', value: (random: Random) => `demo-${whole(random, 100_000, 999_999)}-is-not-a-token`},
	{weight: 3, key: 'banner', value: () => '\u001B[2J\u001B[31mALL YOUR TERMINAL\u001B[0m \u001B]0;renamed\u0007 \u202Eesrever'},
	{weight: 3, key: 'summary', value: () => '完了 ✅ – naïve façade, 👩‍🔬 approved'},
	{weight: 2, key: 'trace', value: (random: Random) => Array.from({length: 120}, (_, frame) => `#${frame} 0x${whole(random, 0, 0xFF_FF_FF).toString(16).padStart(8, '0')} in solve_block at solver.c:${whole(random, 20, 900)}`).join('\n')},
];

const failures = [
	'CUDA out of memory: tried to allocate 2.50 GiB',
	'checksum mismatch in input 3: expected 9f2c41aa, got 00000000',
	'Traceback (most recent call last):\n  File "job.py", line 88, in main\nValueError: could not convert string to float: \'n/a\'',
	'no space left on device: /scratch',
];

/** How an attempt goes: what the computer adds, each so many milliseconds after the start, and how it closes when all of it is said. */
export type Attempt = {to: 'successful' | 'failed'; reports: ReadonlyArray<{after: number; key: string; value: string; type: 'out' | 'err'}>};

/** Decides how an attempt goes: mostly it takes a few seconds, sometimes minutes, and now and then longer than `limit`, its timeout in milliseconds (0 or less for none). */
export function planAttempt(limit: number, random: Random): Attempt {
	const usually = random() < 0.02 ? whole(random, 60_000, 240_000) : whole(random, 1500, 6500);
	const span = limit > 0 && random() < 0.15 ? (limit * 1.3) + 1000 : usually;
	const to = random() < 0.85 ? 'successful' : 'failed';
	const steps = Math.min(12, 1 + Math.floor(span / 4000));
	const progress = Array.from({length: steps}, (_, step) => ({
		after: span * (step + 1) / (steps + 1), key: 'progress', value: `step ${step + 1} of ${steps}, loss ${(1 / (step + 1 + random())).toFixed(3)}`, type: 'out' as const,
	}));
	const {key, value} = pick(oddities, random);
	const odd = key === '' ? [] : [{after: span * random(), key, value: value(random), type: 'out' as const}];
	const last = to === 'successful'
		? {after: span, key: 'result', value: `s3://results/${whole(random, 1000, 9999)}.parquet`, type: 'out' as const}
		: {after: span, key: 'error', value: failures[whole(random, 0, failures.length - 1)]!, type: 'err' as const};
	return {to, reports: [...progress, ...odd, last].sort((one, other) => one.after - other.after)};
}
