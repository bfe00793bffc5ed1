import assert from 'node:assert/strict';
import {execFile, spawn} from 'node:child_process';
import {once} from 'node:events';
import {
	chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {createInterface} from 'node:readline';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import ts from 'typescript';
import type {Process} from '../source/core/types.ts';
import {settle, temporaryFolder, type Run} from './support/commands.ts';
import {environmentOf, freshPlace, noPostgres} from './support/databases.ts';
import {environment, installPacked} from './support/packed.ts';

const {folder, program} = installPacked();

/** A program of somebody who has installed the package. What it expects to be wrong has to be. */
const userProgram = `
import {connect, work, ColoniesError, type Client, type Job, type Operations, type Process, type Worker} from 'colonies-tui';

const client: Client = await connect({host: 'server.example', port: 8080, fingerprint: 'ab', privateKey: 'cd', colonyid: 'ef'});
const found = await client.run('process.get', {colonyid: 'a', processid: 'b'});
export const status: 0 | 1 | 2 | 3 = found.status;
export const keys: string[] = (found.in ?? []).map(({key}) => key);
export const page = await client.run('process.list', {colonyid: 'a', state: 'failed', attribute: 'key=value', count: 5});
export const first: Process | undefined = page.rows[0];
export const more: boolean = page.more.after;
export const pending: number = (await client.run('computer.count', {colonyid: 'a'})).pending;
export const one: Process = await client.submit({in: {a: '1'}, timeout: 5}, {idempotencyKey: 'mine'});
export const many: Process[] = await client.submit([{in: {}}, {computertype: 'gpu', targetcolonyid: 'other'}]);
export const answers = await client.runMany('process.successful', [{colonyid: 'a', processid: 'b'}]);
export const texts: string[] = answers.map(answer => answer instanceof ColoniesError ? answer.code : answer.result.processid);
export const assigned: Process[] = await client.assign({wait: 30, count: 4});
const stop: () => void = client.watch(topics => topics.has('processes'));
stop();
const handler = async ({process, in: given, signal, out, err}: Job) => {
	await out('progress', given.a ?? process.processid);
	await err('warning', String(signal.aborted));
	signal.throwIfAborted();
	return {result: 42, text: 'a', nothing: undefined};
};
export const worker: Worker = client.work(handler, {concurrency: 4, handleSignals: true, report: ({state, span}) => [state, span]});
work(client, () => undefined, {colonyid: 'x'});
await worker.stop();
export const input: Operations['process.submit']['input'] = {spec: {targetcolonyid: 'a'}};
// @ts-expect-error There is no such operation.
await client.run('process.nonsense', {});
// @ts-expect-error The process is missing.
await client.run('process.get', {colonyid: 'a'});
// @ts-expect-error There is no such state.
await client.run('process.list', {colonyid: 'a', state: 'lost'});
// @ts-expect-error A text is no number.
await client.submit({timeout: '5'});
// @ts-expect-error A process has no such field.
export const nothing = found.nonsense;
// @ts-expect-error A list is no output.
client.work(async () => ({list: [1]}));
// @ts-expect-error There is no such option.
await connect({hots: 'server.example'});
`;

for (const [name, options] of [
	['nothing but the language', {types: [], lib: ['lib.es2022.d.ts']}],
	['a browser', {types: [], lib: ['lib.es2022.d.ts', 'lib.dom.d.ts']}],
	['Node', {types: ['node'], lib: ['lib.es2022.d.ts'], typeRoots: [fileURLToPath(new URL('../node_modules/@types', import.meta.url))]}],
] as const) {
	test(`a strict program compiles against the package: ${name}`, () => {
		const file = path.join(folder, '..', '..', 'user.mts');
		writeFileSync(file, userProgram);
		const program = ts.createProgram([file], {
			strict: true, exactOptionalPropertyTypes: true, noEmit: true, skipLibCheck: name === 'Node', target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, ...options, types: [...options.types], lib: [...options.lib], typeRoots: 'typeRoots' in options ? [...options.typeRoots] : [],
		});
		const faults = ts.getPreEmitDiagnostics(program).map(({file, start, messageText}) => `${path.basename(file?.fileName ?? '')}:${(file?.getLineAndCharacterOfPosition(start ?? 0).line ?? 0) + 1} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
		assert.deepEqual(faults, []);
	});
}

test('all that the package and its documents name is in it, and nothing that only its developers need', () => {
	const {bin, man, exports: entries} = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as {bin: Record<string, string>; man: string[]; exports: {'.': Record<string, string>}};
	for (const file of [...Object.values(bin), ...man, ...Object.values(entries['.'])]) {
		assert.ok(existsSync(path.join(folder, file)), file);
	}

	const files = readdirSync(folder, {recursive: true, encoding: 'utf8'});
	let links = 0;
	for (const page of files.filter(name => name.endsWith('.md') && !name.startsWith('node_modules'))) {
		const text = readFileSync(path.join(folder, page), 'utf8').replaceAll(/^```[^]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '');
		for (const [, target] of text.matchAll(/]\(([^)#\s]+)/g)) {
			if (!/^[a-z]+:/.test(target!)) {
				links++;
				assert.ok(existsSync(path.join(folder, path.dirname(page), target!)), `${page} links to ${target}`);
			}
		}
	}

	assert.ok(links > 20, String(links));
	assert.deepEqual(files.filter(name => /^(?:source|test|scripts|bench|\.ci)\b|\.tsx?$|\.map$/.test(name) && !name.endsWith('.d.ts') && !name.startsWith('node_modules')), []);
});

test('the examples run as shown', {skip: noPostgres, timeout: 120_000}, async () => {
	const where = await freshPlace();
	const bin = path.join(temporaryFolder(), 'bin');
	mkdirSync(bin);
	// In place of npx, which would look for the package in a registry.
	writeFileSync(path.join(bin, 'npx'), `#!/bin/sh\nshift\nexec "${process.execPath}" "${program}" "$@"\n`);
	chmodSync(path.join(bin, 'npx'), 0o755);
	const env = {
		...environment(temporaryFolder()), ...environmentOf(where), PATH: `${bin}:${process.env.PATH}`,
	};
	const run: Run = async (words, input = '') => new Promise(resolve => {
		const child = execFile(program, [...words], {env, maxBuffer: 2 ** 26}, (error, stdout, stderr) => {
			resolve({code: error ? Number(error.code) : 0, stdout, stderr});
		});
		child.stdin!.on('error', () => undefined);
		child.stdin!.end(input);
	});
	assert.equal((await run(['database', 'create'])).code, 0);

	/** Lets a computer of a colony of its own work while another example submits there, and tells it to stop then. */
	const beside = async (command: string, example: string): Promise<{said: string; computerSaid: string; colony: string}> => {
		const {colony, computer} = await settle(run);
		const child = spawn(command, [path.join(folder, 'examples', example), colony, computer], {env, stdio: ['ignore', 'ignore', 'pipe']});
		const exited = once(child, 'exit');
		const lines: string[] = [];
		const listening = (async () => {
			for await (const line of createInterface(child.stderr)) {
				lines.push(line);
			}
		})();
		const {stdout} = await promisify(execFile)(process.execPath, [path.join(folder, 'examples', 'submit.mjs'), colony], {env});
		child.kill('SIGTERM');
		assert.deepEqual(await exited, [0, null], lines.join('\n'));
		await listening;
		return {said: stdout, computerSaid: lines.join('\n'), colony};
	};

	const worker = await beside(process.execPath, 'worker.mjs');
	assert.match(worker.said, /^Submitted [\da-f]{64}\.\nIt was successful: greeting = Hello, Ada!, progress = greeting Ada\nSubmitted 1000 more\.\n$/);
	assert.match(worker.computerSaid, /^Stopping: what runs is finished first/);
	assert.equal((await run(['process', 'ps', '--colonyid', worker.colony])).stdout, 'No running processes found\n');

	// In another colony, for a thousand wait in this one.
	const script = await beside('sh', 'work.sh');
	assert.match(script.said, /It was successful: exitcode = 0, stdout = Hello, Ada!\n/);
	assert.match(script.computerSaid, /4 at a time; a signal stops it\./);
});
