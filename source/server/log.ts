import type {IncomingMessage, ServerResponse} from 'node:http';
import {type Logger, pino, stdTimeFunctions} from 'pino';
import {visible} from '../core/text.ts';
import type {Visit} from './visit.ts';

/** Whatever stands behind an error, as text: its stack and those of its causes, and none of their other properties, which may hold values. */
function stackOf(error: unknown): string {
	const stacks: string[] = [];
	for (let each = error; each instanceof Error && stacks.length < 5; each = each.cause) {
		stacks.push(each.stack ?? String(each));
	}

	return stacks.join('\ncaused by ').split('\n').map(line => visible(line)).join('\n');
}

export type Log = {
	/** One line for a request that is over. Never its headers, query or body. */
	request(request: IncomingMessage, response: ServerResponse, visit: Visit): void;
	/** The server itself. */
	say(sentence: string): void;
};

/** Bytes of the log that may wait for their reader. Beyond them lines are dropped and counted: a reader that stands still must not fill the memory of a server. */
const maxUnreadBytes = 4_194_304;

/** A stream's own error, which means nothing to the requests that are logged. */
const ignore = (): void => undefined;

/** Where the lines go. A stream that takes none, such as a full disk or a pipe whose reader has gone, loses them and no more; the next line that it takes is preceded by how many it lost. */
function sinkOn(stream: NodeJS.WritableStream & {writableLength?: number}): {write: (line: string) => void} {
	if (!stream.listeners('error').includes(ignore)) {
		stream.on('error', ignore);
	}

	let lost = 0;
	return {
		write(line) {
			if ((stream.writableLength ?? 0) > maxUnreadBytes) {
				lost++;
				return;
			}

			const before = lost;
			lost = 0;
			const told = before === 0 ? '' : `${JSON.stringify({level: 'warn', time: new Date().toISOString(), lost: before, msg: 'Lines of this log were lost: they could not be written.'})}\n`;
			stream.write(told + line, error => {
				if (error) {
					lost += before + 1;
				}
			});
		},
	};
}

const silent: Log = {request() {}, say() {}}; // eslint-disable-line @typescript-eslint/no-empty-function

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']);

/** The method of a request, of those that are common; anything else comes from outside. */
export const methodOf = ({method = ''}: IncomingMessage): string => methods.has(method) ? method : 'other';

/** JSON lines, one a request; silent without a stream. */
export function createLog(stream: NodeJS.WritableStream | undefined): Log {
	if (stream === undefined) {
		return silent;
	}

	const logger: Logger = pino({base: undefined, timestamp: stdTimeFunctions.isoTime, formatters: {level: label => ({level: label})}}, sinkOn(stream));
	return {
		request(request, response, visit) {
			const {fault} = visit;
			const line = {
				id: visit.id,
				method: methodOf(request),
				route: visit.route,
				// Without a status where nobody waited for the answer.
				...(response.headersSent ? {status: response.statusCode} : {}),
				ms: Math.round((performance.now() - visit.started) * 10) / 10,
				...(visit.who === undefined ? {} : {who: visit.who}),
				address: visit.client.address,
				...(visit.client.proxy === undefined ? {} : {proxy: visit.client.proxy}),
				...(visit.code === undefined ? {} : {code: visit.code}),
				...(visit.reason === undefined ? {} : {reason: visit.reason}),
				...(fault === undefined ? {} : {stack: stackOf(fault)}),
			};
			logger[fault === undefined ? 'info' : 'error'](line, 'request');
		},
		say(sentence) {
			logger.info(visible(sentence));
		},
	};
}
