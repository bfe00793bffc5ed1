import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {
	firstUnprintable, isSecretKey, plural, quoted, shortId, visible,
} from '../../source/core/text.ts';

// By what Unicode says of characters; the code under test has a list of its own.
const obeyed = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\u200B\u2060-\u2064\u206A-\u206F\uFEFF\u{E0001}\u{E0020}-\u{E007F}]/u;

const nasty = fc.constantFrom('\u001B', '\u001B[2J', '\u001B]52;c;YQ==\u0007', '\0', '\r', '\n', '\t', '\u007F', '\u009B', '\u0085', '\u202E', '\u2066', '\u061C', '\u2028', '\u200B', '\uFEFF', '\uD800', '\uDC00', '\u{E0041}', 'é', '👩‍💻', '漢');

const texts = fc.oneof(fc.string({unit: 'binary'}), fc.array(fc.oneof(nasty, fc.string(), fc.nat(0xFF_FF).map(code => String.fromCodePoint(code)))).map(parts => parts.join('')));

test('nothing that a terminal obeys is left in a text made visible', () => {
	fc.assert(fc.property(texts, text => {
		const shown = visible(text);
		assert.doesNotMatch(shown, obeyed);
		assert.equal(firstUnprintable(shown), undefined);
		assert.equal(visible(shown), shown);
		assert.ok(shown.isWellFormed());
	}), {numRuns: 1000});
	for (let code = 0; code < 0x11_00_00; code++) {
		const character = String.fromCodePoint(code);
		if (obeyed.test(character)) {
			assert.doesNotMatch(visible(character), obeyed);
			assert.match(firstUnprintable(character)!, /^U\+[\dA-F]{4,}$/);
		}
	}
});

test('a text without such characters stays as it is', () => {
	for (const text of ['', 'plain', 'Ærø – 漢字 – العربية – עברית', '👩‍💻 👍🏽 🇸🇪', 'a\u00A0b']) {
		assert.equal(visible(text), text);
		assert.equal(firstUnprintable(text), undefined);
	}

	assert.equal(visible('\u001B[31mred\u202E\n'), '␛[31mred<202E>␊');
	assert.equal(firstUnprintable('a\u001Bb'), 'U+001B');
});

test('a value in an error is on one line, quoted and short', () => {
	fc.assert(fc.property(fc.oneof(texts, fc.jsonValue(), fc.constant(undefined)), value => {
		const shown = quoted(value);
		assert.match(shown, /^".*"$/su);
		assert.doesNotMatch(shown, obeyed);
		assert.ok(shown.length <= 82);
	}));
	assert.equal(quoted('a'.repeat(100)), `"${'a'.repeat(79)}…"`);
});

test('ids are shortened and things counted for reading', () => {
	assert.equal(shortId('2770116b0d66a71840a4513bec52707c4a26042462b62e0830497724f7d37773'), '2770..7773');
	assert.deepEqual([plural(1, 'computer'), plural(2, 'computer'), plural(2, 'colony'), plural(0, 'process')], ['1 computer', '2 computers', '2 colonies', '0 processes']);
});

test('characters that cannot be seen are shown by their picture or their number', () => {
	assert.equal(visible('\0\u001F \u007F\u0080\u009F'), '␀␟ ␡<0080><009F>');
	assert.equal(visible('\u061C\u2028\uFEFF\u{E0041}'), '<061C><2028><FEFF><E0041>');
	assert.equal(firstUnprintable('ok\u0007\u001B'), 'U+0007');
	assert.equal(firstUnprintable('\u{E0041}'), 'U+E0041');
});

test('an id is shortened when it is longer than twelve characters', () => {
	assert.deepEqual(['123456789012', '1234567890123'].map(id => shortId(id)), ['123456789012', '1234..0123']);
});

test('a value of any kind can stand in an error', () => {
	const deep: unknown[] = [];
	let inner = deep;
	for (let depth = 0; depth < 100_000; depth++) {
		const next: unknown[] = [];
		inner.push(next);
		inner = next;
	}

	assert.deepEqual([1, null, undefined, {a: [1]}, deep, {deep}, Symbol('s')].map(value => quoted(value)), ['"1"', '"null"', '"undefined"', '"{"a":[1]}"', '"[…]"', '"{…}"', '"Symbol(s)"']);
	assert.equal(quoted('x'.repeat(80)), `"${'x'.repeat(80)}"`);
	assert.equal(quoted('x'.repeat(81)), `"${'x'.repeat(79)}…"`);
});

test('a noun has its plural', () => {
	assert.deepEqual([plural(1, 'process'), plural(3, 'foot', 'feet'), plural(-1, 'row')], ['1 process', '3 feet', '-1 rows']);
});

test('an attribute is secret by its key', () => {
	for (const key of ['password', 'db_PASSWD', 'passphrase', 'Token', 'secret', 'apikey', 'api_key', 'API-KEY', 'private_key', 'privatekey', 'private-key', 'prvkey', 'prv_key', 'prv-key', 'aws.credentials']) {
		assert.equal(isSecretKey(key), true, key);
	}

	for (const key of ['', 'pass', 'key', 'api', 'result', 'public_key', 'api.key']) {
		assert.equal(isSecretKey(key), false, key);
	}
});
