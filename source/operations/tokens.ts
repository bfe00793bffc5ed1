import {createHash, randomBytes} from 'node:crypto';
import {root} from '../core/authority.ts';
import {type MetricsToken, tokens} from '../database/index.ts';
import {defineOperation} from './define.ts';
import {line} from './fields.ts';

/** In front of a token, so that people and secret scanners know what it is. */
const prefix = 'colonies_metrics_';

/** A token: the prefix and 256 random bits in base64url, all of it allowed after `Bearer` (RFC 6750 §2.1). */
export const tokenPattern = new RegExp(`^${prefix}[\\w-]{43}$`);

/** SHA-256 of a token, 64 hex digits. It needs no salt and no slow hash, for nobody can guess 256 random bits. */
export const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

/** No longer than a part of a path may be. */
const name = line('Name', 'Name of the token: the program that uses it', {longest: 60});

export const createToken = defineOperation({
	name: 'token.create',
	summary: 'Create a token that may read /metrics of the servers and nothing else; it is shown once.',
	input: {name},
	route: 'POST /tokens',
	allow: root,
	operator: true,
	changes: [],
	commands: [{words: ['server', 'token'], summary: 'Create a token that may read /metrics of the servers and nothing else, and print it; it cannot be shown again.'}],
	async handle({client, input, who}) {
		const token = `${prefix}${randomBytes(32).toString('base64url')}`;
		const {result, changes} = await tokens.create(client, {name: input.name, hash: hashOf(token), actor: who.actor});
		return {result: {...result, token}, changes};
	},
	prints: ({token}) => token,
	tells: ({name, token}) => `Created the token ${name}. Copy it now, it cannot be shown again: ${token}`,
});

export const listTokens = defineOperation({
	name: 'token.list',
	summary: 'List the tokens that may read /metrics, without the tokens themselves.',
	input: {},
	route: 'GET /tokens',
	allow: root,
	changes: [],
	columns: ['name', 'created', 'createdby', ['lastused', ({lastused}: MetricsToken) => lastused ?? 'never']],
	commands: [{words: ['server', 'tokens'], summary: 'List the tokens that may read /metrics, without the tokens themselves.'}],
	handle: async ({client}) => tokens.list(client),
});

export const revokeToken = defineOperation({
	name: 'token.revoke',
	summary: 'Revoke a token; what uses it can no longer read /metrics.',
	input: {name},
	route: 'DELETE /tokens/{name}',
	allow: root,
	operator: true,
	danger: 'high',
	changes: [],
	commands: [{words: ['server', 'revoke'], summary: 'Revoke a token; what uses it can no longer read /metrics.'}],
	handle: async ({client, input}) => tokens.revoke(client, input.name),
	tells: ({name}) => `Revoked the token ${name}.`,
});
