/**
What `npm run check` runs, all at once: types, layout, and whether what is generated is as its sources say. Each prints what it has to say when it is done.
*/
import {spawn} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const program = name => path.join(root, 'node_modules', name);

/** The programs with their arguments, all of them for Node. */
const steps = {
	tsc: [program('typescript/bin/tsc'), '--noEmit'],
	xo: [program('xo/dist/cli.js')],
	generate: ['--import', 'tsx', path.join('scripts', 'generate.ts'), '--check'],
};

/** Resolves to whether it succeeded. */
const run = async (name, words) => new Promise(resolve => {
	const child = spawn(process.execPath, words, {cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: {FORCE_COLOR: process.stdout.isTTY ? '1' : '0', ...process.env}});
	let said = '';
	for (const stream of [child.stdout, child.stderr]) {
		stream.setEncoding('utf8').on('data', text => {
			said += text;
		});
	}

	child.on('close', (code, signal) => {
		console.log(`${code === 0 ? '✔' : '✖'} ${name}${signal ? `, ended by ${signal}` : ''}\n${said}`.trimEnd());
		resolve(code === 0);
	});
});

const results = await Promise.all(Object.entries(steps).map(async ([name, words]) => run(name, words)));
process.exitCode = results.every(Boolean) ? 0 : 1;
