// A process of its own for the tests of the embedded database. It reads a command a line and answers with one line of JSON.
import process from 'node:process';
import {createInterface} from 'node:readline';
import type {ColoniesError} from '../../source/core/errors.ts';
import {openEmbedded} from '../../source/database/embedded/index.ts';
import {takeLock, type Lock} from '../../source/database/embedded/lock.ts';
import type {Database} from '../../source/database/types.ts';

let database: Database | undefined;
let lock: Lock | undefined;

const commands: Record<string, (word: string) => Promise<unknown>> = {
	async open(folder) {
		database = await openEmbedded({folder});
		return 'open';
	},
	async query(text) {
		const {rows} = await database!.query(text);
		return rows;
	},
	async close() {
		await database!.close();
		return 'closed';
	},
	async take(folder) {
		lock = await takeLock(folder);
		return 'taken';
	},
	async release() {
		await lock!.release();
		return 'released';
	},
};

for await (const line of createInterface({input: process.stdin})) {
	const [name = '', ...words] = line.split(' ');
	let answer: unknown;
	try {
		answer = {done: await commands[name]!(words.join(' '))};
	} catch (error) {
		const {code, message} = error as ColoniesError;
		answer = {code, message};
	}

	process.stdout.write(`${JSON.stringify(answer)}\n`);
}
