import {readFile} from 'node:fs/promises';
import {inUrl} from '../core/address.ts';
import {InvalidInput} from '../core/errors.ts';
import {quoted} from '../core/text.ts';
import {type Context, parseInput, storeFlags} from '../operations/index.ts';
import type {Trust} from '../remote/index.ts';
import type {ServerTarget} from './resolve.ts';

/** The operations on a server elsewhere. `attended`: for as long as an operator stays; one that does not answer now is tried again. @throws ColoniesError */
export async function visitServer({name, host, port, ...trust}: ServerTarget, attended: boolean): Promise<Context> {
	const {openRemote} = await import('../remote/index.ts');
	const place = `the server at ${inUrl(host)}:${port}`;
	return openRemote({address: {host, port, trust: await readTrust(trust), place}, kind: 'server', name, startUnreachable: attended});
}

/** As a flag is read: the environment's is not checked before. @throws InvalidInput when it is no SHA-256 */
function readFingerprint(text: string): string {
	return parseInput({fingerprint: storeFlags.fingerprint}, {fingerprint: text}).fingerprint!;
}

/** What is believed of a server's certificate. @throws InvalidInput */
async function readTrust({tlsca, fingerprint, insecure}: Pick<ServerTarget, 'tlsca' | 'fingerprint' | 'insecure'>): Promise<Trust> {
	const given = [tlsca !== undefined && '--tlsca', fingerprint !== undefined && '--fingerprint', insecure === true && '--insecure'].filter(Boolean);
	if (given.length > 1) {
		throw new InvalidInput(`${given[0] as string} and ${given[1] as string} exclude each other.`, {hint: 'Give one of them.'});
	}

	if (fingerprint !== undefined) {
		return {kind: 'fingerprint', sha256: readFingerprint(fingerprint)};
	}

	if (tlsca === undefined) {
		return {kind: insecure === true ? 'anything' : 'system'};
	}

	try {
		return {kind: 'authority', ca: await readFile(tlsca, 'utf8')};
	} catch (error) {
		throw new InvalidInput(`The certificate ${quoted(tlsca)} cannot be read.`, {hint: 'Give the path of a PEM file with --tlsca.', cause: error});
	}
}
