// Histories at random, tampered with at random: `verify` finds what docs/audit.md says that it finds, and nothing where it says that nobody can know.
import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import fc from 'fast-check';
import {migrate, seals} from '../source/database/index.ts';
import type {Client} from '../source/database/types.ts';
import {type Fault} from '../source/operations/index.ts';
import {sha256} from '../source/operations/verify.ts';
import {noPostgres, openMemory, openPlain} from './support/databases.ts';
import {tampering, verified} from './support/tampering.ts';

const database = noPostgres ? await openMemory() : await openPlain();
after(async () => database.close());
await migrate(database);

/** A row by its number, which is its transaction too. Ages are in days: a whole number and a bit, so that none falls together with a bound. */
type New = {age: number} & ({kind: 'plain'} | {kind: 'retention'; days: number} | {kind: 'drop'; before: number});
type Row = New & {id: number};
type Seal = {number: number; rows: readonly Row[]; made: number; list: 'kept' | 'dropped' | 'altered'; isAltered: boolean; /** Another one for each that was ever made. */ identity: object; to: number};

/** Between two numbers there is room for rows that are put in. */
const room = 4;

const values = (row: Row): [actor: string, noun: string, subject: string, what: string, detail: string, request: string | null] => ({
	plain: (): ReturnType<typeof values> => ['system', 'process', 'p', 'process.expire', 'null', null],
	retention(): ReturnType<typeof values> {
		const {days} = row as Extract<Row, {kind: 'retention'}>;
		return ['root', 'installation', 'history', 'history.retention', JSON.stringify({days: days === 0 ? null : days}), JSON.stringify({operation: 'history.retention', input: {days}})];
	},
	drop: (): ReturnType<typeof values> => ['system', 'installation', 'history', 'history.drop', '{}', null],
}[row.kind]());

const ago = (age: string) => `statement_timestamp() - ${age} * interval '1 day'`;

async function insert(client: Client, rows: readonly Row[]): Promise<void> {
	const given = rows.map(row => {
		const [actor, noun, subject, what, detail, request] = values(row);
		return {id: row.id, age: row.age, before: row.kind === 'drop' ? row.before : null, actor, noun, subject, what, detail, request};
	});
	await client.query(
		`insert into colonies.history (txid, history_id, at, actor, noun, subject_id, what, detail, request)
		select id, id, ${ago('age')}, colonies.bytes_of_any(actor), noun, colonies.bytes_of_any(subject), what,
			case when before is null then nullif(detail::jsonb, 'null') else jsonb_build_object('before', to_char((${ago('before')}) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) end, request
		from jsonb_to_recordset($1::jsonb) as r(id bigint, age float8, before float8, actor text, noun text, subject text, what text, detail text, request text)`,
		[JSON.stringify(given)],
	);
}

/** The history as it is, and as it was sealed: what the page says, told anew, in the simplest words. */
class Model {
	rows: Row[] = [];
	altered = new Set<number>();
	chain: Seal[] = [];

	get sealedTo(): number {
		return this.chain.at(-1)?.to ?? 0;
	}

	get free(): number {
		return Math.max(0, ...this.rows.map(({id}) => id), this.sealedTo) + room;
	}

	seal(): void {
		const rows = this.rows.filter(({id}) => id > this.sealedTo);
		if (rows.length > 0) {
			for (const {id} of rows) {
				this.altered.delete(id);
			}

			this.chain.push({number: (this.chain.at(-1)?.number ?? 0) + 1, rows, made: 0, list: 'kept', isAltered: false, identity: {}, to: rows.at(-1)!.id});
		}
	}

	put(rows: readonly Row[]): void {
		this.rows = [...this.rows, ...rows].sort((one, other) => one.id - other.id);
	}

