import {test} from 'node:test';
import {createContexts} from '../source/contexts/index.ts';
import {
	contextsOn, freshHome, inProcess,
} from './support/commands.ts';
import {
	flagsOf, freshPlace, noPostgres, openMemory, openTimescale,
} from './support/databases.ts';
import {walk} from './support/walk.ts';

for (const [name, open] of [['embedded', openMemory], ['TimescaleDB', openTimescale]] as const) {
	test(`the walk of colonies.md: ${name}`, async t => {
		const database = await open();
		t.after(async () => database.close());
		await walk({step: async (name, work) => t.test(name, work), run: inProcess(contextsOn(database), freshHome())});
	});
}

test('the walk of colonies.md: PostgreSQL', {skip: noPostgres}, async t => {
	const where = await freshPlace();
	const home = freshHome();
	const contexts = createContexts({env: {}, folders: home.folders, settings: home.settings});
	await walk({
		step: async (name, work) => t.test(name, work),
		run: inProcess(contexts, home),
		databaseFlags: flagsOf(where),
	});
});
