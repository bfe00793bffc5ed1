import {ColoniesError, type ErrorCode} from '../../core/errors.ts';
import type {Computer, ComputerState, Id} from '../../core/types.ts';
import type {Caller, Context} from '../../operations/index.ts';

export type Identity = Extract<Caller, {identity: unknown}>['identity'];

type Label = {kind: 'colony' | 'computer'; name: string; colonyid: Id};

/** What the demo needs of a keychain. */
export type Keys = {
	/** A new key pair, kept before this returns. */
	create(): Promise<{identity: Identity}>;
	identity(id: Id): Promise<Identity>;
	list(): Promise<ReadonlyArray<{id: Id; label?: Label}>>;
	describe(id: Id, label: Label): Promise<void>;
};

type Spec = Required<Omit<Computer, 'computerid' | 'colonyid' | 'status'>>;

/** A computer as the demo first makes it. `room`: how many processes it runs at once. */
export type Planned = {spec: Spec; state: ComputerState; room: number};

const planned = (name: string, state: ComputerState, room: number, spec: Omit<Spec, 'name'>): Planned => ({spec: {name, ...spec}, state, room});

/** The computers of the demo. What the pending ones alone can run waits for the operator to approve them. */
export const fleetPlan: readonly Planned[] = [
	planned('edge-1', 'approved', 1, {
		computertype: '', cpu: 'ARM Cortex-A76 (4) @ 2.400GHz', cores: 4, mem: 8059, gpu: '', gpus: 0,
	}),
	planned('edge-2', 'approved', 2, {
		computertype: '', cpu: 'ARM Cortex-A78AE (8) @ 2.000GHz', cores: 8, mem: 15_823, gpu: '', gpus: 0,
	}),
	planned('lab-1', 'approved', 3, {
		computertype: 'cpu_batch', cpu: 'AMD Ryzen 9 5950X (32) @ 3.400GHz', cores: 32, mem: 80_326, gpu: 'NVIDIA GeForce RTX 2080 Ti Rev. A', gpus: 1,
	}),
	planned('lab-2', 'disapproved', 2, {
		computertype: 'cpu_batch', cpu: 'Intel Xeon E5-2680 v4 (28) @ 2.400GHz', cores: 28, mem: 128_804, gpu: '', gpus: 0,
	}),
	planned('lab-3', 'pending', 3, {
		computertype: 'cpu_batch', cpu: 'Intel Xeon Platinum 8490H (120) @ 1.900GHz', cores: 120, mem: 4_127_930, gpu: '', gpus: 0,
	}),
	planned('gpu-a', 'approved', 3, {
		computertype: 'gpu_train', cpu: 'AMD EPYC 7543 (64) @ 2.800GHz', cores: 64, mem: 515_714, gpu: 'NVIDIA A100 SXM4 40GB', gpus: 4,
	}),
	planned('gpu-b', 'approved', 4, {
		computertype: 'gpu_infer', cpu: 'Intel Xeon Gold 6338 (64) @ 2.000GHz', cores: 64, mem: 257_440, gpu: 'NVIDIA L4', gpus: 2,
	}),
	planned('gpu-c', 'pending', 3, {
		computertype: 'gpu_train', cpu: 'AMD EPYC 9554 (128) @ 3.100GHz', cores: 128, mem: 1_031_512, gpu: 'NVIDIA H100 SXM5 80GB', gpus: 8,
	}),
];

/** A computer that can sign, and how many processes it runs at once. */
export type Member = {identity: Identity; name: string; room: number};
export type Fleet = {colonyid: Id; owner: Identity; members: readonly Member[]};

/** Whether an error has one of these codes. */
export const isCode = (error: unknown, ...codes: ErrorCode[]): boolean => error instanceof ColoniesError && codes.includes(error.code);

type Making = {context: Context; root: string; keys: Keys};

/** What was asked for, or undefined when there is no such thing, or nothing that the caller may see. */
async function found<Result>(asked: Promise<Result>): Promise<Result | undefined> {
	try {
		return await asked;
	} catch (error) {
		if (isCode(error, 'not-found', 'not-allowed')) {
			return undefined;
		}

		throw error;
	}
}

/** The owner of the demo's colony: the one that this store knows, else one whose registration was cut off, else a new one. */
async function ensureColony({context, root, keys}: Making, name: string): Promise<Identity> {
	const labelled = (await keys.list()).filter(({label}) => label?.kind === 'colony' && label.name === name);
	const owners = await Promise.all(labelled.map(async ({id}) => keys.identity(id)));
	for (const identity of owners) {
		if (await found(context.run({identity}, 'colony.get', {colonyid: identity.id}))) { // eslint-disable-line no-await-in-loop
			return identity;
		}
	}

	// The label stands before the colony does, so that an interrupted start finds its key again.
	const identity = owners[0] ?? await createLabelled(keys, id => ({kind: 'colony', name, colonyid: id}));
	await context.run({root}, 'colony.register', {colonyid: identity.id, spec: {name}});
	return identity;
}

async function createLabelled(keys: Keys, labelOf: (id: Id) => Label): Promise<Identity> {
	const {identity} = await keys.create();
	await keys.describe(identity.id, labelOf(identity.id));
	return identity;
}

/** Registers a computer that lacks, and brings one that is pending still to the state of its plan: the operator's own decisions stay. */
async function ensureComputer(context: Context, owner: Identity, computerid: Id, {spec, state}: Planned): Promise<void> {
	const of = {colonyid: owner.id, computerid};
	const caller = {identity: owner};
	const {status} = await found(context.run(caller, 'computer.get', of)) ?? await context.run(caller, 'computer.register', {...of, spec});
	if (status === 0 && state !== 'pending') {
		await context.run(caller, state === 'approved' ? 'computer.approve' : 'computer.disapprove', of);
	}
}

/**
The demo's colony and computers: those that the keychain and the store know from an earlier start, and whatever lacks made anew.
@throws ColoniesError; it may be called again, and goes on where it stopped
*/
export async function assembleFleet(making: Making): Promise<Fleet> {
	const {context, keys} = making;
	const owner = await ensureColony(making, 'demo');
	const labelled = await keys.list();
	const members: Member[] = [];
	for (const computer of fleetPlan) {
		const {spec: {name}, room} = computer;
		const kept = labelled.find(({label}) => label?.kind === 'computer' && label.colonyid === owner.id && label.name === name);
		/* eslint-disable no-await-in-loop -- one after the other, so that what an interruption leaves is a beginning */
		const identity = kept ? await keys.identity(kept.id) : await createLabelled(keys, () => ({kind: 'computer', name, colonyid: owner.id}));
		await ensureComputer(context, owner, identity.id, computer);
		/* eslint-enable no-await-in-loop */
		members.push({identity, name, room});
	}

	return {colonyid: owner.id, owner, members};
}
