import type {FastifyInstance, FastifyReply, FastifyRequest} from 'fastify';
import {ColoniesError} from '../core/errors.ts';
import {shortId} from '../core/text.ts';
import {readTraceparent, writeTraceparent} from '../core/traceparent.ts';
import {
	type AnyOperation, type Caller, type Decoded, decodeRequest, type HostedContext, listRoute, mostOf, type OperationName, operations, type Route, type RunOptions, splitRoute,
} from '../operations/index.ts';
import {readJson} from './body.ts';
import {callerOf, idempotencyKeyOf, type Transport} from './caller.ts';
import {noticeHeader} from './notices.ts';
import {problemOf} from './problem.ts';
import {guesserOf, type RootGate} from './root-gate.ts';
import {openStream, wantsStream} from './streams.ts';
import type {Visit, Visits} from './visit.ts';

/** What answering takes. `beat`: milliseconds between two looks at an open stream. */
export type Parts = {context: HostedContext; transport: Transport; gate: RootGate; visits: Visits; beat: number};

type Place = {name: OperationName; operation: AnyOperation; route: Route};

/** Every operation on its route, and where its lists have another one, on that too. */
export const everyRoute: readonly Place[] = (Object.entries(operations) as Array<[OperationName, AnyOperation]>)
	.flatMap(([name, operation]) => [...new Set([operation.route, listRoute(operation)])].map(route => ({name, operation, route})));

/** A template as fastify writes it: `/colonies/:colonyid`. */
const pathOf = (template: string): string => template.replaceAll(/{(\w+)}/g, ':$1');

const addresses = everyRoute.map(({route}) => {
	const {method, path} = splitRoute(route);
	return {method, pattern: new RegExp(`^${path.replaceAll(/{\w+}/g, '[^/]+')}$`)};
});

const ownPaths = new Set(['/healthz', '/readyz', '/openapi.json', '/metrics']);

/** The methods that there are for a target. */
export function methodsAt(target: string): string[] {
	const [path] = target.split('?', 1) as [string];
	return ownPaths.has(path) ? ['GET'] : [...new Set(addresses.filter(({pattern}) => pattern.test(path)).map(({method}) => method))].sort();
}

/** Checks who sends a request, and what of it is root's password in its turn. */
export async function authenticate(request: FastifyRequest, {transport, gate}: Parts, visit: Visit, isForRoot: boolean): Promise<Caller> {
	const caller = callerOf(request.raw, request.body as Buffer | undefined, {transport, client: visit.client});
	if (!('root' in caller)) {
		visit.who = 'signer' in caller ? shortId(caller.signer.id) : undefined;
		return caller;
	}

	// An operation that is not for root is refused without looking at the password. Whoever may use the socket has the database: guessing is no use there.
	if (isForRoot && transport !== 'socket') {
		await gate.check(guesserOf(visit.client.address), caller.root, visit.signal);
	}

	visit.who = isForRoot ? 'root' : undefined;
	return caller;
}

/** The answer to a list of calls, as its operation gives it. @throws ColoniesError when there is nothing to give */
function answerOf(operation: AnyOperation, answers: ReadonlyArray<{result: unknown} | ColoniesError>): unknown[] {
	const refused = answers.find(answer => answer instanceof ColoniesError);
	if (operation.many?.by === 'list' && operation.many.isAtomic !== true) {
		return answers.map(answer => answer instanceof ColoniesError ? {problem: problemOf(answer)} : {result: answer.result});
	}

	const results = answers.flatMap(answer => answer instanceof ColoniesError ? [] : [answer.result]);
	if (refused !== undefined && (operation.many?.isAtomic === true || results.length === 0)) {
		throw refused;
	}

	return results;
}

function send(reply: FastifyReply, answer: unknown, notices: readonly string[]): void {
	if (notices.length > 0) {
		void reply.header('colonies-notice', noticeHeader(notices));
	}

	if (answer === undefined) {
		void reply.code(204).send();
	} else {
		void reply.type('application/json').send(JSON.stringify(answer));
	}
}

function decode(request: FastifyRequest, {operation, route}: Place) {
	const {params: path, query} = request as {params: Record<string, string>; query: Record<string, string | string[] | undefined>};
	return decodeRequest(operation, route, {path, query, body: readJson(request.body as Buffer | undefined)}, {most: mostOf(operation)});
}

/**
Puts the `traceparent` of a request (W3C Trace Context) into the specs that have none of their own.
One that is malformed is passed over, as the recommendation says (§3.2.2): a tracer on the way must not make a submission fail.
*/
function withTrace(name: OperationName, {headers: {traceparent}}: FastifyRequest, decoded: Decoded): Decoded {
	const context = name === 'process.submit' && typeof traceparent === 'string' ? readTraceparent(traceparent) : undefined;
	if (context === undefined) {
		return decoded;
	}

	const traced = (input: Record<string, unknown>) => typeof input.spec === 'object' && input.spec !== null && !Array.isArray(input.spec)
		? {...input, spec: {traceparent: writeTraceparent(context), ...input.spec}}
		: input;
	return 'input' in decoded ? {input: traced(decoded.input)} : {inputs: decoded.inputs.map(input => traced(input))};
}

async function answer(request: FastifyRequest, reply: FastifyReply, here: Place, parts: Parts): Promise<void> {
	const {name, operation} = here;
	const visit = parts.visits.of(request.raw);
	const caller = await authenticate(request, parts, visit, operation.allow.allowed.includes('root'));
	const decoded = withTrace(name, request, decode(request, here));
	if (name === 'event.list' && 'input' in decoded && wantsStream(request.raw)) {
		await openStream(parts.context, {request, reply, visit, caller, input: decoded.input}, parts.beat);
		return;
	}

	const notices: string[] = [];
	const options: RunOptions = {
		notice: sentence => notices.push(sentence),
		...(operation.waits ? {signal: visit.signal} : {}),
		idempotencyKey: idempotencyKeyOf(request.raw),
	};
	send(reply, 'input' in decoded
		? await parts.context.run(caller, name, decoded.input, options)
		: answerOf(operation, await parts.context.runMany(caller, name, decoded.inputs, options)), notices);
}

/** Gives every operation its routes. */
export function addRoutes(app: FastifyInstance, parts: Parts): void {
	for (const place of everyRoute) {
		const {method, path} = splitRoute(place.route);
		app.route({
			method,
			url: pathOf(path),
			config: {template: path},
			async handler(request, reply) {
				await answer(request, reply, place, parts);
				return reply;
			},
		});
	}
}
