import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import fc from 'fast-check';
import {seals} from '../source/database/index.ts';
import type {Client, Database} from '../source/database/types.ts';
import {bytesOfAny} from '../source/database/values.ts';
import {createIdentity} from '../source/identity/index.ts';
import {type Fault} from '../source/operations/index.ts';
import {
	inTurn, noPostgres, openMemory, openPlain, openTimescale,
} from './support/databases.ts';
import {openColony, root} from './support/colony.ts';
import {sealAll, tampering, verified} from './support/tampering.ts';

type Place = {txid: number; history_id: number; what: string};

/** A history of several seals, with operators' changes and what follows from them. */
async function openHistory(open: () => Promise<Database>) {
	const database = await open();
	after(async () => database.close());
	const colony = await openColony(database);
	const computer = await colony.computer({name: 'lab2'});
	await sealAll(database);
	for (const index of [1, 2, 3]) {
		const process = await colony.running(computer, {in: {index: String(index)}});
		await colony.add(computer, process, {key: 'result', value: 'é\n"\\\u0001 \u{1F600}'});
		await colony.close(computer, process, index === 3 ? 'failed' : 'successful');
		await sealAll(database);
	}

	await colony.running(computer);
	await colony.own('computer.disapprove', {computerid: computer.id});
	await colony.own('process.cancel', {processid: (await colony.submit()).processid});
	await sealAll(database);
	await openColony(database, colony.broker).then(async ({id}) => colony.broker.run(root, 'colony.remove', {colonyid: id}));
	await sealAll(database);
	const {rows} = await database.query<Place>('select txid, history_id, what from colonies.history order by txid, history_id');
	return {database, colony, rows};
}

const kinds: Array<[name: string, skip: string | false, open: () => Promise<Database>]> = [
	['PostgreSQL', noPostgres, openPlain],
	['the embedded database', false, openMemory],
	['TimescaleDB', false, openTimescale],
];

const at = ({txid, history_id: row}: Place) => `txid = ${txid} and history_id = ${row}`;
const placeOf = ({txid, history_id: row}: Place) => `${txid}.${row}`;

/** Texts that stand for another value of each column of a row. */
const otherwise: Record<string, string> = {
	at: 'at + interval \'1 microsecond\'',
	actor: 'actor || \' \'',
	colony_id: 'case when colony_id is null then \'\'::bytea end',
	noun: 'noun || \'s\'',
	subject_id: 'sha256(subject_id)',
	what: 'what || \'x\'',
	from_state: 'coalesce(from_state || \'x\', \'\')',
	to_state: 'coalesce(to_state || \'x\', \'\')',
	detail: 'coalesce(case when jsonb_typeof(detail) = \'object\' then detail || \'{"more": null}\' end, \'null\')',
	request: 'coalesce(request || \' \', \'\')',
	signature: 'coalesce(signature || \'0\', \'\')',
	// What reads the same in numbers: the year 2026 before Christ, and a time that never comes.
	since: 'case when since is null then \'infinity\' else since - interval \'4051 years\' end',
};

const histories = await inTurn(kinds, async ([, skip, open]) => skip ? undefined : openHistory(open));

