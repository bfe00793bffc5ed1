import * as v from 'valibot';
import {
	type AddressFault, readHost, readHosts,
} from '../core/address.ts';
import {readDatabaseAddress, readDatabaseHosts} from '../core/database-hosts.ts';
import {complaintAboutFilter, type Filter, type FilterList, filterTables, longestFilter, parseFilter} from '../core/filter-language/index.ts';
import {limits} from '../core/limits.ts';
import {readAgo, readMoment, readTime} from '../core/moments.ts';
import {readSchemaName} from '../core/schema-name.ts';
import {parseSpan} from '../core/spans.ts';
import {firstUnprintable, marksTooMany} from '../core/text.ts';
import {formatSpan} from '../core/time.ts';
import {readTraceparent, writeTraceparent} from '../core/traceparent.ts';
import type {Id, ProcessSpec, Time} from '../core/types.ts';
import {type Network, readNetworks, readOrigins} from './networks.ts';

/** How a field is asked for: as a flag, in a form, on the wire. */
export type FieldKind = 'id' | 'text' | 'secret' | 'integer' | 'number' | 'choice' | 'switch' | 'pair' | 'spec' | 'filter';

/** A JSON Schema (draft 2020-12), as far as fields need it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** One field of an operation's input: what it must be, and what people are told about it. `Given`: what callers write for it, undefined among it where it may be left out. */
export type Field<Value = unknown, Given = Value> = {
	readonly schema: v.GenericSchema<unknown, Value>;
	/** Never there; it bears the type. */
	readonly given?: () => Given;
	/** The same for those who write clients, as JSON Schema. What it cannot say, `schema` checks. */
	readonly json: JsonSchema;
	readonly kind: FieldKind;
	readonly label: string;
	readonly summary: string;
	readonly optional: boolean;
	readonly choices?: readonly string[];
	/** The fields of a spec, for its form and for naming what is unknown in it. */
	readonly fields?: Fields;
	/** What a spec cannot set: who somebody is, in what state something is. It may only repeat the field of that name beside it. */
	readonly reserved?: readonly string[];
	/** Whether it is a moment, which people may also write as their own clock shows it. */
	readonly isMoment?: boolean;
	/** Whether the computer that it names is the one who signs, unless somebody else is told to. */
	readonly signs?: boolean;
	/** Of a text with a form of its own: what is wrong with one, without what may be secret in it; undefined where nothing is. */
	readonly fault?: (text: string) => AddressFault | undefined;
	/** Of a filter: the list that it is for. */
	readonly list?: FilterList;
};

export type Fields = Readonly<Record<string, Field>>;

/** The input that a text stands for on a command line or in a query: numbers as digits alone, so that `1e3` and `0x10` are refused. */
export function fromText({kind}: Pick<Field, 'kind'>, text: string): unknown {
	if ((kind === 'integer' && /^-?\d+$/.test(text)) || (kind === 'number' && /^-?\d+(?:\.\d+)?$/.test(text))) {
		// What no number can hold is refused as it was written.
		return Number.isFinite(Number(text)) ? Number(text) : text;
	}

	return kind === 'switch' && /^(?:true|false)$/.test(text) ? text === 'true' : text;
}

/** The value that a set of fields describes. */
export type ValueOf<Some extends Fields> = {[Name in keyof Some]: Some[Name] extends Field<infer Value, any> ? Value : never};

type GivenFor<Some> = Some extends Field<any, infer Given> ? Given : never;

/** What callers write for a set of fields: what may be left out need not be there. */
export type GivenOf<Some extends Fields> =
	& {[Name in keyof Some as undefined extends GivenFor<Some[Name]> ? never : Name]: GivenFor<Some[Name]>}
	& {[Name in keyof Some as undefined extends GivenFor<Some[Name]> ? Name : never]?: GivenFor<Some[Name]>};

/** What a value must be, checked and told; and what else there is to say of it. */
type Shape<Value> = {schema: v.GenericSchema<unknown, Value>; json: JsonSchema} & Pick<Field, 'choices' | 'fields' | 'reserved'>;

