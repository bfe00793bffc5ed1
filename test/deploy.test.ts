// The systemd unit, the container and its entry point of the examples, as far as they run without systemd and a container engine.
import assert from 'node:assert/strict';
import {type ChildProcess, execFileSync, spawn, spawnSync} from 'node:child_process';
import {
	copyFileSync, existsSync, readdirSync, readFileSync, statSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {after, test} from 'node:test';
import {parse} from 'yaml';
import {migrate} from '../source/database/index.ts';
import {openPostgres} from '../source/database/postgres.ts';
import {rootPassword} from './support/colony.ts';
import {temporaryFolder, writeInto} from './support/commands.ts';
import {
	environmentOf, freePort, freshDatabase, noPostgres, onTcp, startPostgres,
} from './support/databases.ts';
import {deployPath, exampleFile, noProgram} from './support/deploy.ts';
import {eventually} from './support/eventually.ts';
import {npmEnvironment, packInto} from './support/packed.ts';
import {example} from './support/proxies.ts';

const noSystemd = noProgram('systemd-analyze');
const postgres = noPostgres ? undefined : await startPostgres({tcp: true});

/** Where the server of a test connects: over TCP, with the password in a file. */
async function freshSecrets({isEmpty = false} = {}): Promise<{folder: string; env: Record<string, string>}> {
	const folder = temporaryFolder();
	const where = {...onTcp(postgres!), database: (await freshDatabase(postgres!)).database!};
	if (!isEmpty) {
		const database = await openPostgres(where);
		await migrate(database);
		await database.close();
	}

	writeInto(folder, 'root-password', `${rootPassword}\n`);
	writeInto(folder, 'database-password', `${postgres!.password}\n`);
	const {COLONIES_DBPASSWORD: _, ...env} = environmentOf(where);
	return {folder, env};
}

type Running = {child: ChildProcess; said(): string; ended: Promise<{code: number | null; signal: NodeJS.Signals | null}>};

function run(words: readonly string[], env: Record<string, string>): Running {
	const child = spawn(words[0]!, words.slice(1), {env, stdio: ['ignore', 'pipe', 'pipe']});
	let said = '';
	const hear = (text: string) => {
		said += text;
	};

	child.stdout.setEncoding('utf8').on('data', hear);
	child.stderr.setEncoding('utf8').on('data', hear);

	const ended: Running['ended'] = new Promise(resolve => {
		child.once('exit', (code, signal) => {
			resolve({code, signal});
		});
	});
	after(async () => {
		child.kill('SIGKILL');
		await ended;
	});
	return {child, ended, said: () => said};
}

/** Waits until a server listens, and checks that its arguments hold no secret. */
async function untilServing({child, said}: Running): Promise<void> {
	await eventually(() => said().includes('To connect') || child.exitCode !== null, said());
	assert.match(said(), /^Serving on https:/m);
	const title = readFileSync(`/proc/${child.pid!}/cmdline`, 'utf8').replaceAll('\0', ' ');
	for (const secret of [rootPassword, postgres!.password]) {
		assert.ok(!title.includes(secret) && !said().includes(secret), title);
	}
}

/** The settings of the unit: a name may be there several times. */
const settings = example('colonies.service').replaceAll('\\\n', ' ').split('\n').filter(line => /^\w+=/.test(line)).map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const);
const setting = (name: string): string => settings.findLast(([key]) => key === name)![1];

test('systemd finds no fault with the unit, and rates its exposure as 1.5 at most', {skip: noSystemd}, () => {
	const verified = spawnSync('systemd-analyze', ['verify', '--man=no', exampleFile('colonies.service')], {encoding: 'utf8'});
	assert.deepEqual([verified.status, verified.stderr], [0, '']);
	const rated = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=15', '--no-pager', exampleFile('colonies.service')], {encoding: 'utf8'});
	assert.equal(rated.status, 0, rated.stdout.split('\n').at(-2));
});