for (const [index, [name, skip]] of kinds.entries()) {
	const opened = () => histories[index]!;
	const found = async (work: (client: Client) => Promise<unknown>, head?: string): Promise<Fault | null> => tampering(opened().database, async client => {
		await work(client);
		return (await verified(client, head)).fault;
	});

	test(`in ${name} what nobody touched is intact, to the last seal and with every head`, {skip}, async () => {
		const {database, rows} = opened();
		const {intact, fault, to, last, ...counts} = await verified(database);
		const {rows: chain} = await database.query<{hash: string}>('select encode(hash, \'hex\') as hash from colonies.seals order by number');
		const {rows: [{changes}]} = await database.query<any>('select count(*)::int as changes from colonies.history where request is not null');
		assert.deepEqual({intact, fault, to}, {intact: true, fault: null, to: chain.length});
		assert.ok(chain.length >= 6);
		assert.deepEqual([counts.rows, counts.requests, counts.dropped], [rows.length, changes, 0]);
		assert.equal(last!.hash, chain.at(-1)!.hash);
		for (const {hash} of chain) {
			assert.equal((await verified(database, hash)).intact, true);
		}
	});

	test(`in ${name} a row is named whatever was altered of it`, {skip}, async () => {
		const {rows} = opened();
		await fc.assert(fc.asyncProperty(fc.constantFrom(...rows), fc.constantFrom(...Object.keys(otherwise)), async (row, column) => {
			const fault = await found(async client => client.query(`update colonies.history set ${column} = ${otherwise[column]} where ${at(row)}`));
			assert.deepEqual([fault?.kind, fault?.row], ['altered', placeOf(row)], column);
			assert.match(fault!.message, new RegExp(`^The row ${placeOf(row).replace('.', String.raw`\.`)} \\(.*\\) of seal \\d+ was altered\\.$`));
		}), {numRuns: 60});
	});

	test(`in ${name} a row that was dropped, moved, swapped or put in is found, the first of several`, {skip}, async () => {
		const {rows} = opened();
		for (const [index, row] of rows.entries()) {
			const fault = await found(async client => client.query(`delete from colonies.history where ${at(row)}`));
			assert.deepEqual([fault?.kind, fault?.row], ['dropped', placeOf(row)]);
			const next = rows[(index + 5) % rows.length]!;
			const moved = await found(async client => client.query(`update colonies.history set txid = ${next.txid === row.txid ? next.txid + 1_000_000 : next.txid} where ${at(row)}`));
			// Where it is met before the place that it is missing at, it is one too many.
			assert.equal(moved?.kind, next.txid < row.txid ? 'added' : 'moved');
		}

		const [one, other] = [rows[4]!, rows[9]!];
		const columns = Object.keys(otherwise).join(', ');
		const swapped = await found(async client => {
			await client.query(`create temporary table swapped on commit drop as select * from colonies.history where (${at(one)}) or (${at(other)})`);
			for (const [here, there] of [[one, other], [other, one]] as const) {
				await client.query(`update colonies.history h set (${columns}) = (select ${columns} from swapped s where s.history_id = ${there.history_id}) where ${at(here)}`);
			}
		});
		assert.deepEqual([swapped?.kind, swapped?.row], ['altered', placeOf(one)]);

		for (const [place, time] of [[`${one.txid}`, 'now()'], ['-5', 'timestamptz \'1999-01-01\''], [`${other.txid}`, 'timestamptz \'2199-01-01\'']]) {
			const added = await found(async client => client.query(`insert into colonies.history (txid, at, actor, noun, subject_id, what) values (${place}, ${time}, 'system', 'process', 'x', 'process.expire')`));
			assert.equal(added?.kind, 'added', JSON.stringify(added));
			assert.match(added.message, /process\.expire.*was put in afterwards/);
		}

		const both = await found(async client => client.query(`delete from colonies.history where (${at(rows[2]!)}) or (${at(rows[12]!)})`));
		assert.equal(both?.row, placeOf(rows[2]!));
	});

	test(`in ${name} a seal that was altered, dropped or made anew is found`, {skip}, async () => {
		const {database} = opened();
		const {rows: [{count}]} = await database.query<any>('select count(*)::int as count from colonies.seals');
		const edits = ['predecessor = sha256(predecessor)', 'hash = sha256(hash)', 'to_txid = to_txid + 1', 'to_row = to_row + 1', 'rows = rows + 1', 'oldest = oldest - interval \'1 microsecond\'', 'newest = newest + interval \'1 s\'', 'content = sha256(content)', 'made_at = made_at + interval \'1 s\'', 'number = number + 100'];
		for (const number of [1, 3, count]) {
			for (const edit of edits) {
				const fault = await found(async client => client.query(`update colonies.seals set ${edit} where number = ${number}`));
				// The last one that has another number is missing like one that was cut off, and found out of its place.
				assert.deepEqual([fault?.kind, fault?.seal], ['seal', number], edit);
			}
		}

		assert.deepEqual((await found(async client => client.query('delete from colonies.seals where number = 3')))?.message, 'Seal 3 is missing.');
		const list = await found(async client => {
			await client.query('update colonies.seals set entries = sha256(entries) where number = 2');
			await client.query('update colonies.history set actor = \'x\' where history_id = (select to_row from colonies.seals where number = 2)');
		});
		assert.deepEqual([list?.kind, list?.seal], ['seal', 2]);
		assert.match(list!.message, /cannot be told which/);
	});

	test(`in ${name} whoever can write every table deceives nobody who kept a head`, {skip}, async () => {
		const {database} = opened();
		const {hash: head, number: count} = (await seals.lastSeal(database))!;
		const cutOff = async (client: Client, number: number) => {
			await client.query(`delete from colonies.history where (txid, history_id) > (select (to_txid, to_row) from colonies.seals where number = ${number - 1})`.replace('> (select (to_txid, to_row)', '> (select to_txid, to_row'));
			await client.query(`delete from colonies.seals where number >= ${number}`);
		};

		// Without one kept elsewhere a history that was cut off is whole, as far as it goes.
		assert.equal(await found(async client => cutOff(client, count - 1)), null);
		assert.deepEqual((await found(async client => cutOff(client, count - 1), head))?.kind, 'head');
		// Rows altered, and all seals from there on made anew.
		const anew = async (client: Client) => {
			await client.query('update colonies.history set subject_id = sha256(subject_id) where what = \'process.successful\'');
			await client.query('delete from colonies.seals where number >= 2');
			for (let rows = 1; rows > 0;) {
				({rows} = await seals.seal(client));
			}
		};

		assert.equal(await found(anew), null);
		assert.equal((await found(anew, head))?.kind, 'head');
		// One seal made to fit its altered row does not fit its successor.
		const fitted = await found(async client => {
			await anew(client);
			await client.query('delete from colonies.seals where number > 2');
			const {rows} = await client.query('select number from colonies.seals');
			assert.equal(rows.length, 2);
		}, head);
		assert.equal(fitted?.kind, 'head');
	});

	test(`in ${name} a row that says that retention has dropped what is gone hides nothing, sealed or not`, {skip}, async () => {
		const {rows} = opened();
		const disapproved = rows.find(({what}) => what === 'computer.disapprove')!;
		const registered = rows.find(({what}) => what === 'computer.register')!;
		const drop = async (client: Client) => client.query('insert into colonies.history (txid, actor, noun, subject_id, what, detail) values (txid_current() - 1, \'system\', \'installation\', \'history\', \'history.drop\', \'{"before": "2999-01-01T00:00:00.000000Z", "days": 1}\')');
		const hidden = async (forge: (client: Client) => Promise<unknown>) => found(async client => {
			await client.query(`delete from colonies.history where ${at(disapproved)}`);
			await forge(client);
		});
		const altered = async (client: Client) => client.query(`update colonies.history set detail = detail || '{"cores": 9999}' where ${at(registered)}`);
		for (const [kind, row, also] of [['dropped', disapproved, async () => undefined], ['altered', registered, altered]] as const) {
			for (const sealed of [false, true]) {
				const fault = await hidden(async client => {
					await also(client);
					await drop(client);
					await (sealed ? seals.seal(client) : undefined);
				});
				assert.deepEqual([fault?.kind, fault?.row], [kind, placeOf(row)]);
			}
		}

		// A row of this sort that nobody can read stands in nobody's way.
		const unreadable = await hidden(async client => {
			await drop(client);
			await client.query('update colonies.history set detail = \'{"before": "yesterday", "days": "many"}\' where what = \'history.drop\'');
			await seals.seal(client);
		});
		assert.equal(unreadable?.row, placeOf(disapproved));
	});

	test(`in ${name} rows that are dropped with the list of them are missed`, {skip}, async () => {
		const {database} = opened();
		const fault = await found(async client => {
			await client.query('delete from colonies.history h using colonies.seals s, colonies.seals p where s.number = 3 and p.number = 2 and (h.txid, h.history_id) > (p.to_txid, p.to_row) and (h.txid, h.history_id) <= (s.to_txid, s.to_row)');
			await client.query('update colonies.seals set entries = null where number = 3');
		});
		const {rows: [seal]} = await database.query<{rows: number}>('select rows from colonies.seals where number = 3');
		assert.deepEqual([fault?.kind, fault?.message], ['dropped', `All ${seal!.rows} rows of seal 3 were dropped, and its list of them with them.`]);
		// A list that is gone is no fault by itself: the rows are there.
		assert.equal(await found(async client => client.query('update colonies.seals set entries = null where number = 3')), null);
	});

	test(`in ${name} nothing stands before the first row and the first seal`, {skip}, async () => {
		const least = '-9223372036854775808';
		for (const place of [least, '-9007199254740993']) {
			const added = await found(async client => client.query(`insert into colonies.history (txid, history_id, actor, noun, subject_id, what) values (${place}, ${place}, 'system', 'process', 'x', 'process.expire')`));
			assert.equal(added?.kind, 'added');
		}

		const {database} = opened();
		const {hash: head} = (await seals.lastSeal(database))!;
		const columns = 'predecessor, to_txid, to_row, rows, oldest, newest, content, made_at, entries';
		// All seals made anew, and the one that somebody kept the head of put aside.
		const aside = async (number: number, kept: string) => found(async client => {
			await client.query(`create temporary table kept on commit drop as select hash, ${columns} from colonies.seals order by number desc limit 1`);
			await client.query('update colonies.history set subject_id = sha256(subject_id) where what = \'process.successful\'');
			await client.query('delete from colonies.seals');
			for (let rows = 1; rows > 0;) {
				({rows} = await seals.seal(client));
			}

			await client.query(`insert into colonies.seals (number, hash, ${columns}) select ${number}, hash, ${columns} from kept`);
		}, kept);
		assert.equal((await aside(0, head))?.kind, 'head');
		assert.equal((await aside(-7, head))?.kind, 'head');
		assert.equal((await aside(9000, head))?.kind, 'head');
	});

	test(`in ${name} a change that no operator signed is found, sealed or not`, {skip}, async () => {
		const {database, colony} = opened();
		const {rows: signedRows} = await database.query<{txid: number; history_id: number; what: string; request: string; signature: string; subject_id: string}>('select * from colonies.history where colony_id = colonies.bytes_of($1) and signature is not null and what like \'computer.%\' order by txid, history_id', [colony.id]);
		const [registered, approved, disapproved] = ['register', 'approve', 'disapprove'].map(verb => signedRows.find(({what}) => what === `computer.${verb}`)!) as [typeof signedRows[0], typeof signedRows[0], typeof signedRows[0]];
		const stranger = createIdentity().identity;
		/** Puts a row in as the program would, and seals it. */
		const forged = async (row: Record<string, unknown>) => tampering(database, async client => {
			const full = {actor: colony.id, colony_id: colony.id, noun: 'computer', subject_id: approved.subject_id, what: 'computer.approve', request: null, signature: null, ...row};
			const names = Object.keys(full);
			const values = Object.entries(full).map(([name, value]) => typeof value === 'string' && ['actor', 'colony_id', 'subject_id'].includes(name) ? bytesOfAny(value) : value);
			await client.query(`insert into colonies.history (${names.join(', ')}, txid) values (${names.map((_, index) => `$${index + 1}`).join(', ')}, txid_current() - 1)`, values);
			await seals.seal(client);
			const {fault, last} = await verified(client);
			assert.equal(fault?.seal, last!.number, JSON.stringify(fault));
			assert.equal(fault?.kind, 'request');
			return fault.message;
		});

		const asked = (name: string, input: Record<string, unknown>) => JSON.stringify({operation: name, input, created: new Date().toISOString(), nonce: 'x'});
		const request = asked('computer.approve', {colonyid: colony.id, computerid: approved.subject_id});
		const signedBy = (identity: {sign(text: string): string}, text: string) => ({request: text, signature: identity.sign(text)});
		assert.match(await forged({}), /has no request/);
		assert.match(await forged({request}), /nobody signed/);
		assert.match(await forged({request: approved.request, signature: approved.signature}), /of another change/);
		assert.match(await forged({request: disapproved.request, signature: disapproved.signature}), /for something else: computer\.disapprove/);
		assert.match(await forged({request: registered.request, signature: registered.signature}), /for something else/);
		assert.match(await forged(signedBy(stranger, request)), /not its actor's/);
		assert.match(await forged({...signedBy(stranger, request), actor: stranger.id}), /who may not do that/);
		assert.match(await forged({request, actor: 'root'}), /by root who may not/);
		assert.match(await forged({...signedBy(colony.owner, request), subject_id: stranger.id}), /for something else/);
		assert.match(await forged({...signedBy(colony.owner, request), colony_id: stranger.id}), /for something else/);
		assert.match(await forged({...signedBy(colony.owner, request), noun: 'process', what: 'process.requeue'}), /for something else/);
		assert.match(await forged({...signedBy(colony.owner, `${request} `), request}), /not its actor's/);
		assert.match(await forged(signedBy(colony.owner, '{"operation": "process.submit", "input": {}}')), /no operator's change/);
		assert.match(await forged({request: 'nonsense', signature: '00'}), /cannot be read/);
		assert.match(await forged({actor: 'root', noun: 'installation', subject_id: 'history', colony_id: null, what: 'history.retention', request: asked('database.rootpassword', {})}), /something else/);
		const removed = {...signedBy(colony.owner, asked('computer.remove', {colonyid: colony.id, computerid: approved.subject_id})), noun: 'process', subject_id: 'p', what: 'process.requeue'};
		assert.match(await forged({...removed, detail: JSON.stringify({computer: stranger.id})}), /something else/);
	});
}
