import {accessSync, constants} from 'node:fs';
import path from 'node:path';
import {inUrl} from '../core/address.ts';
import {InvalidInput, NotFound} from '../core/errors.ts';
import {quoted} from '../core/text.ts';
import type {Folders, SavedContext, Settings} from '../keychain/index.ts';
import type {ContextChoice, Contexts, KnownContext} from '../operations/index.ts';
import {embeddedFolder} from './places.ts';
import {checkChoice, keptSchema, mannerOf, resolveTarget} from './resolve.ts';

type World = {env: NodeJS.ProcessEnv; folders: Folders; settings: Settings};

/** Names that mean something already. */
const taken = new Set(['embedded', 'demo']);

/** Where a file is from whatever folder; it must be there. @throws InvalidInput */
function certificateFile(file: string): string {
	const whole = path.resolve(file);
	try {
		accessSync(whole, constants.R_OK);
	} catch (error) {
		throw new InvalidInput(`There is no certificate ${quoted(file)} that can be read.`, {hint: 'Give the path of a PEM file.', cause: error});
	}

	return whole;
}

/** What the settings keep of a choice. A database's password may come from the environment, where it was not given. */
function toKeep(choice: ContextChoice, env: NodeJS.ProcessEnv): SavedContext {
	if (choice.host !== undefined) {
		const {host, port = 8080, fingerprint, tlsca, insecure} = choice;
		return {kind: 'server', host, port, ...(fingerprint && {fingerprint}), ...(tlsca !== undefined && {tlsca: certificateFile(tlsca)}), ...(insecure && {insecure})};
	}

	const target = resolveTarget(choice, env, {contexts: {}, current: undefined, console: {}});
	if (target.kind !== 'database' || target.name === 'DATABASE_URL') {
		throw new InvalidInput('A context needs a place.', {hint: 'Give a server with --host, or a database with --dbhost.'});
	}

	const {host, port, user, password, database, schema, ssl} = target;
	return {kind: 'database', host, port, user, password, database, ...keptSchema(schema), ssl, ...mannerOf(target)};
}

const whereOf = (saved: SavedContext): string => saved.kind === 'server'
	? `https://${inUrl(saved.host)}:${saved.port}`
	: `${saved.schema === undefined ? '' : `the schema ${saved.schema} in `}the database ${saved.database} on ${saved.host}:${saved.port} as ${saved.user}`;

/** The contexts that this user has named, in the settings. */
export function savedContexts({env, folders, settings}: World): Pick<Contexts, 'save' | 'list' | 'use' | 'forget'> {
	const mustHave = async (name: string): Promise<void> => {
		const {contexts} = await settings.read();
		if (!Object.hasOwn(contexts, name)) {
			throw new NotFound(`There is no context ${quoted(name)}.`, {hint: `There are ${['embedded', ...Object.keys(contexts)].map(each => quoted(each)).join(', ')}.`});
		}
	};

	return {
		async save(name, choice, notice) {
			if (taken.has(name)) {
				throw new InvalidInput(`${quoted(name)} is the name of a store of this program.`, {hint: 'Choose another name.'});
			}

			const saved = toKeep(checkChoice(choice), env);
			const {contexts} = await settings.read();
			const before = Object.hasOwn(contexts, name) ? whereOf(contexts[name]!) : undefined;
			await settings.saveContext(name, saved);
			notice(`Saved the context ${quoted(name)}: ${whereOf(saved)}${before === undefined || before === whereOf(saved) ? '' : `, in place of ${before}`}.`);
		},
		async list() {
			const {contexts, current} = await settings.read();
			const saved = Object.entries(contexts).map(([name, context]): KnownContext => ({name, kind: context.kind, where: whereOf(context), current: name === current}));
			return [{name: 'embedded', kind: 'embedded', where: embeddedFolder(folders.data, 'embedded'), current: current === undefined}, ...saved];
		},
		async use(name) {
			if (name !== 'embedded') {
				await mustHave(name);
			}

			await settings.useContext(name === 'embedded' ? undefined : name);
		},
		async forget(name) {
			if (name === 'embedded') {
				throw new InvalidInput('The embedded store is always there.', {hint: 'Drop what is in it with `colonies database drop`.'});
			}

			await mustHave(name);
			await settings.forgetContext(name);
		},
	};
}
