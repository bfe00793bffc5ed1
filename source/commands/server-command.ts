import {hostname} from 'node:os';
import process from 'node:process';
import {inUrl} from '../core/address.ts';
import {ColoniesError, InvalidInput, toColoniesError} from '../core/errors.ts';
import {isLoopback} from '../core/loopback.ts';
import type {NoChanges} from '../core/reachability.ts';
import {
	type ValueOf, flag, host, hosts, integer, line, networks, optional, origins, otherwise, secret,
} from '../operations/fields.ts';
import type {HostedContext} from '../operations/context.ts';
import {checkFlags} from '../operations/flags.ts';
import type {Network} from '../operations/networks.ts';
import {type CommandEntry, defineCommand, localStoreFlags} from './command.ts';
import {
	OutputClosed, OutputFailed, print, say, toNotice,
} from './output.ts';
import {rootCaller, rootPassword, withFirstRoot} from './secrets.ts';
import {Faults, onSignals} from './server-process.ts';
import type {
	Certificate, Certificates, Serve, Server, World,
} from './world.ts';

const file = (label: string, summary: string) => optional(line(label, summary, {longest: 4096}));

const serverStartFlags = {
	rootpassword: optional(secret(rootPassword.label, 'The root password; on a new database it is kept, and on another it must be the one that is kept. Else COLONIES_ROOT_PASSWORD, else it is asked for')),
	host: optional(host('Address', 'Address to listen on, or a name of this machine; every address unless given')),
	port: otherwise(integer('Port', 'Port to listen on; 0 takes one that is free', {most: 65_535}), 8080),
	name: optional(hosts('Name', 'Host names by which clients know this server, with commas between them: what was signed for another is refused')),
	tlscert: file('Certificate', 'Certificate (PEM), with those of its authorities after it; a self-signed one is made and kept unless given'),
	tlskey: file('Key', 'Its private key (PEM)'),
	plain: optional(flag('Plain', 'Plain HTTP, to programs on this machine and to the proxies of --trustproxy only')),
	trustproxy: optional(networks('Trusted proxies', 'IP ranges of proxies (10.0.0.0/8), separated by commas: they are believed about the address and scheme of their clients; else COLONIES_TRUSTPROXY')),
	origin: optional(origins('Origins', 'Web origins whose pages may call this server (CORS), separated by commas; none unless given; else COLONIES_ORIGIN')),
	log: optional(flag('Log', 'Write a JSON line for each request to standard error')),
};

type Flags = ValueOf<typeof serverStartFlags>;

/** The flags that the environment may give instead, read as the flags are. @throws InvalidInput, which names the variable */
function withEnvironment(flags: Flags, {env}: Pick<World, 'env'>): Flags {
	const {trustproxy, origin} = serverStartFlags;
	const variables = {trustproxy: env.COLONIES_TRUSTPROXY, origin: env.COLONIES_ORIGIN};
	const missing = Object.entries(variables).filter(([name, text = '']) => text !== '' && flags[name as keyof typeof variables] === undefined);
	const read = checkFlags({trustproxy, origin}, Object.fromEntries(missing), name => `COLONIES_${name.toUpperCase()}`);
	return {...flags, trustproxy: flags.trustproxy ?? read.trustproxy, origin: flags.origin ?? read.origin};
}

/** Where to listen; undefined for every address. @throws InvalidInput for plain HTTP that others than trusted proxies could reach */
function addressOf({host, plain, trustproxy}: Flags): string | undefined {
	if (plain === true && host !== undefined && !isLoopback(host) && trustproxy === undefined) {
		throw new InvalidInput(`Plain HTTP is served on a loopback address only, not on ${host}.`, {hint: 'Leave --plain out, listen on 127.0.0.1 behind a proxy that adds TLS, or give the addresses of such proxies with --trustproxy.'});
	}

	return host === undefined && plain === true ? '127.0.0.1' : host;
}

