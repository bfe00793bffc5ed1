import {ColoniesError, InvalidInput} from '../core/errors.ts';
import {plural} from '../core/text.ts';
import type {Id} from '../core/types.ts';
import type {Context} from '../operations/context.ts';
import {
	flag, hash, identity, integer, line, optional,
} from '../operations/fields.ts';
import type {Caller} from '../operations/broker.ts';
import {limits} from '../core/limits.ts';
import {presentSentence} from '../operations/present-sentence.ts';
import {operations, type ResultOf} from '../operations/registry.ts';
import {
	type CommandEntry, defineCommand, refuseBoth, storeFlags,
} from './command.ts';
import {say, showDone, toNotice} from './output.ts';
import {startProgress} from './progress.ts';
import {type OutputFormat, outputFlags, printResult} from './results.ts';
import {callerOf, signingFlags} from './signers.ts';
import {withStore} from './store.ts';
import type {World} from './world.ts';

type Verified = ResultOf<'audit.verify'>;
type Compared = ResultOf<'audit.present'>;

/** Whose history is checked: of the colony whose owner asks, or of a cell. */
type Asked = {colonyid?: string | undefined; cell?: string | undefined};

/** Goes through all seals, step by step, and stops at the first thing that is wrong. @throws InvalidInput when the head is before the seals that are checked */
async function verifyAll(world: World, context: Context, caller: Caller, {colonyid, cell, head, after: first = 0}: Asked & {head: string | undefined; after: number | undefined}): Promise<Verified> {
	const sums = {dropped: 0, rows: 0, requests: 0};
	let droppedbefore: string | null = null;
	let progress: ReturnType<typeof startProgress> | undefined;
	try {
		for (let after = first; ;) {
			// eslint-disable-next-line no-await-in-loop -- one after another
			const step = await context.run(caller, 'audit.verify', {colonyid, cell, head, after}, {notice: toNotice(world)});
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

/** Deviations that are listed at most; then there is enough to look at. */
const mostDeviations = 1000;

/** Compares all that is there with the history, step by step. */
async function compareAll(world: World, context: Context, caller: Caller, {colonyid, cell}: Asked): Promise<Pick<Compared, 'agrees' | 'deviations' | 'compared' | 'more'>> {
	const deviations: Compared['deviations'] = [];
	let sums: Compared['compared'] | undefined;
	let progress: ReturnType<typeof startProgress> | undefined;
	try {
		for (let position: string | undefined; ;) {
			// eslint-disable-next-line no-await-in-loop -- one after another
			const {more, share, ...step} = await context.run(caller, 'audit.present', {colonyid, cell, position}, {notice: toNotice(world)});
			const before = sums;
			deviations.push(...step.deviations);
			sums = before ? Object.fromEntries(Object.entries(step.compared).map(([name, count]) => [name, count + before[name as keyof typeof before]])) as typeof before : step.compared;
			if (!more || deviations.length >= mostDeviations) {
				return {agrees: deviations.length === 0, deviations, compared: sums, more};
			}

			position = step.position ?? undefined;
			progress ??= startProgress(world, 100);
			progress.show(Math.floor(share * 100));
		}
	} finally {
		progress?.end();
	}
}

/** Says what came of it. @throws ColoniesError `not-intact` */
async function sayCompared(world: World, {agrees, deviations, compared, more}: Awaited<ReturnType<typeof compareAll>>): Promise<void> {
	if (!agrees) {
		for (const {message} of deviations) {
			await say(world, message); // eslint-disable-line no-await-in-loop
		}

		const count = `${more ? 'At least ' : ''}${plural(deviations.length, 'thing')}`;
		throw new ColoniesError('not-intact', `${count} in the database ${deviations.length === 1 ? 'is' : 'are'} not as the history says.`, {hint: '`colonies audit ls --all --subject ID` shows what was done to one.'});
	}

	await say(world, presentSentence(compared));
}

/** The cells that are checked one after another; undefined for a store of one cell, and where one of them is asked for. */
async function cellsOf(context: Context, caller: Caller, {colonyid, cell, head}: Asked & {head: string | undefined}): Promise<string[] | undefined> {
	if (!('root' in caller) || colonyid !== undefined || cell !== undefined) {
		return undefined;
	}

	const all = await context.run(caller, 'cell.list', {});
	if (all.length > 1 && head !== undefined) {
		throw new InvalidInput(`There are ${all.length} cells, each with seals of its own.`, {hint: 'Say with --cell whose head it is.'});
	}

	return all.length > 1 ? all.map(({cell}) => cell) : undefined;
}

/** Checks one history, and says what came of it. @throws ColoniesError `not-intact` */
async function verifyOne(world: World, context: Context, caller: Caller, {output, present, ...asked}: Asked & {head: string | undefined; after: number | undefined; present: boolean | undefined; output: OutputFormat | undefined}, about: {cell?: string} = {}): Promise<void> {
	const verified = await verifyAll(world, context, caller, asked);
	const compared = present === true && verified.intact ? await compareAll(world, context, caller, asked) : undefined;
	const shown = printResult(world, {...about, ...verified, ...(compared && {present: compared})}, {output});
	// The verdict counts, whether or not its details can be written.
	await (verified.fault !== null || compared?.agrees === false ? Promise.allSettled([shown]) : shown);
	const name = about.cell === undefined ? '' : `Cell ${about.cell}: `;
	if (verified.fault) {
		throw new ColoniesError('not-intact', `${name}${verified.fault.message}`, {hint: 'Everything before it is intact. `colonies audit get --entry …` shows a row; docs/audit.md says what it means.'});
	}

	await say(world, `${name}${verdict(verified)}`);
	if (compared) {
		await sayCompared(world, compared);
	}
}

const verifyOperation = operations['audit.verify'];

const verify = defineCommand({
	words: ['audit', 'verify'],
	summary: 'Check the whole history: its seals, every row, and the signatures of operators\' changes.',
	flags: {
		colonyid: optional(identity('Colony', 'Id of the colony whose owner asks, and is told the verdict; root needs none')),
		cell: optional(line('Cell', 'Only the history of this cell, where there are several (cell ls)')),
		head: optional(hash('Head', 'Hash of a seal, kept elsewhere (audit head): it must be on the chain, so that nothing was cut off')),
		after: optional(integer('After', 'Only the seals after this one', {most: Number.MAX_SAFE_INTEGER})),
		present: optional(flag('Present', 'Then compare colonies, computers, processes and attributes as they are now with the history')),
		...signingFlags(verifyOperation) as Record<never, never>,
		...outputFlags,
	},
	signing: Object.keys(signingFlags(verifyOperation)),
	store: storeFlags,
	async run({world, input, flags, choice}) {
		const caller = await callerOf(world, input, verifyOperation, {flags: flags as Readonly<Record<string, unknown>>, signs: undefined, colony: flags.colonyid});
		await withStore(world, choice, async context => {
			const cells = await cellsOf(context, caller, flags);
			for (const cell of cells ?? [flags.cell]) {
				await verifyOne(world, context, caller, {...flags, cell}, cells === undefined ? {} : {cell}); // eslint-disable-line no-await-in-loop -- one after another
			}
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
		compressafter: optional(integer('Compress after', 'Days after which it and closed processes are compressed, where TimescaleDB is; 0 for never', {least: 0, most: limits.days})),
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

const processOperation = operations['process.retention'];

const processRetention = defineCommand({
	words: ['process', 'retention'],
	summary: 'Show how long closed processes are kept, or set it; what ended earlier is removed for good.',
	flags: {
		...processOperation.input,
		...signingFlags(processOperation) as Record<never, never>,
		...outputFlags,
	},
	signing: Object.keys(signingFlags(processOperation)),
	store: storeFlags,
	async run({world, input, flags, choice}) {
		const {colonyid, successful, failed} = flags;
		const caller = await callerOf(world, input, processOperation, {flags: flags as Readonly<Record<string, unknown>>, signs: (flags as {computerid?: Id}).computerid, colony: colonyid});
		await withStore(world, choice, async context => {
			const options = {notice: toNotice(world)};
			if (successful === undefined && failed === undefined) {
				await printResult(world, await context.run(caller, 'process.kept', {colonyid}, options), {output: flags.output, columns: operations['process.kept'].columns});
				return;
			}

			const result = await context.run(caller, 'process.retention', {colonyid, successful, failed}, options);
			if (flags.output !== undefined) {
				await showDone('It was done.', async () => printResult(world, result, {output: flags.output, columns: processOperation.columns}));
			}

			await say(world, processOperation.tells!(result));
		});
	},
});

export const auditCommands: readonly CommandEntry[] = [verify, retention, processRetention];

