import {type ColoniesError, InvalidInput, toColoniesError} from '../core/errors.ts';
import {quoted, shortId} from '../core/text.ts';
import {nearest} from '../core/nearest.ts';
import {
	type Arguments, type FlagTypes, ownPart, parseArguments,
} from './arguments.ts';
import {
	type CommandEntry, flagsOf, flagType, operandName,
} from './command.ts';
import {withInstall} from './completion/install.ts';
import {commands, findCommand, nouns} from './entries.ts';
import {commandHelp, generalHelp, nounHelp} from './help.ts';
import {OutputClosed, print, say} from './output.ts';
import {StandardInput} from './standard-input.ts';
import type {World} from './world.ts';

/** The flags of all commands together: flags may stand before the words that say which command it is. */
const flagTypes: FlagTypes = Object.fromEntries(commands.flatMap(command => Object.entries(flagsOf(command)).map(([name, field]) => [name, flagType(field)])));

/** A word that somebody typed; shortened where it may be a private key in the wrong place. */
const asTyped = (word: string): string => /^[\da-f]{60,}$/i.test(word) ? shortId(word) : word;

const nameOf = ({words}: CommandEntry): string => `colonies ${words.join(' ')}`;

function refuseFlag(flag: string, command: CommandEntry | undefined): ColoniesError {
	const names = Object.keys(command ? flagsOf(command) : flagTypes);
	const meant = nearest(flag.replace(/^-+/, ''), names);
	const where = command ? nameOf(command) : 'colonies';
	const help = command ? `colonies help ${command.words.join(' ')}` : 'colonies help';
	return new InvalidInput(`${quoted(flag)} is not a flag of \`${where}\`.`, {hint: meant === undefined ? `See its flags: ${help}` : `Did you mean --${meant}?`});
}

function refuseWords([noun, verb]: readonly string[]): ColoniesError {
	if (noun === undefined) {
		return new InvalidInput('There is no command.', {hint: 'See all of them: colonies help'});
	}

	if (!nouns.includes(noun)) {
		const meant = nearest(noun, [...nouns, 'help']);
		const whole = findCommand(meant, verb) ? `${meant} ${verb}` : meant;
		return new InvalidInput(`There is no command ${quoted(asTyped(noun))}.`, {hint: whole === undefined ? 'See all of them: colonies help' : `Did you mean \`colonies ${whole}\`?`});
	}

	const verbs = commands.filter(({words}) => words[0] === noun).map(({words}) => words[1]);
	if (verb === undefined) {
		return new InvalidInput(`\`colonies ${noun}\` needs a command.`, {hint: `One of ${verbs.join(', ')}.`});
	}

	const meant = nearest(verb, verbs);
	const hint = meant === undefined ? `There are ${verbs.join(', ')}.` : `Did you mean \`colonies ${noun} ${meant}\`?`;
	return new InvalidInput(`There is no command ${quoted(`${noun} ${asTyped(verb)}`)}.`, {hint});
}

/** A command line that is understood. */
type Called = {command: CommandEntry; operands: readonly string[]; rest: readonly string[]};

/** The command that was called. @throws InvalidInput for words or flags that it does not know */
function commandOf({words, flags, unknown, rest = []}: Arguments): Called {
	const command = findCommand(words[0], words[1]);
	const [flag] = [...unknown, ...Object.keys(flags).filter(name => command !== undefined && !Object.hasOwn(flagsOf(command), name)).map(name => `--${name}`)];
	if (flag !== undefined) {
		throw refuseFlag(flag, command);
	}

	if (command === undefined) {
		throw refuseWords(words);
	}

	const first = command.rest ? Math.max(2, words.length - rest.length) : words.length;
	const called = {command, operands: words.slice(2, first), rest: words.slice(first)};
	checkOperands(called);
	return called;
}

function checkOperands({command, operands: given, rest}: Called): void {
	const operands = Object.entries(command.operands);
	const extra = given[operands.length];
	if (extra !== undefined) {
		throw new InvalidInput(`${quoted(asTyped(extra))} is not expected after \`${nameOf(command)}${operands.map(([name]) => ` ${operandName(name)}`).join('')}\`.`, {hint: command.rest ? `Write the command behind two dashes: -- ${command.rest.name}` : 'Values belong to flags; put quotes around one that has spaces.'});
	}

	const missing = operands[given.length];
	if (missing !== undefined) {
		throw new InvalidInput(`\`${nameOf(command)}\` needs a ${operandName(missing[0])}.`, {hint: `${missing[1].summary}.`});
	}

	if (command.rest && rest.length === 0) {
		throw new InvalidInput(`\`${nameOf(command)}\` needs a command to run.`, {hint: `Write it behind two dashes: ${nameOf(command)} … -- ${command.rest.name}`});
	}
}

/** Help on what the words name. @throws InvalidInput when they name nothing */
function helpOn(words: readonly string[]): string {
	const command = findCommand(words[0], words[1]);
	if (command) {
		return commandHelp(command);
	}

	if (words.length === 0) {
		return generalHelp();
	}

	if (words.length === 1 && nouns.includes(words[0]!)) {
		return nounHelp(words[0]!);
	}

	throw refuseWords(words);
}

async function dispatch(given: Arguments, world: World): Promise<void> {
	const {words, flags, unknown} = given;
	const asksHelp = flags.help === true || words[0] === 'help' || (words.length === 0 && unknown.length === 0);
	if (flags.version === true) {
		await print(world, `${world.version}\n`);
	} else if (asksHelp) {
		await print(world, helpOn(words[0] === 'help' ? words.slice(1) : words));
	} else {
		const {command, operands, rest} = commandOf(given);
		await command.run({world, input: new StandardInput(world.stdin), typed: flags, operands, rest});
	}
}

/** Where an error arose, and what caused it. */
function * stacksOf(error: unknown): Generator<string> {
	for (let at = error; at instanceof Error; at = at.cause) {
		yield * (at.stack ?? String(at)).split('\n');
	}
}

async function tell(world: World, error: ColoniesError, debug: boolean): Promise<void> {
	await say(world, `colonies: ${error.message}`);
	if (error.hint !== undefined) {
		await say(world, error.hint);
	}

	for (const line of debug ? stacksOf(error) : []) {
		await say(world, line); // eslint-disable-line no-await-in-loop
	}
}

/**
Carries out one command line: data to standard output, everything else to standard error.
@param argv what stands after the program's name
@returns the exit code: 0, or that of the error (core/errors.ts)
*/
export async function runCommand(argv: readonly string[], world: World): Promise<number> {
	try {
		await dispatch(parseArguments(withInstall(argv), flagTypes), world);
		return 0;
	} catch (error) {
		if (error instanceof OutputClosed) {
			return 0;
		}

		const failure = toColoniesError(error);
		await tell(world, failure, ownPart(argv).includes('--debug'));
		return failure.exitCode;
	}
}
