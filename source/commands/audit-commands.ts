import {ColoniesError} from '../core/errors.ts';
import type {Context} from '../operations/context.ts';
import {flag, hash, identity, integer, optional} from '../operations/fields.ts';
import type {Caller} from '../operations/broker.ts';
import {limits} from '../core/limits.ts';
import {operations, type ResultOf} from '../operations/registry.ts';
import {
	type CommandEntry, defineCommand, refuseBoth, storeFlags,
} from './command.ts';
import {say, toNotice} from './output.ts';
import {startProgress} from './progress.ts';
import {outputFlags, printResult} from './results.ts';
import {callerOf, signingFlags} from './signers.ts';
import {withStore} from './store.ts';
import type {World} from './world.ts';

type Verified = ResultOf<'audit.verify'>;

/** Goes through all seals, step by step, and stops at the first thing that is wrong. */
async function verifyAll(world: World, context: Context, caller: Caller, {colonyid, head, after: first = 0}: {colonyid: string | undefined; head: string | undefined; after: number | undefined}): Promise<Verified> {
	const sums = {rows: 0, requests: 0, dropped: 0};
	let progress: ReturnType<typeof startProgress> | undefined;
	try {
		for (let after = first; ;) {
			// eslint-disable-next-line no-await-in-loop -- one after another
			const step = await context.run(caller, 'audit.verify', {colonyid, head, after}, {notice: toNotice(world)});
			sums.rows += step.rows ?? 0;
			sums.requests += step.requests ?? 0;
			sums.dropped += step.dropped ?? 0;
			if (!step.more) {
				const {intact, fault, to, last} = step;
				return {intact, fault, from: first + 1, to, more: false, last, ...(step.rows === undefined ? {} : sums)};
			}

			after = step.to;
			progress ??= startProgress(world, step.last?.number ?? after);
			progress.show(after);
		}
	} finally {
		progress?.end();
	}
}

const verifyOperation = operations['audit.verify'];

const verify = defineCommand({
	words: ['audit', 'verify'],
	summary: 'Check the whole history: its seals, every row, and the signatures of operators\' changes.',
	flags: {
		colonyid: optional(identity('Colony', 'Id of the colony whose owner asks, and is told the verdict; root needs none')),
		head: optional(hash('Head', 'Hash of a seal, kept elsewhere (audit head): it must be on the chain, so that nothing was cut off')),
		after: optional(integer('After', 'Only the seals after this one', {most: Number.MAX_SAFE_INTEGER})),
		...signingFlags(verifyOperation) as Record<never, never>,
		...outputFlags,
	},
	signing: Object.keys(signingFlags(verifyOperation)),
	store: storeFlags,
	async run({world, input, flags, choice}) {
		const caller = await callerOf(world, input, verifyOperation, {flags: flags as Readonly<Record<string, unknown>>, signs: undefined, colony: flags.colonyid});
		await withStore(world, choice, async context => {
			const verified = await verifyAll(world, context, caller, flags);
			await printResult(world, verified, {output: flags.output});
			if (verified.fault) {
				throw new ColoniesError('not-intact', verified.fault.message, {hint: 'Everything before it is intact. `colonies audit get --entry …` shows a row; docs/audit.md says what it means.'});
			}

			await say(world, verified.last ? `The history is intact up to seal ${verified.to}, made at ${verified.last.madeat}.` : 'Nothing is sealed yet.');
		});
	},
});

const retentionOperation = operations['history.retention'];

const retention = defineCommand({
	words: ['history', 'retention'],
	summary: 'Show how long the history is kept, or set it; what is older is dropped for good.',
	flags: {
		days: optional(integer('Days', 'Days that the history is kept; 0 for ever', {least: 0, most: limits.days})),
		none: optional(flag('None', 'Keep it for ever')),
		compressafter: optional(integer('Compress after', 'Days after which it is compressed, where TimescaleDB is; 0 for never', {least: 0, most: limits.days})),
		...signingFlags(retentionOperation) as Record<never, never>,
		...outputFlags,
	},
	signing: Object.keys(signingFlags(retentionOperation)),
	store: storeFlags,
	async run({world, input, flags, choice}) {
		refuseBoth({days: flags.days, none: flags.none === true ? true : undefined}, ['days', 'none'], 'It is kept for so many days, or for ever.');
		const days = flags.none === true ? 0 : flags.days;
		const caller = await callerOf(world, input, retentionOperation, {flags: flags as Readonly<Record<string, unknown>>, signs: undefined, colony: undefined});
		await withStore(world, choice, async context => {
			const options = {notice: toNotice(world)};
			if (days === undefined && flags.compressafter === undefined) {
				await printResult(world, await context.run(caller, 'history.get', {}, options), {output: flags.output});
				return;
			}

			const result = await context.run(caller, 'history.retention', {days, compressafter: flags.compressafter}, options);
			if (flags.output !== undefined) {
				await printResult(world, result, {output: flags.output});
			}

			await say(world, retentionOperation.tells!(result));
		});
	},
});

export const auditCommands: readonly CommandEntry[] = [verify, retention];

