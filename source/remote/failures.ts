import {STATUS_CODES} from 'node:http';
import {isDistrust} from '../core/distrust.ts';
import {type Barrier, ColoniesError} from '../core/errors.ts';
import {visible} from '../core/text.ts';
import type {Address} from './address.ts';

/** No answer came. `isSent`: the request may have reached the server, and may have been carried out. */
export class NoAnswer extends ColoniesError {
	readonly isSent: boolean;

	constructor(message: string, {isSent, ...details}: {isSent: boolean; hint?: string; cause?: unknown; barrier?: Barrier}) {
		super('unavailable', message, details);
		this.isSent = isSent;
		this.nothingDone = !isSent;
	}
}

/** The certificate of a server is not the one that is trusted: `shown` is its SHA-256 fingerprint, 64 hex digits. */
export class WrongCertificate extends Error {
	readonly shown: string | undefined;

	constructor(shown: string | undefined) {
		super(`its fingerprint is ${shown ?? 'none'}`);
		this.shown = shown;
	}

	get code() {
		return 'WRONG_CERTIFICATE';
	}
}

type Reason = {why: string; hint: string};

const trustHint = 'Give the CA file of its authority (--tlsca), or the fingerprint that the server prints when it starts (--fingerprint).';

const reasons: Record<string, Reason> = {
	ECONNREFUSED: {why: 'nothing listens there', hint: 'Start the server, or check --host and --port.'},
	ENOENT: {why: 'it is not there', hint: 'Try it again in a moment.'},
	ENOTFOUND: {why: 'there is no host of that name', hint: 'Check --host, and the network.'},
	EAI_AGAIN: {why: 'its name cannot be looked up now', hint: 'Check --host, and the network.'},
	ETIMEDOUT: {why: 'it does not answer', hint: 'Check that it is on and that no firewall stands in between.'},
	EHOSTUNREACH: {why: 'there is no way to it', hint: 'Check --host, and the network.'},
	ENETUNREACH: {why: 'there is no way to it', hint: 'Check --host, and the network.'},
	EACCES: {why: 'its socket may not be opened', hint: 'It belongs to another user.'},
	CERT_HAS_EXPIRED: {why: 'its certificate has expired', hint: 'Give the server a new one, and check the clock of this machine.'},
	CERT_NOT_YET_VALID: {why: 'its certificate is not valid yet', hint: 'Check the clock of this machine, and that of the server.'},
	CERT_REVOKED: {why: 'its certificate was revoked', hint: 'Ask the server\'s operator for a new one.'},
	ERR_TLS_CERT_ALTNAME_INVALID: {why: 'its certificate is for another name', hint: 'Give the name of its certificate as the host, or its fingerprint (--fingerprint).'},
	EPROTO: {why: 'it does not speak TLS', hint: 'Check --port.'},
	ERR_SSL_WRONG_VERSION_NUMBER: {why: 'it does not speak TLS', hint: 'Check --port.'},
	ECONNRESET: {why: 'the connection was cut', hint: 'Try it again in a moment.'},
	EPIPE: {why: 'the connection was cut', hint: 'Try it again in a moment.'},
};

function reasonOf(error: unknown): Reason {
	const {code = '', message} = error as {code?: string; message: string};
	if (error instanceof WrongCertificate) {
		return {
			why: 'its certificate has another fingerprint',
			hint: `Somebody may stand in between, or it has a new certificate: compare with what the server prints when it starts. It shows ${error.shown ?? 'none'}.`,
		};
	}

	const known = Object.hasOwn(reasons, code) ? reasons[code] : undefined;
	if (!known && isDistrust(code)) {
		return {why: 'its certificate is not trusted', hint: trustHint};
	}

	return known ?? {why: visible(message).slice(0, 200), hint: 'Check --host and --port.'};
}

/** What to do about the statuses that a proxy gives in place of the server behind it (RFC 9110 §15.6.3 to 15.6.5). */
const proxyHints: Readonly<Record<number, string>> = {
	502: 'The server behind it is down, or the proxy connects to a wrong address or in a wrong way (TLS, PROXY protocol).',
	503: 'No server behind it is up: start it, or check the health check of the proxy.',
	504: 'Raise the timeout of the proxy (nginx: proxy_read_timeout, HAProxy: timeout server) above 75 s, or check the server behind it.',
};

/** Whether a status may come from a proxy although the server behind it is a Colonies server. */
export const isProxyStatus = (status: number): boolean => Object.hasOwn(proxyHints, status);

/** A proxy answered in place of the server. Whether the server got the request, and carried it out, nobody can tell. */
export const proxyAnswer = ({place}: Address, status: number): NoAnswer => new NoAnswer(`The proxy in front of ${place} answered ${status} ${STATUS_CODES[status] ?? ''}.`, {isSent: true, hint: proxyHints[status]});

/** Says in one sentence why no answer came, or why nobody was asked. */
export function noAnswer({place}: Address, error: unknown, isSent: boolean): NoAnswer {
	const {why, hint} = reasonOf(error);
	return isDistrust((error as {code?: unknown}).code)
		? new NoAnswer(`Not trusting ${place}: ${why}.`, {isSent: false, hint, cause: error, barrier: 'untrusted'})
		: new NoAnswer(`Cannot reach ${place}: ${why}.`, {isSent, hint, cause: error});
}
