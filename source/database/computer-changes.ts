import {type ColoniesError, Conflict} from '../core/errors.ts';
import {quoted} from '../core/text.ts';
import {type Computer, type ComputerState, computerStates, type Id} from '../core/types.ts';
import {unknownComputer} from './computers.ts';
import type {Done} from './history.ts';
import {requeueRunning} from './requeue.ts';
import {type ComputerRow, toComputer} from './rows.ts';
import type {Client} from './types.ts';
import {bytesOf, bytesOfAll} from './values.ts';

/** A computer that is to be changed, and the state in which it must be for that; any, when it is left out. */
export type Asked = {computerid: Id; ifstate?: ComputerState};

type Answers = Array<Done<Computer> | ColoniesError>;

const stateOfRow = (row: ComputerRow): ComputerState => computerStates[row.status];

/** Locks the computers, in an order that is the same for everybody. Claims hold theirs for share, so whatever they took is seen by the statements after this one. */
async function lockAll(client: Client, colony: Id, asked: readonly Asked[]): Promise<Map<Id, ComputerRow>> {
	const {rows} = await client.query<ComputerRow>(
		'select * from colonies.computers where colony_id = $1 and computer_id = any ($2) order by computer_id for update',
		[bytesOf(colony), bytesOfAll(asked.map(({computerid}) => computerid))],
	);
	return new Map(rows.map(row => [row.computer_id, row]));
}

/** Locks, decides for each by itself, and changes those that may be changed, each once. `already`: the state which one that is in it cannot be brought into. */
async function changeEach(client: Client, colony: Id, asked: readonly Asked[], already: ComputerState | undefined, change: (row: ComputerRow) => Promise<Done<Computer>>): Promise<Answers> {
	const locked = await lockAll(client, colony, asked);
	const done = new Set<Id>();
	const answers: Answers = [];
	for (const {computerid, ifstate} of asked) {
		const row = locked.get(computerid);
		if (row === undefined) {
			answers.push(unknownComputer(computerid));
		} else if (done.has(computerid)) {
			answers.push(new Conflict(`The computer ${quoted(row.name)} stands in this list twice; it is done once.`));
		} else if (ifstate !== undefined && ifstate !== stateOfRow(row)) {
			answers.push(new Conflict(`The computer ${quoted(row.name)} has changed since it was looked at: it is ${stateOfRow(row)} now. Nothing was changed.`, {hint: 'Look at it again, and ask for it anew.'}));
		} else if (stateOfRow(row) === already) {
			answers.push(new Conflict(`The computer ${quoted(row.name)} is ${already} already.`));
		} else {
			done.add(computerid);
			answers.push(await change(row)); // eslint-disable-line no-await-in-loop
		}
	}

	return answers;
}

const setStatus = async (client: Client, {colony_id: colony, computer_id: computer}: ComputerRow, to: ComputerState): Promise<Computer> => {
	const {rows} = await client.query<ComputerRow>('update colonies.computers set status = $3 where colony_id = $1 and computer_id = $2 returning *', [bytesOf(colony), bytesOf(computer), computerStates.indexOf(to)]);
	return toComputer(rows[0]!);
};

/** Approves computers that are pending or disapproved, each for itself. A refusal is a Conflict or NotFound. */
export async function approve(client: Client, colony: Id, asked: readonly Asked[]): Promise<Answers> {
	return changeEach(client, colony, asked, 'approved', async row => ({
		result: await setStatus(client, row, 'approved'),
		changes: [{kind: 'moved', noun: 'computer', subject: row.computer_id, colony, what: 'computer.approve', from: stateOfRow(row), to: 'approved'}],
	}));
}

/** Disapproves computers, each for itself, and takes their running processes away: they wait again, no retry counted (domain.md). A refusal is a Conflict or NotFound. */
export async function disapprove(client: Client, colony: Id, asked: readonly Asked[]): Promise<Answers> {
	return changeEach(client, colony, asked, 'disapproved', async row => ({
		result: await setStatus(client, row, 'disapproved'),
		changes: [{kind: 'moved', noun: 'computer', subject: row.computer_id, colony, what: 'computer.disapprove', from: stateOfRow(row), to: 'disapproved'}, ...await requeueRunning(client, colony, row.computer_id)],
	}));
}

/** Removes computers, each for itself; their running processes wait again. A refusal is a NotFound or Conflict. */
export async function remove(client: Client, colony: Id, asked: readonly Asked[]): Promise<Answers> {
	return changeEach(client, colony, asked, undefined, async row => {
		await client.query('delete from colonies.computers where colony_id = $1 and computer_id = $2', [bytesOf(colony), bytesOf(row.computer_id)]);
		await client.query('delete from colonies.seen where colony_id = $1 and computer_id = $2', [bytesOf(colony), bytesOf(row.computer_id)]);
		const result = toComputer(row);
		return {
			result,
			changes: [{kind: 'removed', noun: 'computer', subject: row.computer_id, colony, what: 'computer.remove', from: stateOfRow(row), image: result}, ...await requeueRunning(client, colony, row.computer_id)],
		};
	});
}
