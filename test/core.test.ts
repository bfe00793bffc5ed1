import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {
	allows, anyMember, approvedSelf, colonyOwner, member, memberOrSelf, root, roles, type Rule,
} from '../source/core/authority.ts';
import {
	ColoniesError, errorCodes, toColoniesError, type ErrorCode,
} from '../source/core/errors.ts';
import {groupBy} from '../source/core/group-by.ts';
import {
	afterDeadline, mayChange, stateOf, statusOf, transitions, type Transition,
} from '../source/core/states.ts';
import {
	firstUnprintable, plural, quoted, shortId, visible,
} from '../source/core/text.ts';
import {formatMoment, formatSpan, microseconds, milliseconds} from '../source/core/time.ts';
import {processStates, unsetTime, type ProcessState} from '../source/core/types.ts';

/** Every transition of domain.md, "States": from where, and to where. All others are conflicts. */
const allowed: Record<Transition, Partial<Record<ProcessState, ProcessState>>> = {
	assign: {waiting: 'running'},
	successful: {running: 'successful'},
	failed: {running: 'failed'},
	cancel: {waiting: 'failed', running: 'failed'},
	requeue: {running: 'waiting'},
	expire: {running: 'failed'},
	retry: {successful: 'waiting', failed: 'waiting'},
};

test('a process changes as the rules of its states say, and in no other way', () => {
	assert.deepEqual(Object.keys(transitions).sort(), Object.keys(allowed).sort());
	for (const [transition, {to}] of Object.entries(transitions) as Array<[Transition, {to: ProcessState}]>) {
		for (const from of processStates) {
			assert.equal(mayChange(transition, from), from in allowed[transition], `${transition} from ${from}`);
			assert.ok(!(from in allowed[transition]) || allowed[transition][from] === to);
		}
	}
});

test('a closed process is final but for a retry', () => {
	for (const transition of Object.keys(transitions) as Transition[]) {
		assert.equal(mayChange(transition, 'successful'), transition === 'retry');
		assert.equal(mayChange(transition, 'failed'), transition === 'retry');
	}
});

test('a state and its number stand for each other', () => {
	assert.deepEqual(processStates.map(state => statusOf(state)), [0, 1, 2, 3]);
	assert.deepEqual(([0, 1, 2, 3] as const).map(status => stateOf(status)), [...processStates]);
});

test('a deadline brings another attempt as long as retries are left', () => {
	fc.assert(fc.property(fc.nat(20), maxretries => {
		let attempts = 1;
		for (let retries = 0; afterDeadline({retries, maxretries}) === 'requeue'; retries++) {
			attempts++;
		}

		assert.equal(attempts, maxretries + 1);
	}));
});

/** Domain.md, "Who may do what": the columns of its table for each kind of row. `self` is about the caller's own record or process. */
const table: Array<[Rule, Array<true | 'self' | false>]> = [
	// Root, owner, approved, pending, disapproved, stranger
	[root, [true, false, false, false, false, false]],
	[anyMember, [true, true, true, false, false, false]],
	[colonyOwner, [false, true, false, false, false, false]],
	[member, [false, true, true, false, false, false]],
	[memberOrSelf, [false, true, true, 'self', 'self', false]],
	[approvedSelf, [false, false, 'self', false, false, false]],
];

test('a rule lets through whom the table names', () => {
	for (const [rule, columns] of table) {
		for (const [index, role] of roles.entries()) {
			assert.equal(allows(rule, role, true), columns[index] !== false, `${rule.refusal} ${role}`);
			assert.equal(allows(rule, role, false), columns[index] === true, `${rule.refusal} ${role}`);
		}
	}
});

