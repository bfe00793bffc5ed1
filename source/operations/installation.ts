import {root} from '../core/authority.ts';
import {installation} from '../database/index.ts';
import {defineOperation} from './define.ts';
import {secret} from './fields.ts';
import {fits, hashPassword} from './root-password.ts';

export const changeRootPassword = defineOperation({
	name: 'database.rootpassword',
	summary: 'Set the root password, or change it.',
	input: {newrootpassword: secret('New root password', 'The root password from now on')},
	route: 'PUT /rootpassword',
	allow: root,
	operator: true,
	keepsRoot: true,
	danger: 'high',
	changes: [],
	async handle({client, input}) {
		const kept = await installation.rootPasswordHash(client);
		if (kept !== undefined && await fits(input.newrootpassword, kept)) {
			return {result: undefined, changes: []};
		}

		await installation.changeRootPassword(client, await hashPassword(input.newrootpassword));
		return {result: undefined, changes: [{kind: 'noted' as const, noun: 'installation' as const, subject: 'root', what: 'database.rootpassword'}]};
	},
	tells: () => 'The root password is set.',
});
