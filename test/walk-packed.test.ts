import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {
	existsSync, readFileSync, realpathSync, statSync,
} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {flagsOf, freshPlace, noPostgres} from './support/databases.ts';
import {environment, installPacked} from './support/packed.ts';
import {walk} from './support/walk.ts';

const {folder, program, run} = installPacked();

test('the package has one dependency, its examples, and no source', () => {
	const {dependencies, bin} = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as {dependencies: Record<string, string>; bin: Record<string, string>};
	assert.deepEqual(Object.keys(dependencies), ['@electric-sql/pglite']);
	assert.deepEqual(Object.values(bin), ['dist/cli.js', 'dist/cli.js']);
	assert.ok(!existsSync(path.join(folder, 'source')));
	assert.ok(!existsSync(path.join(folder, 'test')));
	for (const name of ['colony.json', 'computer.json', 'process_spec.json']) {
		assert.ok(existsSync(path.join(folder, 'examples', name)));
	}

	assert.ok((statSync(realpathSync(program)).mode & 0o111) !== 0); // eslint-disable-line no-bitwise
});

test('a reader that goes away early is no failure', () => {
	const answer = execFileSync('bash', ['-c', 'set -o pipefail; "$1" help | head -n 1', 'bash', program], {env: environment(folder), encoding: 'utf8'});
	assert.match(answer, /^Colonies: /);
});

test('the walk of colonies.md, installed: PostgreSQL', {skip: noPostgres}, async t => {
	const where = await freshPlace();
	await walk({
		step: async (name, work) => t.test(name, work),
		run,
		databaseFlags: flagsOf(where),
		examples: path.join(folder, 'examples'),
	});
});

test('the walk of colonies.md, installed: embedded', async t => {
	// Each command opens the database anew.
	await walk({step: async (name, work) => t.test(name, work), run, examples: path.join(folder, 'examples'), brief: true});
});