const describe = <Value, Given = Value>(kind: FieldKind, label: string, summary: string, shape: Shape<Value>): Field<Value, Given> => ({
	...shape, kind, label, summary, optional: false,
});

/** Makes a field optional: it may be left out, and is then undefined. */
export const optional = <Value, Given>(field: Field<Value, Given>): Field<Value | undefined, Given | undefined> => ({...field, optional: true, schema: v.optional(field.schema)});

/** Makes a field optional with a value to take when it is left out. */
export const otherwise = <Value, Given>(field: Field<Value, Given>, value: Value): Field<Value, Given | undefined> => ({
	...field, optional: true, schema: v.optional(field.schema as v.GenericSchema<Value, Value>, value as never), json: {...field.json, default: value},
});

/** The same field, checked and then left as it was written: for whoever hands its text on to be read again. */
export function keptAsText<Given>(field: Field<unknown, Given>): Field<Given> {
	const schema = v.pipe(v.custom<Given>(() => true), v.rawCheck(({dataset, addIssue}) => {
		const [issue] = v.safeParse(field.schema, dataset.value, {abortEarly: true}).issues ?? [];
		if (issue) {
			addIssue({message: issue.message, input: dataset.value});
		}
	}));
	return {...field, given: undefined, schema: (field.optional ? v.optional(schema) : schema) as v.GenericSchema<unknown, Given>};
}

/** Marks the field whose computer signs: `--computerid` of what a computer does itself. */
export const signing = <Value, Given>(field: Field<Value, Given>): Field<Value, Given> => ({...field, signs: true});

const idText = 'must be 64 hex digits';

const idSchema = v.pipe(v.string(idText), v.toLowerCase(), v.regex(/^[\da-f]{64}$/, idText));
const idJson: JsonSchema = {type: 'string', pattern: '^[0-9A-Fa-f]{64}$'};

/** An id: of a colony, a computer, a process or an attribute. */
export const identity = (label: string, summary = `Id of the ${label.toLowerCase()}, 64 hex digits`): Field<Id> => describe('id', label, summary, {schema: idSchema, json: idJson});

const wellFormed = v.check<string, string>(text => !text.includes('\0') && text.isWellFormed(), 'must be Unicode text without NUL');

/** One line of text for people: no control characters, none of the marks that turn the direction of writing. */
const lineShape = (longest: number, shortest: number) => ({
	schema: v.pipe(
		v.string(`must be text of ${shortest === 0 ? 'at most' : `${shortest} to`} ${longest} characters`),
		wellFormed,
		v.minLength(shortest, `must be text of ${shortest} to ${longest} characters`),
		v.maxLength(longest, `must be text of at most ${longest} characters`),
		v.check(text => firstUnprintable(text) === undefined, issue => `must not have control characters (it has ${firstUnprintable(issue.input)})`),
		v.check(text => marksTooMany(text) === undefined, issue => `must not have more than 8 combining marks on one character (it has ${marksTooMany(issue.input)})`),
	),
	json: {type: 'string', ...(shortest > 0 ? {minLength: shortest} : {}), maxLength: longest},
});

export const line = (label: string, summary: string, {longest = limits.name, shortest = 1}: {longest?: number; shortest?: number} = {}): Field<string> => describe('text', label, summary, lineShape(longest, shortest));

const faultIn = (read: object): AddressFault | undefined => 'problem' in read ? read as AddressFault : undefined;

/** A text that one of the readers of `core/address.ts` reads. */
function addressed<Value>(label: string, summary: string, {read, value, longest = limits.path}: {read: (text: string) => object; value: (text: string) => Value; longest?: number}): Field<Value, string> {
	const {schema, json} = lineShape(longest, 1);
	const fault = (text: string) => faultIn(read(text));
	return {
		...describe<Value, string>('text', label, summary, {
			schema: v.pipe(schema, v.check(text => fault(text) === undefined, issue => fault(issue.input)!.problem), v.transform(text => value(text))),
			json,
		}),
		fault,
	};
}