test('the command of the unit serves, reloads and ends by the signals of the unit', {skip: noPostgres}, async () => {
	const {folder, env} = await freshSecrets();
	const home = temporaryFolder();
	// As systemd does it: $$ is $, and an unquoted variable is split into words.
	const [, shell, options, script, name] = /^(\S+) (\S+) '(.*)' (\S+) \$COLONIES_SERVER_FLAGS$/.exec(setting('ExecStart'))!;
	const flags = ['--port', String(await freePort()), '--host', '127.0.0.1'];
	const server = run([shell!, options!, script!.replaceAll('$$', '$'), name!, ...flags], {...env, PATH: deployPath(), CREDENTIALS_DIRECTORY: folder, COLONIES_HOME: home, NODE_ENV: 'production'});
	await untilServing(server);
	execFileSync('/bin/sh', ['-c', setting('ExecReload')], {env: {MAINPID: String(server.child.pid!)}});
	await eventually(() => server.said().includes('Read the certificate again'), server.said());
	server.child.kill(setting('KillSignal') as NodeJS.Signals);
	assert.deepEqual(await server.ended, {code: 0, signal: null});
	assert.match(server.said(), /Stopped\.\n$/);
	// All that it keeps is in the state directory.
	assert.ok(readdirSync(home).length > 0);
});

test('the exit codes after which the unit does not start again are those of settings that stay wrong', {skip: noPostgres}, async () => {
	const {env} = await freshSecrets();
	const final = new Set(setting('RestartPreventExitStatus').split(' ').map(Number));
	const codeOf = (words: readonly string[], change: Record<string, string>) => spawnSync('colonies', ['server', 'start', '--port', '0', ...words], {env: {...env, COLONIES_DBPASSWORD: postgres!.password, COLONIES_ROOT_PASSWORD: rootPassword, PATH: deployPath(), COLONIES_HOME: temporaryFolder(), ...change}}).status!;
	assert.ok(final.has(codeOf(['--nonsense'], {})));
	assert.ok(!final.has(codeOf([], {COLONIES_DBPORT: '1'})));
	const first = run(['colonies', 'server', 'start', '--port', '0'], {...env, COLONIES_DBPASSWORD: postgres!.password, COLONIES_ROOT_PASSWORD: rootPassword, PATH: deployPath(), COLONIES_HOME: temporaryFolder()});
	await untilServing(first);
	first.child.kill();
	await first.ended;
	assert.ok(final.has(codeOf([], {COLONIES_ROOT_PASSWORD: 'another password'})));
});

test('the entry point of the container reads secrets from files, and names a file that is missing', {skip: noPostgres}, async () => {
	const {folder, env} = await freshSecrets();
	const files = {COLONIES_ROOT_PASSWORD_FILE: path.join(folder, 'root-password'), COLONIES_DBPASSWORD_FILE: path.join(folder, 'database-password')};
	const all = {...env, ...files, PATH: deployPath(), COLONIES_HOME: temporaryFolder()};
	const words = ['/bin/sh', exampleFile('entrypoint.sh'), 'server', 'start', '--port', String(await freePort())];
	const server = run(words, all);
	await untilServing(server);
	server.child.kill('SIGTERM');
	assert.deepEqual(await server.ended, {code: 0, signal: null});
	const missing = run(words, {...all, COLONIES_DBPASSWORD_FILE: '/nowhere/password'});
	assert.deepEqual(await missing.ended, {code: 2, signal: null});
	assert.match(missing.said(), /^The secret file "\/nowhere\/password" is missing, empty or not readable\./);
});

/** The instructions of the Containerfile, each with its argument. */
const instructions = example('Containerfile').replaceAll('\\\n', ' ').split('\n').filter(line => /^[A-Z]+ /.test(line)).map(line => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)] as const);
const instruction = (name: string): string => instructions.findLast(([key]) => key === name)![1];