	/** Rows from longer ago may be gone. */
	horizon(head?: Seal): number {
		const sealed = this.rows.filter(({id}) => id <= this.sealedTo);
		const retentions = sealed.filter(row => row.kind === 'retention');
		const madeOf = (id: number) => this.chain.find(({to}) => to >= id)!.made;
		const agreed = head && retentions.findLast(({id}) => id <= head.to)?.days;
		const ages = sealed.filter(row => row.kind === 'drop').map(drop => {
			const place = retentions.filter(({id}) => id < drop.id).length - 1;
			const [inForce, next] = [retentions[place], retentions[place + 1]];
			const isAgreed = head === undefined || drop.id <= head.to;
			const days = isAgreed ? inForce?.days ?? 0 : (agreed ? Math.max(inForce!.days, agreed) : 0);
			if (!inForce?.days || days === 0) {
				return Number.POSITIVE_INFINITY;
			}

			const made = Math.max(madeOf(drop.id), next ? madeOf(next.id) : 0, 0);
			return Math.max(drop.before, made + days);
		});
		return Math.min(Number.POSITIVE_INFINITY, ...ages);
	}

	/** What is wrong first, when this head was kept. */
	fault(kept?: Seal): Pick<Fault, 'kind' | 'seal' | 'row'> | null {
		const head = kept && this.chain.find(({identity}) => identity === kept.identity);
		if (kept && (!head || head.isAltered)) {
			return {kind: 'head', seal: null, row: null};
		}

		let from = 0;
		for (const [index, seal] of this.chain.entries()) {
			if (seal.number !== index + 1 || seal.isAltered) {
				return {kind: 'seal', seal: index + 1, row: null};
			}

			const found = this.#inSeal(seal, from, head && seal.number <= head.number ? head : undefined);
			if (found) {
				return found;
			}

			from = seal.to;
		}

		return null;
	}

	#inSeal(seal: Seal, from: number, head: Seal | undefined): ReturnType<Model['fault']> {
		const found = this.#differences(seal, from, this.horizon(head));
		if (found === null || head === undefined || found.kind === 'seal' || this.#differences(seal, from, this.horizon()) !== null) {
			return found;
		}

		return {kind: 'retention', seal: seal.number, row: null};
	}

	#differences({number, rows, list, to}: Seal, from: number, horizon: number): ReturnType<Model['fault']> {
		const present = this.rows.filter(({id}) => id > from && id <= to);
		const isThere = (id: number) => present.some(row => row.id === id);
		const wrong = [...new Set([...rows, ...present].map(({id}) => id))].sort((one, other) => one - other).flatMap((id): Array<{kind: Fault['kind']; id: number; age: number}> => {
			const sealed = rows.find(row => row.id === id);
			const {age} = sealed ?? present.find(row => row.id === id)!;
			if (!sealed || !isThere(id)) {
				return [{kind: sealed ? 'dropped' : 'added', id, age}];
			}

			return this.altered.has(id) ? [{kind: 'altered', id, age}] : [];
		});
		if (wrong.length === 0) {
			return null;
		}

		if (list === 'altered' || (list === 'dropped' && present.length > 0)) {
			return {kind: 'seal', seal: number, row: null};
		}

		const first = wrong.find(({kind, age}) => kind !== 'dropped' || age < horizon);
		return first ? {kind: first.kind, seal: number, row: list === 'dropped' ? null : `${first.id}.${first.id}`} : null;
	}
}

/** Something that is done to the tables, and to the model. `pick`: which of what there is. */
type Tampering = (client: Client, model: Model, pick: (length: number) => number, draw: {days: number; before: number; age: number}) => Promise<void>;

const sealedRows = (model: Model) => model.rows.filter(({id}) => id <= model.sealedTo);
const deleteRows = async (client: Client, model: Model, ids: readonly number[]) => {
	await client.query('delete from colonies.history where history_id = any ($1::bigint[])', [ids]);
	model.rows = model.rows.filter(({id}) => !ids.includes(id));
};

const sealNow = async (client: Client, model: Model) => {
	model.seal();
	await seals.seal(client);
};

