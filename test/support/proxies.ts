// Real proxies in front of a server, and what proxies send.
import assert from 'node:assert/strict';
import {spawn, spawnSync} from 'node:child_process';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import process from 'node:process';
import {after} from 'node:test';
import {fileURLToPath} from 'node:url';
import {temporaryFolder} from './commands.ts';
import {freePort} from './databases.ts';
import {testCertificate} from './server.ts';

/** A PROXY header of version 1, from an address and port 4711. */
export const preamble1 = (address: string, family: 4 | 6): Buffer => Buffer.from(`PROXY TCP${family} ${address} ${family === 4 ? '127.0.0.1' : '::1'} 4711 443\r\n`);

/** The bytes of an IPv6 address in the form that browsers write. */
function bytesOfIpv6(address: string): Buffer {
	const [head, tail] = address.split('::') as [string, string?];
	const groups = (text = ''): string[] => text === '' ? [] : text.split(':');
	const missing = 8 - groups(head).length - groups(tail).length;
	const all = tail === undefined ? groups(head) : [...groups(head), ...Array.from<string>({length: missing}).fill('0'), ...groups(tail)];
	return Buffer.from(all.map(group => group.padStart(4, '0')).join(''), 'hex');
}

/** A PROXY header of version 2. `isSecure`: with the vector that says so; `more`: further vectors, each its type and value. */
export function preamble2(address: string, family: 4 | 6, {isSecure = false, more = []}: {isSecure?: boolean; more?: ReadonlyArray<readonly [number, Uint8Array]>} = {}): Buffer {
	const source = family === 4 ? Buffer.from(address.split('.').map(Number)) : bytesOfIpv6(address);
	const vectors = [...(isSecure ? [[0x20, Buffer.from([0x01, 0, 0, 0, 0])] as const] : []), ...more].map(([type, value]) => Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 255]), value])); // eslint-disable-line no-bitwise
	const body = Buffer.concat([source, Buffer.alloc(source.length), Buffer.from('126701bb', 'hex'), ...vectors]);
	return Buffer.concat([Buffer.from('\r\n\r\n\0\r\nQUIT\n'), Buffer.from([0x21, family === 4 ? 0x11 : 0x21, body.length >> 8, body.length & 255]), body]); // eslint-disable-line no-bitwise
}

const programs = {
	nginx: ['/usr/sbin/nginx', 'nginx'].find(file => spawnSync(file, ['-v']).status === 0),
	haproxy: ['/usr/sbin/haproxy', 'haproxy'].find(file => spawnSync(file, ['-v']).status === 0),
};

export type ProxyName = keyof typeof programs;

function whyNot(name: ProxyName): string | false {
	if (programs[name]) {
		return false;
	}

	const reason = `${name} is not installed.`;
	if (process.env.CI === 'true') {
		throw new Error(reason);
	}

	console.error(`\n!!! ${reason} The tests behind it are SKIPPED.\n`);
	return reason;
}

/** For `{skip: noProxy.nginx}`: false, or why tests behind it cannot run. That is said aloud; with CI=true it is a failure. */
export const noProxy: Readonly<Record<ProxyName, string | false>> = {nginx: whyNot('nginx'), haproxy: whyNot('haproxy')};

export type StartedProxy = {port: number; /** Ends the proxy, and resolves when it has. */ stop(): Promise<void>};

/** Replaces texts of a file, each of which must be there. */
export function replaced(text: string, changes: ReadonlyArray<readonly [string, string]>): string {
	let result = text;
	for (const [from, to] of changes) {
		assert.ok(result.includes(from), `The example has no ${JSON.stringify(from)}.`);
		result = result.replaceAll(from, to);
	}

	return result;
}

/** The text of a file in `examples/deploy`. */
export const example = (name: string): string => readFileSync(fileURLToPath(new URL(`../../examples/deploy/${name}`, import.meta.url)), 'utf8');

/** Whether somebody listens on a port of this machine. */
const listens = async (port: number): Promise<boolean> => new Promise(resolve => {
	const socket = net.connect({port, host: '127.0.0.1'}, () => {
		socket.destroy();
		resolve(true);
	});
	socket.once('error', () => {
		resolve(false);
	});
});

