import assert from 'node:assert/strict';
import {test} from 'node:test';
import {
	ColoniesError, Conflict, errorCodes, InvalidInput, NotAllowed, NotFound, NothingToAssign, toColoniesError, TooLarge, Unauthenticated, Unavailable, type ErrorCode,
} from '../../source/core/errors.ts';

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

test('each class of error has its code, and keeps what it was given', () => {
	const cause = new Error('below');
	const errors = [InvalidInput, TooLarge, Unauthenticated, NotAllowed, NotFound, Conflict, NothingToAssign, Unavailable].map(Class => new Class('What is wrong.', {hint: 'What to do.', cause}));
	assert.deepEqual(errors.map(({code}) => code), ['invalid-input', 'too-large', 'unauthenticated', 'not-allowed', 'not-found', 'conflict', 'nothing-to-assign', 'unavailable']);
	for (const error of errors) {
		assert.deepEqual([error.name, error.message, error.hint, error.cause, error.nothingDone], ['ColoniesError', 'What is wrong.', 'What to do.', cause, false]);
	}
});

test('an error without a cause says nothing of one', () => {
	const error = new Conflict('It is closed.');
	assert.equal('cause' in error, false);
	assert.equal(error.hint, undefined);
});

test('the codes have these statuses and exit codes', () => {
	assert.deepEqual(Object.entries(errorCodes).map(([code, {status, exit}]) => [code, status, exit]), [
		['invalid-input', 400, 2],
		['too-large', 413, 2],
		['unauthenticated', 401, 3],
		['not-allowed', 403, 4],
		['not-found', 404, 5],
		['conflict', 409, 6],
		['nothing-to-assign', 404, 7],
		['unavailable', 503, 8],
		['in-use', 503, 9],
		['newer-database', 503, 10],
		['disk-full', 507, 11],
		['damaged', 500, 12],
		['not-intact', 500, 14],
		['cancelled', 499, 13],
		['internal', 500, 70],
	]);
});

test('what was thrown is told in the error that is made of it', () => {
	assert.match(toColoniesError(new TypeError('of undefined')).message, /inside the program: of undefined$/);
	assert.match(toColoniesError('text').message, /inside the program: text$/);
	assert.match(toColoniesError('text').hint!, /--debug/);
});
