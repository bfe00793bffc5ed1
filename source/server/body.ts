import {isUtf8} from 'node:buffer';
import type {IncomingMessage} from 'node:http';
import {InvalidInput} from '../core/errors.ts';
import {jsonFault} from '../core/json-fault.ts';
import {numberRange, parseJson} from '../core/json.ts';
import {quoted} from '../core/text.ts';
import {refuseDepth} from '../operations/index.ts';
import {HttpRefusal} from './problem.ts';

/** Bytes of a body that nobody will read up to which the connection is kept: they are let through. */
const patience = 8_388_608;

const lengthOf = ({headers}: IncomingMessage): number => headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : Infinity;

/** Whether a connection cannot be used again after an answer that came before the end of its request. */
export const isSpoilt = (request: IncomingMessage): boolean => !request.complete && !(lengthOf(request) <= patience);

/** Refuses what comes with a body that cannot be taken. @throws HttpRefusal */
export function checkBodyHeaders(request: IncomingMessage): void {
	const encoding = request.headers['content-encoding'];
	if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
		throw new HttpRefusal(415, 'invalid-input', 'The body is compressed.', {hint: 'Send it as it is.', headers: {'accept-encoding': 'identity'}});
	}

	if ((request.method === 'GET' || request.method === 'HEAD') && lengthOf(request) > 0) {
		throw new HttpRefusal(400, 'invalid-input', `A ${request.method} has no body.`);
	}
}

/** A body as JSON; undefined where there is none. @throws InvalidInput, never with what stands in it: that may be a secret */
export function readJson(body: Buffer | undefined): unknown {
	if (body === undefined || body.length === 0) {
		return undefined;
	}

	if (!isUtf8(body)) {
		throw new InvalidInput('The body is no text in UTF-8.', {hint: 'Send JSON in UTF-8, not compressed.'});
	}

	const text = body.toString('utf8');
	const read = parseJson(text);
	if ('value' in read) {
		refuseDepth(read.value, 'The body');
		return read.value;
	}

	const {fault} = read;
	if (fault.kind === 'number') {
		throw new InvalidInput(`The body has the number ${quoted(fault.number)} at line ${fault.place.line}, column ${fault.place.column}, which is out of range.`, {hint: numberRange});
	}

	const place = jsonFault(text);
	throw new InvalidInput(`The body is no JSON${place ? `: see line ${place.line}, column ${place.column}` : ''}.`, {hint: 'Send one JSON value.'});
}