/** Runs a proxy once it has found its file correct, until the tests are over. Resolves when it listens. */
async function run(name: ProxyName, {check, start, port}: {check: string[]; start: string[]; port: number}): Promise<StartedProxy> {
	const checked = spawnSync(programs[name]!, check, {encoding: 'utf8'});
	assert.equal(checked.status, 0, checked.stdout + checked.stderr);
	const child = spawn(programs[name]!, start, {cwd: '/', stdio: ['ignore', 'pipe', 'pipe']});
	let said = '';
	const hear = (text: string) => {
		said += text;
	};

	child.stdout.setEncoding('utf8').on('data', hear);
	child.stderr.setEncoding('utf8').on('data', hear);

	const ended = new Promise<void>(resolve => {
		child.once('exit', () => {
			resolve();
		});
	});
	const stop = async () => {
		child.kill();
		await ended;
	};

	after(stop);
	const patience = Date.now() + 20_000;
	while (!await listens(port)) {
		assert.ok(Date.now() < patience && child.exitCode === null, said);
		await new Promise(resolve => {
			setTimeout(resolve, 20);
		});
	}

	return {port, stop};
}

const isRoot = process.getuid?.() === 0;

/** The certificate of the tests in the files that a proxy wants. */
async function certificateFiles(folder: string): Promise<{cert: string; key: string; both: string}> {
	const {cert, key} = await testCertificate();
	const files = {cert: path.join(folder, 'cert.pem'), key: path.join(folder, 'key.pem'), both: path.join(folder, 'both.pem')};
	writeFileSync(files.cert, cert);
	writeFileSync(files.key, key);
	writeFileSync(files.both, `${cert}\n${key}`);
	return files;
}

type ProxyOptions = {/** The port of the server behind it. */ to: number; /** HAProxy only: the port of a second server. */ second?: number; /** Further texts of the file, and what stands in their place. */ changes?: ReadonlyArray<readonly [string, string]>};

/** Starts nginx with `examples/deploy/nginx.conf`, other ports and paths put in. */
export async function startNginx({to, changes = []}: ProxyOptions): Promise<StartedProxy> {
	const [folder, port] = [temporaryFolder(), await freePort()];
	const {cert, key} = await certificateFiles(folder);
	const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${path.join(folder, name)};`).join(' ');
	const file = path.join(folder, 'nginx.conf');
	writeFileSync(file, replaced(example('nginx.conf'), [
		['user www-data;', isRoot ? 'user root;' : ''],
		['worker_processes auto;', 'worker_processes 1;'],
		['/run/nginx.pid', path.join(folder, 'nginx.pid')],
		['/var/log/nginx/', `${folder}/`],
		['http {', `http {\n\t${temporary}`],
		['listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`],
		['listen [::]:443 ssl;', ''],
		['127.0.0.1:8080', `127.0.0.1:${to}`],
		['/etc/ssl/colonies/fullchain.pem', cert],
		['/etc/ssl/colonies/key.pem', key],
		...changes,
	]));
	return run('nginx', {check: ['-t', '-q', '-c', file], start: ['-c', file, '-g', 'daemon off;'], port});
}

/** Starts HAProxy with `examples/deploy/haproxy.cfg`, other ports and paths put in. `socket`: its stats socket. */
export async function startHaproxy({to, second, changes = []}: ProxyOptions): Promise<StartedProxy & {socket: string}> {
	const [folder, port] = [temporaryFolder(), await freePort()];
	mkdirSync(folder, {recursive: true});
	const {cert, both} = await certificateFiles(folder);
	const [file, socket] = [path.join(folder, 'haproxy.cfg'), path.join(folder, 'admin.sock')];
	writeFileSync(file, replaced(example('haproxy.cfg'), [
		['log /dev/log local0', 'log stderr format raw local0'],
		['user haproxy', isRoot ? 'user root' : ''],
		['group haproxy', isRoot ? 'group root' : ''],
		['/run/haproxy/admin.sock', socket],
		['maxconn 20000', 'maxconn 500'],
		['bind :443', `bind 127.0.0.1:${port}`],
		['/etc/haproxy/colonies.pem', both],
		['127.0.0.1:8080', `127.0.0.1:${to}`],
		['/etc/haproxy/colonies-server.pem', cert],
		...(second === undefined ? [] : [['# server colonies2 127.0.0.1:8081', `server colonies2 127.0.0.1:${second}`] as const]),
		...changes,
	]));
	return {...await run('haproxy', {check: ['-c', '-q', '-f', file], start: ['-f', file], port}), socket};
}
