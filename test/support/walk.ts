import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import path from 'node:path';
import {
	examples as ownExamples, temporaryFolder, writeInto, type Outcome, type Run,
} from './commands.ts';

type Json = Record<string, unknown>;

/** Something to walk through, one step after the other: node:test's `t.test`. */
type Step = (name: string, work: () => Promise<void>) => Promise<void>;

type Options = {
	step: Step;
	run: Run;
	/** `--dbhost …` and so on, which `database create` and `drop` are given; empty for the embedded database. */
	databaseFlags?: readonly string[];
	/** The folder with the examples. */
	examples?: string;
	/** Every command only as often as it takes, where each start of the program takes long; nothing is tried twice or refused. */
	brief?: boolean;
};

const unset = '0001-01-01T00:00:00Z';
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const id = /^[\da-f]{64}$/;
const rootPassword = 'secret';

const sha3 = (text: string): string => createHash('sha3-256').update(text).digest('hex');

/** The answer of a command that succeeded and said nothing but data. */
function data({code, stdout, stderr}: Outcome): string {
	assert.deepEqual({code, stderr}, {code: 0, stderr: ''}, stdout);
	return stdout;
}

/** JSON as colonies.md prints it: four spaces deep, a newline after it. */
function json<Value = Json>(text: string): Value {
	const value = JSON.parse(text) as Value;
	assert.equal(text, `${JSON.stringify(value, undefined, 4)}\n`);
	return value;
}

const only = <Item>(items: Item[]): Item => {
	assert.equal(items.length, 1);
	return items[0]!;
};

const attribute = (target: string, key: string, value: string, type: number): Json => ({
	attributeid: sha3(`${target}${key}${type}`), targetid: target, attributetype: type, key, value,
});

/** A process as the spec of colonies.md makes it; every field, in this order. */
const expectedProcess = (processid: string, colonyid: string, changed: Json): Json => ({
	processid,
	targetcolonyid: colonyid,
	targetcomputerids: [],
	assignedcomputerid: '',
	status: 0,
	isassigned: false,
	computertype: 'test_computer_type',
	submissiontime: unset,
	starttime: unset,
	endtime: unset,
	deadline: unset,
	timeout: -1,
	retries: 0,
	maxretries: 0,
	mem: 1000,
	cores: 10,
	gpus: 1,
	in: [attribute(processid, 'test_key1', 'test_value1', 0), attribute(processid, 'test_key2', 'test_value2', 0)],
	out: null,
	err: null,
	...changed,
});

/** The same, with what it has of the times itself checked to be times; also the order of the fields. */
function assertProcess(actual: Json, colonyid: string, changed: Json, times: readonly string[]): void {
	for (const name of times) {
		assert.match(String(actual[name]), time, name);
	}

	const expected = expectedProcess(String(actual.processid), colonyid, {...changed, ...Object.fromEntries(times.map(name => [name, actual[name]]))});
	assert.equal(JSON.stringify(actual), JSON.stringify(expected));
	assert.match(String(actual.processid), id);
}

