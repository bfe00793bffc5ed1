import assert from 'node:assert/strict';
import {test} from 'node:test';
import {inspect} from 'node:util';
import {Point} from '@noble/secp256k1';
import fc from 'fast-check';
import {ColoniesError} from '../source/core/errors.ts';
import {
	attributeId, checkPrivateKey, createIdentity, Identity, idOf, isId, newPrivateKey, newProcessId, prove, publicKeyOf, recover, sha3, sign,
} from '../source/identity/index.ts';

const {n: order} = Point.CURVE();
const toKey = (value: bigint): string => value.toString(16).padStart(64, '0');

const privateKeys = fc.bigInt(1n, order - 1n).map(value => toKey(value));
const messages = fc.oneof(fc.string({unit: 'binary'}), fc.uint8Array({maxLength: 100}));
const few = {numRuns: 40};

/** Answers of independent implementations (domain.md, "Identity, bytes exactly"). */
const known = {
	first: {
		key: '6d2fb6f546bacfd98c68769e61e0b44a697a30596c018a50e28200aa59b01c0a',
		public: '0408e903276ee7973666dceeefa5335e5c4b6b5989821906db98f8de8acf8f853824ca3234a8602200baa2d75f30cb2050cda18602824c3eb2da654a93a01a7ad4',
		id: '4fef2b5a82d134d058c1883c72d6d9caf77cd59ca82d73105017590dea3dcb87',
		message: 'test',
		signature: 'fd9735ad1476ad2e10fbe535a5249a9703b8294918c3360122aa09c070cd425a6a82de09753b469de2de7970fbfc06b56a16c6efc2d588bf1e26c856ff368aac01',
	},
	colonies: {key: '4b24941ca1d85fb1ff055e81fad7dba97471e756bebc38e03e657c738f0e1224', id: '2770116b0d66a71840a4513bec52707c4a26042462b62e0830497724f7d37773'},
	second: {
		key: 'd6eb959e9aec2e6fdc44b5862b269e987b8a4d6f2baca542d8acaa97ee5e74f6',
		id: '5d6568f883451ae2e407d1a0a7992e414f2a67b69d0e6e9176d353b98f06f696',
		message: 'hello',
		signature: 'e713a1bb015fecabb5a084b0fe6d6e7271fca6f79525a634183cfdb175fe69241f4da161779d8e6b761200e1cf93766010a19072fa778f9643363e2cfadd640900',
		/** By the same key, with a random nonce. */
		random: '997eca36736d465e0e8d64e6d657ff4c939c8f5cad4272797ea0fe372bfd8d0953d21b3d06ded5dd80aee8cfa3a9be7ce615ce690eb64184fe15962943fe541300',
	},
};

test('keys, ids and signatures are those of other implementations', () => {
	assert.equal(publicKeyOf(known.first.key), known.first.public);
	for (const {key, id, message, signature} of [known.first, known.second]) {
		assert.equal(idOf(key), id);
		assert.equal(sign(key, message), signature);
		assert.equal(recover(message, signature), id);
	}

	assert.equal(idOf(known.colonies.key), known.colonies.id);
	assert.equal(recover(known.second.message, known.second.random), known.second.id);
});

test('hashes and attribute ids are those of other implementations', () => {
	assert.equal(sha3('hello world'), '644bcc7e564373040999aac89e7622f3ca71fba1d972fd94a31c3bfbf24e3938');
	const process = 'a5620e355153765ed52c4068aff8d17bf617e4d7d3167ded3ccd3fff157a4177';
	assert.equal(attributeId(process, 'test_key1', 0), 'c32a53097bbbfb0245238dfa0c04acc2b66f662bac63647a0ef5b6c065d32bd4');
	assert.notEqual(attributeId(process, 'test_key1', 0), attributeId(process, 'test_key1', 1));
});

test('whoever signed is recovered from the signature', () => {
	fc.assert(fc.property(privateKeys, messages, (key, message) => {
		const signature = sign(key, message);
		assert.match(signature, /^[\da-f]{128}0[01]$/);
		assert.equal(recover(message, signature), idOf(key));
		assert.equal(sign(key, message), signature);
	}), few);
});

test('text is signed as its bytes in UTF-8', () => {
	fc.assert(fc.property(privateKeys, fc.string({unit: 'grapheme'}), (key, text) => {
		assert.equal(sign(key, text), sign(key, new TextEncoder().encode(text)));
	}), few);
});

test('an altered message never recovers to the same id', () => {
	fc.assert(fc.property(privateKeys, messages, messages, (key, message, other) => {
		fc.pre(sha3(message) !== sha3(other));
		assert.notEqual(recover(other, sign(key, message)), idOf(key));
	}), few);
});