test('what the Containerfile installs starts by its entry point and passes its health check', {skip: noPostgres}, async () => {
	const prefix = temporaryFolder();
	const packages = temporaryFolder();
	packInto(packages);
	const install = instructions.find(([key, text]) => key === 'RUN' && text.includes('npm install'))![1].split(' && ')[0]!;
	const npm = npmEnvironment(prefix);
	const npmrc = path.join(path.dirname(import.meta.dirname), '.npmrc');
	if (existsSync(npmrc)) {
		copyFileSync(npmrc, path.join(prefix, '.npmrc'));
	}

	execFileSync('/bin/sh', ['-c', install.replaceAll('/tmp/package', packages)], {cwd: prefix, env: {...npm, npm_config_prefix: prefix}, stdio: 'pipe'});
	const [shell, entry] = JSON.parse(instruction('ENTRYPOINT')) as [string, string];
	const installed = entry.replace('/usr/local', prefix);
	assert.ok(installed.startsWith(prefix) && statSync(installed).isFile());

	const {folder, env} = await freshSecrets({isEmpty: true});
	const port = String(await freePort());
	const path_ = [path.join(prefix, 'bin'), process.env.PATH].join(path.delimiter);
	const variables = {...env, PATH: path_, COLONIES_HOME: temporaryFolder(), NODE_ENV: 'production', COLONIES_ROOT_PASSWORD_FILE: path.join(folder, 'root-password'), COLONIES_DBPASSWORD_FILE: path.join(folder, 'database-password')};
	const command = (JSON.parse(instruction('CMD')) as string[]).map(word => word === '8080' ? port : word);
	const {services} = parse(example('compose.yaml')) as {services: Record<string, Service>};
	const create = run([shell, installed, ...services.schema!.command!], {...variables, COLONIES_HOME: temporaryFolder()});
	assert.deepEqual(await create.ended, {code: 0, signal: null}, create.said());
	const server = run([shell, installed, ...command], variables);
	await untilServing(server);

	const [program, ...words] = JSON.parse(instruction('HEALTHCHECK').replace(/^.* CMD /, '')) as [string, ...string[]];
	const check = () => spawnSync(program, words.map(word => word.replace('8080', port)), {env: {PATH: path_}}).status;
	assert.equal(check(), 0);
	server.child.kill(instruction('STOPSIGNAL') as NodeJS.Signals);
	assert.deepEqual(await server.ended, {code: 0, signal: null});
	assert.equal(check(), 1);
});

type Service = {
	image: string; secrets: string[]; volumes?: string[]; environment: Record<string, string>; healthcheck?: {test: string[]};
	depends_on?: Record<string, {condition: string}>; build?: {context: string; dockerfile: string}; command?: string[];
};

test('compose.yaml is YAML 1.2, and all that its services name is there', () => {
	const text = example('compose.yaml');
	const {services, volumes, secrets} = parse(text, {strict: true, uniqueKeys: true}) as {services: Record<string, Service>; volumes: Record<string, null>; secrets: Record<string, {file: string}>};
	for (const {secrets: named, volumes: mounted = [], environment, depends_on: needed = {}} of Object.values(services)) {
		assert.ok(named.every(name => name in secrets));
		assert.ok(mounted.every(mount => mount.split(':')[0]! in volumes));
		for (const [name, value] of Object.entries(environment)) {
			assert.ok(!name.endsWith('PASSWORD'), `${name} is a secret in the file.`);
			assert.ok(!name.endsWith('_FILE') || named.includes(path.posix.relative('/run/secrets', value)), value);
		}

		for (const [name, {condition}] of Object.entries(needed)) {
			assert.ok(name in services && (condition !== 'service_healthy' || services[name]!.healthcheck !== undefined));
		}
	}

	assert.equal(services.server!.environment.COLONIES_DBHOST, 'database');
	const {context, dockerfile} = services.schema!.build!;
	assert.equal(path.resolve(path.dirname(exampleFile('compose.yaml')), context, dockerfile), exampleFile('Containerfile'));
	assert.ok(services.server!.volumes!.some(mount => mount.endsWith(`:${instruction('VOLUME')}`)));
});
