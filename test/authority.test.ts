import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {ColoniesError, ErrorCode} from '../source/core/errors.ts';
import {createIdentity, type Identity} from '../source/identity/index.ts';
import {type Caller, type OperationName, operations} from '../source/operations/index.ts';
import {
	contents, openAny, openColony, refused, refusedUnchanged, root, rootPassword, type Colony,
} from './support/colony.ts';

const ours = ['root', 'owner', 'approved', 'pending', 'disapproved'] as const;
const foreign = ['stranger', 'other owner', 'other computer'] as const;
const callers = [...ours, ...foreign] as const;
type CallerName = (typeof callers)[number];

/** What one call is about. Each call gets things of its own, so that none depends on an earlier one. */
type Subject = {colony: Colony; other: Colony; caller: Identity; approved: Identity; colleague: Identity};
type Case = {
	allowed: CallerName[];
	input: (subject: Subject) => Promise<Record<string, unknown>> | Record<string, unknown>;
	/** What the role is told whom the rule lets through, though not to this process. */
	refusal?: Partial<Record<CallerName, ErrorCode>>;
};

const members: CallerName[] = ['owner', 'approved'];
const computerSpec = {name: 'new'};

const aComputer = async ({colony}: Subject, state: 'pending' | 'approved' | 'disapproved' = 'approved') => ({computerid: (await colony.computer({state})).id});
const waiting = async ({colony, approved}: Subject) => ({processid: (await colony.submit({targetcomputerids: [approved.id]})).processid});
const running = async ({colony}: Subject, computer: Identity) => ({processid: (await colony.running(computer)).processid});

async function closed(subject: Subject) {
	const process = await running(subject, subject.approved);
	await subject.colony.close(subject.approved, process);
	return process;
}

async function withAttribute(subject: Subject) {
	const process = await subject.colony.submit({in: {key: 'value'}});
	return {processid: process.processid, attributeid: process.in![0]!.attributeid};
}

const onlyRoot = (input: Case['input']): Record<string, Case> => ({'': {allowed: ['root'], input}});
const onlyOwner = (input: Case['input']): Record<string, Case> => ({'': {allowed: ['owner'], input}});
const onlyMembers = (input: Case['input'] = () => ({})): Record<string, Case> => ({'': {allowed: members, input}});

const ofRunning = (more: Record<string, unknown> = {}): Record<string, Case> => ({
	'that runs on itself': {allowed: ['approved'], input: async subject => ({...more, ...await running(subject, subject.approved)})},
	'that runs on itself, named': {allowed: ['approved'], input: async subject => ({...more, ...await running(subject, subject.approved), computerid: subject.caller.id})},
	'that runs on another computer': {allowed: [], refusal: {approved: 'conflict'}, input: async subject => ({...more, ...await running(subject, subject.colleague)})},
	'in the name of another computer': {allowed: [], input: async subject => ({...more, ...await running(subject, subject.colleague), computerid: subject.colleague.id})},
});

const ofOwnerOrRoot = (input: Case['input']): Record<string, Case> => ({'': {allowed: ['root', 'owner'], input}});

async function firstEntry({colony}: Subject): Promise<string> {
	const {rows} = await colony.own('audit.list');
	return rows[0]!.id;
}

