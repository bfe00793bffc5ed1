import path from 'node:path';
import * as v from 'valibot';
import {sessionTargets} from '../core/database-hosts.ts';
import {InvalidInput} from '../core/errors.ts';
import {limits} from '../core/limits.ts';
import {firstUnprintable, marksTooMany, quoted} from '../core/text.ts';
import {damaged} from './failures.ts';
import {makeFolder, tighten, type Warn} from './folder.ts';
import {withLock} from './lock.ts';
import {
	isThere, readStore, removeStaged, writeStore, type Values,
} from './store.ts';

const host = v.pipe(v.string(), v.nonEmpty());
const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));

const savedContext = v.variant('kind', [
	v.object({
		kind: v.literal('database'), host, port, user: v.string(), password: v.optional(v.string()), database: v.string(),
		schema: v.optional(v.string()), ssl: v.optional(v.boolean()), pool: v.optional(v.pipe(v.number(), v.integer(), v.minValue(2))),
		prepare: v.optional(v.boolean()), target: v.optional(v.picklist(sessionTargets)), listen: v.optional(v.pipe(v.string(), v.nonEmpty())),
	}),
	v.object({
		kind: v.literal('server'), host, port, fingerprint: v.optional(v.string()), tlsca: v.optional(v.string()), insecure: v.optional(v.boolean()),
	}),
]);

const savedSettings = v.object({
	contexts: v.optional(v.record(v.string(), savedContext), {}),
	current: v.optional(v.string()),
	console: v.optional(v.record(v.string(), v.unknown()), {}),
});

/** Where a context leads: a PostgreSQL, or a Colonies server. */
export type SavedContext = v.InferOutput<typeof savedContext>;

/** All that is kept in `settings.json`. `console`: the console's view settings, one JSON value per key. */
export type SavedSettings = {
	contexts: Record<string, SavedContext>;
	current: string | undefined;
	console: Record<string, unknown>;
};

/**
Settings and contexts of this user, apart from the keys: `settings.json`, mode 0600 because a context may hold a password. Each change reads, changes and writes under a lock, so that no process loses another's.
Every function may throw `damaged` (naming the file and field, which are left as they are); those that change also `disk-full`, `unavailable` (the lock is kept by others), and InvalidInput for a folder that cannot be written to.
*/
export type Settings = {
	/** Everything at once. */
	read(): Promise<SavedSettings>;
	/** Keeps a context under a name, in place of the one it had. `use` makes it the current one in the same write. @throws InvalidInput */
	saveContext(name: string, context: SavedContext, options?: {use?: boolean}): Promise<void>;
	/** Forgets a context, also as the current one. False when there was none. */
	forgetContext(name: string): Promise<boolean>;
	/** Makes a context the current one; undefined for none, that is embedded. @throws InvalidInput when none has this name. */
	useContext(name: string | undefined): Promise<void>;
	/** A view setting of the console; undefined when it was never set. */
	get(key: string): Promise<unknown>;
	/** Keeps a view setting of the console, any JSON value; undefined forgets it. */
	set(key: string, value: unknown): Promise<void>;
};

const unsafeNames = new Set(['__proto__', 'constructor', 'prototype']);

function checkName(name: string): string {
	const unprintable = firstUnprintable(name);
	if (name.trim() === '' || name.length > limits.name || unprintable !== undefined || marksTooMany(name) !== undefined || unsafeNames.has(name)) {
		throw new InvalidInput(`${quoted(name)} cannot be a name in the settings.`, {hint: `Give it 1 to ${limits.name} printable characters.`});
	}

	return name;
}

// Only where and what was expected: the value at fault may be a password.
const faultOf = (issue: v.BaseIssue<unknown>): string => `${v.getDotPath(issue) ?? 'it'} should be ${issue.expected ?? 'another value'}`;

function parse(file: string, values: Values): SavedSettings {
	const {success, output, issues} = v.safeParse(savedSettings, values);
	if (!success) {
		throw damaged(file, faultOf(issues[0]));
	}

	return {contexts: output.contexts, current: output.current, console: output.console};
}

function checkContext(context: SavedContext): SavedContext {
	const {success, output, issues} = v.safeParse(savedContext, context);
	if (!success) {
		throw new InvalidInput(`This context cannot be kept: ${faultOf(issues[0])}.`, {hint: 'Give it a host, a port from 1 to 65535, and what its kind needs.'});
	}

	return output;
}

/** A copy of a record with one key set, or left out when the value is undefined. */
const withKey = (record: unknown, key: string, value: unknown): Values => {
	const {[key]: _, ...others} = (record ?? {}) as Values;
	return value === undefined ? others : {...others, [key]: value};
};

/**
Opens the settings in a folder (`folders().config`); reads and creates nothing yet. `warn` hears when the file was open to other users.
*/
export function openSettings({folder, warn}: {folder: string; warn?: Warn}): Settings {
	const file = path.join(folder, 'settings.json');
	const lock = path.join(folder, 'settings.lock');

	const readValues = async (): Promise<Values> => {
		const values = await readStore(file) ?? {};
		if (isThere(file)) {
			tighten(file, 0o600, warn);
		}

		return values;
	};

	const read = async (): Promise<SavedSettings> => parse(file, await readValues());

	let last: Promise<unknown> = Promise.resolve();

	/** Changes what the file holds; fields that this version does not know stay. Within this process, changes are made in the order of the calls. */
	const change = async <Result>(edit: (values: Values, settings: SavedSettings) => {values: Values; result: Result}): Promise<Result> => {
		const turn = async (previous: Promise<unknown>): Promise<Result> => {
			await Promise.allSettled([previous]);
			makeFolder(folder);
			return withLock(lock, async confirm => {
				const before = await readValues();
				const {values, result} = edit(before, parse(file, before));
				removeStaged(file);
				await writeStore(file, values, confirm);
				return result;
			});
		};

		const done = turn(last);
		last = done;
		return done;
	};

	return {
		read,
		async saveContext(name, context, {use = false} = {}) {
			const [key, value] = [checkName(name), checkContext(context)];
			await change(values => ({values: {...values, contexts: withKey(values.contexts, key, value), ...(use && {current: key})}, result: undefined}));
		},
		async forgetContext(name) {
			return change((values, {contexts, current}) => ({
				values: {...(current === name ? withKey(values, 'current', undefined) : values), contexts: withKey(values.contexts, name, undefined)},
				result: Object.hasOwn(contexts, name),
			}));
		},
		async useContext(name) {
			await change((values, {contexts}) => {
				if (name !== undefined && !Object.hasOwn(contexts, name)) {
					throw new InvalidInput(`There is no context ${quoted(name)}.`, {hint: `These are kept: ${Object.keys(contexts).join(', ') || 'none'}.`});
				}

				return {values: withKey(values, 'current', name), result: undefined};
			});
		},
		async get(key) {
			const {console} = await read();
			return Object.hasOwn(console, key) ? console[key] : undefined;
		},
		async set(key, value) {
			checkName(key);
			await change(values => ({values: {...values, console: withKey(values.console, key, value)}, result: undefined}));
		},
	};
}
