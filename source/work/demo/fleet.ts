import {type ErrorCode, ColoniesError} from '../../core/errors.ts';
import type {Computer, ComputerState, Id} from '../../core/types.ts';
import type {Caller, Context} from '../../operations/index.ts';

type Identity = Extract<Caller, {identity: unknown}>['identity'];
type Label = {kind: 'colony' | 'computer'; name: string; colonyid: Id; computerid?: Id; replacedby?: Id};

/** What the demo needs of a keychain. */
export type Keys = {
	create(): Promise<{identity: Identity}>;
	identity(id: Id): Promise<Identity>;
	list(): Promise<ReadonlyArray<{id: Id; label?: Label}>>;
	describe(id: Id, label: Label): Promise<void>;
};

/** A computer as the demo first makes it. `room`: how many processes it runs at once. */
type Planned = {state: ComputerState; room: number; spec: Required<Omit<Computer, 'computerid' | 'colonyid' | 'status' | 'keyid' | 'lastseen'>>};

/** The computers of the demo. What only the pending ones may run waits for the operator to approve them. */
export const fleetPlan: readonly Planned[] = [
	{state: 'approved', room: 1, spec: {name: 'edge-1', computertype: '', cpu: 'ARM Cortex-A76 (4) @ 2.400GHz', cores: 4, mem: 8059, gpu: '', gpus: 0}},
	{state: 'approved', room: 2, spec: {name: 'edge-2', computertype: '', cpu: 'ARM Cortex-A78AE (8) @ 2.000GHz', cores: 8, mem: 15_823, gpu: '', gpus: 0}},
	{state: 'approved', room: 3, spec: {name: 'lab-1', computertype: 'cpu_batch', cpu: 'AMD Ryzen 9 5950X (32) @ 3.400GHz', cores: 32, mem: 80_326, gpu: 'NVIDIA GeForce RTX 2080 Ti Rev. A', gpus: 1}},
	{state: 'disapproved', room: 2, spec: {name: 'lab-2', computertype: 'cpu_batch', cpu: 'Intel Xeon E5-2680 v4 (28) @ 2.400GHz', cores: 28, mem: 128_804, gpu: '', gpus: 0}},
	{state: 'pending', room: 3, spec: {name: 'lab-3', computertype: 'cpu_batch', cpu: 'Intel Xeon Platinum 8490H (120) @ 1.900GHz', cores: 120, mem: 4_127_930, gpu: '', gpus: 0}},
	{state: 'approved', room: 3, spec: {name: 'gpu-a', computertype: 'gpu_train', cpu: 'AMD EPYC 7543 (64) @ 2.800GHz', cores: 64, mem: 515_714, gpu: 'NVIDIA A100 SXM4 40GB', gpus: 4}},
	{state: 'approved', room: 4, spec: {name: 'gpu-b', computertype: 'gpu_infer', cpu: 'Intel Xeon Gold 6338 (64) @ 2.000GHz', cores: 64, mem: 257_440, gpu: 'NVIDIA L4', gpus: 2}},
	{state: 'pending', room: 3, spec: {name: 'gpu-c', computertype: 'gpu_train', cpu: 'AMD EPYC 9554 (128) @ 3.100GHz', cores: 128, mem: 1_031_512, gpu: 'NVIDIA H100 SXM5 80GB', gpus: 8}},
];

/** A computer that can sign, and how many processes it runs at once. */
export type Member = {identity: Identity; computerid: Id; name: string; room: number};
export type Fleet = {colonyid: Id; owner: Identity; members: readonly Member[]};

/** Waits for something that may be refused. @returns the code of the refusal, undefined when it was done @throws whatever has another code than these */
export async function refusal(done: Promise<unknown>, ...codes: ErrorCode[]): Promise<ErrorCode | undefined> {
	try {
		await done;
		return undefined;
	} catch (error) {
		if (error instanceof ColoniesError && codes.includes(error.code)) {
			return error.code;
		}

		throw error;
	}
}

/**
The demo's colony and computers: those that the keychain knows from an earlier start, and whatever lacks made anew. A computer that is pending still comes to the state of its plan; what the operator decided stays.
@throws ColoniesError; calling it again goes on where it stopped
*/
export async function assembleFleet({context, root, keys}: {context: Context; root: string; keys: Keys}): Promise<Fleet> {
	const kept = await keys.list();
	const computer = (colonyid: Id, name: string) => {
		const its = kept.filter(({label}) => label?.kind === 'computer' && label.colonyid === colonyid && label.name === name);
		return its.find(({label}) => label!.replacedby === undefined) ?? its[0];
	};

	const identify = async (known: {id: Id} | undefined, labelOf: (id: Id) => Label): Promise<Identity> => {
		const identity = known ? await keys.identity(known.id) : (await keys.create()).identity;
		if (!known) {
			// Before the thing itself is made, so that an interrupted start finds its key again.
			await keys.describe(identity.id, labelOf(identity.id));
		}

		return identity;
	};

	// The operator may have named another colony the same: ours has our computers.
	const colonies = kept.filter(({label}) => label?.kind === 'colony' && label.name === 'demo');
	const owner = await identify(colonies.find(({id}) => computer(id, fleetPlan[0]!.spec.name)) ?? colonies[0], colonyid => ({kind: 'colony', name: 'demo', colonyid}));
	const colonyid = owner.id;
	if (await refusal(context.run({identity: owner}, 'colony.get', {colonyid}), 'not-allowed', 'not-found')) {
		await context.run({root}, 'colony.register', {colonyid, spec: {name: 'demo'}});
	}

	const members: Member[] = [];
	/* eslint-disable no-await-in-loop -- one after the other, so that what an interruption leaves is a beginning */
	for (const {spec, state, room} of fleetPlan) {
		const {name} = spec;
		const known = computer(colonyid, name);
		const identity = await identify(known, () => ({kind: 'computer', name, colonyid}));
		const computerid = known?.label?.computerid ?? identity.id;
		const of = {colonyid, computerid};
		await refusal(context.run({identity: owner}, 'computer.register', {...of, spec}), 'conflict');
		const {status} = await context.run({identity: owner}, 'computer.get', of);
		if (status === 0 && state !== 'pending') {
			await context.run({identity: owner}, state === 'approved' ? 'computer.approve' : 'computer.disapprove', of);
		}

		members.push({identity, computerid, name, room});
	}
	/* eslint-enable no-await-in-loop */

	return {colonyid, owner, members};
}