/** The table "Who may do what" of domain.md. */
const table: Record<OperationName, Record<string, Case>> = {
	'colony.register': onlyRoot(() => ({colonyid: createIdentity().identity.id, spec: {name: 'another'}})),
	'colony.list': onlyRoot(() => ({})),
	'colony.get': {'': {allowed: ['root', ...members], input: () => ({})}},
	'colony.rename': onlyRoot(async ({colony}) => ({colonyid: (await openColony(database, colony.broker)).id, name: 'renamed'})),
	'colony.remove': onlyRoot(async ({colony}) => ({colonyid: (await openColony(database, colony.broker)).id})),
	// Of one cell none can be moved; with several, test/cells.test.ts shows it.
	'colony.move': {'': {allowed: [], refusal: {root: 'invalid-input'}, input: () => ({cell: 'another'})}},
	'cell.list': onlyRoot(() => ({})),
	'computer.register': onlyOwner(() => ({computerid: createIdentity().identity.id, spec: computerSpec})),
	'computer.list': {'': {allowed: [...members, 'pending', 'disapproved'], input: () => ({})}},
	'computer.count': onlyMembers(),
	'computer.get': {
		'about itself': {allowed: [...members, 'pending', 'disapproved'], input: ({caller, colony, approved}) => ({computerid: caller === colony.owner ? approved.id : caller.id})},
		'about another': onlyMembers(({colleague}) => ({computerid: colleague.id}))['']!,
	},
	'computer.forecast': onlyMembers(async subject => ({...await aComputer(subject), change: 'remove'})),
	'computer.forecastmany': onlyMembers(async subject => {
		const {computerid, ...colony} = await aComputer(subject);
		return {...colony, computerids: [computerid], change: 'remove'};
	}),
	'computer.approve': onlyOwner(async subject => aComputer(subject, 'pending')),
	'computer.disapprove': onlyOwner(async subject => aComputer(subject)),
	'computer.rename': onlyOwner(async subject => ({...await aComputer(subject), name: 'renamed'})),
	'computer.rekey': onlyOwner(async subject => ({...await aComputer(subject), keyid: createIdentity().identity.id})),
	'computer.remove': onlyOwner(async subject => aComputer(subject)),
	'process.submit': onlyMembers(({colony}) => ({spec: {targetcolonyid: colony.id}})),
	'process.list': onlyMembers(),
	'process.count': onlyMembers(),
	'process.get': onlyMembers(waiting),
	'process.explain': onlyMembers(waiting),
	'process.reasons': onlyMembers(async subject => ({processids: [(await waiting(subject)).processid]})),
	'process.version': onlyMembers(waiting),
	'process.history': onlyMembers(waiting),
	'process.compare': onlyMembers(async subject => ({...await waiting(subject), with: (await waiting(subject)).processid})),
	'process.assign': {
		'for itself': {allowed: ['approved'], async input(subject) {
			await waiting(subject);
			return {};
		}},
		'for itself, named': {allowed: ['approved'], async input(subject) {
			await waiting(subject);
			return {computerid: subject.caller.id};
		}},
		'for another computer': {allowed: [], input: ({colleague}) => ({computerid: colleague.id})},
	},
	'process.successful': ofRunning(),
	'process.failed': ofRunning(),
	'process.retry': onlyOwner(closed),
	'process.cancel': onlyOwner(waiting),
	'process.remove': onlyOwner(waiting),
	'process.kept': {'': {allowed: ['root', ...members], input: () => ({})}},
	'process.retention': {'of the colony': {allowed: ['owner'], input: () => ({successful: '30d'})}, 'of the installation': {allowed: ['root'], input: () => ({colonyid: undefined, successful: 'off'})}},
	'attribute.add': ofRunning({key: 'key', value: 'value'}),
	'attribute.get': onlyMembers(withAttribute),
	'attribute.list': onlyMembers(withAttribute),
	'pulse.get': onlyMembers(),
	'filter.suggest': onlyMembers(() => ({list: 'processes', field: 'type'})),
	'attention.list': onlyMembers(),
	'event.list': {'': {allowed: ['root', ...members], input: () => ({})}},
	'audit.list': ofOwnerOrRoot(() => ({})),
	'audit.get': ofOwnerOrRoot(async subject => ({entry: await firstEntry(subject)})),
	'audit.head': ofOwnerOrRoot(async ({colony}) => {
		await colony.broker.seal();
		return {};
	}),
	'audit.verify': ofOwnerOrRoot(() => ({})),
	'audit.present': ofOwnerOrRoot(() => ({})),
	'history.get': ofOwnerOrRoot(() => ({})),
	'history.retention': onlyRoot(() => ({days: 0})),
	'token.create': onlyRoot(() => ({name: createIdentity().identity.id.slice(0, 60)})),
	'token.list': onlyRoot(() => ({})),
	'token.revoke': onlyRoot(async ({colony}) => {
		const {name} = await colony.broker.run(root, 'token.create', {name: createIdentity().identity.id.slice(0, 60)});
		return {name};
	}),
	'database.status': {'': {allowed: ['root', ...members], input: () => ({})}},
	'database.rootpassword': onlyRoot(() => ({newrootpassword: rootPassword})),
};

