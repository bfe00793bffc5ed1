import type {Id} from '../core/types.ts';
import type {Command} from '../operations/define.ts';
import {
	type Field, type Fields, flag, optional, value,
} from '../operations/fields.ts';
import {parseInput} from '../operations/parse.ts';
import {type AnyOperation, flagOf, type OperationName} from '../operations/registry.ts';
import {askYes} from './ask.ts';
import {type CommandEntry, type Invocation, defineCommand} from './command.ts';
import {print, say} from './output.ts';
import {registerWith} from './register.ts';
import {type OutputFormat, outputFlags, printResult} from './results.ts';
import {requireNewSecret} from './secrets.ts';
import {type Signing, callerOf, signingFlags} from './signers.ts';
import {readSpec} from './specs.ts';

/** Which field of the input each flag of a command fills. */
type FlagFields = ReadonlyMap<string, {name: string; field: Field}>;

/** How a field is given as a flag: a spec as a file, a secret also in other ways. */
function asFlag(field: Field): Field {
	if (field.kind === 'spec') {
		return value(field.label, `File with ${field.summary.replace(/^./, first => first.toLowerCase())}; - reads standard input`);
	}

	return field.kind === 'secret' ? optional(field) : field;
}

/** What a command offers as flags: every field of its operation that it does not fix, hide, fill in by itself or call by another name. */
function flagFields(operation: AnyOperation, command: Command): FlagFields {
	const flags = new Map<string, {name: string; field: Field}>();
	for (const [name, field] of Object.entries(operation.input as Fields)) {
		const flagName = flagOf(name, command);
		if (flagName !== undefined && operation.creates !== name) {
			flags.set(flagName, {name, field});
		}
	}

	return flags;
}

type Flags = Readonly<Record<string, unknown>>;
type Run = {operation: AnyOperation; command: Command; fields: FlagFields; call: Invocation<Flags>};

/** The input of an operation from the flags of its command; specs are read, and new secrets asked for where nobody gave them. */
async function inputOf({command, fields, call: {world, input, flags}}: Run): Promise<Record<string, unknown>> {
	const result: Record<string, unknown> = {...command.fixed};
	for (const [flagName, {name, field}] of fields) {
		const typed = flags[flagName];
		if (field.kind === 'spec') {
			result[name] = await readSpec(typed as string, input); // eslint-disable-line no-await-in-loop
		} else if (typed !== undefined) {
			result[name] = typed;
		}
	}

	return result;
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

/** Checks everything but what is still to come: the id that is created, and secrets. */
const checkedInput = ({operation}: Run, given: Record<string, unknown>): Record<string, unknown> => {
	const fields = Object.entries(operation.input as Fields).filter(([name, field]) => name !== operation.creates && field.kind !== 'secret');
	return parseInput(Object.fromEntries(fields), given).value;
};

/** Asks before the worst, unless `--yes` or the name of what goes was given. */
async function confirm({operation, call: {world, input, flags}}: Run, about: string): Promise<void> {
	if (operation.danger === 'highest' && flags.yes !== true && flags.name === undefined) {
		await askYes(input, world, `${operation.summary.replace(/\.$/, '')}: ${about}.`);
	}
}

async function show({operation, command, call: {world, flags}}: Run, result: unknown, checked: Record<string, unknown>): Promise<void> {
	const output = flags.output as OutputFormat | undefined;
	if (output === undefined && operation.creates !== undefined) {
		await print(world, `${String((result as Record<string, unknown>)[operation.creates])}\n`);
	} else if (output === undefined && command.said !== undefined) {
		await print(world, `${command.said}\n`);
	} else if (output !== undefined || operation.tells === undefined) {
		await printResult(world, result, {
			output, empty: command.empty, columns: operation.columns, count: checked.count as number | undefined,
		});
	}

	if (operation.tells !== undefined) {
		await say(world, operation.tells(result));
	}
}

async function carryOut(run: Run): Promise<void> {
	const {operation, call: {world, input, flags, choice}} = run;
	const given = await inputOf(run);
	const checked = checkedInput(run, given);
	const colony = operation.colony?.(checked);
	const caller = await callerOf(world, input, operation, {flags, signs: actingComputer(run), colony});
	const complete = await withSecrets(run, given);
	await confirm(run, colony ?? checked.colonyid as string);
	const context = await world.contexts.open(choice);
	try {
		const notice = (sentence: string) => {
			void say(world, sentence);
		};

		const result = operation.creates === undefined
			? await context.run(caller, operation.name as OperationName, complete, {notice})
			: await registerWith({
				world, context, caller, operation, input: complete, notice,
			});
		await show(run, result, checked);
	} finally {
		await context.close();
	}
}

/** The command that stands for an operation, or one of them. */
export function operationCommand(operation: AnyOperation, command: Command): CommandEntry {
	const fields = flagFields(operation, command);
	const signing = signingFlags(operation);
	return defineCommand({
		words: command.words,
		summary: command.summary,
		flags: {
			...Object.fromEntries([...fields].map(([name, {field}]) => [name, asFlag(field)])),
			...(operation.danger === 'highest' ? {yes: optional(flag('Yes', 'Do it without asking'))} : {}),
			...signing,
			...outputFlags,
		},
		signing: Object.keys(signing),
		hasStore: true,
		run: async call => carryOut({
			operation, command, fields, call,
		}),
	});
}