/** A time on the wire from microseconds since 1970, made without the code under test. */
function toWire(value: bigint): string {
	const seconds = value >= 0n ? value / 1_000_000n : -((999_999n - value) / 1_000_000n);
	return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${String(value - (seconds * 1_000_000n)).padStart(6, '0')}Z`;
}

const moments = fc.bigInt(BigInt(Date.parse('0002-01-01T00:00:00Z')) * 1000n, BigInt(Date.parse('9999-12-31T23:59:59Z')) * 1000n);

test('a time keeps its microseconds', () => {
	assert.equal(microseconds('2021-12-21T21:04:07.807378Z'), 1_640_120_647_807_378n);
	assert.equal(milliseconds('2021-12-21T21:04:07.807378Z'), 1_640_120_647_807);
	fc.assert(fc.property(moments, value => {
		assert.equal(microseconds(toWire(value)), value);
		assert.equal(milliseconds(toWire(value)), Number(value / 1000n));
	}));
});

test('times compare as their texts do', () => {
	fc.assert(fc.property(moments, moments, (left, right) => {
		assert.equal(microseconds(toWire(left))! < microseconds(toWire(right))!, toWire(left) < toWire(right));
	}));
});

test('other forms of RFC 3339 are read too', () => {
	assert.equal(microseconds('2021-12-22T08:23:45.369808389+01:00'), microseconds('2021-12-22T07:23:45.369808Z'));
	assert.equal(microseconds('2021-12-22T08:22:33.18657Z'), microseconds('2021-12-22T08:22:33.186570Z'));
	assert.equal(microseconds('2021-12-22T08:22:33Z'), microseconds('2021-12-22T08:22:33.000000Z'));
	assert.equal(microseconds(unsetTime), undefined);
	assert.equal(milliseconds(unsetTime), undefined);
});

test('a span is told in at most two units, and never as more than it is', () => {
	assert.deepEqual([-5, 0, 999, 1000, 59_999, 60_000, 724_000, 12_000_000, 187_200_000].map(span => formatSpan(span)), ['0s', '0s', '0s', '1s', '59s', '1m00s', '12m04s', '3h20m', '2d04h']);
	const units: Record<string, number> = {d: 86_400, h: 3600, m: 60, s: 1};
	fc.assert(fc.property(fc.nat(10 * 365 * 86_400 * 1000), span => {
		const text = formatSpan(span);
		assert.match(text, /^(?:\d+d\d\dh|\d+h\d\dm|\d+m\d\ds|\d+s)$/);
		const parts = [...text.matchAll(/(\d+)([dhms])/g)].map(([, value, unit]) => ({value: Number(value), unit: units[unit!]!}));
		const told = parts.reduce((sum, {value, unit}) => sum + (value * unit), 0);
		const rest = Math.floor(span / 1000) - told;
		assert.ok(rest >= 0 && rest < parts.at(-1)!.unit, text);
	}));
});

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

test('every error code has a status and an exit code of its own', () => {
	const exits = Object.entries(errorCodes).filter(([code]) => code !== 'too-large').map(([, {exit}]) => exit);
	assert.equal(new Set(exits).size, exits.length);
	for (const [code, {status, exit, meaning}] of Object.entries(errorCodes)) {
		const error = new ColoniesError(code as ErrorCode, 'What is wrong.', {hint: 'What to do.'});
		assert.deepEqual([error.status, error.exitCode, error.hint], [status, exit, 'What to do.']);
		assert.ok(status >= 400 && status < 600 && exit > 0 && exit < 126 && meaning.endsWith('.'));
	}
});

test('whatever is thrown becomes an error with a code and keeps its cause', () => {
	const known = new ColoniesError('conflict', 'It is closed.');
	assert.equal(toColoniesError(known), known);
	for (const thrown of [new TypeError('of undefined'), 'text', undefined]) {
		const error = toColoniesError(thrown);
		assert.equal(error.code, 'internal');
		assert.equal(error.cause, thrown);
	}
});

test('groups keep the order of their items and of their first appearance', () => {
	fc.assert(fc.property(fc.array(fc.tuple(fc.nat(4), fc.nat())), items => {
		const groups = groupBy(items, ([key]) => key);
		assert.deepEqual([...groups.keys()], [...new Set(items.map(([key]) => key))]);
		assert.ok([...groups].every(([key, group]) => group.every((item, index) => item === items.filter(([other]) => other === key)[index])));
		assert.equal([...groups.values()].flat().length, items.length);
	}));
});

test('a moment is told by its time of day, and by its day where that is another one', () => {
	const now = Date.UTC(2026, 10, 24, 12);
	assert.equal(formatMoment('2026-11-24T09:41:07.123456Z', now, true), '09:41:07');
	assert.equal(formatMoment('2026-11-23T23:59:59.999999Z', now, true), '11-23 23:59');
	assert.equal(formatMoment('0001-01-01T00:00:00Z', now, true), '-');
});