/** A host: a name or an IP address, in brackets or not. */
export const host = (label: string, summary: string): Field<string> => addressed(label, summary, {read: readHost, value: text => (readHost(text) as {host: string}).host, longest: limits.host});

/** Where a database is: a host, or the folder of a Unix socket; several with commas between them. */
export const databaseHosts = (label: string, summary: string): Field<string> => addressed(label, summary, {
	read: readDatabaseHosts, value: text => (readDatabaseHosts(text) as {host: string}).host,
});

/** `HOST[:PORT]` of a database. */
export const databaseAddress = (label: string, summary: string): Field<string> => addressed(label, summary, {
	read: readDatabaseAddress, value: text => (readDatabaseAddress(text) as {host: string}).host,
});

/** The name of a schema of a database: an identifier that needs no quotes. */
export const databaseSchema = (label: string, summary: string): Field<string> => addressed(label, summary, {read: readSchemaName, value: text => text, longest: limits.name});

/** Hosts with commas between them. */
export const hosts = (label: string, summary: string): Field<string[], string> => addressed(label, summary, {read: readHosts, value: text => (readHosts(text) as {hosts: string[]}).hosts});

/** Ranges of IP addresses in CIDR notation, separated by commas. */
export const networks = (label: string, summary: string): Field<Network[], string> => addressed(label, summary, {read: readNetworks, value: text => (readNetworks(text) as {networks: Network[]}).networks});

/** Web origins, separated by commas. */
export const origins = (label: string, summary: string): Field<string[], string> => addressed(label, summary, {read: readOrigins, value: text => (readOrigins(text) as {origins: string[]}).origins});

/** A secret of one line, such as a password. It is kept out of everything that is recorded. */
export const secret = (label: string, summary: string): Field<string> => describe('secret', label, summary, {
	schema: v.pipe(v.string('must be text'), wellFormed, v.minLength(1, 'must not be empty'), v.maxLength(limits.secret, `must be text of at most ${limits.secret} characters`)),
	json: {type: 'string', minLength: 1, maxLength: limits.secret, format: 'password'},
});

const valueSchema = v.pipe(
	v.string('must be text'),
	wellFormed,
	v.check(text => Buffer.byteLength(text) <= limits.value, issue => `must be at most 1 MiB of text (it is ${(Buffer.byteLength(issue.input) / limits.value).toFixed(1)} MiB)`),
);
const valueJson: JsonSchema = {type: 'string', maxLength: limits.value};

/** The value of an attribute: any text up to 1 MiB, NUL excepted. */
export const value = (label: string, summary: string): Field<string> => describe('text', label, summary, {schema: valueSchema, json: valueJson});

const integerShape = (least: number, most: number) => {
	const text = `must be a whole number from ${least} to ${most}`;
	return {schema: v.pipe(v.number(text), v.integer(text), v.minValue(least, text), v.maxValue(most, text)), json: {type: 'integer', minimum: least, maximum: most}};
};

export const integer = (label: string, summary: string, {least = 0, most}: {least?: number; most: number}): Field<number> => describe('integer', label, summary, integerShape(least, most));

/** A span in seconds, fractions allowed. */
export const seconds = (label: string, summary: string, most: number = limits.timeout): Field<number> => {
	const text = `must be a number of seconds from 0 to ${most}`;
	return describe('number', label, summary, {schema: v.pipe(v.number(text), v.minValue(0, text), v.maxValue(most, text)), json: {type: 'number', minimum: 0, maximum: most}});
};

/** No more digits than a span of a thousand years has. */
const spanPattern = String.raw`^(?:\d{1,5}(?:\.\d{1,3})?[smhd]){1,3}$`;

/** A span such as `90s`, `5m` or `1h30m`, as `parseSpan` reads it. Bounds in seconds. */
export const span = (label: string, summary: string, {least, most}: {least: number; most: number}): Field<string> => {
	const text = `must be a span from ${formatSpan(least * 1000)} to ${formatSpan(most * 1000)}, such as 15m, 1h30m or 7d`;
	return describe('text', label, summary, {
		schema: v.pipe(v.string(text), v.regex(new RegExp(spanPattern), text), v.check(given => parseSpan(given) >= least && parseSpan(given) <= most, text)),
		json: {type: 'string', pattern: spanPattern},
	});
};

