// A process of its own that shares the embedded database. It reads a command a line, `NAME JSON`, and answers with one line of JSON.
import process from 'node:process';
import {createInterface} from 'node:readline';
import {createContexts} from '../../source/contexts/index.ts';
import type {ColoniesError} from '../../source/core/errors.ts';
import {prove} from '../../source/identity/index.ts';
import {folders, openSettings} from '../../source/keychain/index.ts';
import type {Caller, Context, OperationName} from '../../source/operations/index.ts';

type Command = {as: {key: string} | {root: string}; operation: OperationName; input: Record<string, unknown>};

const places = folders(process.env);
const contexts = createContexts({env: {}, folders: places, settings: openSettings({folder: places.config}), version: 'test'});
let context: Context | undefined;

const commands: Record<string, (text: string) => Promise<unknown>> = {
	async open() {
		context = await contexts.open({}, {attended: true});
		return 'open';
	},
	async run(text) {
		const {as, operation, input} = JSON.parse(text) as Command;
		const caller: Caller = 'root' in as ? as : {identity: prove(as.key)};
		return context!.run(caller, operation, input);
	},
	async close() {
		await context!.close();
		return 'closed';
	},
};

for await (const line of createInterface({input: process.stdin})) {
	const [name = '', ...words] = line.split(' ');
	let answer: unknown;
	try {
		answer = {done: await commands[name]!(words.join(' ')) ?? null};
	} catch (error) {
		const {code, message} = error as ColoniesError;
		answer = {code, message};
	}

	process.stdout.write(`${JSON.stringify(answer)}\n`);
}
