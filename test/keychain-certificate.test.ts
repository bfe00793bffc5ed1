import assert from 'node:assert/strict';
import {createPrivateKey, generateKeyPairSync, webcrypto, X509Certificate} from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {after, test} from 'node:test';
import {type Certificate, fingerprintOf, ownCertificate, readCertificate} from '../source/keychain/index.ts';
import {refused} from './support/colony.ts';

const top = fs.mkdtempSync(path.join(os.tmpdir(), 'colonies-certificates-'));
after(() => {
	fs.rmSync(top, {recursive: true});
});

const freshFolder = (): string => fs.mkdtempSync(path.join(top, 'config-'));

function write(name: string, text: string): string {
	const file = path.join(freshFolder(), name);
	fs.writeFileSync(file, text);
	return file;
}

/** One that is good from and until so many days from now. */
async function certificateOf(from: number, until: number): Promise<{cert: string; key: string}> {
	// What loads it makes it loadable here.
	await ownCertificate({folder: freshFolder()});
	const x509 = await import('@peculiar/x509');
	const signingAlgorithm = {name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256'};
	const keys = await webcrypto.subtle.generateKey(signingAlgorithm, true, ['sign', 'verify']);
	const day = 86_400_000;
	const certificate = await x509.X509CertificateGenerator.createSelfSigned({name: 'CN=test', notBefore: new Date(Date.now() + (from * day)), notAfter: new Date(Date.now() + (until * day)), signingAlgorithm, keys});
	const key = createPrivateKey({key: Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)), format: 'der', type: 'pkcs8'});
	return {cert: certificate.toString('pem'), key: key.export({format: 'pem', type: 'pkcs8'}).toString()};
}

test('a certificate is made once, kept for this user alone, and good for the names of this machine', async () => {
	const folder = path.join(freshFolder(), 'not', 'yet');
	const first = await ownCertificate({folder});
	assert.deepEqual(await ownCertificate({folder}), first);
	assert.deepEqual(fs.readdirSync(folder), ['certificate.json']);
	assert.equal(fs.statSync(path.join(folder, 'certificate.json')).mode & 0o777, 0o600); // eslint-disable-line no-bitwise
	const certificate = new X509Certificate(first.cert);
	assert.ok(certificate.checkPrivateKey(createPrivateKey(first.key)));
	assert.ok(certificate.verify(certificate.publicKey));
	for (const name of ['localhost', os.hostname()]) {
		assert.ok(certificate.checkHost(name), name);
	}

	for (const address of ['127.0.0.1', '::1']) {
		assert.ok(certificate.checkIP(address), address);
	}

	assert.equal(certificate.checkHost('elsewhere.test'), undefined);
	assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
	const years = (Date.parse(certificate.validTo) - Date.now()) / 31_536_000_000;
	assert.ok(years > 9.9 && years < 10.1);
	assert.match(first.fingerprint, /^[\da-f]{64}$/);
	assert.equal(first.fingerprint, fingerprintOf(first.cert));
});

test('of several that start at the same moment one makes it', async () => {
	const folder = freshFolder();
	const all = await Promise.all(Array.from({length: 5}, async () => ownCertificate({folder})));
	assert.equal(new Set(all.map(({fingerprint}) => fingerprint)).size, 1);
});

test('a certificate that others could read is closed to them, and one that is damaged is left as it is', async () => {
	const folder = freshFolder();
	const file = path.join(folder, 'certificate.json');
	const made = await ownCertificate({folder});
	fs.chmodSync(file, 0o644);
	const warnings: string[] = [];
	assert.deepEqual(await ownCertificate({folder, warn: sentence => warnings.push(sentence)}), made);
	assert.match(warnings.join(''), /was open to other users/);
	const other = await ownCertificate({folder: freshFolder()});
	for (const text of ['', '{', '{}', JSON.stringify({cert: made.cert, key: other.key}), JSON.stringify({cert: made.key, key: made.cert})]) {
		fs.writeFileSync(file, text);
		const error = await refused(ownCertificate({folder}), 'damaged', /certificate.json is damaged/);
		assert.doesNotMatch(`${error.message} ${error.hint}`, /BEGIN/);
		assert.equal(fs.readFileSync(file, 'utf8'), text);
	}
});

test('a certificate that expired is made anew, and that is said', async () => {
	const folder = freshFolder();
	const old = await certificateOf(-10, -1);
	fs.writeFileSync(path.join(folder, 'certificate.json'), JSON.stringify(old), {mode: 0o600});
	const warnings: string[] = [];
	const made = await ownCertificate({folder, warn: sentence => warnings.push(sentence)});
	assert.notEqual(made.fingerprint, fingerprintOf(old.cert));
	assert.match(warnings.join(''), /expired, and another one was made/);
	assert.deepEqual(await ownCertificate({folder}), made);
});

test('the files of a certificate are read, with what leads to its authority behind it', async () => {
	const [one, two]: Certificate[] = [await ownCertificate({folder: freshFolder()}), await ownCertificate({folder: freshFolder()})];
	const chain = `${one!.cert}\n${two!.cert}\n`;
	const read = await readCertificate(write('cert.pem', chain), write('key.pem', one!.key));
	assert.deepEqual(read, {cert: chain, key: one!.key, fingerprint: one!.fingerprint});
});

test('what is wrong with the files of a certificate is said in one sentence', async () => {
	const good = await ownCertificate({folder: freshFolder()});
	const other = await ownCertificate({folder: freshFolder()});
	const [cert, key] = [write('cert.pem', good.cert), write('key.pem', good.key)];
	const missing = path.join(top, 'missing.pem');
	await refused(readCertificate(missing, key), 'invalid-input', new RegExp(`^There is no file ${missing}.$`));
	await refused(readCertificate(cert, missing), 'invalid-input', /^There is no file/);
	await refused(readCertificate(top, key), 'invalid-input', /cannot be read: EISDIR/);
	await refused(readCertificate(write('text.pem', 'text'), key), 'invalid-input', /text.pem is no certificate in PEM/);
	await refused(readCertificate(key, key), 'invalid-input', /is no certificate in PEM/);
	await refused(readCertificate(cert, cert), 'invalid-input', /is no private key in PEM/);
	await refused(readCertificate(cert, write('other.pem', other.key)), 'invalid-input', /^The key in .*other.pem does not fit the certificate in .*cert.pem.$/);
	const {privateKey} = generateKeyPairSync('ec', {namedCurve: 'P-256', privateKeyEncoding: {type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x'}, publicKeyEncoding: {type: 'spki', format: 'pem'}});
	await refused(readCertificate(cert, write('encrypted.pem', privateKey)), 'invalid-input', /encrypted.pem is encrypted/);
	const expired = await certificateOf(-10, -1);
	const day = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
	await refused(readCertificate(write('old.pem', expired.cert), write('old.key', expired.key)), 'invalid-input', new RegExp(`expired: it was good until ${day}`));
	const future = await certificateOf(1, 10);
	await refused(readCertificate(write('new.pem', future.cert), write('new.key', future.key)), 'invalid-input', /is good from .* only/);
});
