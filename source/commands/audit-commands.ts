import {ColoniesError, InvalidInput} from '../core/errors.ts';
import {plural} from '../core/text.ts';
import type {Context} from '../operations/context.ts';
import {flag, hash, identity, integer, optional} from '../operations/fields.ts';
import type {Caller} from '../operations/broker.ts';
import {limits} from '../core/limits.ts';
import {operations, type ResultOf} from '../operations/registry.ts';
import {
	type CommandEntry, defineCommand, refuseBoth, storeFlags,
} from './command.ts';
import {say, showDone, toNotice} from './output.ts';
import {startProgress} from './progress.ts';
import {outputFlags, printResult} from './results.ts';
import {callerOf, signingFlags} from './signers.ts';
import {withStore} from './store.ts';
import type {World} from './world.ts';

type Verified = ResultOf<'audit.verify'>;

/** Goes through all seals, step by step, and stops at the first thing that is wrong. @throws InvalidInput when the head is before the seals that are checked */
async function verifyAll(world: World, context: Context, caller: Caller, {colonyid, head, after: first = 0}: {colonyid: string | undefined; head: string | undefined; after: number | undefined}): Promise<Verified> {
	const sums = {dropped: 0, rows: 0, requests: 0};
	let droppedbefore: string | null = null;
	let progress: ReturnType<typeof startProgress> | undefined;
	try {
		for (let after = first; ;) {
			// eslint-disable-next-line no-await-in-loop -- one after another
			const step = await context.run(caller, 'audit.verify', {colonyid, head, after}, {notice: toNotice(world)});
			if (step.head !== null && step.head < first) {
				throw new InvalidInput(`The head is that of seal ${step.head}; whether seal ${first} follows from it is not checked from there on.`, {hint: `Give --after ${step.head}, or less.`});
			}

			sums.rows += step.rows ?? 0;
			sums.requests += step.requests ?? 0;
			sums.dropped += step.dropped;
			droppedbefore = step.droppedbefore ?? droppedbefore;
			if (!step.more) {
				return {...step, ...(step.rows === undefined ? {dropped: sums.dropped} : sums), from: first + 1, droppedbefore};
			}

			after = step.to;
			progress ??= startProgress(world, step.last?.number ?? after);
			progress.show(after);
		}
	} finally {
		progress?.end();
	}
}

/** What came of it, in one sentence or two. */
function verdict({to, last, dropped, droppedbefore}: Verified): string {
	const gone = dropped === 0 ? '' : ` Retention has dropped ${plural(dropped, 'row')} of it, from before ${droppedbefore}.`;
	return last ? `The history is intact up to seal ${to}, made at ${last.madeat}.${gone}` : 'Nothing is sealed yet.';
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
			const shown = printResult(world, verified, {output: flags.output});
			if (verified.fault) {
				// The verdict counts, whether or not its details can be written.
				await Promise.allSettled([shown]);
				throw new ColoniesError('not-intact', verified.fault.message, {hint: 'Everything before it is intact. `colonies audit get --entry …` shows a row; docs/audit.md says what it means.'});
			}

			await shown;
			await say(world, verdict(verified));
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
				await showDone('It was done.', async () => printResult(world, result, {output: flags.output}));
			}

			await say(world, retentionOperation.tells!(result));
		});
	},
});

export const auditCommands: readonly CommandEntry[] = [verify, retention];

