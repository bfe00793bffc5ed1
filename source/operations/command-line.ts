import {type Filter, type FilterList, parseFilter, printFilter} from '../core/filter-language/index.ts';
import {firstUnprintable, isSecretKey} from '../core/text.ts';
import type {Id} from '../core/types.ts';
import type {ContextChoice} from './context.ts';
import type {Command} from './define.ts';
import type {Field, Fields} from './fields.ts';
import {
	type AnyOperation, commandsOf, flagOf, isForRoot, type InputOf, type OperationName, operations,
} from './registry.ts';

type Input = Readonly<Record<string, unknown>>;

/** What stands in place of a value that is not for showing. */
const masked = '***';

/** Characters that mean nothing to any shell. */
const plain = /^[\w@%+:,./-]+$/;

const escape = (character: string): string => {
	const code = character.codePointAt(0)!;
	return code > 0xFF_FF ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
};

/** A word for a shell: as it is, in single quotes, or in `$'…'` (bash, zsh, ksh) where it has characters that a terminal could obey. */
export function shellWord(text: string): string {
	if (plain.test(text)) {
		return text;
	}

	if (firstUnprintable(text) === undefined) {
		return `'${text.replaceAll('\'', String.raw`'\''`)}'`;
	}

	return `$'${Array.from(text, character => firstUnprintable(character) === undefined ? character.replace(/['\\]/, String.raw`\$&`) : escape(character)).join('')}'`;
}

const flagWords = (name: string, value: string): string => value.startsWith('-') ? `--${name}=${shellWord(value)}` : `--${name} ${shellWord(value)}`;

const isGiven = (value: unknown): boolean => value !== undefined && value !== '';

/** Whether a value is said: an empty filter says nothing. */
const isWritten = ({kind}: Field, value: unknown): boolean => kind === 'filter' ? isGiven(value) : value !== undefined;

/** The command that says most of an input: what it fixes is so, and the fewest fields have no flag. */
function commandFor(operation: AnyOperation, input: Input): Command {
	const fields = Object.keys(input).filter(name => isGiven(input[name]));
	const lost = (command: Command) => fields.filter(name => !Object.hasOwn(command.fixed ?? {}, name) && flagOf(name, command) === undefined).length;
	const fixes = (command: Command) => Object.keys(command.fixed ?? {}).length;
	return commandsOf(operation)
		.filter(({fixed = {}}) => Object.entries(fixed).every(([name, value]) => input[name] === value))
		.sort((one, other) => lost(one) - lost(other) || fixes(other) - fixes(one))[0]!;
}

/** Attributes by key, with the values of secret keys masked. */
const withoutSecrets = (spec: unknown): unknown => {
	const {in: attributes, ...rest} = spec as {in?: Record<string, string>};
	return attributes === undefined ? rest : {...rest, in: Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, isSecretKey(key) ? masked : value]))};
};

/** A filter as text, with the values of secret keys masked; as it was written where there are none. */
function filterWords(list: FilterList, value: unknown): string {
	const terms = typeof value === 'string' ? parseFilter(list, value) : value as Filter;
	const isSecret = ({key}: Filter[number]): boolean => key !== undefined && isSecretKey(key);
	return typeof value === 'string' && !terms.some(term => isSecret(term)) ? value : printFilter(list, terms.map(term => isSecret(term) ? {...term, value: masked} : term));
}

function valueWords(name: string, field: Field, input: Input): string {
	const value = input[name];
	if (field.kind === 'pair' && typeof value === 'object' && value !== null && 'key' in value && 'value' in value) {
		return `${String(value.key)}=${isSecretKey(String(value.key)) ? masked : String(value.value)}`;
	}

	if (field.list !== undefined) {
		return filterWords(field.list, value);
	}

	return name === 'value' && typeof input.key === 'string' && isSecretKey(input.key) ? masked : String(value);
}

/** Who signs when nothing says so: the computer that acts, else the colony's owner. */
function usualSigner(operation: AnyOperation, input: Input): Id | undefined {
	const acting = Object.entries(operation.input as Fields).find(([name, field]) => field.signs && input[name] !== undefined);
	return (acting ? input[acting[0]] : operation.colony?.(input as never)) as Id | undefined;
}

/** What the command line depends on besides the input. `signer`: who signs; `root`: it is done with the root password; `choice`: the store, without its password. */
export type CommandLineOptions = {signer?: Id; root?: boolean; choice?: ContextChoice};

/** The flags that say which store is meant; never with a password. */
export const storeWords = ({dbpassword, url, ...choice}: ContextChoice): string[] => Object.entries(choice)
	.filter(([, value]) => value !== undefined && value !== false)
	.map(([name, value]) => value === true ? `--${name}` : flagWords(name, String(value)));

/**
The command line, for a POSIX shell, that does the same as an operation. A spec comes on its standard input. No password, private key or secret value stands in it:
passwords are asked for when it runs, and values of secret keys are `***`.
*/
export function commandLineOf<Name extends OperationName>(name: Name, input: InputOf<Name>, {signer, root = false, choice = {}}: CommandLineOptions = {}): string {
	const operation: AnyOperation = operations[name];
	const values = input as Input;
	const command = commandFor(operation, values);
	const words = ['colonies', ...command.words];
	let spec: string | undefined;
	for (const [field, definition] of Object.entries(operation.input as Fields)) {
		const flag = flagOf(field, command);
		if (definition.kind === 'spec') {
			spec = JSON.stringify(withoutSecrets(values[field]));
			words.push(`--${flag ?? field} -`);
		} else if (flag !== undefined && isWritten(definition, values[field]) && definition.kind !== 'secret' && (field !== operation.creates || operation.rekeys !== undefined)) {
			words.push(definition.kind === 'switch' ? `--${flag}=${values[field] === true}` : flagWords(flag, valueWords(field, definition, values)));
		}
	}

	if (root && !isForRoot(operation)) {
		words.push('--rootpassword "$COLONIES_ROOT_PASSWORD"');
	} else if (!isForRoot(operation) && signer !== undefined && signer !== usualSigner(operation, values)) {
		words.push(`--id ${shellWord(signer)}`);
	}

	words.push(...storeWords(choice));
	return spec === undefined ? words.join(' ') : `printf '%s' ${shellWord(spec)} | ${words.join(' ')}`;
}