const keptText = 'must be a span of at least 1d, such as 30d, or off, or default';

/** How long something is kept: a span of at least a day, `off` for ever, `default` for what is said elsewhere. */
export const keptFor = (label: string, summary: string): Field<string> => describe('text', label, summary, {
	schema: v.pipe(v.string(keptText), v.check(given => given === 'off' || given === 'default' || (new RegExp(spanPattern).test(given) && parseSpan(given) >= 86_400 && parseSpan(given) <= limits.days * 86_400), keptText)),
	json: {type: 'string', pattern: `^off$|^default$|${spanPattern}`},
});

const timeText = 'must be a time in UTC, such as 2026-01-31T09:41:07.123456Z';
const timePattern = String.raw`^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?Z$`;

/** A moment, RFC 3339 in UTC, to the microsecond. */
export const time = (label: string, summary: string): Field<Time> => describe('text', label, summary, {
	schema: v.pipe(v.string(timeText), v.regex(new RegExp(timePattern), timeText), v.check(text => !Number.isNaN(Date.parse(text)), timeText)),
	json: {type: 'string', pattern: timePattern},
});

export const choice = <const Choice extends string>(label: string, summary: string, choices: readonly Choice[]): Field<Choice> => describe('choice', label, summary, {schema: v.picklist(choices, `must be one of ${choices.join(', ')}`), json: {type: 'string', enum: choices}, choices});

const momentText = 'must be a time of RFC 3339, 2026-03-01T14:05:00Z, or a span before now, -5m';

/** A moment: a time, or so long before now on the database's clock. */
export const moment = (label: string, summary: string): Field<string> => ({...describe('text', label, summary, {
	schema: v.pipe(v.string(momentText), v.check(text => (readTime(text) ?? readAgo(text)) !== undefined, momentText), v.transform(text => readTime(text) ?? text)),
	json: {type: 'string', minLength: 3, maxLength: 40},
}), isMoment: true});

const personalText = 'must be a moment: -5m, 14:05, 2026-03-01, "2026-03-01 14:05" or a time of RFC 3339';

/** The same field as people fill it in, who may also write what the clock on their machine shows. */
export const asWritten = (field: Field<any, any>): Field<any, any> => ({...field, summary: field.summary.replace('a time, or a span before now, -5m', '-5m, 14:05, 2026-03-01, "2026-03-01 14:05" or a time of RFC 3339'), schema: v.optional(v.pipe(
	v.string(personalText),
	v.check(text => readMoment(text, {now: Date.now(), utc: false}) !== undefined, personalText),
	v.transform(text => readMoment(text, {now: Date.now(), utc: false})!),
))});

export const flag = (label: string, summary: string): Field<boolean> => describe('switch', label, summary, {schema: v.boolean('must be true or false'), json: {type: 'boolean'}});

const fingerprintText = 'must be a SHA-256 fingerprint: 64 hex digits, with or without colons';

/** SHA-256 of a certificate, as 64 lowercase hex digits; taken with colons and capitals too, as other tools print it. */
export const fingerprint = (label: string, summary: string): Field<string> => describe('text', label, summary, {schema: v.pipe(
	v.string(fingerprintText),
	v.regex(/^(?:[\da-f]{64}|(?:[\da-f]{2}:){31}[\da-f]{2})$/i, fingerprintText),
	v.transform(text => text.replaceAll(':', '').toLowerCase()),
), json: {type: 'string', minLength: 64, maxLength: 95}});

const hashText = 'must be a hash: 64 hex digits';

/** A SHA-256 as 64 lowercase hex digits. */
export const hash = (label: string, summary: string): Field<string> => describe('text', label, summary, {schema: v.pipe(v.string(hashText), v.toLowerCase(), v.regex(/^[\da-f]{64}$/, hashText)), json: idJson});

