import assert from 'node:assert/strict';
import {type ChildProcess, spawn} from 'node:child_process';
import {EventEmitter, once} from 'node:events';
import {hostname} from 'node:os';
import process from 'node:process';
import {Writable} from 'node:stream';
import {suite, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {runCommand, type Serve, type World} from '../source/commands/index.ts';
import {InvalidInput, Unauthenticated, Unavailable} from '../source/core/errors.ts';
import type {ContextChoice, HostedContext} from '../source/operations/index.ts';
import {type Collector, freshHome, worldOf} from './support/commands.ts';

const fingerprint = 'ab'.repeat(32);
const own = {cert: 'own certificate', key: 'own key', fingerprint};

/** A server that is none, and everything that was asked of it. */
class Stage {
	readonly signals = new EventEmitter(); // eslint-disable-line unicorn/prefer-event-target -- signals come as its events
	readonly asked: string[] = [];
	readonly served: Array<Parameters<Serve>[0]> = [];
	readonly choices: Array<{choice: ContextChoice; rootpassword: string}> = [];
	/** What the parts do where a test wants something else. */
	readonly parts: {read?: (cert: string, key: string) => Promise<typeof own>; serve?: Serve; open?: () => Promise<void>} = {};
	tellReachable: (state: {reachable: boolean; since: number}) => void = () => undefined;
	world!: World & {stdout: Collector; stderr: Collector};

	/** Starts the command; resolves with its exit code. */
	async run(words: readonly string[], change: Partial<World> = {}): Promise<{code: number; stdout: string; stderr: string}> {
		const contexts = {openHosted: async (choice: ContextChoice, {rootpassword}: {rootpassword: string}) => {
			this.choices.push({choice, rootpassword});
			await this.parts.open?.();
			return this.#context();
		}} as unknown as World['contexts'];
		this.world = worldOf(contexts, freshHome(), {signals: this.signals, serve: async options => this.#serve(options), certificate: this.#certificate(), ...change});
		const code = await runCommand(['server', 'start', ...words], this.world);
		return {code, stdout: this.world.stdout.text, stderr: this.world.stderr.text};
	}

	/** Starts it, and resolves when it waits for a signal. */
	async start(words: readonly string[], change: Partial<World> = {}) {
		const ended = this.run(words, change);
		await this.until(/^(?:To connect|Serving plain)/m);
		return {ended};
	}

	/** Resolves when standard error has it. */
	async until(wanted: string | RegExp): Promise<void> {
		const patience = Date.now() + 10_000;
		while (this.world.stderr.text.search(wanted) === -1) {
			assert.ok(Date.now() < patience, this.world.stderr.text);
			await new Promise(resolve => {
				setImmediate(resolve);
			});
		}
	}

	async #serve(options: Parameters<Serve>[0]): ReturnType<Serve> {
		this.served.push(options);
		return this.parts.serve
			? this.parts.serve(options)
			: {
				port: options.port === 0 ? 54_321 : options.port,
				reload: tls => {
					this.asked.push(`reload ${tls.cert}, ${tls.key}`);
				},
				close: async () => {
					this.asked.push('close server');
				},
			};
	}

	#certificate(): World['certificate'] {
		return {own: async () => own, read: async (cert, key) => this.parts.read ? this.parts.read(cert, key) : {cert: `text of ${cert}`, key: `text of ${key}`, fingerprint: 'cd'.repeat(32)}};
	}

	#context(): HostedContext {
		return {
			watchReachability: (tell: Stage['tellReachable']) => {
				this.tellReachable = tell;
				tell({reachable: true, since: 0});
				return () => {
					this.asked.push('hear no more');
				};
			},
			close: async () => {
				this.asked.push('close context');
			},
		} as unknown as HostedContext;
	}
}

/** A stage on which the command ends by itself. */
async function refused(words: readonly string[], code: number, message: RegExp, prepare: (stage: Stage) => void = () => undefined): Promise<Stage> {
	const stage = new Stage();
	prepare(stage);
	const outcome = await stage.run(words);
	assert.deepEqual({code: outcome.code, stdout: outcome.stdout}, {code, stdout: ''}, outcome.stderr);
	assert.match(outcome.stderr, message);
	assert.equal(stage.signals.listenerCount('SIGTERM'), 0);
	return stage;
}

