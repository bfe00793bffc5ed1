import {InvalidInput, toColoniesError, Unauthenticated} from '../core/errors.ts';
import {limits} from '../core/limits.ts';
import {plural} from '../core/text.ts';
import type {Id} from '../core/types.ts';
import {noteName} from '../keychain/index.ts';
import type {Caller} from '../operations/broker.ts';
import type {Command} from '../operations/define.ts';
import {
	asWritten, type Field, type Fields, flag, integer, keptAsText, optional, processSpec, value,
} from '../operations/fields.ts';
import {numbered} from '../operations/numbered.ts';
import {parseInput} from '../operations/parse.ts';
import {isPlannable, plannable, type PlannableName} from '../operations/plan.ts';
import {type AnyOperation, flagOf} from '../operations/registry.ts';
import {isWithoutRoot} from '../operations/root-password.ts';
import {leftOut, prune} from '../operations/unknown.ts';
import {askYes} from './ask.ts';
import {
	type CommandEntry, type Invocation, defineCommand, storeFlags,
} from './command.ts';
import {runMany, runOne} from './many-calls.ts';
import {
	OutputClosed, OutputFailed, print, say, showDone, toNotice,
} from './output.ts';
import {
	oneProcess, planFlags, type PlanFlags, runPlan,
} from './plan-command.ts';
import {registerWith, rekeyWith} from './register.ts';
import {type OutputFormat, outputFlags, printResult} from './results.ts';
import {
	givenSecret, isAttended, requireNewSecret, rootCaller, rootPassword, withFirstRoot,
} from './secrets.ts';
import {type Signing, callerOf, signingFlags} from './signers.ts';
import {readSpec, readSpecs} from './specs.ts';
import {withStore} from './store.ts';

/** Whether a command takes a trace beside the file with its spec. */
const takesTrace = ({input}: AnyOperation): boolean => Object.values(input as Fields).some(({fields = {}}) => Object.hasOwn(fields, 'traceparent'));

/** Which field of the input each flag of a command fills. */
type FlagFields = ReadonlyMap<string, {name: string; field: Field}>;

/** How a field is given as a flag: a spec as a file, a secret also in other ways. */
function asFlag(field: Field, {many}: AnyOperation): Field {
	if (field.kind === 'spec') {
		const lists = many?.by === 'list' ? ', an array of them, or one a line' : '';
		return value(field.label, `File with ${field.summary.replace(/^./, first => first.toLowerCase())}${lists}; - reads standard input`);
	}

	if (field.isMoment) {
		return asWritten(field);
	}

	// The operation reads their text itself.
	return field.kind === 'pair' || field.kind === 'filter' ? keptAsText(field) : (field.kind === 'secret' ? optional(field) : field);
}

/** What a command offers as flags: every field of its operation that it does not fix, hide, fill in by itself or call by another name. */
function flagFields(operation: AnyOperation, command: Command): FlagFields {
	const flags = new Map<string, {name: string; field: Field}>();
	for (const [name, field] of Object.entries(operation.input as Fields)) {
		const flagName = flagOf(name, command);
		if (flagName !== undefined && (operation.creates !== name || operation.rekeys !== undefined)) {
			flags.set(flagName, {name, field: operation.creates === name ? optional({...field, summary: `${field.summary}; without it, a key is made and kept here`}) : field});
		}
	}

	return flags;
}

type Flags = Readonly<Record<string, unknown>>;
type Run = {operation: AnyOperation; command: Command; fields: FlagFields; call: Invocation<Flags>};

/** What a command line asks of its operation: one call, or a list of calls, be it of one alone; and what is said of fields of a spec that nobody knows, which are left out. */
type Asked = {inputs: Array<Record<string, unknown>>; isList: boolean; warnings: readonly string[]};

/** The specs in a file, each of them an input, without what nobody knows in them. */
async function specsOf({operation: {many}, call: {input, flags}}: Run, name: string, field: Field, file: string): Promise<Asked> {
	const {specs, isList} = many?.by === 'list' ? await readSpecs(file, input) : {specs: [await readSpec(file, input)], isList: false};
	const pruned = specs.map(spec => prune(field, spec));
	const unknown = [...new Set(pruned.flatMap(({unknown}) => unknown))];
	const traceparent = flags.traceparent as string | undefined;
	return {inputs: pruned.map(({value}) => ({[name]: traceparent === undefined ? value : {...value as object, traceparent}})), isList, warnings: unknown.length === 0 ? [] : [leftOut(name, field, unknown)]};
}

/** The inputs of an operation from the flags of its command; specs are read. */
async function inputsOf(run: Run): Promise<Asked> {
	const {operation: {many}, command, fields, call: {flags}} = run;
	const common: Record<string, unknown> = {...command.fixed};
	let asked: Asked = {inputs: [{}], isList: false, warnings: []};
	for (const [flagName, {name, field}] of fields) {
		const typed = flags[flagName];
		if (field.kind === 'spec') {
			asked = await specsOf(run, name, field, typed as string); // eslint-disable-line no-await-in-loop
		} else if (typed !== undefined) {
			common[name] = typed;
		}
	}

	const inputs = asked.inputs.map(each => ({...common, ...each}));
	return many?.by === 'count' && flags.count !== undefined ? {...asked, inputs: Array.from({length: flags.count as number}, () => inputs[0]!), isList: true} : {...asked, inputs};
}

