import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {computerChanges} from '../source/database/index.ts';
import {openAny, openColony, untilBlocked} from './support/colony.ts';
import {noPostgres} from './support/databases.ts';

const database = await openAny();
const colony = await openColony(database);
after(async () => colony.broker.close());

test('many computers are locked by their ids, whatever the order in which they were registered or are asked for', {skip: noPostgres}, async () => {
	for (const [name, change] of Object.entries({approve: computerChanges.approve, disapprove: computerChanges.disapprove, remove: computerChanges.remove})) {
		const {id} = await openColony(database, colony.broker);
		const digits = ['c', 'a', 'd', 'b'];
		const computers = digits.map(digit => digit.repeat(64));
		await database.query(
			`insert into colonies.computers (colony_id, computer_id, name, computer_type, cpu, cores, mem, gpu, gpus)
			select colonies.bytes_of($1), colonies.bytes_of(c), 'lab', '', '', 1, 1, '', 0 from unnest($2::text[]) as c`,
			[id, computers],
		);
		let changing: Promise<readonly unknown[]>;
		const asked = [...computers].reverse().map(computerid => ({computerid}));
		await database.transaction(async holder => {
			await holder.query('select from colonies.computers where colony_id = colonies.bytes_of($1) and computer_id = colonies.bytes_of($2) for update', [id, 'b'.repeat(64)]);
			changing = database.transaction(async client => {
				// In the order in which the rows lie, where the statement says none.
				await client.query('select set_config(s, \'off\', true) from unnest(array[\'enable_indexscan\', \'enable_bitmapscan\', \'enable_indexonlyscan\']) as s');
				return change(client, id, asked);
			});
			await untilBlocked(database, changing);
			const {rows} = await database.query<{computer_id: string}>('select computer_id from colonies.computers where colony_id = colonies.bytes_of($1) order by computer_id for update skip locked', [id]);
			assert.deepEqual(rows.map(({computer_id: computer}) => computer[0]), ['c', 'd'], `${name} locks in another order`);
		});
		assert.equal((await changing!).length, 4);
	}
});
