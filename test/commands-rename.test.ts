import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {KeyEntry} from '../source/keychain/index.ts';
import {openSettled} from './support/commands.ts';

const {run, colony, computer} = await openSettled();
const keys = async () => JSON.parse((await run(['keychain', 'ls'])).stdout) as KeyEntry[];
const nameOf = async (id: string) => ((await keys()).find(key => key.id === id) as unknown as {name: string}).name;

test('a new name is noted with the key that is kept for it', async () => {
	const renamed = await run(['computer', 'rename', '--colonyid', colony, '--computerid', computer, '--name', 'edge ä']);
	assert.deepEqual([renamed.code, renamed.stdout, renamed.stderr], [0, '', 'The computer is named edge ä now.\n']);
	assert.equal((await run(['colony', 'rename', '--colonyid', colony, '--name', 'another colony', '--rootpassword', 'secret'])).code, 0);
	assert.deepEqual([await nameOf(computer), await nameOf(colony)], ['edge ä', 'another colony']);
	const shown = JSON.parse((await run(['computer', 'rename', '--colonyid', colony, '--computerid', computer, '--name', 'core', '--output', 'json'])).stdout) as {name: string};
	assert.equal(shown.name, 'core');
});

test('a name that it has already, or that is none, changes nothing', async () => {
	const before = await keys();
	for (const [name, code] of [['core', 6], ['', 2], ['a\nb', 2]] as const) {
		assert.equal((await run(['computer', 'rename', '--colonyid', colony, '--computerid', computer, `--name=${name}`])).code, code, name);
	}

	assert.deepEqual(await keys(), before);
});
