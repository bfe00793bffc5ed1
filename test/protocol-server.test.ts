// The client that was written from docs/protocol.md alone, at a real server over TLS.
import assert from 'node:assert/strict';
import {execFile, spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {createIdentity} from '../source/identity/index.ts';
import {openAny, openColony} from './support/colony.ts';
import {serve, testCertificate} from './support/server.ts';

const client = fileURLToPath(new URL('fixtures/independent_client.py', import.meta.url));
const skip = spawnSync('python3', ['--version']).status === 0 ? false : 'THERE IS NO python3: the server was not tested with a client that is not ours.';

test('a client written from the page alone submits, waits, assigns, reports and closes at a real server', {skip}, async () => {
	const folder = mkdtempSync(path.join(tmpdir(), 'colonies-protocol-'));
	after(() => {
		rmSync(folder, {recursive: true});
	});
	const authority = path.join(folder, 'ca.pem');
	writeFileSync(authority, (await testCertificate()).cert);
	const database = await openAny();
	const colony = await openColony(database);
	const served = await serve(database, {secure: true});
	const [ownerKey] = colony.privateKeys as [string];
	const {identity: computer, privateKey} = createIdentity();

	const ask = async (key: string, method: string, target: string, body?: unknown, more: string[] = []) => {
		const {stdout} = await promisify(execFile)('python3', [client, 'request', '--url', `https://localhost:${served.port}`, '--key', key, '--ca', authority, ...more, method, target, ...(body === undefined ? [] : [JSON.stringify(body)])]);
		return JSON.parse(stdout) as {status: number; body: any};
	};

	const at = `/colonies/${colony.id}`;
	assert.equal((await ask(ownerKey, 'POST', `${at}/computers`, {computerid: computer.id, spec: {name: 'från Python', cores: 4}})).status, 200);
	assert.equal((await ask(privateKey, 'POST', `${at}/processes/assign`)).body.code, 'not-allowed');
	assert.equal((await ask(ownerKey, 'POST', `${at}/computers/${computer.id}/approve`)).body.status, 1);
	const waiting = ask(privateKey, 'POST', `${at}/processes/assign?wait=30`);
	const key = ['--idempotency-key', 'one process, however often'];
	const submitted = await ask(ownerKey, 'POST', `${at}/processes`, {spec: {cores: 2, in: {greeting: 'hej, världen'}}}, key);
	assert.equal((await ask(ownerKey, 'POST', `${at}/processes`, {spec: {cores: 2, in: {greeting: 'hej, världen'}}}, key)).body.processid, submitted.body.processid);
	const {body: process} = await waiting;
	assert.equal(process.processid, submitted.body.processid);
	assert.equal(process.in[0].value, 'hej, världen');
	assert.equal((await ask(privateKey, 'POST', `${at}/processes/${process.processid}/attributes`, {key: 'answer', value: '42'})).body.value, '42');
	assert.deepEqual((await ask(privateKey, 'POST', `${at}/processes/successful`, [{processid: process.processid}])).body.map((answer: {result: {status: number}}) => answer.result.status), [2]);
	assert.equal((await ask(privateKey, 'POST', `${at}/processes/${process.processid}/successful`)).status, 409);
	assert.deepEqual((await ask(ownerKey, 'GET', `${at}/processes?state=successful&attribute=answer%3D42`)).body.rows.map((row: {processid: string}) => row.processid), [process.processid]);
	assert.equal((await ask(ownerKey, 'GET', `${at}/processes?state=asleep`)).status, 400);
	assert.equal((await ask(createIdentity().privateKey, 'GET', `${at}/processes`)).status, 403);
});