/** Asks for the secrets of the input that were not given. Last, so that nobody types one for a command that is wrong. */
async function withSecrets({fields, call: {world, input, flags}}: Run, given: Record<string, unknown>): Promise<Record<string, unknown>> {
	const result = {...given};
	for (const [flagName, {name, field}] of fields) {
		if (field.kind === 'secret') {
			result[name] = await requireNewSecret(world, input, {flag: flagName, label: field.label}, flags[flagName] as string | undefined); // eslint-disable-line no-await-in-loop
		}
	}

	return result;
}

/** The computer that acts, when a flag names one: a field that says so, or `--computerid` where the operation has no such field of its own. */
function actingComputer({operation, fields, call: {flags}}: Run): Id | undefined {
	const names = [...fields].filter(([, {field}]) => field.signs).map(([flagName]) => flagName);
	return [...names, ...('computerid' in operation.input ? [] : ['computerid'])].map(name => flags[name] as Id | undefined).find(id => id !== undefined);
}

/**
Checks everything but what is still to come: the id that is created, and secrets.
@throws InvalidInput or TooLarge, which says which of a list it is
*/
function checkedInputs({operation}: Run, {inputs}: Asked): Array<Record<string, unknown>> {
	const fields = Object.fromEntries(Object.entries(operation.input as Fields).filter(([name, field]) => name !== operation.creates && field.kind !== 'secret'));
	return numbered(inputs, input => parseInput(fields, Object.fromEntries(Object.entries(input).filter(([name]) => Object.hasOwn(fields, name)))));
}

/** The colony that all of it is about; undefined for the whole installation. @throws InvalidInput when there are several */
function colonyOf({operation}: Run, checked: ReadonlyArray<Record<string, unknown>>): Id | undefined {
	const colonies = new Set(checked.map(input => operation.colony?.(input)));
	if (colonies.size > 1) {
		throw new InvalidInput(`A list is for one colony; this one is for ${plural(colonies.size, 'colony')}.`, {hint: 'Submit a list to each.'});
	}

	return [...colonies][0];
}

/** Asks before the worst, unless `--yes` or the name of what goes was given. */
async function confirm({operation, call: {world, input, flags}}: Run, about: string): Promise<void> {
	if (operation.danger === 'highest' && flags.yes !== true && flags.name === undefined) {
		await askYes(input, world, `${operation.summary.replace(/\.$/, '')}: ${about}.`);
	}
}

/** The id that an operation has made something under; of a computer that has its first key back, its own. */
const idMade = ({creates, rekeys}: AnyOperation, result: unknown): unknown => {
	const of = result as Record<string, unknown>;
	return of[creates!] ?? (rekeys === undefined ? undefined : of[rekeys]);
};

async function show({operation, command, call: {world, flags}}: Run, result: unknown, checked: Record<string, unknown>): Promise<void> {
	const output = flags.output as OutputFormat | undefined;
	if (output === undefined && operation.creates !== undefined) {
		await print(world, `${String(idMade(operation, result))}\n`);
	} else if (output === undefined && operation.prints !== undefined) {
		await print(world, `${operation.prints(result)}\n`);
	} else if (output === undefined && command.said !== undefined) {
		await print(world, `${command.said}\n`);
	} else if (output !== undefined || operation.tells === undefined) {
		await printResult(world, result, {
			output, empty: command.empty, columns: operation.columns, layout: operation.layout, records: operation.records, count: checked.count as number | undefined,
		});
	}

	if (operation.tells !== undefined && operation.prints === undefined) {
		await say(world, operation.tells(result));
	}
}

/** What is said of a change whose answer cannot be written: that it was done, and the id that it answered with. */
function doneText({operation, call: {flags}}: Run, result: unknown): string {
	const {processid} = result as {processid?: unknown};
	const id = operation.creates === undefined ? processid : idMade(operation, result);
	return typeof id === 'string' && flags.processid === undefined ? `It was done; the id is ${id}.` : 'It was done.';
}

/** Shows what one call answered. */
async function showOne(run: Run, result: unknown, checked: Record<string, unknown>): Promise<void> {
	const shown = async () => show(run, result, checked);
	await (run.operation.changes.length === 0 ? shown() : showDone(doneText(run, result), shown));
}

/** Many calls, whose results are shown as one list; what was done before a failure too. */
async function carryOutMany(run: Run, calls: Parameters<typeof runMany>[0], inputs: Asked['inputs']): Promise<void> {
	const results: unknown[] = [];
	const showAll = async () => showDone(`${results.length} of ${inputs.length} were done.`, async () => printResult(calls.world, results, {output: run.call.flags.output as OutputFormat | undefined, columns: run.operation.columns}));
	try {
		await runMany(calls, inputs, some => {
			for (const result of some) {
				results.push(result);
			}
		});
	} catch (error) {
		try {
			await (results.length > 0 ? showAll() : undefined);
		} catch (error_) {
			if (!(error_ instanceof OutputClosed || error_ instanceof OutputFailed)) {
				throw error_;
			}

			// Why it ended matters more, and says how many were done.
			if (error_ instanceof OutputFailed) {
				await say(calls.world, error_.message);
			}
		}

		throw error;
	}

	await showAll();
}