const append = async (client: Client, model: Model, rows: readonly New[]) => {
	const first = model.free;
	const put = rows.map((row, index): Row => ({...row, id: first + (index * room)}));
	model.put(put);
	await insert(client, put);
};

const tamperings: Record<string, Tampering> = {
	async 'a row is dropped'(client, model, pick) {
		const rows = sealedRows(model);
		await deleteRows(client, model, rows.length === 0 ? [] : [rows[pick(rows.length)]!.id]);
	},
	async 'a row is altered'(client, model, pick) {
		const rows = sealedRows(model);
		const row = rows[pick(rows.length)];
		if (row && !model.altered.has(row.id)) {
			await client.query('update colonies.history set to_state = \'altered\' where history_id = $1', [row.id]);
			model.altered.add(row.id);
		}
	},
	async 'a row is put in'(client, model, pick, {age}) {
		const id = Math.max(1, Math.floor(pick(model.sealedTo || 1) / room) * room) + 1 + pick(2);
		if (id < model.sealedTo && !model.rows.some(row => row.id === id)) {
			const row: Row = {id, age, kind: 'plain'};
			model.put([row]);
			await insert(client, [row]);
		}
	},
	async 'a retention is put in'(client, model, pick, {age, days}) {
		const id = Math.max(1, Math.floor(pick(model.sealedTo || 1) / room) * room) + 3;
		if (id < model.sealedTo && !model.rows.some(row => row.id === id)) {
			const row: Row = {id, age, kind: 'retention', days: days + 1};
			model.put([row]);
			await insert(client, [row]);
		}
	},
	async 'a seal lets go of its list'(client, {chain}, pick) {
		const seal = chain[pick(chain.length)];
		if (seal?.list === 'kept') {
			await client.query('update colonies.seals set entries = null where number = $1', [seal.number]);
			seal.list = 'dropped';
		}
	},
	async 'a list is altered'(client, {chain}, pick) {
		const seal = chain[pick(chain.length)];
		if (seal?.list === 'kept') {
			await client.query('update colonies.seals set entries = substr(entries, 1, length(entries) - 1) || int2send((get_byte(entries, length(entries) - 1) + 1)::smallint) where number = $1', [seal.number]);
			seal.list = 'altered';
		}
	},
	async 'rows go with their list'(client, model, pick) {
		const index = pick(model.chain.length);
		const seal = model.chain[index];
		if (seal) {
			await deleteRows(client, model, sealedRows(model).filter(({id}) => id <= seal.to && id > (model.chain[index - 1]?.to ?? 0)).map(({id}) => id));
			await client.query('update colonies.seals set entries = null where number = $1', [seal.number]);
			seal.list = 'dropped';
		}
	},
	async 'a seal is altered'(client, {chain}, pick) {
		const seal = chain[pick(chain.length)];
		if (seal && !seal.isAltered) {
			await client.query('update colonies.seals set rows = rows + 1 where number = $1', [seal.number]);
			seal.isAltered = true;
		}
	},
	async 'a seal is dropped'(client, model, pick) {
		const [seal] = model.chain.splice(pick(model.chain.length), 1);
		await client.query('delete from colonies.seals where number = $1', [seal?.number ?? 0]);
	},
	async 'the end is cut off'(client, model, pick) {
		model.chain = model.chain.slice(0, model.chain.length - 1 - pick(2));
		await client.query('delete from colonies.seals where number > $1', [model.chain.at(-1)?.number ?? 0]);
		await deleteRows(client, model, model.rows.filter(({id}) => id > model.sealedTo).map(({id}) => id));
	},
	async 'the end is sealed anew'(client, model, pick) {
		model.chain = model.chain.slice(0, model.chain.length - 1 - pick(2));
		await client.query('delete from colonies.seals where number > $1', [model.chain.at(-1)?.number ?? 0]);
		await sealNow(client, model);
	},
	async 'the table of the retention is changed'(client, _, pick) {
		await client.query('insert into colonies.retention (days, dropped_before) values ($1, now()) on conflict (only_row) do update set days = excluded.days, dropped_before = excluded.dropped_before', [1 + pick(9)]);
	},
	async 'a drop is forged and not sealed'(client, model, _, {before}) {
		await append(client, model, [{kind: 'drop', age: 0.1, before}]);
	},
	async 'a drop is forged and sealed'(client, model, _, {before}) {
		await append(client, model, [{kind: 'drop', age: 0.1, before}]);
		await sealNow(client, model);
	},
	async 'a retention and a drop are forged and sealed'(client, model, _, {before, days}) {
		await append(client, model, [{kind: 'retention', age: 0.1, days}, {kind: 'drop', age: 0.1, before}]);
		await sealNow(client, model);
	},
	async 'what is old goes'(client, model, pick, {age}) {
		// All that may go, or some days more, or as it comes.
		const oldest = [model.horizon(), model.horizon(), model.horizon() - 15, age][pick(4)]!;
		await deleteRows(client, model, sealedRows(model).filter(row => row.age > oldest && row.kind !== 'retention').map(({id}) => id));
	},
	async 'retention does what is allowed'(client, model) {
		const oldest = model.horizon();
		await deleteRows(client, model, sealedRows(model).filter(row => row.age > oldest && row.kind !== 'retention').map(({id}) => id));
		for (const [index, seal] of model.chain.entries()) {
			if (seal.rows.every(({age}) => age > oldest) && !model.rows.some(({id}) => id <= seal.to && id > (model.chain[index - 1]?.to ?? 0))) {
				await client.query('update colonies.seals set entries = null where number = $1', [seal.number]);
				seal.list = 'dropped';
			}
		}
	},
};

