import {ColoniesError, errorCodes, InvalidInput} from '../core/errors.ts';
import {limits} from '../core/limits.ts';
import {parseFilter} from '../core/filter-language/index.ts';
import {plural, shortId} from '../core/text.ts';
import {formatAge, formatSpan} from '../core/time.ts';
import type {Id} from '../core/types.ts';
import {applyPlan, type Reported, tallyOf, tallyText} from '../operations/apply-plan.ts';
import type {Caller} from '../operations/broker.ts';
import type {Context} from '../operations/context.ts';
import {
	flag, integer, line, optional, someIds, value,
} from '../operations/fields.ts';
import {
	makePlan, type Plan, plannable, type PlannableName, reasonsOf, sampleOf, type Selection, titleOf, usualRateOf,
} from '../operations/plan.ts';
import {askCount} from './ask.ts';
import {refuseBoth} from './command.ts';
import {
	OutputClosed, OutputFailed, print, say,
} from './output.ts';
import {startProgress} from './progress.ts';
import {type OutputFormat, printResult} from './results.ts';
import {readProcessIds} from './specs.ts';
import type {StandardInput} from './standard-input.ts';
import type {World} from './world.ts';

/** The flags by which a change of one process becomes one of many. */
export const planFlags = {
	processid: optional(someIds('Process', 'Id of the process, 64 hex digits; several, separated by commas, are a plan')),
	filter: optional(line('Filter', 'All processes that this text finds, as the console\'s / does: \'state:failed ended<1d\'', {longest: 2000})),
	from: optional(value('From', 'File with ids of processes, one a line or as a list command prints them; - reads standard input')),
	rate: optional(integer('Rate', 'Of a plan: processes a second; 50 unless given, 1000 where closed ones are removed', {least: 1, most: 1000})),
	yes: optional(flag('Yes', 'Carry a plan out without asking')),
};

export type PlanFlags = {processid?: Id[]; filter?: string; from?: string; rate?: number; yes?: boolean; output?: OutputFormat};

const selecting = ['processid', 'filter', 'from'] as const;

/** The one process that is meant; undefined for a plan. @throws InvalidInput when it is not clear which are meant */
export function oneProcess(flags: Readonly<Record<string, unknown>>): Id | undefined {
	const {processid, filter, from} = flags as PlanFlags;
	refuseBoth(flags, selecting, 'Say in one way which processes are meant.');
	if (processid === undefined && filter === undefined && from === undefined) {
		throw new InvalidInput('It is not said which processes are meant.', {hint: 'Give --processid ID, --filter \'state:failed ended<1d\', or --from FILE.'});
	}

	const one = processid?.length === 1 ? processid[0] : undefined;
	const [expected] = one === undefined ? ['ifstate', 'ifsince', 'ifretries', 'ifversion'].filter(name => flags[name] !== undefined) : [];
	if (expected !== undefined) {
		throw new InvalidInput(`--${expected} is for one process.`, {hint: 'A plan looks by itself whether a process has changed since it was made.'});
	}

	return one;
}

async function selectionOf({processid, filter, from}: PlanFlags, input: StandardInput): Promise<Selection> {
	if (filter !== undefined) {
		// What is wrong with it is said before anything is asked of the store.
		parseFilter('processes', filter);
		return {filter: {filter}};
	}

	return {ids: from === undefined ? processid! : await readProcessIds(from, input, '--from')};
}

const moreText = ({more}: Plan): string[] => more ? [`There are more than ${limits.planned}: what came after them was not looked at.`] : [];

/** The plan for people: what it is, a sample of it, and what is left out and why. */
function describe(plan: Plan, rate: number): string[] {
	const {entries, leftOut, colonyid} = plan;
	const sample = sampleOf(plan, 5);
	const now = Date.now();
	return [
		`Plan: ${titleOf(plan)} of the colony ${shortId(colonyid)}, at ${rate} a second (${formatSpan(entries.length / rate * 1000)}).`,
		...sample.map(({id, label, state, since}) => `  ${shortId(id)}  ${state} for ${formatAge(since, now)}${label === '' ? '' : `  ${label}`}`),
		...(entries.length > sample.length ? [`  and ${entries.length - sample.length} more`] : []),
		...(leftOut.length > 0 ? [`Left out: ${plural(leftOut.length, 'process')}.`] : []),
		...reasonsOf(plan).map(({reason, count}) => `  ${count}: ${reason}`),
		...moreText(plan),
	];
}

type Line = {processid: Id; outcome: string; reason?: string};

const lineOf = ({id, fate, reason}: Reported): Line => ({processid: id, outcome: fate, ...(reason === undefined ? {} : {reason})});

type Applying = {world: World; context: Context; caller: Caller; plan: Plan; rate: number; write: (lines: readonly Line[]) => void};

