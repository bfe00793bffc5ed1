import {ColoniesError} from '../core/errors.ts';
import {visible} from '../core/text.ts';
import type {Address} from './address.ts';

/** No answer came. `isSent`: the request may have reached the server, and may have been carried out. */
export class NoAnswer extends ColoniesError {
	readonly isSent: boolean;

	constructor(message: string, {isSent, hint, cause}: {isSent: boolean; hint?: string; cause?: unknown}) {
		super('unavailable', message, {hint, cause});
		this.isSent = isSent;
		this.nothingDone = !isSent;
	}
}

/** The certificate of a server is not the one that is trusted. */
export class WrongCertificate extends Error {
	get code() {
		return 'WRONG_CERTIFICATE';
	}
}

type Reason = {why: string; hint: string};

const untrusted = new Set(['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'CERT_SIGNATURE_FAILURE']);

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
	CERT_HAS_EXPIRED: {why: 'its certificate has expired', hint: 'Give the server a new one.'},
	ERR_TLS_CERT_ALTNAME_INVALID: {why: 'its certificate is for another name', hint: 'Give the name of its certificate as the host, or its fingerprint (--fingerprint).'},
	WRONG_CERTIFICATE: {why: 'its certificate has another fingerprint', hint: 'Somebody may stand in between, or it has a new certificate: compare with what the server prints when it starts.'},
	EPROTO: {why: 'it does not speak TLS', hint: 'Check --port.'},
	ERR_SSL_WRONG_VERSION_NUMBER: {why: 'it does not speak TLS', hint: 'Check --port.'},
	ECONNRESET: {why: 'the connection was cut', hint: 'Try it again in a moment.'},
	EPIPE: {why: 'the connection was cut', hint: 'Try it again in a moment.'},
};

function reasonOf(error: unknown): Reason {
	const {code = '', message} = error as {code?: string; message: string};
	if (untrusted.has(code)) {
		return {why: 'its certificate is not trusted', hint: trustHint};
	}

	return reasons[code] ?? {why: visible(message).slice(0, 200), hint: 'Check --host and --port.'};
}

/** Says in one sentence why no answer came. */
export function noAnswer({place}: Address, error: unknown, isSent: boolean): NoAnswer {
	const {why, hint} = reasonOf(error);
	return new NoAnswer(`Cannot reach ${place}: ${why}.`, {isSent, hint, cause: error});
}
