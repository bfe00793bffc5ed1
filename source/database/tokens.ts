import {Conflict, NotFound} from '../core/errors.ts';
import {quoted} from '../core/text.ts';
import type {Id, Time} from '../core/types.ts';
import type {Change, Done} from './history.ts';
import type {Client} from './types.ts';

/** A token that may read the metrics. `lastused`: to about a minute, null before the first time. */
export type MetricsToken = {name: string; created: Time; createdby: Id | 'root'; lastused: Time | null};

type Row = {name: string; created_at: Time; created_by: Id | 'root'; used_at: Time | null};

/** Tokens at most: each is compared with every token that a request brings. */
const mostTokens = 100;

const toToken = (row: Row): MetricsToken => ({name: row.name, created: row.created_at, createdby: row.created_by, lastused: row.used_at});

const change = (what: 'token.create' | 'token.revoke', name: string): Change => ({kind: 'noted', noun: 'installation', subject: 'tokens', what, detail: {name}});

/** All tokens by name. */
export async function list(client: Client): Promise<MetricsToken[]> {
	const {rows} = await client.query<Row>('select name, created_at, created_by, used_at from colonies.tokens order by name');
	return rows.map(row => toToken(row));
}

/** Keeps the SHA-256 of a token, 64 hex digits, under a name. @throws Conflict where there is one of that name, or too many */
export async function create(client: Client, {name, hash, actor}: {name: string; hash: string; actor: Id | 'root'}): Promise<Done<MetricsToken>> {
	const {rows: [counted]} = await client.query<{count: number}>('select count(*)::int as count from colonies.tokens');
	if (counted!.count >= mostTokens) {
		throw new Conflict(`There are ${mostTokens} tokens already.`, {hint: 'Revoke one first: `colonies server revoke --name …`; `colonies server tokens` lists them.'});
	}

	const {rows: [row]} = await client.query<Row>(
		'insert into colonies.tokens (name, hash, created_by) values ($1, decode($2, \'hex\'), $3) on conflict (name) do nothing returning name, created_at, created_by, used_at',
		[name, hash, actor],
	);
	if (row === undefined) {
		throw new Conflict(`There is a token ${quoted(name)} already.`, {hint: 'Choose another name, or revoke that one first: `colonies server revoke --name …`.'});
	}

	return {result: toToken(row), changes: [change('token.create', name)]};
}

/** Forgets a token. @throws NotFound */
export async function revoke(client: Client, name: string): Promise<Done<MetricsToken>> {
	const {rows: [row]} = await client.query<Row>('delete from colonies.tokens where name = $1 returning name, created_at, created_by, used_at', [name]);
	if (row === undefined) {
		throw new NotFound(`There is no token ${quoted(name)}.`, {hint: 'List them with `colonies server tokens`.'});
	}

	return {result: toToken(row), changes: [change('token.revoke', name)]};
}

/** The SHA-256 of each token, 64 hex digits, with its name. */
export async function hashes(client: Client): Promise<Array<{name: string; hash: string}>> {
	const {rows} = await client.query<{name: string; hash: string}>('select name, encode(hash, \'hex\') as hash from colonies.tokens');
	return rows;
}

/** Notes that a token was used, once a minute at most. */
export async function noteUse(client: Client, name: string): Promise<void> {
	await client.query('update colonies.tokens set used_at = statement_timestamp() where name = $1 and (used_at is null or used_at < statement_timestamp() - interval \'1 minute\')', [name]);
}
