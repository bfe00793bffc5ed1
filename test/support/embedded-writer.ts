// A process of its own for the test that kills it: it works in an embedded database through the operations until then, and says in a line of JSON what was acknowledged.
import process from 'node:process';
import {createInterface} from 'node:readline';
import {migrate} from '../../source/database/index.ts';
import {openEmbedded} from '../../source/database/embedded/index.ts';
import type {Database} from '../../source/database/types.ts';
import {type Identity, prove} from '../../source/identity/index.ts';
import {Broker} from '../../source/operations/index.ts';
import {type Found, steps} from './processes.ts';

const say = (value: unknown): void => {
	process.stdout.write(`${JSON.stringify(value)}\n`);
};

const [folder = '', ownerKey = '', ...computerKeys] = process.argv.slice(2);
const owner = prove(ownerKey);
const computers = computerKeys.map(key => prove(key));
const colonyid = owner.id;
let database: Database;
let broker: Broker;

async function settle(): Promise<void> {
	await migrate(database);
	await broker.run({root: 'secret'}, 'colony.register', {colonyid, spec: {name: 'mycolony'}});
	for (const {id: computerid} of computers) {
		await broker.run({identity: owner}, 'computer.register', {colonyid, computerid, spec: {name: 'edge'}});
		await broker.run({identity: owner}, 'computer.approve', {colonyid, computerid});
	}
}

async function find(): Promise<Found> {
	const {rows} = await database.query<{id: string; step: number}>(`select process_id as id, case when status > 1 then 4 when p.attributes @> jsonb_build_object('out', jsonb_build_array(jsonb_build_object('result', encode(p.process_id, 'hex')))) then 3 else status + 1 end as step
		from colonies.processes p`);
	const {rows: history} = await database.query<{step: string; count: number}>('select what || \' \' || colonies.text_of(subject_id) as step, count(*)::int as count from colonies.history where what = any ($1) group by 1', [[...steps]]);
	return {
		processes: Object.fromEntries(rows.map(({id, step}) => [id, step])),
		history: Object.fromEntries(history.map(({step, count}) => [step, count])),
	};
}

/** What one computer does, for ever: submits for itself, runs, answers and closes. */
async function work(computer: Identity): Promise<never> {
	const caller = {identity: computer};
	for (;;) {
		const submitted = await broker.run(caller, 'process.submit', {spec: {targetcolonyid: colonyid, targetcomputerids: [computer.id]}});
		say(['process.submit', submitted.processid]);
		const {processid} = await broker.run(caller, 'process.assign', {colonyid});
		say(['process.assign', processid]);
		await broker.run(caller, 'attribute.add', {colonyid, processid, key: 'result', value: processid});
		say(['attribute.add', processid]);
		await broker.run(caller, 'process.successful', {colonyid, processid});
		say(['process.successful', processid]);
	}
}

const open = async (): Promise<void> => {
	database = await openEmbedded({folder});
	broker = new Broker(database, {local: true});
};

const commands: Record<string, () => Promise<void>> = {
	async settle() {
		await open();
		await settle();
		say({done: await find()});
	},
	async open() {
		await open();
		say({done: await find()});
	},
	async work() {
		await Promise.all(computers.map(async computer => work(computer)));
	},
};

for await (const command of createInterface({input: process.stdin})) {
	await commands[command]!();
}