/** Makes seals as old as they are said to be, each with the hash that it has then. */
async function age(client: Client, model: Model, ages: readonly number[]): Promise<void> {
	for (const [index, seal] of model.chain.entries()) {
		seal.made = ages[index]!;
	}

	await client.query(`update colonies.seals set made_at = ${ago('a.age')} from unnest($1::bigint[], $2::float8[]) as a(number, age) where a.number = seals.number`, [model.chain.map(({number}) => number), model.chain.map(({made}) => made)]);
	let predecessor = seals.noSeal;
	const hashes = (await seals.sealsFrom(client, 1, 100)).map(seal => {
		const hash = sha256(seals.sealText({...seal, predecessor}));
		const each = {number: seal.number, predecessor, hash};
		predecessor = hash;
		return each;
	});
	await client.query('update colonies.seals set predecessor = decode(h.predecessor, \'hex\'), hash = decode(h.hash, \'hex\') from jsonb_to_recordset($1::jsonb) as h(number bigint, predecessor text, hash text) where h.number = seals.number', [JSON.stringify(hashes)]);
}

const before = fc.integer({min: -300, max: 40}).map(age => age + 0.5);
const ageOfRow = fc.nat(60).map(age => age + 0.1);
/** Rows of about the same time: so many days before the youngest. */
const row = fc.oneof(
	{weight: 4, arbitrary: fc.record({kind: fc.constant('plain' as const), age: fc.nat(4)})},
	{weight: 3, arbitrary: fc.record({kind: fc.constant('drop' as const), age: fc.nat(4), before})},
	{weight: 2, arbitrary: fc.record({kind: fc.constant('retention' as const), age: fc.nat(4), days: fc.nat(40)})},
);
/** Seals were made in their order, or by somebody whose clock went back, or ahead. */
const ages = fc.array(fc.nat(60), {minLength: 5, maxLength: 5}).chain(ages => fc.oneof(
	{weight: 2, arbitrary: fc.constant([...ages].sort((one, other) => other - one))},
	{weight: 1, arbitrary: fc.constant(ages.map(age => age - 20))},
)).map(ages => ages.map(age => age + 0.25));
const often = ['what is old goes', 'what is old goes', 'retention does what is allowed', 'a retention and a drop are forged and sealed', 'a retention and a drop are forged and sealed', 'a row is put in'];
const history = fc.record({
	first: fc.option(fc.record({days: fc.integer({min: 10, max: 40}), before})),
	sealed: fc.array(fc.record({rows: fc.array(row, {minLength: 1, maxLength: 6}), youngest: ageOfRow}), {minLength: 2, maxLength: 5}).map(groups => groups.sort((one, other) => other.youngest - one.youngest)),
	ages,
	head: fc.nat(4),
	done: fc.array(fc.record({what: fc.constantFrom(...Object.keys(tamperings), ...often), picks: fc.array(fc.nat(1_000_000), {minLength: 3, maxLength: 3}), days: fc.nat(20), before, age: ageOfRow}), {maxLength: 5}),
});

