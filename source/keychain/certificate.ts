import {
	createPrivateKey, type KeyObject, webcrypto, X509Certificate,
} from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {ColoniesError, InvalidInput} from '../core/errors.ts';
import {damaged, systemCode} from './failures.ts';
import {makeFolder, tighten, type Warn} from './folder.ts';
import {withLock} from './lock.ts';
import {
	isThere, readStore, removeStaged, writeStore,
} from './store.ts';

/** A certificate and its private key as PEM texts. `fingerprint`: SHA-256 of the certificate's DER, 64 lowercase hex digits. */
export type Certificate = {cert: string; key: string; fingerprint: string};

/** Milliseconds that a certificate of our own is good for: ten years. */
const life = 315_360_000_000;

/** @throws InvalidInput when a text has no certificate in PEM */
function parseCertificate(pem: string, what: string): X509Certificate {
	try {
		return new X509Certificate(pem);
	} catch (error) {
		throw new InvalidInput(`${what} is no certificate in PEM.`, {hint: 'It begins with "-----BEGIN CERTIFICATE-----".', cause: error});
	}
}

/** SHA-256 of the first certificate of a PEM text, 64 lowercase hex digits. @throws InvalidInput */
export const fingerprintOf = (certPem: string): string => parseCertificate(certPem, 'The text').fingerprint256.replaceAll(':', '').toLowerCase();

/** Without the cause: what is wrong with a key is said of its text. */
function parseKey(pem: string, what: string): KeyObject {
	try {
		return createPrivateKey(pem);
	} catch {
		throw pem.includes('ENCRYPTED')
			? new InvalidInput(`${what} is encrypted.`, {hint: 'Give the key without a passphrase: `openssl pkey -in KEY -out PLAIN`.'})
			: new InvalidInput(`${what} is no private key in PEM.`, {hint: 'It begins with "-----BEGIN PRIVATE KEY-----" or the like.'});
	}
}

function readText(file: string): string {
	try {
		return fs.readFileSync(file, 'utf8');
	} catch (error) {
		throw new InvalidInput(systemCode(error) === 'ENOENT' ? `There is no file ${file}.` : `${file} cannot be read: ${systemCode(error)}.`, {hint: 'Check --tlscert and --tlskey.', cause: error});
	}
}

const dayOf = (date: string): string => new Date(date).toISOString().slice(0, 10);

/** @throws InvalidInput when it is not good today */
function checkDates({validFrom, validTo}: X509Certificate, file: string): void {
	if (Date.parse(validTo) < Date.now()) {
		throw new InvalidInput(`The certificate in ${file} expired: it was good until ${dayOf(validTo)}.`, {hint: 'Get a new one, or leave --tlscert and --tlskey out for one of our own.'});
	}

	if (Date.parse(validFrom) > Date.now()) {
		throw new InvalidInput(`The certificate in ${file} is good from ${dayOf(validFrom)} only.`, {hint: 'Check the clock of this computer.'});
	}
}

/**
Reads the files of `--tlscert` (with what leads to its authority behind it) and `--tlskey`.
@throws InvalidInput, one sentence: a missing file, no PEM, a key that does not fit, a certificate that expired
*/
export async function readCertificate(certFile: string, keyFile: string): Promise<Certificate> {
	const [cert, key] = [readText(certFile), readText(keyFile)];
	const certificate = parseCertificate(cert, certFile);
	if (!certificate.checkPrivateKey(parseKey(key, keyFile))) {
		throw new InvalidInput(`The key in ${keyFile} does not fit the certificate in ${certFile}.`, {hint: 'Give the key that the certificate was made for.'});
	}

	checkDates(certificate, certFile);
	return {cert, key, fingerprint: fingerprintOf(cert)};
}

/**
Loads what makes certificates, when one is made, which is once.
Its parts find each other by tsyringe, which asks for these three of a proposal that Node does not have. None of the parts needs anything given to it, so that there is nothing to remember.
*/
async function loadX509() {
	const reflect = Reflect as unknown as Record<string, unknown>;
	for (const name of ['getMetadata', 'getOwnMetadata', 'defineMetadata']) {
		reflect[name] ??= () => undefined;
	}

	return import('@peculiar/x509');
}

/** Makes a self-signed certificate (RFC 5280) for this machine's names: ECDSA over P-256. */
async function makeCertificate(): Promise<Certificate> {
	const x509 = await loadX509();
	const algorithm = {name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256'};
	const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
	const names = [...new Set(['localhost', os.hostname().toLowerCase()])].filter(name => /^[\w.-]+$/.test(name));
	const certificate = await x509.X509CertificateGenerator.createSelfSigned({
		name: 'CN=colonies',
		notBefore: new Date(Date.now() - 86_400_000),
		notAfter: new Date(Date.now() + life),
		signingAlgorithm: algorithm,
		keys,
		extensions: [
			new x509.BasicConstraintsExtension(false, undefined, true),
			new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
			new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
			await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
			await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
			new x509.SubjectAlternativeNameExtension([...names.map(value => ({type: 'dns' as const, value})), ...['127.0.0.1', '::1'].map(value => ({type: 'ip' as const, value}))]),
		],
	});
	const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
	const cert = certificate.toString('pem');
	return {cert, key: createPrivateKey({key: pkcs8, format: 'der', type: 'pkcs8'}).export({format: 'pem', type: 'pkcs8'}).toString(), fingerprint: fingerprintOf(cert)};
}

/** What is kept, or undefined when there is none. @throws damaged */
async function readOwn(file: string, warn: Warn | undefined): Promise<Certificate | undefined> {
	const values = await readStore(file);
	if (values === undefined) {
		return undefined;
	}

	tighten(file, 0o600, warn);
	const {cert, key} = values;
	try {
		if (typeof cert === 'string' && typeof key === 'string' && parseCertificate(cert, file).checkPrivateKey(parseKey(key, file))) {
			return {cert, key, fingerprint: fingerprintOf(cert)};
		}
	} catch (error) {
		if (!(error instanceof ColoniesError)) {
			throw error;
		}
	}

	throw damaged(file, 'it holds no certificate with its key');
}

const isGood = ({cert}: Certificate): boolean => Date.parse(new X509Certificate(cert).validTo) > Date.now();

/**
The self-signed certificate of this installation: made once, and kept in the config folder in a file of its own (mode 0600, all of it or nothing). `warn` hears when that was open to other users, or the certificate had to be made anew.
@throws damaged when the file holds something else, InvalidInput or disk-full when it cannot be written
*/
export async function ownCertificate({folder, warn}: {folder: string; warn?: Warn}): Promise<Certificate> {
	const file = path.join(folder, 'certificate.json');
	const kept = await readOwn(file, warn);
	if (kept && isGood(kept)) {
		return kept;
	}

	makeFolder(folder);
	// Of servers that start at the same moment, one makes it.
	return withLock(path.join(folder, 'certificate.lock'), async confirm => {
		const other = await readOwn(file, warn);
		if (other && isGood(other)) {
			return other;
		}

		if (isThere(file)) {
			warn?.(`The certificate in ${file} expired, and another one was made: clients must be told its new fingerprint.`);
		}

		const made = await makeCertificate();
		removeStaged(file);
		await writeStore(file, {cert: made.cert, key: made.key}, confirm);
		return made;
	});
}