/** `key=value`, as one text. */
export const pair = (label: string, summary: string): Field<{key: string; value: string}, string> => describe('pair', label, summary, {
	schema: v.pipe(
		v.string('must be KEY=VALUE'),
		wellFormed,
		v.regex(/^[^=]+=/, 'must be KEY=VALUE'),
		v.transform(text => ({key: text.slice(0, text.indexOf('=')), value: text.slice(text.indexOf('=') + 1)})),
	),
	json: {type: 'string', pattern: '^[^=]+='},
});

/** A filter of a list, in the filter language (core/filter-language). What is wrong with one, the language says itself. */
export const filterOf = (list: FilterList): Field<Filter, string> => ({
	...describe('filter', 'Filter', `Only those that pass, in the filter language: \`${Object.values(filterTables[list].fields).slice(0, 3).map(({example}) => example).join(' ')}\``, {
		schema: v.pipe(v.string('must be text'), v.check(text => complaintAboutFilter(list, text) === undefined, 'is no filter'), v.transform(text => parseFilter(list, text))),
		json: {type: 'string', maxLength: longestFilter},
	} satisfies Shape<Filter>),
	list,
});

/** Ids in one text, separated by commas or blanks, each once. */
export const someIds = (label: string, summary: string): Field<Id[]> => describe('id', label, summary, {
	schema: v.pipe(
		v.string(idText),
		v.transform(text => [...new Set(text.toLowerCase().split(/[\s,]+/).filter(id => id !== ''))]),
		v.check(ids => ids.length > 0 && ids.every(id => v.is(idSchema, id)), 'must be ids of 64 hex digits, separated by commas'),
	),
	json: {type: 'string'},
});

/** A list of ids, each once. */
export const ids = (label: string, summary: string, most: number): Field<Id[]> => describe('id', label, summary, {
	schema: v.pipe(
		v.array(idSchema, 'must be a list of ids'),
		v.maxLength(most, `must have at most ${most} ids`),
		v.transform(list => [...new Set(list)]),
	),
	json: {type: 'array', items: idJson, maxItems: most},
});

/** A list of ids as a field of its own: an array, or a text with commas between them, as on a command line. */
export const idList = (label: string, summary: string, most: number): Field<Id[], readonly Id[] | string> => {
	const {schema, json} = ids(label, summary, most);
	return describe('id', label, summary, {schema: v.pipe(v.unknown(), v.transform(input => typeof input === 'string' ? input.split(',').map(text => text.trim()) : input), schema), json});
};

const traceparentText = 'must be a traceparent of W3C Trace Context, such as 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** A span's place in a trace (W3C Trace Context), kept as version 00. */
export const traceparent = (label: string, summary: string): Field<string> => describe('text', label, summary, {
	schema: v.pipe(
		v.string(traceparentText),
		v.maxLength(limits.name, traceparentText),
		v.check(text => readTraceparent(text) !== undefined, traceparentText),
		v.transform(text => writeTraceparent(readTraceparent(text)!)),
	),
	json: {type: 'string', pattern: '^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$', maxLength: limits.name},
});

const isObject = (input: unknown): boolean => typeof input === 'object' && input !== null && !Array.isArray(input);

const keyShape = lineShape(limits.key, 1);

/** The key of an attribute. */
export const key = (label: string, summary: string): Field<string> => describe('text', label, summary, keyShape);

const attributesSchema = v.pipe(
	v.custom<Record<string, unknown>>(isObject, 'must be an object of keys and text values'),
	// Not `v.record`: it leaves out `constructor`, `prototype` and `__proto__` without a word.
	v.rawTransform<Record<string, unknown>, Record<string, string>>(({dataset: {value: record}, addIssue, NEVER}) => {
		for (const [key, value] of Object.entries(record)) {
			const [issue] = v.safeParse(keyShape.schema, key).issues ?? v.safeParse(valueSchema, value).issues ?? [];
			if (issue) {
				addIssue({message: issue.message, input: issue.input, path: [{
					type: 'object', origin: 'value', input: record, key, value,
				}]});
				return NEVER;
			}
		}

		return Object.fromEntries(Object.entries(record)) as Record<string, string>;
	}),
	v.check(record => Object.keys(record).length <= limits.attributes, `must have at most ${limits.attributes} attributes`),
	v.check(record => Object.values(record).reduce((sum, text) => sum + Buffer.byteLength(text), 0) <= limits.values, 'must be at most 32 MiB of text together'),
);

