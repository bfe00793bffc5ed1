import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {mkdtempSync, rmSync, symlinkSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {after, test} from 'node:test';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {promisify} from 'node:util';
import {Point} from '@noble/secp256k1';
import fc from 'fast-check';
import {idOf, recover, sign} from '../source/identity/index.ts';
import {sha3Bytes} from '../source/identity/hash.ts';
import {addonSign, signByReference} from '../source/identity/keys.ts';
import {addonRecover, recoverByReference} from '../source/identity/recover.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const {build} = await import(new URL('../scripts/build.js', import.meta.url).href) as {build: (options: {entryPoints: Record<string, string>; outdir: string}) => Promise<unknown>};

const {n: order, p: field} = Point.CURVE();
const hex = (value: bigint): string => value.toString(16).padStart(64, '0');
const byAddon = addonRecover();
/** Said in the run's last lines where the addon is not installed for this machine. */
const skip = byAddon ? false : 'The addon of secp256k1 is not installed here: noble alone was tested.';

const privateKeys = fc.bigInt(1n, order - 1n).map(value => hex(value));
const messages = fc.oneof(fc.string({unit: 'binary'}), fc.uint8Array({maxLength: 200}));
/** Numbers at the edges of what r and s may be, and anything in between. */
const numbers = fc.oneof(
	fc.constantFrom(0n, 1n, 2n, order / 2n, (order / 2n) + 1n, order - 1n, order, order + 1n, field - 1n, field, (2n ** 256n) - 1n, field - order, field - order - 1n),
	fc.bigInt(0n, (2n ** 256n) - 1n),
	fc.bigInt(1n, order / 2n),
).map(value => hex(value));
const vs = fc.constantFrom('00', '01', '02', '03', '04', '1b', 'ff', '0', '');

function same(message: string | Uint8Array, signature: string): string | undefined {
	const id = recoverByReference(message, signature);
	assert.equal(byAddon!(message, signature), id, signature);
	assert.equal(recover(message, signature), id);
	return id;
}

/** From domain.md, "Known answers". */
const known = [
	['test', 'fd9735ad1476ad2e10fbe535a5249a9703b8294918c3360122aa09c070cd425a6a82de09753b469de2de7970fbfc06b56a16c6efc2d588bf1e26c856ff368aac01', '4fef2b5a82d134d058c1883c72d6d9caf77cd59ca82d73105017590dea3dcb87'],
	['hello', 'e713a1bb015fecabb5a084b0fe6d6e7271fca6f79525a634183cfdb175fe69241f4da161779d8e6b761200e1cf93766010a19072fa778f9643363e2cfadd640900', '5d6568f883451ae2e407d1a0a7992e414f2a67b69d0e6e9176d353b98f06f696'],
	['hello', '997eca36736d465e0e8d64e6d657ff4c939c8f5cad4272797ea0fe372bfd8d0953d21b3d06ded5dd80aee8cfa3a9be7ce615ce690eb64184fe15962943fe541300', '5d6568f883451ae2e407d1a0a7992e414f2a67b69d0e6e9176d353b98f06f696'],
] as const;

test('the addon knows the known answers', {skip}, () => {
	for (const [message, signature, id] of known) {
		assert.equal(same(message, signature), id);
	}
});

test('the addon and noble find the same signer of what was signed', {skip}, () => {
	fc.assert(fc.property(privateKeys, messages, (key, message) => {
		assert.equal(same(message, sign(key, message)), idOf(key));
	}), {numRuns: 150});
});

test('the addon and noble sign alike', {skip}, () => {
	const signByAddon = addonSign();
	assert.ok(signByAddon);
	fc.assert(fc.property(privateKeys, messages, (key, message) => {
		assert.equal(sign(key, message), signByReference(key, message));
		assert.equal(Buffer.from(signByAddon(new Uint8Array(sha3Bytes(message)), new Uint8Array(Buffer.from(key, 'hex')))).toString('hex'), signByReference(key, message));
	}), {numRuns: 200});
	for (const key of [1n, 2n, order / 2n, order - 1n]) {
		assert.equal(sign(hex(key), 'edge'), signByReference(hex(key), 'edge'));
	}
});

test('the addon and noble agree on altered signatures', {skip}, () => {
	fc.assert(fc.property(privateKeys, messages, messages, fc.nat(519), (key, message, other, bit) => {
		const signature = sign(key, message);
		const bytes = Buffer.from(signature, 'hex');
		bytes[Math.floor(bit / 8)]! ^= 2 ** (bit % 8); // eslint-disable-line no-bitwise -- one bit
		same(message, bytes.toString('hex'));
		same(other, signature);
		const twin = hex(order - BigInt(`0x${signature.slice(64, 128)}`));
		assert.equal(same(message, `${signature.slice(0, 64)}${twin}${signature.endsWith('00') ? '01' : '00'}`), undefined);
		assert.equal(same(message, `${signature.slice(0, 128)}02`), undefined);
	}), {numRuns: 100});
});

test('the addon and noble agree on whatever has the form of a signature, or nearly', {skip}, () => {
	let found = 0;
	fc.assert(fc.property(messages, numbers, numbers, vs, (message, r, s, v) => {
		found += same(message, `${r}${s}${v}`) === undefined ? 0 : 1;
	}), {numRuns: 600});
	assert.ok(found > 10, 'Some of them have a signer.');
	fc.assert(fc.property(messages, fc.string(), (message, text) => {
		assert.equal(same(message, text), undefined);
	}));
});

test('the bundle loads the addon of what is installed at the first signature, and does without it', {skip}, async () => {
	const folder = mkdtempSync(path.join(tmpdir(), 'colonies-recover-'));
	after(() => {
		rmSync(folder, {recursive: true, force: true});
	});
	await build({entryPoints: {recover: path.join(root, 'source', 'identity', 'recover.ts')}, outdir: folder});
	const [message, signature, id] = known[0];
	const program = `
		import {createRequire} from 'node:module';
		const {recover, addonRecover} = await import(${JSON.stringify(pathToFileURL(path.join(folder, 'recover.js')).href)});
		const loaded = () => Object.keys(createRequire(import.meta.url).cache).filter(file => file.endsWith('.node')).length;
		const before = loaded();
		const id = recover(${JSON.stringify(message)}, ${JSON.stringify(signature)});
		console.log(JSON.stringify([before, id, loaded(), addonRecover() !== undefined]));
	`;
	const answer = async (): Promise<unknown> => JSON.parse((await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program])).stdout);
	assert.deepEqual(await answer(), [0, id, 0, false]);
	symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
	assert.deepEqual(await answer(), [0, id, 1, true]);
});
