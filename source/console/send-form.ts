import {randomUUID} from 'node:crypto';
import {inUrl} from '../core/address.ts';
import {InvalidInput} from '../core/errors.ts';
import {limits} from '../core/limits.ts';
import {quoted, shortId, visible} from '../core/text.ts';
import type {Id} from '../core/types.ts';
import {type Keychain, withNewKey} from '../keychain/index.ts';
import {
	type Caller, type Context, type ContextChoice, isShort, type Notice, patiently, readChoice,
} from '../operations/index.ts';
import type {Acting, FormPurpose, Made, State} from './state.ts';
import type {World} from './world.ts';

type Tools = {
	world: World;
	state: State;
	keychain: Keychain;
	context: Context | undefined;
	root: string | undefined;
	caller: (acting: Acting | undefined) => Promise<Caller>;
	/** Keeps the root password for this run. */
	unlock: (password: string) => void;
	/** Opens another store in place of this one. */
	reopen: (choice: ContextChoice) => void;
	notice: Notice;
};

type Sent = {said: string; made?: Made; /** A colony to work in from now on. */ select?: Id};
type Values = Record<string, string>;

const whole = new Set(['timeout', 'maxretries', 'mem', 'cores', 'gpus']);

/** `key=value, key=value`, or a JSON object. @throws InvalidInput */
function readPairs(text: string): unknown {
	if (text.startsWith('{')) {
		try {
			return JSON.parse(text);
		} catch {
			throw new InvalidInput('In is not JSON.', {hint: 'Write {"key": "value"}, or key=value, key=value.'});
		}
	}

	return Object.fromEntries(text.split(',').map(pair => {
		const at = pair.indexOf('=');
		if (at < 1) {
			throw new InvalidInput(`${quoted(pair.trim())} is not KEY=VALUE.`, {hint: 'Write key=value, key=value; or a JSON object.'});
		}

		return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
	}));
}

/** The spec that a form describes: the file it names, or its fields, those left empty at their defaults. */
async function specOf({file, ...fields}: Values, {world}: Tools): Promise<Record<string, unknown>> {
	if (file === '-') {
		// The standard input is the keyboard here.
		throw new InvalidInput('A spec cannot be read from the standard input here.', {hint: 'Give the path of a file.'});
	}

	if (file) {
		const spec = await world.readSpec(file);
		if (typeof spec !== 'object' || spec === null || Array.isArray(spec)) {
			throw new InvalidInput(`${quoted(file)} must hold a JSON object.`);
		}

		return spec as Record<string, unknown>;
	}

	return Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, text.trim()] as const).filter(([, text]) => text !== '').map(([name, text]) => {
		if (name === 'targetcomputerids') {
			return [name, text.split(/[\s,]+/)];
		}

		return [name, name === 'in' ? readPairs(text) : (whole.has(name) ? Number(text) : text)];
	}));
}

/** What the form for a server calls its fields. */
const serverLabels: Record<string, string> = {host: 'Host', port: 'Port', fingerprint: 'Fingerprint', tlsca: 'CA file'};

/** And that for a database. */
const databaseLabels: Record<string, string> = {dbhost: 'Host', dbport: 'Port', dbuser: 'User', dbpassword: 'Password', dbname: 'Database', dbschema: 'Schema'};

/** The owner of the colony that the operator works in. */
const owner = (state: State): Acting | undefined => state.colony?.as.find(({kind}) => kind === 'owner');

/** @throws InvalidInput where a root password that is to become the first one is too short, or typed differently the second time */
function checkFirst(password: string, again: string): void {
	if (isShort(password)) {
		throw new InvalidInput(`The root password has fewer than ${limits.rootPasswordLength} characters.`, {hint: 'This password can remove every colony: choose a longer one.'});
	}

	if (again !== password) {
		throw new InvalidInput('The two root passwords differ.', {hint: 'Type the same twice.'});
	}
}