/** Keys and values, as a submission brings them in. */
export const attributes = (label: string, summary: string): Field<Record<string, string>> => describe('pair', label, summary, {
	schema: attributesSchema,
	json: {type: 'object', additionalProperties: valueJson, propertyNames: keyShape.json, maxProperties: limits.attributes},
});

/** A spec: an object with fields of its own, given as JSON or in a form. `reserved`: what it cannot set. */
export const spec = <Some extends Fields>(label: string, summary: string, fields: Some, reserved: readonly string[] = []): Field<ValueOf<Some>, GivenOf<Some>> => describe('spec', label, summary, {
	schema: objectSchema(fields),
	json: {...objectJson(fields), additionalProperties: false},
	fields,
	reserved,
});

/** The schema of an object with these fields. What else it has is left out: who takes it from outside refuses that first. */
export function objectSchema<Some extends Fields>(fields: Some): v.GenericSchema<unknown, ValueOf<Some>> {
	const entries = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.schema]));
	return v.pipe(v.custom<unknown>(isObject, 'must be a JSON object'), v.object(entries)) as unknown as v.GenericSchema<unknown, ValueOf<Some>>;
}

/** The same as JSON Schema. `given`: names that need not be in it, for they stand elsewhere. */
export const objectJson = (fields: Fields, given: readonly string[] = []): JsonSchema => ({
	type: 'object',
	properties: Object.fromEntries(Object.entries(fields).map(([name, {json, summary}]) => [name, {...json, description: summary}])),
	required: Object.entries(fields).filter(([name, {optional}]) => !optional && !given.includes(name)).map(([name]) => name),
});

/** What a colony is registered with. */
export const colonySpec = {name: line('Name', 'Name of the colony, 1 to 200 characters')};

/** What a computer is registered with. */
export const computerSpec = {
	name: line('Name', 'Name of the computer, 1 to 200 characters'),
	computertype: otherwise(line('Type', 'Computer type; empty takes any process', {shortest: 0}), ''),
	cpu: otherwise(line('CPU', 'Its processor, for people', {shortest: 0}), ''),
	cores: otherwise(integer('Cores', 'Processor cores', {most: limits.units}), 0),
	mem: otherwise(integer('Memory', 'Memory in MB', {most: limits.mem}), 0),
	gpu: otherwise(line('GPU', 'Its graphics processor, for people', {shortest: 0}), ''),
	gpus: otherwise(integer('GPUs', 'Graphics processors', {most: limits.units}), 0),
};

/** What a process is submitted with. */
export const processSpec = {
	targetcolonyid: identity('Colony', 'Id of the colony that runs it'),
	targetcomputerids: otherwise(ids('Targets', 'Ids of the computers that may run it; empty for any', limits.targets), []),
	computertype: otherwise(line('Type', 'Computer type it asks for; empty for any', {shortest: 0}), ''),
	timeout: otherwise(integer('Timeout', 'Seconds from start to deadline; -1 for none', {least: -1, most: limits.timeout}), -1),
	maxretries: otherwise(integer('Retries', 'How often it is tried again after a deadline', {most: limits.retries}), 0),
	mem: otherwise(integer('Memory', 'Memory it asks for, in MB', {most: limits.mem}), 0),
	cores: otherwise(integer('Cores', 'Processor cores it asks for', {most: limits.units}), 0),
	gpus: otherwise(integer('GPUs', 'Graphics processors it asks for', {most: limits.units}), 0),
	traceparent: optional(traceparent('Trace', 'The trace that it belongs to, a traceparent of W3C Trace Context')),
	in: otherwise(attributes('In', 'Attributes that go in, keys and text values'), {}),
} satisfies {[Name in keyof ProcessSpec]: Field<ProcessSpec[Name], any>};