suite('server start', () => {
	test('serves with a certificate of its own, says its fingerprint and how to connect, and ends on a signal', async () => {
		const stage = new Stage();
		const {ended} = await stage.start(['--rootpassword', 'secret', '--dbhost', 'db.example']);
		const [served] = stage.served;
		assert.deepEqual({host: served!.host, port: served!.port, tls: served!.tls}, {host: '::', port: 8080, tls: {cert: 'own certificate', key: 'own key'}});
		assert.equal(stage.choices[0]!.rootpassword, 'secret');
		assert.equal(stage.choices[0]!.choice.dbhost, 'db.example');
		stage.signals.emit('SIGTERM', 'SIGTERM');
		const {code, stdout, stderr} = await ended;
		assert.deepEqual({code, stdout}, {code: 0, stdout: `https://${hostname()}:8080\n`});
		assert.deepEqual(stderr.split('\n'), [
			`Serving on https://${hostname()}:8080. SHA-256 fingerprint of the certificate, which is self-signed:`,
			fingerprint,
			`To connect: colonies context add NAME --host ${hostname()} --port 8080 --fingerprint ${fingerprint}`,
			'Stopping: requests under way are finished first. Another signal ends it at once.',
			'Stopped.',
			'',
		]);
		assert.deepEqual(stage.asked, ['hear no more', 'close server', 'close context']);
		assert.deepEqual(['SIGTERM', 'SIGINT', 'SIGHUP'].map(name => stage.signals.listenerCount(name)), [0, 0, 0]);
	});

	test('takes a certificate, an address and a port, and the password from the environment', async () => {
		const stage = new Stage();
		const {ended} = await stage.start(['--tlscert', 'c.pem', '--tlskey', 'k.pem', '--host', '::1', '--port=0'], {env: {COLONIES_ROOT_PASSWORD: 'from there'}});
		assert.deepEqual({host: stage.served[0]!.host, port: stage.served[0]!.port, tls: stage.served[0]!.tls}, {host: '::1', port: 0, tls: {cert: 'text of c.pem', key: 'text of k.pem'}});
		assert.equal(stage.choices[0]!.rootpassword, 'from there');
		stage.signals.emit('SIGINT', 'SIGINT');
		const {code, stdout, stderr} = await ended;
		assert.deepEqual({code, stdout}, {code: 0, stdout: 'https://[::1]:54321\n'});
		assert.match(stderr, /\nTo connect: colonies context add NAME --host ::1 --port 54321\n/);
	});

	test('plain HTTP is for this machine alone', async () => {
		const stage = new Stage();
		const {ended} = await stage.start(['--rootpassword', 'secret', '--plain']);
		assert.deepEqual({host: stage.served[0]!.host, tls: stage.served[0]!.tls}, {host: '127.0.0.1', tls: undefined});
		stage.signals.emit('SIGHUP', 'SIGHUP');
		await stage.until('There is no certificate to read again');
		stage.signals.emit('SIGTERM', 'SIGTERM');
		assert.equal((await ended).stdout, 'http://127.0.0.1:8080\n');

		for (const host of ['0.0.0.0', '::', '192.0.2.1', 'lab.example', '127.0.0.1.example', '::ffff:192.0.2.1']) {
			const refusing = await refused(['--rootpassword', 'secret', '--plain', '--host', host], 2, /^colonies: Plain HTTP is served on a loopback address only, not on /);
			assert.deepEqual(refusing.choices, []);
		}

		await refused(['--rootpassword', 'secret', '--plain', '--tlscert', 'c', '--tlskey', 'k'], 2, /^colonies: --plain and --tlscert exclude each other\./);
	});

	test('plain HTTP beyond this machine is for the proxies that are trusted, by flag or environment', async () => {
		const stage = new Stage();
		const {ended} = await stage.start(['--rootpassword', 'secret', '--plain', '--host', '0.0.0.0', '--trustproxy', '10.0.0.0/8, ::1', '--origin', 'https://a.example'], {env: {COLONIES_TRUSTPROXY: 'not read', COLONIES_ORIGIN: ''}});
		const [{host, trustproxy, origins}] = stage.served as [Parameters<Serve>[0]];
		assert.deepEqual({host, trustproxy, origins}, {host: '0.0.0.0', trustproxy: [{address: '10.0.0.0', prefix: 8, family: 'ipv4'}, {address: '::1', prefix: 128, family: 'ipv6'}], origins: ['https://a.example']});
		assert.match(stage.world.stderr.text, /^Serving plain HTTP on http:\/\/\S+:8080, for programs on this machine and trusted proxies only\.$/m);
		assert.doesNotMatch(stage.world.stderr.text, /Warning/);
		stage.signals.emit('SIGTERM', 'SIGTERM');
		await ended;

		const other = new Stage();
		const run = await other.start(['--rootpassword', 'secret', '--plain'], {env: {COLONIES_TRUSTPROXY: '0.0.0.0/0', COLONIES_ORIGIN: 'http://localhost:5173'}});
		assert.deepEqual([other.served[0]!.host, other.served[0]!.trustproxy, other.served[0]!.origins], ['127.0.0.1', [{address: '0.0.0.0', prefix: 0, family: 'ipv4'}], ['http://localhost:5173']]);
		assert.match(other.world.stderr.text, /^Warning: 0\.0\.0\.0\/0 trusts every client/m);
		other.signals.emit('SIGTERM', 'SIGTERM');
		await run.ended;
	});

	test('ranges and origins that are none are refused before anything is opened', async () => {
		for (const [words, message] of [
			[['--trustproxy', 'proxy.example'], /^colonies: --trustproxy must be IP ranges in CIDR notation \("proxy\.example" is none\)\.\nGive ranges such as 10\.0\.0\.0\/8/],
			[['--trustproxy', '10.0.0.0/40'], /^colonies: --trustproxy must have a prefix length from 0 to 32 in "10\.0\.0\.0\/40"\./],
			[['--origin', '*'], /^colonies: --origin must be exact origins, not "\*"\./],
			[['--origin', 'a.example'], /^colonies: --origin must be web origins \("a\.example" is none\)\./],
		] as Array<[string[], RegExp]>) {
			const {choices} = await refused(['--rootpassword', 'secret', ...words], 2, message);
			assert.deepEqual(choices, []);
		}

		const stage = new Stage();
		const {code, stderr} = await stage.run(['--rootpassword', 'secret'], {env: {COLONIES_TRUSTPROXY: 'x'}});
		assert.equal(code, 2);
		assert.match(stderr, /^colonies: COLONIES_TRUSTPROXY must be IP ranges/);
	});

	test('listens on IPv4 where there is no IPv6, and on nothing else than was asked for', async () => {
		const without = (code: string): Serve => async ({host, port}) => {
			if (host === '::' || host === '::1') {
				throw new Unavailable(`It cannot listen on ${host}.`, {cause: Object.assign(new Error('listen'), {code})});
			}

			return {port, reload: () => undefined, close: async () => undefined};
		};

		const stage = new Stage();
		stage.parts.serve = without('EAFNOSUPPORT');
		const {ended} = await stage.start(['--rootpassword', 'secret']);
		assert.deepEqual(stage.served.map(({host}) => host), ['::', '0.0.0.0']);
		stage.signals.emit('SIGTERM', 'SIGTERM');
		assert.equal((await ended).code, 0);

		const taken = await refused(['--rootpassword', 'secret'], 8, /^colonies: It cannot listen on ::\./, ({parts}) => {
			parts.serve = without('EADDRINUSE');
		});
		assert.deepEqual(taken.served.map(({host}) => host), ['::']);
		assert.deepEqual(taken.asked, ['close context']);
		await refused(['--rootpassword', 'secret', '--host', '::1'], 8, /^colonies: It cannot listen on ::1\./, ({parts}) => {
			parts.serve = without('EAFNOSUPPORT');
		});
	});

	test('is refused without a root password, and with another one than is kept', async () => {
		const without = await refused([], 3, /^colonies: The root password is missing\.\nGive it in the environment variable COLONIES_ROOT_PASSWORD, with --rootpassword/);
		assert.deepEqual([without.choices, without.served], [[], []]);
		await refused(['--rootpassword', ''], 2, /^colonies: --rootpassword must not be empty\./);
		const wrong = await refused(['--rootpassword', 'hunter2'], 3, /^colonies: The root password is wrong\./, ({parts}) => {
			parts.open = async () => {
				throw new Unauthenticated('The root password is wrong.');
			};
		});
		assert.deepEqual(wrong.served, []);
		assert.doesNotMatch(wrong.world.stderr.text, /hunter2/);
		await refused(['--rootpassword', 'x'], 8, /^colonies: The database is away\./, ({parts}) => {
			parts.open = async () => {
				throw new Unavailable('The database is away.');
			};
		});
	});

	test('is refused with half a certificate, or one that cannot be used; nothing is opened or asked for then', async () => {
		await refused(['--tlscert', 'c'], 2, /^colonies: --tlscert is given without --tlskey\./);
		await refused(['--tlskey', 'k'], 2, /^colonies: --tlskey is given without --tlscert\./);
		const stage = await refused(['--tlscert', 'c', '--tlskey', 'k'], 2, /^colonies: "c" is no certificate\./, ({parts}) => {
			parts.read = async () => {
				throw new InvalidInput('"c" is no certificate.');
			};
		});
		assert.deepEqual(stage.choices, []);
		await refused(['--rootpassword', 'x', '--port', '65536'], 2, /^colonies: --port must be a whole number from 0 to 65535/);
		await refused(['--rootpassword', 'x', '--fingerprint', fingerprint], 2, /"--fingerprint" is not a flag of `colonies server start`/);
	});

	test('SIGHUP reads the certificate again, one at a time; a fault leaves the one before', async () => {
		const stage = new Stage();
		let number = 0;
		stage.parts.read = async () => {
			number++;
			if (number === 3) {
				throw new InvalidInput('The key "k" does not fit the certificate "c".', {hint: 'Give the key that it was made with.'});
			}

			return {cert: `certificate ${number}`, key: `key ${number}`, fingerprint: String(number).repeat(64)};
		};

		const {ended} = await stage.start(['--rootpassword', 'secret', '--tlscert', 'c', '--tlskey', 'k']);
		for (let count = 0; count < 3; count++) {
			stage.signals.emit('SIGHUP', 'SIGHUP');
		}

		await stage.until('4444');
		assert.deepEqual(stage.asked, ['reload certificate 2, key 2', 'reload certificate 4, key 4']);
		stage.signals.emit('SIGTERM', 'SIGTERM');
		const {stderr} = await ended;
		assert.match(stderr, /Read the certificate again; its SHA-256 fingerprint is 2{64}\nThe key "k" does not fit the certificate "c"\. The certificate that was read before is kept\. Give the key that it was made with\.\nRead the certificate again; its SHA-256 fingerprint is 4{64}\n/);
	});

	test('says when the database goes away and when it is back, each once', async () => {
		const stage = new Stage();
		const {ended} = await stage.start(['--rootpassword', 'secret']);
		for (const reachable of [false, false, true, true]) {
			stage.tellReachable({reachable, since: 0});
		}

		await stage.until('The database is back.');
		stage.signals.emit('SIGTERM', 'SIGTERM');
		const {stderr} = await ended;
		assert.equal(stderr.match(/The database is away/g)!.length, 1);
	});

	test('faults are said as sentences; with --log every line is there as it is', async () => {
		const lines = [
			{level: 'info', id: 'a1', method: 'GET', route: '/colonies', status: 200, msg: 'request'},
			{level: 'error', id: 'a2', method: 'GET', route: '/colonies', status: 503, code: 'unavailable', stack: 'Error: away', msg: 'request'},
			{level: 'error', id: 'a3', method: 'POST', route: '/colonies/{colonyid}/processes', status: 500, code: 'internal', stack: 'Error: something\u001B[2J broke\n    at x.ts:1', msg: 'request'},
			{level: 'fatal', msg: 'It ends.'},
		].map(line => `${JSON.stringify(line)}\n`).join('');
		const write = async (log: NodeJS.WritableStream) => {
			for (const piece of [lines.slice(0, 40), lines.slice(40, 75), lines.slice(75)]) {
				log.write(piece);
			}
		};

		for (const words of [[], ['--log']]) {
			const stage = new Stage();
			const {ended} = await stage.start(['--rootpassword', 'secret', ...words]);
			await write(stage.served[0]!.log);
			await stage.until('It ends.');
			stage.signals.emit('SIGTERM', 'SIGTERM');
			const {stderr} = await ended;
			if (words.length === 0) {
				assert.match(stderr, /\nThe request a3 \(POST \/colonies\/{colonyid}\/processes\) failed: Error: something␛\[2J broke\nIt ends\.\n/);
				assert.doesNotMatch(stderr, /a1|a2|stack|x\.ts/);
			} else {
				assert.ok(stderr.includes(lines));
				assert.ok(stage.served[0]!.log instanceof Writable);
			}
		}
	});
});

const script = fileURLToPath(new URL('support/serving.ts', import.meta.url));

async function startProcess(closing: 'quick' | 'never'): Promise<{child: ChildProcess; until: (text: string) => Promise<void>}> {
	const child = spawn(process.execPath, ['--import', 'tsx', script, closing], {stdio: ['ignore', 'ignore', 'pipe']});
	let said = '';
	child.stderr.setEncoding('utf8');
	const until = async (text: string) => {
		while (!said.includes(text)) {
			const [chunk] = await once(child.stderr, 'data') as [string];
			said += chunk;
		}
	};

	await until('Serving');
	return {child, until};
}

suite('signals to a server process', {skip: process.platform === 'win32' && 'There are none.'}, () => {
	test('SIGHUP leaves it running, SIGTERM ends it with 0', async () => {
		const {child, until} = await startProcess('quick');
		child.kill('SIGHUP');
		await until('There is no certificate');
		child.kill('SIGTERM');
		assert.deepEqual(await once(child, 'exit'), [0, null]);
	});

	test('a second one ends it at once, though requests are under way', async () => {
		const {child, until} = await startProcess('never');
		child.kill('SIGINT');
		await until('Stopping');
		child.kill('SIGTERM');
		assert.deepEqual(await once(child, 'exit'), [null, 'SIGTERM']);
	});
});