const senders: Record<FormPurpose, (values: Values, tools: Tools) => Promise<Sent>> = {
	async 'register-colony'({name, rootpassword, again}, {context, keychain, root, unlock, notice}) {
		const password = rootpassword ?? root!;
		if (again !== undefined) {
			checkFirst(password, again);
		}

		const {id} = await withNewKey(keychain, {
			register: async id => context!.run({root: password, mustBeKept: again === undefined}, 'colony.register', {colonyid: id, spec: {name}}, {notice}),
			note: async colonyid => keychain.describe(colonyid, {kind: 'colony', name: name!, colonyid}),
			notice,
		});
		if (root === undefined) {
			unlock(password);
		}

		return {said: `Registered the colony ${visible(name!)} (${shortId(id)}). Its owner's key is in the keychain.`, select: id, made: {screen: 'colonies', id}};
	},
	async 'register-computer'(values, tools) {
		const {context, keychain, state, notice} = tools;
		const {colonyid, status, computerid, ...spec} = await specOf(values, tools);
		const colony = state.colony!.colonyid;
		if (status !== undefined || computerid !== undefined || (colonyid !== undefined && colonyid !== colony)) {
			throw new InvalidInput('A computer spec cannot set an id, a status or another colony.', {hint: 'Leave computerid, status and colonyid out.'});
		}

		const caller = await tools.caller(owner(state));
		const {id} = await withNewKey(keychain, {
			register: async id => context!.run(caller, 'computer.register', {colonyid: colony, computerid: id, spec}, {notice}),
			note: async id => keychain.describe(id, {kind: 'computer', name: String(spec.name), colonyid: colony}),
			notice,
		});
		return {said: `Registered the computer ${visible(String(spec.name))} (${shortId(id)}). Approve it with A.`, made: {screen: 'computers', id}};
	},
	async 'submit-process'(values, tools) {
		const {context, state, notice} = tools;
		const spec: Record<string, unknown> = {targetcolonyid: state.colony!.colonyid, ...await specOf(values, tools)};
		if (spec.targetcolonyid !== state.colony!.colonyid) {
			throw new InvalidInput(`The spec is for the colony ${quoted(shortId(String(spec.targetcolonyid)))}, not for this one.`, {hint: 'Choose that colony on 4, or leave targetcolonyid out.'});
		}

		const caller = await tools.caller(state.acting);
		const options = {notice, idempotencyKey: randomUUID()};
		const process = await patiently(async () => context!.run(caller, 'process.submit', {spec}, options), notice);
		return {said: `Submitted the process ${shortId(process.processid)}.`, made: {screen: 'processes', id: process.processid}};
	},
	async 'add-key'({privatekey}, {keychain, state}) {
		const {id} = await keychain.add(privatekey!);
		return {said: `Added the key of ${shortId(id)}.`, select: state.colony?.colonyid ?? id, made: {screen: 'keys', id}};
	},
	async 'unlock-root'({rootpassword}, {context, unlock, notice}) {
		await context!.run({root: rootpassword!}, 'colony.list', {count: 1}, {notice});
		unlock(rootpassword!);
		return {said: 'Root is unlocked for this run.'};
	},
	async 'connect-server'(values, {world: {contexts}, reopen, notice}) {
		const typed = Object.fromEntries(Object.entries(values).map(([name, text]) => [name, text.trim()] as const).filter(([, text]) => text !== ''));
		const choice = readChoice(typed, {asTyped: name => serverLabels[name] ?? name});
		// Nothing is kept of a server that does not answer, or is another one.
		const context = await contexts.open(choice);
		await context.where().finally(async () => context.close());
		const name = `${inUrl(choice.host!)}:${choice.port!}`;
		await contexts.save(name, choice, notice);
		await contexts.use(name);
		reopen(choice);
		return {said: `Connected to ${visible(name)}; it is the current context from now on.`};
	},
	async connect({dbhost, dbport, dbuser, dbpassword, dbname, dbschema, dbssl}, {world, reopen, notice}) {
		if (!/^(?:yes|no)?$/i.test(dbssl!.trim())) {
			throw new InvalidInput(`TLS must be yes or no, not ${quoted(dbssl)}.`);
		}

		const typed = Object.entries({dbhost: dbhost?.trim(), dbport: dbport?.trim(), dbuser, dbpassword, dbname, dbschema: dbschema?.trim()}).filter(([, text]) => text !== undefined && text !== '');
		const choice = {...readChoice(Object.fromEntries(typed), {asTyped: name => databaseLabels[name] ?? name}), dbssl: /^yes$/i.test(dbssl!.trim())};
		await world.contexts.create(choice, notice);
		reopen(choice);
		return {said: `Connected to ${visible(choice.dbhost ?? 'localhost')}; it is the current context from now on.`};
	},
};

/** Sends a form: what it says is done with the operator's keys. @returns what to say. @throws ColoniesError, whose sentence the form shows */
export const sendForm = async (purpose: FormPurpose, values: Values, tools: Tools): Promise<Sent> => senders[purpose](values, tools);