/**
The whole of colonies.md, from an empty database to a dropped one, by its own command lines: every command in its order, its JSON field by field, its sentences and exit codes.
*/
export async function walk({step, run, databaseFlags = [], examples = ownExamples, brief = false}: Options): Promise<void> {
	const folder = temporaryFolder();
	const [colonySpec, computerSpec] = [path.join(examples, 'colony.json'), path.join(examples, 'computer.json')];
	let [colony, computer, first, second] = ['', '', '', ''];
	const submit = async (signer: string): Promise<Json> => {
		const spec = writeInto(folder, 'process_spec.json', JSON.stringify({
			targetcolonyid: colony, targetcomputerids: [], computertype: 'test_computer_type', timeout: -1, maxretries: 0, mem: 1000, cores: 10, gpus: 1, in: {test_key1: 'test_value1', test_key2: 'test_value2'},
		}));
		return json(data(await run(['process', 'submit', '--id', signer, '--spec', spec])));
	};

	const running = {status: 1, isassigned: true};

	await step('set up a database', async () => {
		for (let time = 0; time < (brief ? 1 : 2); time++) {
			const {code, stdout, stderr} = await run(['database', 'create', ...databaseFlags]);
			assert.deepEqual({code, stdout}, {code: 0, stdout: ''}, stderr);
			assert.match(stderr, /schema/);
		}
	});

	await step('register a colony', async () => {
		const {code, stdout, stderr} = await run(['colony', 'register', `--rootpassword=${rootPassword}`, '--spec', colonySpec]);
		assert.equal(code, 0, stderr);
		assert.match(stdout, /^[\da-f]{64}\n$/);
		assert.equal(stderr, `Saved as this database's root password.${rootPassword.length < 8 ? ' It has fewer than 8 characters and can be guessed: colonies database rootpassword changes it.' : ''}\n`);
		colony = stdout.trim();
	});

	await step('list all colonies', async () => {
		assert.equal(data(await run(['colony', 'ls', `--rootpassword=${rootPassword}`])), `[
    {
        "colonyid": "${colony}",
        "name": "mycolony"
    }
]
`);
	});

	let privateKey = '';
	await step('get the private key of a colony', async () => {
		privateKey = data(await run(['keychain', 'privatekey', '--id', colony])).trim();
		assert.match(privateKey, id);
	});

	await step('register a computer', async () => {
		computer = data(await run(['computer', 'register', '--colonyid', colony, '--spec', computerSpec])).trim();
		assert.match(computer, id);
	});

	await step('register a computer with the private key as an argument', async () => {
		const other = data(await run(['computer', 'register', '--colonyid', colony, `--colonyprvkey=${privateKey}`, '--spec', computerSpec])).trim();
		assert.match(other, id);
		assert.notEqual(other, computer);
		const {code, stdout, stderr} = await run(['computer', 'remove', '--colonyid', colony, '--computerid', other]);
		assert.deepEqual({code, stdout, stderr}, {code: 0, stdout: '', stderr: 'Removed my_computer; what it ran waits again.\n'});
	});

	await step('list the computers', async () => {
		assert.equal(data(await run(['computer', 'ls', '--colonyid', colony])), `[
    {
        "computerid": "${computer}",
        "name": "my_computer",
        "colonyid": "${colony}",
        "cpu": "AMD Ryzen 9 5950X (32) @ 3.400GHz",
        "cores": 32,
        "mem": 80326,
        "gpu": "NVIDIA GeForce RTX 2080 Ti Rev. A",
        "gpus": 1,
        "status": 0
    }
]
`);
	});

	const decide = async (verb: 'approve' | 'disapprove', sentence: string, status: number) => {
		const {code, stdout, stderr} = await run(['computer', verb, '--colonyid', colony, '--computerid', computer]);
		assert.deepEqual({code, stdout, stderr}, {code: 0, stdout: '', stderr: `${sentence}\n`});
		if (brief) {
			return;
		}

		assert.equal(json(data(await run(['computer', 'get', '--colonyid', colony, '--computerid', computer]))).status, status);
		const again = await run(['computer', verb, '--colonyid', colony, '--computerid', computer]);
		assert.deepEqual({code: again.code, stdout: again.stdout}, {code: 6, stdout: ''});
	};

	await step('approve a computer', async () => decide('approve', 'Approved my_computer.', 1));
	await step('disapprove a computer', async () => decide('disapprove', 'Disapproved my_computer; what it ran waits again.', 2));
	if (!brief) {
		await step('a disapproved computer gets nothing', async () => {
			assert.equal((await run(['process', 'assign', '--colonyid', colony, '--computerid', computer])).code, 4);
		});
	}

	await step('approve it again', async () => decide('approve', 'Approved my_computer.', 1));
	await step('get a computer', async () => {
		const found = json(data(await run(['computer', 'get', '--colonyid', colony, '--computerid', computer])));
		assert.deepEqual([found.name, found.status], ['my_computer', 1]);
	});

	await step('no waiting processes', async () => {
		assert.equal(data(await run(['process', 'psw', '--colonyid', colony, '--computerid', computer])), 'No waiting processes found\n');
	});

	await step('submit processes, signed by a computer and by the owner', async () => {
		const [one, other] = [await submit(computer), await submit(colony)];
		for (const submitted of [one, other]) {
			assertProcess(submitted, colony, {}, ['submissiontime']);
		}

		[first, second] = [String(one.processid), String(other.processid)];
		assert.ok(String(one.submissiontime) < String(other.submissiontime));
	});

	await step('list what waits for a computer, the next to run first', async () => {
		const waiting = json<Json[]>(data(await run(['process', 'psw', '--computerid', computer, '--colonyid', colony])));
		assert.deepEqual(waiting.map(({processid}) => processid), [first, second]);
		assertProcess(waiting[0]!, colony, {}, ['submissiontime']);
		if (brief) {
			return;
		}

		const all = json<Json[]>(data(await run(['process', 'psw', '--colonyid', colony])));
		assert.deepEqual(all, waiting);
		const {stdout, stderr} = await run(['process', 'psw', '--colonyid', colony, '--count', '1']);
		assert.deepEqual(json<Json[]>(stdout).map(({processid}) => processid), [first]);
		assert.equal(stderr, 'There are more: --count 1000 shows up to 1000.\n');
	});

	await step('assign a process to a computer', async () => {
		const assigned = json(data(await run(['process', 'assign', '--colonyid', colony, '--computerid', computer])));
		assert.equal(assigned.processid, first);
		assertProcess(assigned, colony, {...running, assignedcomputerid: computer}, ['submissiontime', 'starttime']);
	});

	await step('list running processes, as the owner and as a computer', async () => {
		for (const signer of brief ? [colony] : [colony, computer]) {
			const found = only(json<Json[]>(data(await run(['process', 'ps', '--colonyid', colony, '--id', signer]))));
			assertProcess(found, colony, {...running, assignedcomputerid: computer}, ['submissiontime', 'starttime']);
		}
	});

	if (!brief) {
		await step('no successful and no failed processes', async () => {
			assert.equal(data(await run(['process', 'pss', '--colonyid', colony, '--id', colony])), 'No successful processes found\n');
			assert.equal(data(await run(['process', 'psf', '--colonyid', colony, '--id', colony])), 'No failed processes found\n');
			assert.equal(data(await run(['process', 'pss', '--colonyid', colony, '--output', 'json'])), '[]\n');
			assert.equal(data(await run(['process', 'psf', '--colonyid', colony, '--output=json'])), '[]\n');
		});
	}

	await step('get a process', async () => {
		const found = json(data(await run(['process', 'get', '--processid', first, '--colonyid', colony, '--id', colony])));
		assertProcess(found, colony, {...running, assignedcomputerid: computer}, ['submissiontime', 'starttime']);
	});

	const added = (): Json => attribute(first, 'test_xcdd', 'sdsdsdd', 1);

	await step('add an attribute', async () => {
		const answer = json(data(await run(['attribute', 'add', '--key', 'test_xcdd', '--value', 'sdsdsdd', '--colonyid', colony, '--computerid', computer, '--processid', first])));
		assert.equal(JSON.stringify(answer), JSON.stringify(added()));
	});

	await step('get an attribute', async () => {
		const answer = json(data(await run(['attribute', 'get', '--attributeid', String(added().attributeid), '--colonyid', colony, '--processid', first, '--id', computer])));
		assert.equal(JSON.stringify(answer), JSON.stringify(added()));
	});

	await step('mark a process as successful', async () => {
		assert.equal(data(await run(['process', 'successful', '--colonyid', colony, '--processid', first, '--computerid', computer])), 'Process marked as successful\n');
		const found = only(json<Json[]>(data(await run(['process', 'pss', '--colonyid', colony, '--id', computer]))));
		assertProcess(found, colony, {
			status: 2, isassigned: true, assignedcomputerid: computer, out: [added()],
		}, ['submissiontime', 'starttime', 'endtime']);
		if (brief) {
			return;
		}

		const again = await run(['process', 'successful', '--colonyid', colony, '--processid', first, '--computerid', computer]);
		assert.deepEqual({code: again.code, stdout: again.stdout}, {code: 6, stdout: ''});
	});

	await step('mark a process as failed', async () => {
		assert.equal(json(data(await run(['process', 'assign', '--colonyid', colony, '--computerid', computer]))).processid, second);
		assert.equal(data(await run(['process', 'failed', '--colonyid', colony, '--processid', second, '--computerid', computer])), 'Process marked as failed\n');
		const found = only(json<Json[]>(data(await run(['process', 'psf', '--colonyid', colony, '--id', colony]))));
		assertProcess(found, colony, {status: 3, isassigned: true, assignedcomputerid: computer}, ['submissiontime', 'starttime', 'endtime']);
	});

	await step('nothing to assign has an exit code of its own', async () => {
		const {code, stdout, stderr} = await run(['process', 'assign', '--colonyid', colony, '--computerid', computer]);
		assert.deepEqual({code, stdout}, {code: 7, stdout: ''});
		assert.match(stderr, /^colonies: No process was assigned\.\n/);
		if (brief) {
			return;
		}

		assert.equal(data(await run(['process', 'psw', '--colonyid', colony])), 'No waiting processes found\n');
		assert.equal(data(await run(['process', 'ps', '--colonyid', colony])), 'No running processes found\n');
	});

	await step('drop the database, only after YES', async () => {
		for (const answer of brief ? ['yes\n'] : ['', 'yes\n', 'NO\n']) {
			const {code, stdout} = await run(['database', 'drop', ...databaseFlags], answer);
			assert.deepEqual({code, stdout}, {code: 13, stdout: ''});
		}

		assert.equal(json<Json[]>(data(await run(['colony', 'ls', '--rootpassword', rootPassword]))).length, 1);
		const {code, stdout, stderr} = await run(['database', 'drop', ...databaseFlags], 'YES\n');
		assert.deepEqual({code, stdout}, {code: 0, stdout: ''}, stderr);
		assert.match(stderr, /Dropped/);
	});

	if (!brief) {
		await step('and begin anew', async () => {
			assert.equal((await run(['database', 'create', ...databaseFlags, '--rootpassword', 'another'])).code, 0);
			assert.equal(data(await run(['colony', 'ls', '--rootpassword', 'another'])), '[]\n');
			assert.equal((await run(['database', 'drop', ...databaseFlags, '--yes'])).code, 0);
		});
	}
}
