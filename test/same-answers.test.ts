import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import type {Database} from '../source/database/types.ts';
import {operations} from '../source/operations/index.ts';
import {
	noPostgres, openMemory, openPlain, openTimescale,
} from './support/databases.ts';
import {play, type Played} from './support/play.ts';

const opened: Database[] = [];
after(async () => Promise.all(opened.map(async database => database.close())));

async function playedOn(open: () => Promise<Database>): Promise<Played> {
	const database = await open();
	opened.push(database);
	return play(database);
}

const embedded = await playedOn(openMemory);

test('the play has every operation, done and refused, and every reason that a caller may be given', () => {
	const seen = new Set(embedded.lines.map(({operation, code}) => `${operation} ${code === 'done' ? 'done' : 'refused'}`));
	// Of one cell no colony can be moved.
	assert.deepEqual([...seen, 'colony.move done'].sort(), Object.keys(operations).flatMap(name => [`${name} done`, `${name} refused`]).sort());
	const codes = new Set(embedded.lines.map(({code}) => code));
	assert.deepEqual([...codes].sort(), ['conflict', 'done', 'invalid-input', 'not-allowed', 'not-found', 'nothing-to-assign', 'too-large', 'unauthenticated']);
	const told = new Set(embedded.history.map(row => /"what": "([^"]+)"/.exec(row)![1]));
	for (const what of ['process.requeue', 'process.expire', ...Object.values(operations).filter(({changes, name}) => changes.length > 0 && name !== 'colony.move').map(({name}) => name)]) {
		assert.ok(told.has(what), what);
	}
});

function assertSame(played: Played): void {
	for (const [index, line] of embedded.lines.entries()) {
		assert.deepEqual(played.lines[index], line, `call ${index + 1}`);
	}

	assert.equal(played.lines.length, embedded.lines.length);
	for (const [index, row] of embedded.history.entries()) {
		assert.equal(played.history[index], row, `row ${index + 1} of the history`);
	}

	assert.equal(played.history.length, embedded.history.length);
}

test('TimescaleDB answers as the embedded database does, and keeps the same history', async () => {
	assertSame(await playedOn(openTimescale));
});

test('PostgreSQL answers as the embedded database does, and keeps the same history', {skip: noPostgres}, async () => {
	assertSame(await playedOn(openPlain));
});