/** A range of every address lets each client say who it is. */
async function warnOfEverybody(world: World, {trustproxy = []}: Flags): Promise<void> {
	const all = trustproxy.find(({prefix}: Network) => prefix === 0);
	if (all !== undefined) {
		await say(world, `Warning: ${all.address}/0 trusts every client as a proxy, so each can claim any address and evade the limit on root password guesses. Trust the addresses of your proxies only.`);
	}
}

/** How the certificate is found, now and whenever it is to be read again; undefined for plain HTTP. @throws InvalidInput for flags that do not go together */
function certificateOf({plain, tlscert, tlskey}: Flags, certificates: Certificates): (() => Promise<Certificate>) | undefined {
	if ((tlscert === undefined) !== (tlskey === undefined)) {
		throw new InvalidInput(`--${tlscert === undefined ? 'tlskey' : 'tlscert'} is given without --${tlscert === undefined ? 'tlscert' : 'tlskey'}.`, {hint: 'A certificate and its key belong together.'});
	}

	if (plain === true) {
		if (tlscert !== undefined) {
			throw new InvalidInput('--plain and --tlscert exclude each other.', {hint: 'Plain HTTP has no certificate.'});
		}

		return undefined;
	}

	return async () => tlscert === undefined ? certificates.own() : certificates.read(tlscert, tlskey!);
}

/** Whether this machine has no IPv6: the code of the system's error, which is a cause of ours. */
function lacksIpv6(error: unknown): boolean {
	for (let at = error; at instanceof Error; at = at.cause) {
		if ('code' in at && (at.code === 'EAFNOSUPPORT' || at.code === 'EADDRNOTAVAIL')) {
			return true;
		}
	}

	return false;
}

type Listening = Omit<Parameters<Serve>[0], 'host'> & {host: string | undefined};

/** Listens on one address, or on all: those of IPv6 and IPv4 together, where there is no IPv6 on those of IPv4. */
async function listen(serve: Serve, {host, ...options}: Listening): Promise<Server> {
	try {
		return await serve({...options, host: host ?? '::'});
	} catch (error) {
		if (host === undefined && lacksIpv6(error)) {
			return serve({...options, host: '0.0.0.0'});
		}

		throw error;
	}
}

/** A host that others can use: this machine's name where it listens on every address. */
const reachableAs = (host: string | undefined): string => host === undefined || host === '::' || host === '0.0.0.0' ? hostname() : host;

/** Prints where it listens. Whether anybody reads that makes no difference to those who connect. */
async function printPlace(world: World, place: string): Promise<void> {
	try {
		await print(world, `${place}\n`);
	} catch (error) {
		if (error instanceof OutputFailed) {
			await say(world, error.message);
		} else if (!(error instanceof OutputClosed)) {
			throw error;
		}
	}
}

/** Says where it listens, and how others connect; the address alone is data. */
async function greet(world: World, {host, port, trustsProxies}: {host: string; port: number; trustsProxies: boolean}, certificate: Certificate | undefined, isOwn: boolean): Promise<void> {
	const place = `${certificate ? 'https' : 'http'}://${inUrl(host)}:${port}`;
	await printPlace(world, place);
	if (certificate === undefined) {
		await say(world, `Serving plain HTTP on ${place}, for programs on this machine${trustsProxies ? ' and trusted proxies' : ''} only.`);
		return;
	}

	await say(world, `Serving on ${place}. SHA-256 fingerprint of the certificate${isOwn ? ', which is self-signed' : ''}:`);
	await say(world, certificate.fingerprint);
	await say(world, `To connect: colonies context add NAME --host ${host} --port ${port}${isOwn ? ` --fingerprint ${certificate.fingerprint}` : ''}`);
}

