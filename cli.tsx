#!/usr/bin/env node
import process from 'node:process';
import {keepCompiledCode} from './source/door/compiled-code.ts';
import {version} from './source/door/version.ts';

// A reader may close its pipe, and a disk may be full. Whoever writes an answer hears that from the write; for everything else it makes no difference, and none of it ends the program here.
for (const stream of [process.stdout, process.stderr]) {
	stream.on('error', () => undefined);
}

const argv = process.argv.slice(2);
const {env, stdin, stdout, stderr} = process;
const warn = (sentence: string) => {
	stderr.write(`${sentence}\n`);
};

async function main(): Promise<number> {
	const {folders} = await import('./source/keychain/folder.ts');
	const places = folders(env);
	keepCompiledCode(places.cache);
	const [{createContexts}, {openKeychain, openSettings}, {demoKeychain, openDemo}, {askPassphrase}, {serving}, {work}] = await Promise.all([
		import('./source/contexts/index.ts'), import('./source/keychain/index.ts'), import('./source/door/demo.ts'), import('./source/door/passphrase.ts'), import('./source/door/serving.ts'), import('./source/door/working.ts'),
	]);
	const keychain = openKeychain({folder: places.config, warn, passphrase: askPassphrase({env, stdin, stderr, ask: async question => (await import('./source/commands/ask.ts')).askAtTerminal({stdin, stderr}, question)})});
	const settings = openSettings({folder: places.config, warn});
	const contexts = createContexts({env, folders: places, settings, version});
	const {isConsole} = await import('./source/console/arguments.ts');
	if (!isConsole(argv)) {
		const {ownPart, runCommand} = await import('./source/commands/index.ts');
		return runCommand(argv, {contexts, keychain: ownPart(argv).includes('--demo') ? demoKeychain(places) : keychain, folders: places, env, stdin, stdout, stderr, version, work, ...serving(places, warn)});
	}

	const {runConsole} = await import('./source/console/start.ts');
	return runConsole(argv, {
		contexts, keychain, settings, version,
		openDemo: async () => openDemo(contexts, places),
		async readSpec(file) {
			const {readSpecFile} = await import('./source/commands/specs.ts');
			return readSpecFile(file);
		},
		async print(text) {
			const {printIfRead} = await import('./source/commands/output.ts');
			await printIfRead({stdout}, text);
		},
	}, {stdin, stdout, stderr, env});
}

if (argv.length === 1 && argv[0] === '--version') {
	// Nothing else of the program is needed for that.
	stdout.write(`${version}\n`);
} else {
	// Not `exit`: what is still to be written is written first.
	process.exitCode = await main();
}
