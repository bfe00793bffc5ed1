import type {IncomingMessage, ServerResponse} from 'node:http';
import type {Socket} from 'node:net';
import Fastify, {
	type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest,
} from 'fastify';
import {
	type ColoniesError, NotAllowed, toColoniesError, Unauthenticated, Unavailable,
} from '../core/errors.ts';
import {limits} from '../core/limits.ts';
import {quoted} from '../core/text.ts';
import type {HostedContext} from '../operations/index.ts';
import {checkBodyHeaders, isSpoilt} from './body.ts';
import {bearerToken, challenge, type Transport} from './caller.ts';
import {answerCors} from './cors.ts';
import {createReadiness, readOnlyReason} from './health.ts';
import {createLog} from './log.ts';
import {createMetrics, type Metrics} from './metrics.ts';
import {describeApi} from './openapi.ts';
import {
	HttpRefusal, nowhere, problemOf, reasonOf, refusalOf,
} from './problem.ts';
import {type Client, type Peer, TrustedProxies} from './proxies.ts';
import {RootGate} from './root-gate.ts';
import {
	addRoutes, authenticate, methodsAt, type Parts,
} from './routes.ts';
import {Visits} from './visit.ts';

export type HandlerOptions = {
	context: HostedContext;
	/** Of this program, for the description of its interface. */
	version: string;
	/** Hosts by which clients know this server, in lowercase and without a port: a request for another is refused, so that what was signed for one server is no use at another. Any, where it is left out. */
	names?: readonly string[] | undefined;
	transport: Transport;
	/** Proxies that are believed about who their clients are; nobody, where it is left out. */
	proxies?: TrustedProxies;
	/** Who is at the other end of a connection: its socket's address, unless given. */
	peerOf?: (socket: Socket) => Peer;
	/** Web origins whose pages may read answers: `https://a.example`. None, where it is left out. */
	origins?: readonly string[] | undefined;
	/** Takes a line of JSON for each request; silent without one. */
	log?: NodeJS.WritableStream | undefined;
	/** Milliseconds between two looks at an open stream. */
	beat?: number;
	/** Milliseconds that requests under way have to finish when it closes. */
	patience?: number;
};

export type Handler = {
	/** Answers one request. */
	handle(request: IncomingMessage, response: ServerResponse): void;
	/** Writes a sentence about the server to the log. */
	say(sentence: string): void;
	/** Refuses new requests, ends all waiting and streams, and resolves when what is under way is answered. */
	close(): Promise<void>;
};

declare module 'fastify' {
	interface FastifyContextConfig { // eslint-disable-line @typescript-eslint/consistent-type-definitions -- it is added to
		/** The route as the log, the metrics and the documentation name it. */
		template?: string;
	}
}

type Owned = Parts & {names: readonly string[] | undefined; metrics: Metrics; version: string};

/** Sends a refusal as a problem (RFC 9457). */
function refuse(reply: FastifyReply, request: FastifyRequest, {visits, transport}: Owned, error: unknown): void {
	const visit = visits.of(request.raw);
	const refusal = refusalOf(error) ?? toColoniesError(error);
	visit.code = refusal.code;
	if (refusal.code === 'internal') {
		visit.fault = error;
	}

	visit.reason = reasonOf(refusal);

	void reply.code(refusal.status).headers(refusal instanceof HttpRefusal ? refusal.headers : {});
	if (refusal.status === 401) {
		void reply.header('www-authenticate', challenge({transport, client: visit.client}, {tokens: visit.route === '/metrics'}));
	}

	if (refusal.status === 503) {
		void reply.header('retry-after', '1');
	}

	if (isSpoilt(request.raw)) {
		void reply.header('connection', 'close');
	} else {
		void reply.removeHeader('connection');
	}

	void reply.type('application/problem+json').send(JSON.stringify(problemOf(refusal, {id: visit.id, isInside: transport === 'socket'})));
}

/** What is looked at before a body is read. @throws ColoniesError */
function receive(request: FastifyRequest, {visits, names, transport}: Owned): void {
	const {template} = request.routeOptions.config;
	visits.of(request.raw).route = template ?? 'none';
	if (visits.isClosing && template !== '/healthz') {
		throw new Unavailable('The server is closing.', {hint: 'Try it again in a moment, or at another one.'});
	}

	// An empty name in a path is not left out of it.
	if (request.is404 || Object.values(request.params as Record<string, string>).includes('')) {
		throw nowhere(request.raw, methodsAt(request.raw.url ?? ''));
	}

	refuseTwice(request.raw);
	refuseClient(request, visits.of(request.raw).client, transport);
	checkName(request.raw, names);
	checkBodyHeaders(request.raw);
}

/** Headers that have one value: Node takes the first and drops the others without a word, so that somebody on the way could read another one. */
const single = new Set(['host', 'authorization', 'content-type', 'idempotency-key', 'last-event-id']);

/** @throws HttpRefusal for a header that may stand once and stands twice (RFC 9112 §3.2 of `Host`) */
function refuseTwice({rawHeaders}: IncomingMessage): void {
	const names = rawHeaders.filter((_, index) => index % 2 === 0).map(name => name.toLowerCase());
	const twice = names.find((name, index) => single.has(name) && names.indexOf(name) < index);
	if (twice !== undefined) {
		throw new HttpRefusal(400, 'invalid-input', `The header ${twice} is given twice.`, {hint: 'Send it once.'});
	}
}

/** What anybody may ask, so a health check needs no proxy. */
const probes = new Set(['/healthz', '/readyz']);