/** Applies a plan with progress; the first interrupt stops it before its next list. */
async function apply({world, context, caller, plan, rate, write}: Applying): Promise<Reported[]> {
	const stopping = new AbortController();
	const progress = startProgress(world, plan.entries.length);
	const stop = () => {
		progress.end();
		void say(world, 'Stopping after what is under way …');
		stopping.abort();
	};

	const signals = world.signals ?? process;
	signals.on('SIGINT', stop);
	let [done, isAway] = [0, false];
	try {
		return await applyPlan({context, caller, plan, rate: () => rate, signal: stopping.signal, tell({reported, waits}) {
			done += reported.length;
			if (waits !== undefined && !isAway) {
				progress.end();
				void say(world, `${waits} Trying again …`);
			}

			isAway = waits !== undefined;
			if (reported.length > 0) {
				progress.end();
				write(reported.map(each => lineOf(each)));
				progress.show(done);
			}
		}});
	} finally {
		signals.removeListener('SIGINT', stop);
		progress.end();
	}
}

/** The report of a plan, a line for each process where no format is asked for. What cannot be written ends no plan: it is told when that is over. */
class Report {
	readonly #world: World;
	readonly #output: OutputFormat | undefined;
	#written: Promise<void> = Promise.resolve();
	#failure: unknown;

	constructor(world: World, output: OutputFormat | undefined) {
		this.#world = world;
		this.#output = output;
	}

	readonly add = (lines: readonly Line[]): void => {
		if (this.#output === undefined && lines.length > 0) {
			this.#try(async () => print(this.#world, `${lines.map(each => JSON.stringify(each)).join('\n')}\n`));
		}
	};

	/** Writes what is left of it. @returns what could not be written; undefined when it is all written, or nobody reads it any more */
	async end(lines: readonly Line[]): Promise<OutputFailed | undefined> {
		const output = this.#output;
		if (output !== undefined) {
			this.#try(async () => printResult(this.#world, lines, {output}));
		}

		await this.#written;
		if (this.#failure === undefined || this.#failure instanceof OutputClosed) {
			return undefined;
		}

		if (this.#failure instanceof OutputFailed) {
			return this.#failure;
		}

		throw this.#failure; // eslint-disable-line @typescript-eslint/only-throw-error -- as it was thrown
	}

	#try(write: () => Promise<void>): void {
		this.#written = this.#written.then(async () => {
			if (this.#failure === undefined) {
				await write();
			}
		}).catch((error: unknown) => {
			this.#failure = error;
		});
	}
}

/** @throws ColoniesError when not all of it was done, with the code of what ended it */
function judge(plan: Plan, reported: readonly Reported[]): void {
	const tally = tallyOf(reported);
	if (tally.done === reported.length) {
		return;
	}

	const ended = reported.find(({fate, code}) => (fate === 'refused' || fate === 'unknown') && code !== undefined)?.code;
	const code = ended ?? (tally.unknown > 0 ? 'unavailable' : (tally['not-tried'] > 0 ? 'cancelled' : 'conflict'));
	throw new ColoniesError(code, `Of ${plural(reported.length, 'process')} not all were ${plannable[plan.name].past}: ${tallyText(tally)}.`, {hint: code in errorCodes && tally.changed > 0 ? 'Those that had changed were left as they are; make the plan again for what is still meant.' : undefined});
}

/** Why a plan does nothing, in one sentence. */
function nothingToDo(plan: Plan): string {
	const reasons = reasonsOf(plan).map(({reason, count}) => `${plural(count, 'process')} left out (${reason})`);
	return `Nothing to ${plannable[plan.name].verb}: ${reasons.length === 0 ? 'no process was found' : reasons.join('; ')}.`;
}

/** What is said of a plan before it is carried out. */
const introductionOf = (plan: Plan, rate: number): string[] => plan.entries.length > 0
	? describe(plan, rate)
	: [nothingToDo(plan), ...moreText(plan)];

/** Makes a plan, shows it, asks, carries it out, and reports what became of each. @throws ColoniesError */
export async function runPlan({world, input, flags, context, caller, name, colonyid}: {world: World; input: StandardInput; flags: PlanFlags; context: Context; caller: Caller; name: PlannableName; colonyid: Id}): Promise<void> {
	const plan = await makePlan({context, caller, name, colonyid}, await selectionOf(flags, input));
	const rate = flags.rate ?? usualRateOf(plan);
	for (const text of introductionOf(plan, rate)) {
		await say(world, text); // eslint-disable-line no-await-in-loop
	}

	// Those that were named are told of one by one; of those that a filter found, the reasons with their counts say enough.
	const left: Line[] = flags.filter === undefined ? plan.leftOut.map(({id, reason}) => ({processid: id, outcome: 'left-out', reason})) : [];
	if (plan.entries.length > 0 && flags.yes !== true) {
		await askCount(input, world, plan.entries.length);
	}

	const report = new Report(world, flags.output);
	report.add(left);
	const reported = plan.entries.length === 0 ? [] : await apply({world, context, caller, plan, rate, write: report.add});
	const unwritten = await report.end([...left, ...reported.map(each => lineOf(each))]);
	const tally = `${tallyText(tallyOf(reported)).replace(/^./, first => first.toUpperCase())}.`;
	if (unwritten) {
		await say(world, unwritten.message);
	}

	if (reported.length === 0) {
		return;
	}

	judge(plan, reported);
	if (unwritten) {
		throw new OutputFailed(unwritten.cause, tally);
	}

	await say(world, tally);
}
