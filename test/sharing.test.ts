import assert from 'node:assert/strict';
import {existsSync, statSync} from 'node:fs';
import path from 'node:path';
import {after, test} from 'node:test';
import {createContexts} from '../source/contexts/index.ts';
import {socketOf} from '../source/contexts/socket.ts';
import type {Process} from '../source/core/types.ts';
import {createIdentity} from '../source/identity/index.ts';
import type {Caller, Context} from '../source/operations/index.ts';
import {refused} from './support/colony.ts';
import {freshHome, type Home} from './support/commands.ts';
import {type Holder, startSharer} from './support/processes.ts';

const root: Caller = {root: 'secret'};

const open: Context[] = [];
after(async () => Promise.all(open.map(async context => context.close())));

/** Another way to the embedded database of a home, as another process of the same user has it. */
async function share(home: Home): Promise<Context> {
	const context = await createContexts({env: {}, folders: home.folders, settings: home.settings, version: 'test'}).open({}, {attended: true});
	open.push(context);
	return context;
}

async function makeColony(context: Context): Promise<{colonyid: string; owner: Caller; key: string; submit(by: Context): Promise<Process>}> {
	const {identity, privateKey} = createIdentity();
	await context.run(root, 'colony.register', {colonyid: identity.id, spec: {name: 'shared'}});
	return {
		colonyid: identity.id, owner: {identity}, key: privateKey,
		submit: async by => by.run({identity}, 'process.submit', {spec: {targetcolonyid: identity.id}}),
	};
}

test('a second one is a guest of the first, hears what it changes, and takes over when it leaves', async () => {
	const home = freshHome();
	const [first, second] = [await share(home), await share(home)];
	const notices: string[] = [];
	const {colonyid, owner, submit} = await makeColony(second);
	await second.run(root, 'colony.list', {}, {notice: sentence => notices.push(sentence)});
	assert.deepEqual(notices, []);
	const heard = new Promise<void>(resolve => {
		second.watch(topics => {
			if (topics.has('processes')) {
				resolve();
			}
		}, {caller: owner, colonyid});
	});
	const one = await submit(first);
	await heard;
	assert.deepEqual(await second.run(owner, 'process.get', {colonyid, processid: one.processid}), one);
	assert.deepEqual(await second.where(), {...await first.where()});
	assert.equal((await first.where()).place, `embedded in ${path.join(home.folders.data, 'embedded')}`);

	await first.close();
	const two = await submit(second);
	const {rows} = await second.run(owner, 'process.list', {colonyid});
	assert.deepEqual(rows.map(({processid}) => processid), [two.processid, one.processid]);
	const third = await share(home);
	assert.equal((await third.run(owner, 'process.get', {colonyid, processid: two.processid})).processid, two.processid);
});

test('the socket is for this user alone', async () => {
	const home = freshHome();
	await share(home);
	const socket = socketOf(path.join(home.folders.data, 'embedded'), home.folders.run);
	assert.ok(existsSync(socket));
	assert.equal(statSync(socket).mode & 0o777, 0o600); // eslint-disable-line no-bitwise
	assert.equal(statSync(path.dirname(socket)).mode & 0o777, 0o700); // eslint-disable-line no-bitwise
});

test('a guest is nobody without its key, and refused in the very words of the host', async () => {
	const home = freshHome();
	const [first, second] = [await share(home), await share(home)];
	const {colonyid} = await makeColony(first);
	const stranger: Caller = {identity: createIdentity().identity};
	const messages = await Promise.all([first, second].map(async context => (await refused(context.run(stranger, 'process.list', {colonyid}), 'not-allowed')).message));
	assert.equal(messages[0], messages[1]);
	await refused(second.run({root: 'wrong'}, 'colony.list', {}), 'unauthenticated', /password is wrong/);
	await refused(second.run(stranger, 'process.get', {colonyid, processid: 'short'}), 'invalid-input', /processid must be 64 hex digits/);
});

test('what waits for work hears of it across host and guest', async () => {
	const home = freshHome();
	const [first, second] = [await share(home), await share(home)];
	const {colonyid, owner, submit} = await makeColony(first);
	const computer = createIdentity().identity;
	await first.run(owner, 'computer.register', {colonyid, computerid: computer.id, spec: {name: 'lab'}});
	await first.run(owner, 'computer.approve', {colonyid, computerid: computer.id});
	const waiting = second.run({identity: computer}, 'process.assign', {colonyid, wait: 60});
	const submitted = await submit(first);
	assert.equal((await waiting).processid, submitted.processid);
});

test('of five processes that start at once one hosts; killed again and again, another takes its place within two seconds and nothing acknowledged is lost', async t => {
	const home = freshHome();
	const top = home.folders.config;
	const processes: Holder[] = Array.from({length: 5}, () => startSharer(top));
	t.after(async () => Promise.all(processes.map(async holder => holder.kill())));
	assert.deepEqual(await Promise.all(processes.map(async holder => holder.ask('open'))), processes.map(() => ({done: 'open'})));
	const {identity, privateKey} = createIdentity();
	const ask = async (holder: Holder, as: unknown, operation: string, input: unknown) => holder.ask(`run ${JSON.stringify({as, operation, input})}`);
	const own = async (holder: Holder, operation: string, input: Record<string, unknown>) => ask(holder, {key: privateKey}, operation, {colonyid: identity.id, ...input});
	assert.equal((await ask(processes[0]!, root, 'colony.register', {colonyid: identity.id, spec: {name: 'shared'}})).code, undefined);

	const submitted: string[] = [];
	while (processes.length > 1) {
		for (const holder of processes) {
			const {done} = await ask(holder, {key: privateKey}, 'process.submit', {spec: {targetcolonyid: identity.id}});
			submitted.push((done as Process).processid);
		}

		const {pid} = await import('../source/database/embedded/index.ts').then(async ({readHolder}) => (await readHolder(path.join(home.folders.data, 'embedded')))!);
		const host = processes.findIndex(holder => holder.pid === pid);
		assert.notEqual(host, -1);
		await processes.splice(host, 1)[0]!.kill();
		const began = performance.now();
		const {done, message} = await own(processes[0]!, 'process.list', {count: 1000, attributes: false});
		assert.ok(done, message);
		t.diagnostic(`taken over after ${Math.round(performance.now() - began)} ms`);
		const {rows} = done as {rows: Process[]};
		assert.deepEqual(new Set(rows.map(({processid}) => processid)), new Set(submitted));
	}
});

test('no guest is left in doubt when its host ends in order, however much it asks at that moment', {timeout: 120_000}, async () => {
	const home = freshHome();
	const [first, ...guests] = [await share(home), await share(home), await share(home)];
	await makeColony(first);
	const registered: string[] = [];
	let begun: () => void = () => undefined;
	const isUnderWay = new Promise<void>(resolve => {
		begun = resolve;
	});
	// None of these requests may come twice, and none fails.
	const asking = guests.map(async guest => {
		for (let index = 0; index < 15; index++) {
			const {id} = createIdentity().identity;
			await guest.run(root, 'colony.register', {colonyid: id, spec: {name: 'in turn'}});
			registered.push(id);
			begun();
		}
	});
	await isUnderWay;
	await first.close();
	await Promise.all(asking);
	const {rows} = await guests[0].run(root, 'colony.list', {count: 1000});
	assert.deepEqual(rows.filter(({name}) => name === 'in turn').map(({colonyid}) => colonyid).sort(), registered.sort());
});