/** @throws ColoniesError where it is not clear who the client is, or plain HTTP comes from elsewhere */
function refuseClient({routeOptions: {config: {template = ''}}}: FastifyRequest, {fault, isNear, address}: Client, transport: Transport): void {
	if (fault !== undefined) {
		throw fault;
	}

	if (transport === 'plain' && !isNear && !probes.has(template)) {
		throw new NotAllowed(`Plain HTTP is for trusted proxies, and ${address} is none.`, {hint: 'Connect through the proxy over https; the operator of the server names proxies with --trustproxy.'});
	}
}

/** @throws HttpRefusal where a request was signed for a server of another name (RFC 9110 §15.5.20) */
function checkName({headers: {host = '', signature}}: IncomingMessage, names: readonly string[] | undefined): void {
	const name = host.toLowerCase().replace(/:\d+$/, '').replace(/^\[(.*)]$/, '$1');
	if (signature !== undefined && names && !names.includes(name)) {
		throw new HttpRefusal(421, 'invalid-input', `This server does not go by the name ${quoted(name)}.`, {hint: 'Connect to it by one of its names, which `colonies server start --name` gives. A proxy in between must pass on the Host of the client (nginx: proxy_set_header Host $http_host).'});
	}
}

/** Lets those read the metrics who bring a token for it, or the root password. @throws Unauthenticated, NotAllowed, InvalidInput, Unavailable */
async function admitToMetrics(request: FastifyRequest, owned: Owned): Promise<void> {
	const {context: {broker}, transport, visits} = owned;
	const visit = visits.of(request.raw);
	const token = bearerToken(request.raw);
	if (token !== undefined) {
		const name = await broker.nameOfMetricsToken(token);
		if (name === undefined) {
			throw new Unauthenticated('The token is unknown or revoked.', {hint: 'Create one with `colonies server token --name …`.'});
		}

		visit.who = `token ${name}`;
		return;
	}

	const caller = await authenticate(request, owned, visit, true);
	if (!('root' in caller)) {
		throw new Unauthenticated('The metrics are for root and for tokens.', {hint: 'Send a token of `colonies server token` as Bearer, or the root password by HTTP Basic.'});
	}

	if (transport === 'socket') {
		await broker.verifyRoot(caller.root);
	}
}

/** What a server says about itself. */
function addOwnRoutes(app: FastifyInstance, owned: Owned): void {
	const {context, metrics, visits, version, transport} = owned;
	const ready = createReadiness(context);
	let document: string | undefined;
	app.get('/healthz', {config: {template: '/healthz'}}, async () => ({status: 'ok', version}));
	app.get<{Querystring: {write?: string}}>('/readyz', {config: {template: '/readyz'}}, async ({query}, reply) => {
		const readiness = await ready();
		if (!readiness.ready) {
			return reply.code(503).send({status: 'unavailable', reason: readiness.reason});
		}

		const {schema, server, timescale, readonly} = readiness;
		// Of what runs behind it only users of this machine are told.
		const known = {version, schema, ...(transport === 'socket' ? {server, timescale} : {})};
		return readonly === undefined ? {status: 'ok', ...known} : reply.code(query.write === '1' ? 503 : 200).send({status: 'read-only', reason: readOnlyReason[readonly], readonly, ...known});
	});
	app.get('/openapi.json', {config: {template: '/openapi.json'}}, async (_, reply) => {
		document ??= JSON.stringify(describeApi(version));
		return reply.type('application/json').send(document);
	});
	app.get('/metrics', {config: {template: '/metrics'}}, async (request, reply) => {
		await admitToMetrics(request, owned);
		return reply.type(metrics.contentType).send(await metrics.read());
	});
}

async function createApp(owned: Owned): Promise<FastifyInstance> {
	const app = Fastify({
		logger: false, bodyLimit: limits.body, exposeHeadRoutes: false, return503OnClosing: false,
		frameworkErrors(error, request, reply) {
			refuse(reply, request, owned, error);
		},
	});
	// The bytes as they came: they are what was signed.
	app.removeAllContentTypeParsers();
	app.addContentTypeParser('application/json', {parseAs: 'buffer'}, (_, body, done) => {
		done(null, body);
	});
	app.addHook('onRequest', async (request, reply) => {
		void reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
		receive(request, owned);
	});
	app.addHook('onSend', async (_, reply) => {
		if (owned.visits.isClosing) {
			void reply.header('connection', 'close');
		}
	});
	app.setErrorHandler<FastifyError | ColoniesError>((error, request, reply) => {
		refuse(reply, request, owned, error);
	});
	addRoutes(app, owned);
	addOwnRoutes(app, owned);
	await app.ready();
	return app;
}

const socketPeer = ({remoteAddress}: Socket): Peer => ({socket: remoteAddress ?? 'local'});

/**
Answers requests for a context, however they come: give `handle` to any HTTP server of Node.
*/
export async function createHandler({context, version, transport, names, log, proxies = new TrustedProxies([]), peerOf = socketPeer, origins, beat = 15_000, patience = 10_000}: HandlerOptions): Promise<Handler> {
	const [lines, metrics] = [createLog(log), createMetrics(context)];
	const visits = new Visits((request, response, visit) => {
		lines.request(request, response, visit);
		metrics.note(request, response, visit);
	});
	const gate = new RootGate({
		remembers: async password => context.broker.isRootRemembered(password),
		verify: async password => context.broker.verifyRoot(password),
	});
	const app = await createApp({context, version, transport, names, gate, visits, beat, metrics});
	const allowedOrigins = new Set(origins);
	return {
		handle(request, response) {
			visits.begin(request, response, proxies.clientOf(request, peerOf(request.socket)));
			if (!answerCors(request, response, allowedOrigins)) {
				app.routing(request, response);
			}
		},
		say(sentence) {
			lines.say(sentence);
		},
		async close() {
			await visits.close(patience);
			metrics.close();
			await app.close();
		},
	};
}