/** Whether a command makes a plan where many are meant. */
const isForMany = ({name}: AnyOperation): boolean => isPlannable(name) && plannable[name].noun === 'process';

/** Carries out a change of processes: of the one that is named, or of many by a plan. */
async function carryOutPlannable(run: Run): Promise<void> {
	const {operation, call} = run;
	const {world, input, choice} = call;
	const one = oneProcess(call.flags);
	if (one !== undefined) {
		await carryOut({...run, call: {...call, flags: {...call.flags, processid: one}}});
		return;
	}

	const colonyid = call.flags.colonyid as Id;
	const caller = await callerOf(world, input, operation, {flags: call.flags, signs: actingComputer(run), colony: colonyid});
	await withStore(world, choice, async context => runPlan({
		world, input, flags: call.flags, context, caller, name: operation.name as PlannableName, colonyid,
	}));
}

/** Changes the root password, or sets the first one, for which there is no other to give. */
async function changeRoot({call: {world, input, flags}}: Run, newPassword: string, work: (caller: Caller) => Promise<unknown>): Promise<unknown> {
	const typed = flags.rootpassword as string | undefined;
	if (givenSecret(world, rootPassword, typed) !== undefined) {
		return work(await rootCaller(world, input, typed));
	}

	try {
		return await work({root: newPassword});
	} catch (error) {
		if (toColoniesError(error).code !== 'unauthenticated' || isWithoutRoot(toColoniesError(error))) {
			throw error;
		}

		if (!isAttended(input, world)) {
			throw new Unauthenticated('A root password is set; it is needed to change it.', {hint: 'Give it with --rootpassword or in COLONIES_ROOT_PASSWORD. With access to the database itself you can reset it: colonies database resetroot.', cause: error});
		}

		await say(world, 'A root password is set; it is needed to change it.');
		return work(await rootCaller(world, input, typed));
	}
}

async function carryOut(run: Run): Promise<void> {
	const {operation, call: {world, input, flags, choice}} = run;
	const asked = await inputsOf(run);
	const checked = checkedInputs(run, asked);
	const colony = colonyOf(run, checked);
	for (const warning of asked.warnings) {
		await say(world, warning); // eslint-disable-line no-await-in-loop
	}

	const isRootPassword = operation.name === 'database.rootpassword';
	// Whoever sets the first one has no other to give.
	const caller: Caller = isRootPassword ? {root: ''} : await callerOf(world, input, operation, {flags, signs: actingComputer(run), colony});
	const complete = await withSecrets(run, asked.inputs[0]!);
	await confirm(run, colony ?? checked[0]!.colonyid as string);
	await withStore(world, choice, async context => {
		const calls = {world, context, caller, operation, notice: toNotice(world)};
		if (asked.isList) {
			await carryOutMany(run, calls, asked.inputs);
			return;
		}

		const makesKey = operation.rekeys === undefined ? registerWith : rekeyWith;
		const once = async (caller: Caller) => operation.creates === undefined ? runOne({...calls, caller}, complete) : makesKey({...calls, caller, input: complete});
		const result = isRootPassword
			? await changeRoot(run, complete.newrootpassword as string, once)
			: await (operation.keepsRoot === true && context.kind !== 'server' ? withFirstRoot(world, input, caller, once) : once(caller));
		if (operation.renames !== undefined) {
			await noteName(world.keychain, complete[operation.renames] as Id, complete.name as string, toNotice(world));
		}

		await showOne(run, result, checked[0]!);
	});
}

/** The command that stands for an operation, or one of them. */
export function operationCommand(operation: AnyOperation, command: Command): CommandEntry {
	const fields = flagFields(operation, command);
	const signing = signingFlags(operation);
	return defineCommand({
		words: command.words,
		summary: command.summary,
		flags: {
			...Object.fromEntries([...fields].map(([name, {field}]) => [name, asFlag(field, operation)])),
			...(operation.many?.by === 'count' ? {count: optional(integer('Count', `How many to take, up to ${limits.batch}; those that there are are printed as a list`, {least: 1, most: limits.batch}))} : {}),
			...(takesTrace(operation) ? {traceparent: processSpec.traceparent} : {}),
			...(isForMany(operation) ? planFlags : {}),
			...(operation.danger === 'highest' ? {yes: optional(flag('Yes', 'Do it without asking'))} : {}),
			...signing,
			...outputFlags,
		},
		signing: Object.keys(signing),
		store: storeFlags,
		run: async call => (isForMany(operation) ? carryOutPlannable : carryOut)({
			operation, command, fields, call,
		}),
	});
}
