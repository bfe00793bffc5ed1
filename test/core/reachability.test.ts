import assert from 'node:assert/strict';
import {type TestContext, test} from 'node:test';
import {type Reachability, Reaching} from '../../source/core/reachability.ts';

/** A store on a clock that goes on only when it is told to, and what its watcher heard. */
function watched(t: TestContext, reachable = true, reason?: string) {
	t.mock.timers.enable({apis: ['Date'], now: 1000});
	const reaching = new Reaching(reachable, reason);
	const told: Reachability[] = [];
	const stop = reaching.watch(state => {
		told.push(state);
	});
	/** What was told since this was asked last. */
	const heard = async (): Promise<Reachability[]> => {
		await Promise.resolve();
		return told.splice(0);
	};

	const pass = (): void => {
		t.mock.timers.tick(1000);
	};

	return {reaching, heard, stop, pass};
}

test('whoever watches is told at once how it stands, and then every turn', async t => {
	const {reaching, heard, pass} = watched(t);
	assert.deepEqual(await heard(), [{reachable: true, since: 1000}]);
	pass();
	reaching.up();
	assert.deepEqual(await heard(), [], 'it answers as before');
	reaching.down({message: 'refused'});
	assert.deepEqual(await heard(), [{reachable: false, since: 2000, reason: 'refused'}]);
	pass();
	reaching.down({message: 'refused'});
	assert.deepEqual(await heard(), []);
	reaching.down({message: 'timeout'});
	assert.deepEqual(await heard(), [{reachable: false, since: 2000, reason: 'timeout'}], 'it is away since the first time, for the newest reason');
	pass();
	reaching.up();
	assert.deepEqual(await heard(), [{reachable: true, since: 4000}]);
	assert.deepEqual(reaching.state, {reachable: true, since: 4000});
});

test('a store may be away from the beginning, for a reason', async t => {
	const {reaching, heard} = watched(t, false, 'refused');
	assert.deepEqual(await heard(), [{reachable: false, since: 1000, reason: 'refused'}]);
	reaching.up();
	assert.deepEqual(await heard(), [{reachable: true, since: 1000}]);
});

test('what to do, and whether somebody answers there all the same, is told while it does not answer', async t => {
	const {reaching, heard} = watched(t);
	await heard();
	reaching.down({message: 'refused', hint: 'Start it.', barrier: 'refused'});
	reaching.down({message: 'timeout'});
	reaching.up();
	assert.deepEqual(await heard(), [{reachable: false, since: 1000, reason: 'refused', hint: 'Start it.', barrier: 'refused'}, {reachable: false, since: 1000, reason: 'timeout'}, {reachable: true, since: 1000}]);
});

test('why it takes no changes is told, and kept whether it answers or not', async t => {
	const {reaching, heard, pass} = watched(t);
	await heard();
	pass();
	reaching.takesChanges(undefined);
	assert.deepEqual(await heard(), []);
	reaching.takesChanges('standby');
	assert.deepEqual(await heard(), [{reachable: true, since: 1000, noChanges: 'standby'}]);
	reaching.takesChanges('standby');
	assert.deepEqual(await heard(), []);
	reaching.down({message: 'refused'});
	reaching.up();
	assert.deepEqual(await heard(), [{reachable: false, since: 2000, reason: 'refused', noChanges: 'standby'}, {reachable: true, since: 2000, noChanges: 'standby'}]);
	reaching.takesChanges(undefined);
	assert.deepEqual(await heard(), [{reachable: true, since: 2000}]);
	assert.ok(!('noChanges' in reaching.state));
});

test('whoever no longer watches is told nothing, not even what came just before', async t => {
	const {reaching, heard, stop} = watched(t);
	await heard();
	reaching.down({message: 'refused'});
	stop();
	reaching.up();
	assert.deepEqual(await heard(), []);
});

test('the same function may watch twice, and stops once for each', async t => {
	const {reaching} = watched(t);
	let told = 0;
	const tell = () => {
		told++;
	};

	const [first] = [reaching.watch(tell), reaching.watch(tell)];
	assert.equal(told, 2);
	first();
	reaching.down({message: 'refused'});
	await Promise.resolve();
	assert.equal(told, 3);
});
