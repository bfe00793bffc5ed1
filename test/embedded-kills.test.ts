import assert from 'node:assert/strict';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import {newPrivateKey} from '../source/identity/index.ts';
import {openEmbedded} from '../source/database/embedded/index.ts';
import {failureOf} from './support/outcomes.ts';
import {
	type Found, type Holder, startWriter, type Step, steps,
} from './support/processes.ts';

const rounds = 10;
const computers = 4;

test('ten times killed with -9 in the middle of its work, the database has lost nothing that was acknowledged', async t => {
	const top = mkdtempSync(path.join(tmpdir(), 'colonies-kills-'));
	const folder = path.join(top, 'embedded');
	const keys = Array.from({length: computers + 1}, () => newPrivateKey());
	const writers: Holder[] = [];
	t.after(async () => {
		await Promise.all(writers.map(async writer => writer.kill()));
		rmSync(top, {recursive: true, force: true, maxRetries: 5});
	});
	const start = (): Holder => {
		const writer = startWriter(folder, ...keys);
		writers.push(writer);
		return writer;
	};

	/** For each process how many steps were acknowledged, or seen. */
	const reached = new Map<string, number>();

	const check = ({processes, history}: Found): void => {
		const more = Object.keys(processes).filter(id => !reached.has(id));
		assert.ok(more.length <= computers, `${more.length} processes that nobody asked for`);
		for (const [id, step] of reached) {
			const found = processes[id];
			assert.ok(found !== undefined, `the process ${id} is lost`);
			assert.ok(found >= step, `"${steps[step - 1]}" of ${id} is lost`);
			assert.ok(found <= step + 1, `${id} went on by itself`);
		}

		// The history tells the same, each step once.
		const expected = Object.entries(processes).flatMap(([id, step]) => steps.slice(0, step).map(what => [`${what} ${id}`, 1]));
		assert.deepEqual(history, Object.fromEntries(expected));
		for (const [id, step] of Object.entries(processes)) {
			reached.set(id, step);
		}
	};

	/** Hears of acknowledgements until there are so many, or the writer has ended. @returns how many */
	const hear = async (writer: Holder, most: number): Promise<number> => {
		for (let acknowledged = 0; acknowledged < most; acknowledged++) {
			const said = await writer.hear() as [Step, string] | undefined;
			if (!said) {
				return acknowledged;
			}

			const [step, id] = said;
			reached.set(id, steps.indexOf(step) + 1);
		}

		return most;
	};

	let writer = start();
	check((await writer.ask('settle')).done as Found);
	for (let round = 1; round <= rounds; round++) {
		writer.tell('work');
		// It gets ready while the other one works.
		const next = start();
		const most = 20 + Math.floor(Math.random() * 40);
		assert.equal(await hear(writer, most), most, 'It ended by itself.');
		if (round === 1) {
			assert.equal((await failureOf(openEmbedded({folder}))).code, 'in-use');
		}

		await writer.kill();
		// What it said before its end was acknowledged too.
		await hear(writer, Number.POSITIVE_INFINITY);
		writer = next;
		check((await writer.ask('open')).done as Found);
	}

	assert.ok(reached.size >= rounds * 5);
});
