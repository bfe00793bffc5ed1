// `database copy`: where a copy goes, and what is said of it.
import assert from 'node:assert/strict';
import {EventEmitter} from 'node:events';
import {existsSync, mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {createContexts} from '../source/contexts/index.ts';
import {
	freshHome, inProcess, type Home, settle, temporaryFolder,
} from './support/commands.ts';
import {freshDatabase, noPostgres, startPostgres} from './support/databases.ts';

const skip = noPostgres;
const server = skip ? undefined : await startPostgres();
const place = async () => freshDatabase(server!);

const commandsOf = (home: Home) => inProcess(createContexts({env: {}, folders: home.folders, settings: home.settings}), home);

test('the command copies to a folder, to a database and to a context, and prints what it copied', {skip}, async () => {
	const home = freshHome();
	const run = commandsOf(home);
	const {colony} = await settle(run);
	const list = async (...words: string[]) => {
		const {code, stdout, stderr} = await run(['computer', 'ls', '--colonyid', colony, ...words]);
		assert.equal(code, 0, stderr);
		return JSON.parse(stdout) as unknown[];
	};

	const computers = await list();
	assert.equal(computers.length, 1);

	const folder = path.join(temporaryFolder(), 'copy', 'embedded');
	const first = await run(['database', 'copy', '--to', folder, '--output', 'json']);
	assert.equal(first.code, 0, first.stderr);
	const copied = JSON.parse(first.stdout) as {rows: number; tables: Array<{table: string; rows: number}>; head: {number: number; hash: string}; to: string};
	assert.equal(copied.tables.find(({table}) => table === 'computers')!.rows, 1);
	assert.equal(copied.to, `embedded in ${folder}`);
	assert.match(first.stderr, new RegExp(`^Copied ${copied.rows} rows of \\d+ tables from embedded in .+ to embedded in .+\\.\nThe last seal of the history is the same in both: ${copied.head.number}, ${copied.head.hash}\\.\nThe source was not changed\\.\n$`));

	const where = await place();
	const url = `postgresql://postgres:${encodeURIComponent('a secret')}@/${where.database}?host=${encodeURIComponent(where.host!)}&port=${where.port}`;
	const second = await run(['database', 'copy', '--to', url]);
	assert.equal(second.code, 0, second.stderr);
	assert.equal(second.stdout, '');
	assert.doesNotMatch(second.stderr, /secret/);
	const flags = ['--dbhost', where.host!, '--dbport', String(where.port), '--dbname', where.database!];
	assert.deepEqual(await list(...flags), computers);

	const next = await place();
	assert.equal((await run(['context', 'add', 'next', '--dbhost', next.host!, '--dbname', next.database!])).code, 0);
	const third = await run(['database', 'copy', '--to', 'next', ...flags, '--output', 'table']);
	assert.equal(third.code, 0, third.stderr);
	assert.match(third.stdout, /computers +│? *1/);
	assert.match(third.stderr, /colonies context use next\n$/);
	assert.equal((await run(['context', 'use', 'next'])).code, 0);
	assert.deepEqual(await list(), computers);

	const again = await run(['database', 'copy', '--to', 'next', ...flags]);
	assert.deepEqual([again.code, again.stdout], [6, '']);
	assert.match(again.stderr, /The target is not empty/);
	const onto = await run(['database', 'copy', '--to', 'next']);
	assert.equal(onto.code, 2);
	assert.match(onto.stderr, /The source and the target are the same/);
});

test('a place that cannot be meant is refused in one sentence, and nothing is made', {skip}, async () => {
	const home = freshHome();
	const run = commandsOf(home);
	const {host, port, database} = await place();
	assert.equal((await run(['database', 'create', '--dbhost', host!, '--dbport', String(port), '--dbname', database!])).code, 0);
	assert.equal((await run(['context', 'add', 'here', '--dbhost', host!, '--dbport', String(port), '--dbname', database!])).code, 0);
	assert.equal((await run(['context', 'add', 'far', '--host', 'server.example'])).code, 0);
	const folder = temporaryFolder();
	mkdirSync(path.join(folder, 'photos'));
	writeFileSync(path.join(folder, 'photos', 'duck.jpg'), '');
	const refusals: Array<[to: string, message: RegExp, code?: number]> = [
		['far', /The context "far" is a server/],
		['nowhere', /There is no context "nowhere" to copy to.*\n?.*"embedded", .*"far".*\.\/nowhere/s],
		['mysql://somebody:word@host/name', /--to begins with mysql:/],
		['here', /The source and the target are the same/],
		[path.join(folder, 'photos'), /holds other files/],
		['postgresql://nobody:word@127.0.0.1:1/name', /127\.0\.0\.1:1/, 8],
	];
	for (const [to, message, code = 2] of refusals) {
		const outcome = await run(['database', 'copy', '--to', to]);
		assert.equal(outcome.code, code, `${to}: ${outcome.stderr}`);
		assert.match(outcome.stderr, message);
		assert.doesNotMatch(outcome.stderr, /:word/);
	}

	const target = path.join(folder, 'new');
	const none = await commandsOf(freshHome())(['database', 'copy', '--to', target]);
	assert.equal(none.code, 5);
	assert.match(none.stderr, /There is no embedded database in/);
	assert.equal(existsSync(target), false);
});

test('an interrupt ends a copy, and leaves no folder where none was', {skip}, async () => {
	const home = freshHome();
	const where = await place();
	const flags = ['--dbhost', where.host!, '--dbport', String(where.port), '--dbname', where.database!];
	assert.equal((await commandsOf(home)(['database', 'create', ...flags])).code, 0);
	const folder = path.join(temporaryFolder(), 'copy');
	// It comes before the first portion is read.
	const signals = new EventEmitter(); // eslint-disable-line unicorn/prefer-event-target -- as a process is one
	const contexts = createContexts({env: {}, folders: home.folders, settings: home.settings});
	const copy: typeof contexts.copy = async (...words) => {
		signals.emit('SIGINT', 'SIGINT');
		return contexts.copy(...words);
	};

	const {code, stderr} = await inProcess({...contexts, copy}, home, {signals})(['database', 'copy', '--to', folder]);
	assert.equal(code, 13, stderr);
	assert.match(stderr, /The copy was interrupted; the target was left as it was/);
	assert.equal(existsSync(folder), false);
	assert.equal(signals.listenerCount('SIGINT'), 0);
});