const colony = await openColony(await openAny());
const {database} = colony;
const other = await openColony(database, colony.broker);
const colleague = await colony.computer();
const identities: Record<Exclude<CallerName, 'root'>, Identity> = {
	owner: colony.owner,
	approved: await colony.computer(),
	pending: await colony.computer({state: 'pending'}),
	disapproved: await colony.computer({state: 'disapproved'}),
	stranger: createIdentity().identity,
	'other owner': other.owner,
	'other computer': await other.computer(),
};
const callerOf = (name: CallerName): Caller => name === 'root' ? root : {identity: identities[name]};

/** What an operation takes of an input: unknown fields are refused before anybody is asked who they are. */
const taken = (name: OperationName, given: Record<string, unknown>): Record<string, unknown> => Object.fromEntries(Object.entries(given).filter(([field]) => Object.hasOwn(operations[name].input, field)));

test('every operation has a row', () => {
	assert.deepEqual(Object.keys(table).sort(), Object.keys(operations).sort());
});

for (const [operation, cases] of Object.entries(table) as Array<[OperationName, Record<string, Case>]>) {
	for (const [about, {allowed, input, refusal = {}}] of Object.entries(cases)) {
		test(`${operation} ${about}`.trim(), async () => {
			for (const name of callers) {
				const caller = name === 'root' ? identities.approved : identities[name];
				const given = taken(operation, {colonyid: colony.id, ...await input({colony, other, caller, approved: identities.approved, colleague})});
				const run = async () => colony.broker.run(callerOf(name), operation, given);
				await (allowed.includes(name) ? run() : refusedUnchanged(database, run, refusal[name] ?? 'not-allowed'));
			}
		});
	}
}

test('a wrong root password opens nothing', async () => {
	for (const [operation, cases] of Object.entries(table) as Array<[OperationName, Record<string, Case>]>) {
		for (const {allowed, input} of Object.values(cases).filter(({allowed}) => allowed.includes('root'))) {
			assert.ok(allowed.length > 0);
			const given = taken(operation, {colonyid: colony.id, ...await input({colony, other, caller: colleague, approved: identities.approved, colleague})});
			await refusedUnchanged(database, async () => colony.broker.run({root: `${rootPassword} `}, operation, given), 'unauthenticated', /password is wrong/);
		}
	}
});

test('an id without its key is nobody', async () => {
	for (const forged of [{id: colony.id, sign: () => ''}, structuredClone(colony.owner), Object.create(colony.owner) as Identity]) {
		await refusedUnchanged(database, async () => colony.broker.run({identity: forged as Identity}, 'process.submit', {spec: {targetcolonyid: colony.id}}), 'unauthenticated');
	}
});

test('a computer that may not receive processes sees its own record and no other', async () => {
	for (const name of ['pending', 'disapproved'] as const) {
		const list = async (more = {}) => colony.as(identities[name], 'computer.list', {colonyid: colony.id, ...more});
		const everything = await list();
		assert.deepEqual(everything.rows.map(({computerid}) => computerid), [identities[name].id]);
		assert.deepEqual(everything.more, {before: false, after: false});
		const others = await list({state: 'approved'});
		assert.deepEqual(others.rows, []);
	}
});

test('whoever loses a role loses its rights at once', async () => {
	const computer = await colony.computer();
	const process = await colony.running(computer);
	await colony.own('computer.disapprove', {computerid: computer.id});
	for (const work of [async () => colony.close(computer, process), async () => colony.assign(computer), async () => colony.submit({}, computer)]) {
		await refusedUnchanged(database, work, 'not-allowed', /disapproved|is neither/);
	}

	await colony.own('computer.remove', {computerid: computer.id});
	await refusedUnchanged(database, async () => colony.as(computer, 'computer.get', {colonyid: colony.id, computerid: computer.id}), 'not-allowed', /neither the owner nor a computer/);
	const temporary = await openColony(database, colony.broker);
	await colony.broker.run(root, 'colony.remove', {colonyid: temporary.id});
	await refused(temporary.submit(), 'not-allowed');
});
