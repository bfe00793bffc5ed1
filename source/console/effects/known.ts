import {toColoniesError} from '../../core/errors.ts';
import type {Colony, Id} from '../../core/types.ts';
import type {Identity, KeyEntry} from '../../keychain/index.ts';
import type {Acting, KnownColony} from '../state.ts';
import {errorText, type Session} from './session.ts';

/** How many keys are tried at once: a keychain may hold the keys of a whole fleet. */
const atOnce = 8;

/** The identity of a key; undefined where it is gone meanwhile, or cannot be read. */
async function identityOf(keychain: Session['keychain'], id: Id): Promise<Identity | undefined> {
	try {
		return await keychain.identity(id);
	} catch (error) {
		if (!['unauthenticated', 'damaged'].includes(toColoniesError(error).code)) {
			throw error;
		}

		return undefined;
	}
}

/** The colonies that the keychain's keys, or root, give a way into. */
async function known({context, keychain, root}: Session): Promise<KnownColony[]> {
	const found = new Map<Id, KnownColony>();
	const add = (colony: Colony, acting: Acting) => {
		// Root is told the cell, too.
		found.set(colony.colonyid, {...colony, as: [...found.get(colony.colonyid)?.as ?? [], acting]});
	};

	const look = async ({id, label}: KeyEntry): Promise<void> => {
		const colonyid = label?.colonyid ?? id;
		const identity = await identityOf(keychain, id);
		if (!identity) {
			return;
		}

		try {
			const colony = await context.run({identity}, 'colony.get', {colonyid});
			add(colony, {kind: id === colonyid ? 'owner' : 'computer', id, name: label?.name ?? colony.name});
		} catch (error) {
			// A key of another store, or of a computer that is not approved, opens nothing here. A signature that is refused, as where a clock is wrong, is no such thing.
			if (!['not-allowed', 'not-found'].includes(toColoniesError(error).code)) {
				throw error;
			}
		}
	};

	const keys = (await keychain.list()).filter(({damaged}) => !damaged);
	const next = keys[Symbol.iterator]();
	await Promise.all(Array.from({length: atOnce}, async () => {
		for (const key of next) {
			await look(key); // eslint-disable-line no-await-in-loop
		}
	}));
	if (root !== undefined) {
		const {rows} = await context.run({root}, 'colony.list', {count: 1000});
		for (const colony of rows) {
			add(colony, {kind: 'root', id: 'root', name: 'root'});
		}
	}

	const rank = {owner: 0, computer: 1, root: 2};
	return [...found.values()]
		.map(colony => ({...colony, as: [...colony.as].sort((a, b) => rank[a.kind] - rank[b.kind] || a.id.localeCompare(b.id))}))
		.sort((a, b) => a.name.localeCompare(b.name) || a.colonyid.localeCompare(b.colonyid));
}

/** Finds out which colonies are open to the operator. */
export async function loadKnown(session: Session, select?: Id): Promise<void> {
	try {
		session.dispatch({type: 'known', colonies: await known(session), select});
	} catch (error) {
		session.dispatch({type: 'not-known', error: errorText(error)});
	}
}
