import {isDistrust} from '../../core/distrust.ts';
import {type Barrier, ColoniesError, storeUnavailable} from '../../core/errors.ts';
import {visible} from '../../core/text.ts';
import {sqlstateOf} from '../sqlstate.ts';
import {UnfitSetting} from './changes.ts';
import type {Settings} from './settings.ts';

type Reason = {
	why: string;
	hint: string;
	/** Waiting does not mend it. */
	isFinal?: boolean;
	/** That somebody answers there. */
	barrier?: Barrier;
};

const noPassword: Reason = {why: 'it asks for a password and none was given', hint: 'Give it with --dbpassword, COLONIES_DBPASSWORD or in DATABASE_URL.', isFinal: true, barrier: 'refused'};
const noAnswer = (settings: Settings): Reason => ({why: 'it does not answer', hint: `Check that ${settings.host} is on and that no firewall stands in between.`});

function ofServer(sqlstate: string, said: string, settings: Settings): Reason | undefined {
	switch (sqlstate) {
		case '28P01': {
			return {why: 'the password is wrong, or there is no such user', hint: 'Check --dbuser and --dbpassword.', isFinal: true, barrier: 'refused'};
		}

		case '28000': {
			const wantsTls = /no encryption|SSL off/.test(said) && !settings.usesTls;
			return {why: `the server does not let this user in (${visible(said)})`, hint: wantsTls ? 'It may ask for TLS: try sslmode=require.' : 'Check --dbuser, and the server\'s pg_hba.conf.', isFinal: true, barrier: 'refused'};
		}

		case '3D000': {
			return {why: 'there is no such database', hint: `Create it (createdb ${settings.database}), or name another one with --dbname.`, isFinal: true};
		}

		case '53300': {
			return {why: 'it has too many connections already', hint: 'Close some, or raise max_connections of the server.'};
		}

		case '57P03': {
			return {why: 'it is starting up or shutting down', hint: 'Try it again in a moment.'};
		}

		default: {
			return undefined;
		}
	}
}

function ofSystem(code: unknown, settings: Settings): Reason | undefined {
	switch (code) {
		case 'ECONNREFUSED': {
			return {why: 'nothing listens there', hint: 'Start the server, or check --dbhost and --dbport.'};
		}

		case 'ENOENT': {
			return {why: 'there is no socket in that folder', hint: `Start the server, or check --dbhost (the folder that holds .s.PGSQL.${settings.port}) and --dbport.`};
		}

		case 'EACCES': {
			return {why: 'its socket may not be opened', hint: 'Check the permissions of that folder.', isFinal: true};
		}

		case 'ENOTFOUND':
		case 'EAI_AGAIN': {
			return {why: `there is no host ${settings.host} to be found`, hint: 'Check --dbhost, and the network.'};
		}

		case 'ETIMEDOUT':
		case 'EHOSTUNREACH':
		case 'EHOSTDOWN':
		case 'ENETUNREACH': {
			return noAnswer(settings);
		}

		default: {
			return undefined;
		}
	}
}

function ofMessage(message: string, settings: Settings): Reason | undefined {
	if (message.includes('client password must be')) {
		return noPassword;
	}

	if (message.includes('does not support SSL')) {
		return {why: 'TLS was asked for and the server does not offer it', hint: 'Turn TLS on at the server, or leave it off here (sslmode=disable) where the network is trusted.', isFinal: true};
	}

	return /^(?:timeout|Connection terminated due to connection timeout)/.test(message) ? noAnswer(settings) : undefined;
}

function reasonOf(error: unknown, settings: Settings): Reason {
	const {code, message = ''} = error as {code?: unknown; message?: string};
	const sqlstate = sqlstateOf(error);
	if (isDistrust(code)) {
		return {why: `its TLS certificate is not trusted (${visible(message)})`, hint: 'Name the authority that signed it with sslrootcert, and the host as the certificate has it.', isFinal: true, barrier: 'untrusted'};
	}

	return (sqlstate === undefined ? ofSystem(code, settings) : ofServer(sqlstate, message, settings))
		?? ofMessage(message, settings)
		?? {why: visible(message).slice(0, 200) || String(code), hint: 'Check --dbhost, --dbport, --dbuser and --dbname.'};
}

/** Says in one sentence why no connection came about, and what to do. Never the password. */
export function refusal(error: unknown, settings: Settings): ColoniesError {
	if (error instanceof UnfitSetting) {
		return error;
	}

	const {why, hint, barrier} = reasonOf(error, settings);
	return new ColoniesError('unavailable', `Cannot connect to ${settings.place}: ${why}.`, {hint, cause: error, barrier, outward: storeUnavailable});
}

/** Whether no waiting mends what kept the connection from coming about. */
export const isFinal = (error: unknown, settings: Settings): boolean => error instanceof UnfitSetting || (reasonOf(error, settings).isFinal ?? false);