test('of 300 histories that somebody tampered with, verify finds in each what the page says, with a head and without one', async () => {
	const verdicts = new Map<string, number>();
	await fc.assert(fc.asyncProperty(history, async ({first, sealed, ages, head, done}) => tampering(database, async client => {
		const model = new Model();
		await append(client, model, first ? [{kind: 'retention', age: 64.1, days: first.days}, {kind: 'drop', age: 64.1, before: first.before}] : []);
		for (const {rows, youngest} of sealed) {
			await append(client, model, rows.map(row => ({...row, age: row.age + youngest})));
			await sealNow(client, model);
		}

		await age(client, model, ages);
		const kept = {...model.chain[head % model.chain.length]!};
		const {rows: [{hash}]} = await client.query<any>('select encode(hash, \'hex\') as hash from colonies.seals where number = $1', [kept.number]);
		for (const {what, picks, ...draw} of done) {
			const numbers = [...picks];
			await tamperings[what]!(client, model, length => length === 0 ? 0 : (numbers.shift() ?? 0) % length, draw);
		}

		const told = ({fault}: {fault: Fault | null}) => fault && {kind: fault.kind, seal: fault.seal, row: fault.kind === 'retention' ? null : fault.row};
		const [without, under] = [model.fault(), model.fault(kept)];
		assert.deepEqual(told(await verified(client)), without, 'without a head');
		assert.deepEqual(told(await verified(client, hash)), under, 'with a head');
		for (const verdict of [without, under]) {
			verdicts.set(verdict?.kind ?? 'intact', (verdicts.get(verdict?.kind ?? 'intact') ?? 0) + 1);
		}
	})), {numRuns: 300, seed: 20_261_126, endOnFailure: true});
	// Every verdict there is was right several times.
	for (const kind of ['intact', 'altered', 'dropped', 'added', 'seal', 'head', 'retention']) {
		assert.ok((verdicts.get(kind) ?? 0) > 3, `${kind}: ${JSON.stringify([...verdicts])}`);
	}
});

test('a drop that is dated ahead allows no more than it did when the next retention was set', async () => {
	const fault = await tampering(database, async client => {
		const model = new Model();
		for (const row of [{kind: 'retention', days: 10, age: 40.1}, {kind: 'plain', age: 35.1}, {kind: 'plain', age: 25.1}, {kind: 'drop', before: -200, age: 24.1}, {kind: 'retention', days: 0, age: 20.1}] as const) {
			await append(client, model, [row]);
			await sealNow(client, model);
		}

		await age(client, model, [40, 35, 25, -50, 20]);
		const rows = model.rows.filter(({kind}) => kind === 'plain').map(({id}) => id);
		await deleteRows(client, model, rows.slice(0, 1));
		assert.equal((await verified(client)).fault, null);
		await deleteRows(client, model, rows);
		assert.equal(model.fault()?.seal, 3);
		return (await verified(client)).fault;
	});
	assert.deepEqual([fault?.kind, fault?.seal], ['dropped', 3]);
});
