import type {IncomingMessage} from 'node:http';
import type {FastifyReply, FastifyRequest} from 'fastify';
import {
	type Caller, type HostedContext, operations, parseInput,
} from '../operations/index.ts';
import {Stream} from './stream.ts';
import type {Visit} from './visit.ts';

/** Whether a request asks for Server-Sent Events. */
export const wantsStream = ({headers}: IncomingMessage): boolean => (headers.accept ?? '').split(',').some(type => type.split(';')[0]!.trim().toLowerCase() === 'text/event-stream');

/** A place that nothing comes after: to ask whether somebody may list events, and for none of them. */
const afterAll = '999999999999999.0';

type Opening = {request: FastifyRequest; reply: FastifyReply; visit: Visit; caller: Caller; input: Record<string, unknown>};

/** The header goes before the query: a reader that reconnects sends the address of its first request. */
function afterOf(request: FastifyRequest, {after}: Record<string, unknown>): string | undefined {
	const header = request.headers['last-event-id'];
	const given = typeof header === 'string' && header !== '' ? header : after;
	return typeof given === 'string' ? given : undefined;
}

/**
Opens a stream of what changes in a colony for whoever may list it: after the last event that they heard, or from now on.
It lasts until they go, may not listen any more, or are too slow, or the server closes. `every`: milliseconds between two looks at whether they may still listen.
@throws ColoniesError when it is not theirs
*/
export async function openStream(context: HostedContext, {request, reply, visit, caller, input}: Opening, every: number): Promise<void> {
	const after = afterOf(request, input);
	const {colonyid} = parseInput(operations['event.list'].input, {...input, after});
	const mayListen = async (): Promise<void> => {
		await context.run(caller, 'event.list', {colonyid, after: afterAll, count: 1});
	};

	await mayListen();
	const stream = new Stream({
		response: reply.raw,
		who: 'signer' in caller ? caller.signer.id : undefined,
		after,
		mayListen,
		every,
		begin() {
			void reply.hijack();
			visit.isStream = true;
		},
	});
	visit.signal.addEventListener('abort', () => {
		stream.end();
	}, {once: true});
	try {
		const {from, stop} = await context.broker.follow(colonyid, async events => stream.hear(events), after);
		stream.start(from, stop);
	} catch (error) {
		stream.end();
		throw error;
	}
}
