import path from 'node:path';
import {test} from 'node:test';
import {freshDatabase, noPostgres, startPostgres} from './support/databases.ts';
import {installPacked} from './support/packed.ts';
import {walk} from './support/walk.ts';

test('the walk of colonies.md, installed: PostgreSQL', {skip: noPostgres}, async t => {
	const {folder, run} = installPacked();
	const {host, port, user, database} = await freshDatabase(await startPostgres());
	await walk({
		step: async (name, work) => t.test(name, work),
		run,
		databaseFlags: ['--dbhost', host!, '--dbport', String(port), '--dbuser', user!, `--dbname=${database!}`],
		examples: path.join(folder, 'examples'),
	});
});