test('a signature with one digit altered never recovers to the same id', () => {
	fc.assert(fc.property(privateKeys, messages, fc.nat(129), fc.integer({min: 1, max: 15}), (key, message, at, by) => {
		const signature = sign(key, message);
		const digit = ((Number.parseInt(signature[at]!, 16) + by) % 16).toString(16);
		assert.notEqual(recover(message, `${signature.slice(0, at)}${digit}${signature.slice(at + 1)}`), idOf(key));
	}), few);
});

test('the twin of a signature with a high s is refused', () => {
	fc.assert(fc.property(privateKeys, messages, (key, message) => {
		const signature = sign(key, message);
		const s = BigInt(`0x${signature.slice(64, 128)}`);
		const parity = signature.endsWith('00') ? '01' : '00';
		assert.ok(s <= order / 2n);
		assert.equal(recover(message, `${signature.slice(0, 64)}${toKey(order - s)}${parity}`), undefined);
	}), few);
});

test('what is no signature recovers to nobody, and never throws', () => {
	const {message, signature, id} = known.first;
	const [r, s] = [signature.slice(0, 64), signature.slice(64, 128)];
	const zero = '0'.repeat(64);
	for (const bad of [
		'',
		'00',
		signature.slice(0, -1),
		`${signature}0`,
		` ${signature}`,
		`${signature}\n`,
		signature.toUpperCase(),
		`0x${signature}`,
		`${r}${s}02`,
		`${r}${s}1b`,
		`${r}${s}ff`,
		`${zero}${s}00`,
		`${r}${zero}00`,
		`${toKey(order)}${s}00`,
		`${'f'.repeat(64)}${s}01`,
		`${r}${toKey(order)}01`,
		`${zero}${zero}00`,
	]) {
		assert.equal(recover(message, bad), undefined, bad);
	}

	assert.equal(recover(message, `${r}${s}01`), id);
	fc.assert(fc.property(fc.oneof(fc.string(), fc.string({unit: fc.constantFrom(...'0123456789abcdef'), minLength: 130, maxLength: 130})), bad => {
		assert.notEqual(recover(message, bad), id);
	}));
});

test('a bad private key is refused and does not show in the error', () => {
	const {key} = known.first;
	const shown = (error: unknown): string => [inspect(error, {depth: 9, showHidden: true}), JSON.stringify(error), String(error)].join('\n').toLowerCase();
	for (const bad of [
		'', 'secret', key.slice(1), `${key}0`, `${key.slice(1)}g`, `0x${key}`, `${key} ${key}`, '0'.repeat(64), toKey(order), toKey(order + 1n), 'f'.repeat(64), known.first.public,
	]) {
		for (const check of [checkPrivateKey, prove, (text: string) => new Identity(text)]) {
			assert.throws(() => check(bad), (error: unknown) => {
				assert.ok(error instanceof ColoniesError && error.code === 'invalid-input' && error.hint);
				assert.ok(bad.length < 6 || !shown(error).replaceAll(/at .*/g, '').includes(bad));
				return !shown(error).includes(key.slice(1, 60));
			}, bad);
		}
	}

	assert.equal(checkPrivateKey(` ${key.toUpperCase()}\n`), key);
	assert.equal(checkPrivateKey(toKey(order - 1n)), toKey(order - 1n));
});

test('an identity never shows its key, and nobody can make one without the key', () => {
	const {identity, privateKey} = createIdentity();
	assert.equal(identity.id, idOf(privateKey));
	assert.equal(JSON.stringify({identity}), JSON.stringify({identity: {id: identity.id}}));
	for (const text of [
		JSON.stringify(identity),
		inspect(identity, {depth: 9, showHidden: true, getters: true}),
		String(identity),
		JSON.stringify(structuredClone(identity)),
		...Reflect.ownKeys(identity).map(name => String(Reflect.get(identity, name))),
		...Object.values(Object.getOwnPropertyDescriptors(identity)).map(String),
	]) {
		assert.ok(!text.includes(privateKey));
	}

	assert.ok(Identity.isProved(identity));
	for (const forged of [undefined, null, identity.id, {...identity}, structuredClone(identity), Object.create(identity), Object.create(Identity.prototype), {id: identity.id, sign: () => ''}]) {
		assert.ok(!Identity.isProved(forged));
	}
});

test('ids are 64 lowercase hex digits, and new ones differ', () => {
	const ids = Array.from({length: 100}, () => newProcessId());
	assert.equal(new Set(ids).size, 100);
	assert.ok(ids.every(id => isId(id)) && isId(idOf(newPrivateKey())));
	for (const bad of ['', ids[0]!.toUpperCase().replaceAll(/\d/g, 'A'), ids[0]!.slice(1), `${ids[0]!}0`, `${ids[0]!}\n`, 'g'.repeat(64)]) {
		assert.ok(!isId(bad));
	}
});
