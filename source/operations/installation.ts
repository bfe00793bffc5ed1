import {root} from '../core/authority.ts';
import {installation} from '../database/index.ts';
import {defineOperation} from './define.ts';
import {secret} from './fields.ts';
import {hashPassword} from './root-password.ts';

export const changeRootPassword = defineOperation({
	name: 'database.rootpassword',
	summary: 'Change the root password.',
	input: {newrootpassword: secret('New root password', 'The root password from now on')},
	route: 'PUT /rootpassword',
	allow: root,
	operator: true,
	danger: 'high',
	changes: [],
	async handle({client, input}) {
		await installation.changeRootPassword(client, await hashPassword(input.newrootpassword));
		return {result: undefined, changes: [{noun: 'installation' as const, subject: 'root', what: 'database.rootpassword'}]};
	},
	tells: () => 'The root password was changed.',
});