/** Reads the certificate anew for a running server. What is wrong with it is said, and the old one stays. */
async function reload(world: World, server: Server, read: (() => Promise<Certificate>) | undefined): Promise<void> {
	if (read === undefined) {
		await say(world, 'There is no certificate to read again: this is plain HTTP.');
		return;
	}

	try {
		const certificate = await read();
		server.reload({cert: certificate.cert, key: certificate.key});
		await say(world, `Read the certificate again; its SHA-256 fingerprint is ${certificate.fingerprint}`);
	} catch (error) {
		const {message, hint} = toColoniesError(error);
		await say(world, `${message} The certificate that was read before is kept. ${hint ?? ''}`.trim());
	}
}

/** Says when the database goes away or takes no changes, and when that is over. */
function sayReachability(world: World, context: HostedContext): () => void {
	let was: {reachable: boolean; noChanges?: NoChanges; unheard?: true} = {reachable: true};
	return context.watchReachability(({reachable, noChanges, unheard, reason}) => {
		if (reachable !== was.reachable) {
			// Here, for callers are not told where it is and why.
			void say(world, reachable ? 'The database is back.' : `The database is away; requests are answered with 503 until it is back.${reason === undefined ? '' : ` ${reason}`}`);
		}

		if (noChanges !== was.noChanges) {
			void say(world, noChanges === undefined ? 'The database takes changes again.' : `The database takes no changes: it is ${noChanges === 'standby' ? 'a standby' : 'set to be read-only'}. What only reads is served.`);
		}

		// A standby lets nobody listen, and that it is one is said above.
		if (unheard !== was.unheard && noChanges !== 'standby' && reachable) {
			void say(world, unheard
				? 'Notifications of the database do not arrive, as behind a transaction pooler: changes are found by polling every 200 ms. Name a direct host with --dblisten HOST[:PORT].'
				: 'Notifications of the database arrive.');
		}

		was = {reachable, noChanges, unheard};
	});
}

type Serving = {context: HostedContext; serve: Serve; read: (() => Promise<Certificate>) | undefined; first: Certificate | undefined; flags: Flags};

/** Serves until a signal ends it: no new work then, what is under way is finished. */
async function serveUntilEnd(world: World, {context, serve, read, first, flags}: Serving): Promise<void> {
	const host = addressOf(flags);
	const server = await listen(serve, {
		context, host, port: flags.port, names: flags.name, trustproxy: flags.trustproxy, origins: flags.origin, log: flags.log === true ? world.stderr : new Faults(world), ...(first && {tls: {cert: first.cert, key: first.key}}),
	});
	const signals = onSignals(world.signals ?? process, async () => reload(world, server, read));
	const stop = sayReachability(world, context);
	try {
		await greet(world, {host: reachableAs(host), port: server.port, trustsProxies: flags.trustproxy !== undefined}, first, flags.tlscert === undefined);
		await signals.ended;
		await say(world, 'Stopping: requests under way are finished first. Another signal ends it at once.');
	} finally {
		stop();
		await server.close();
		signals.close();
	}

	await say(world, 'Stopped.');
}

const startServer = defineCommand({
	words: ['server', 'start'],
	summary: 'Serve a database, or the embedded store, over HTTPS to computers and consoles elsewhere, until it is stopped with a signal; SIGHUP reads the certificate again.',
	flags: serverStartFlags,
	store: localStoreFlags,
	async run({world, input, flags: typed, choice}) {
		const {serve, certificate} = world;
		if (serve === undefined || certificate === undefined) {
			throw new ColoniesError('internal', 'This program was put together without its server.');
		}

		const flags = withEnvironment(typed, world);
		addressOf(flags);
		await warnOfEverybody(world, flags);
		const read = certificateOf(flags, certificate);
		const first = await read?.();
		const caller = await rootCaller(world, input, flags.rootpassword);
		const context = await withFirstRoot(world, input, caller, async ({root, mustBeKept}) => world.contexts.openHosted(choice, {rootpassword: root, ...(mustBeKept ? {mustBeKept} : {}), notice: toNotice(world)}));
		try {
			await serveUntilEnd(world, {
				context, serve, read, first, flags,
			});
		} finally {
			await context.close();
		}
	},
});

export const serverCommands: readonly CommandEntry[] = [startServer];
