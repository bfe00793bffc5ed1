/**
Makes `dist/`: the program, what the package exports and the thread of the embedded database, bundled with all they need but PGlite, and the archive that a first start unpacks.
*/
import {once} from 'node:events';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {Worker} from 'node:worker_threads';
import esbuild from 'esbuild';
import {tsImport} from 'tsx/esm/api';

const root = fileURLToPath(new URL('..', import.meta.url));
const inRoot = (...names) => path.join(root, ...names);
const worker = inRoot('source', 'database', 'embedded', 'embedded-worker.js');

/** What is built, by the name of the file in `dist/`. */
const entries = {
	cli: inRoot('cli.tsx'),
	index: inRoot('source', 'index.ts'),
	'embedded-worker': worker,
};

const readPackage = async folder => JSON.parse(await fs.readFile(path.join(folder, 'package.json'), 'utf8'));

const exists = async file => {
	try {
		await fs.access(file);
		return true;
	} catch {
		return false;
	}
};

/** Ink loads React's developer tools only when DEV is set; they are not part of this program. */
const withoutDevtools = {
	name: 'without-devtools',
	setup(build) {
		build.onLoad({filter: /[/\\]ink[/\\]build[/\\]devtools\.js$/}, () => ({contents: 'export {};'}));
	},
};

/**
Ink-table is CommonJS and requires Ink, a module with top-level await, which esbuild refuses as Node does. Its file becomes a module that imports what it requires,
and the file of the console that brings the two together from the source becomes one that only hands it on.
*/
const withInkTable = {
	name: 'with-ink-table',
	setup(build) {
		build.onLoad({filter: /[/\\]source[/\\]console[/\\]terminal[/\\]ink-table\.ts$/}, ({path: file}) => ({
			contents: 'export {default as Table} from \'ink-table\';', resolveDir: path.dirname(file),
		}));
		build.onLoad({filter: /[/\\]ink-table[/\\]dist[/\\]index\.js$/}, async ({path: file}) => {
			const source = await fs.readFile(file, 'utf8');
			const required = [...new Set([...source.matchAll(/require\("([^"]+)"\)/g)].map(([, name]) => name))];
			return {
				contents: [
					...required.map((name, index) => `import * as required${index} from ${JSON.stringify(name)};`),
					`const modules = {${required.map((name, index) => `${JSON.stringify(name)}: required${index}`).join(', ')}};`,
					// A CommonJS module stands in the default export of what was imported.
					'const require = name => name === "ink" ? modules.ink : modules[name].default;',
					'const exports = {};',
					source,
					'export default exports.default;',
				].join('\n'),
				resolveDir: path.dirname(file),
			};
		});
	},
};

/** Meow makes sure of the form of the package that it was not given, with tables of licences that take longer to read than all else of a command. It is given one of ours. */
const withoutPackageData = {
	name: 'without-package-data',
	setup(build) {
		build.onLoad({filter: /[/\\]meow[/\\]build[/\\]dependencies\.js$/}, async ({path: file}) => {
			const source = await fs.readFile(file, 'utf8');
			const contents = source
				.replace('var normalizeExports = requireNormalize();', '')
				.replace('const normalizePackageData = getDefaultExportFromCjs(normalizeExports);', 'const normalizePackageData = () => undefined;');
			if (contents.includes('normalizeExports')) {
				throw new Error('Meow is not built as it was: see what has become of normalizePackageData.');
			}

			return {contents};
		});
	},
};

/** The licences of all that is in the bundle, for they ask to be handed on with it. */
async function writeLicences(inputs, outdir) {
	const folders = new Set(Object.keys(inputs).map(file => /^(?:.*\/)?node_modules\/(?!\.)(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]).filter(folder => folder !== undefined));
	const texts = await Promise.all([...folders].sort().map(async folder => {
		const {name, version, license} = await readPackage(inRoot(folder));
		const file = (await fs.readdir(inRoot(folder))).find(entry => /^licen[cs]e/i.test(entry));
		const text = file ? await fs.readFile(inRoot(folder, file), 'utf8') : '';
		return `${name} ${version} (${license})\n\n${text.trim()}\n`;
	}));
	await fs.writeFile(path.join(outdir, 'licenses.txt'), texts.join(`\n${'-'.repeat(80)}\n\n`));
}

/** The archive of a fresh database, made when there is none for this version of PGlite. */
async function copyTemplate(outdir) {
	const {version} = await readPackage(inRoot('node_modules', '@electric-sql', 'pglite'));
	const cache = inRoot('node_modules', '.cache', 'colonies-tui');
	const made = path.join(cache, `template-${version}.tar.gz`);
	if (!await exists(made)) {
		await fs.mkdir(cache, {recursive: true});
		const thread = new Worker(worker, {workerData: {makeTemplate: made}});
		const [{failed}] = await once(thread, 'message');
		await thread.terminate();
		if (failed) {
			throw new Error(`The archive of a fresh database could not be made: ${failed.message}`);
		}
	}

	const copy = path.join(outdir, 'template.tar.gz');
	await fs.copyFile(made, copy);
	// Whoever installs the package is not always who runs it.
	await fs.chmod(copy, 0o644);
}

/** The manual pages. The build's date is that of SOURCE_DATE_EPOCH (seconds) where it is set, so that builds can be reproduced. */
async function writeManual(outdir, version) {
	const load = async (...names) => tsImport(pathToFileURL(inRoot('source', ...names)).href, import.meta.url);
	const [{manual}, {consoleFlags}] = await Promise.all([load('commands', 'manual.ts'), load('console', 'arguments.ts')]);
	const {SOURCE_DATE_EPOCH: epoch} = process.env;
	await fs.writeFile(path.join(outdir, 'colonies.1'), manual({version, consoleFlags, date: epoch ? new Date(Number(epoch) * 1000) : new Date()}));
	await fs.writeFile(path.join(outdir, 'colonies-tui.1'), '.so man1/colonies.1\n');
	return ['colonies.1', 'colonies-tui.1'];
}

/** Removes what an earlier build left and this one has not made. */
async function removeOthers(outdir, made) {
	const names = await fs.readdir(outdir);
	await Promise.all(names.filter(name => !made.has(name)).map(async name => fs.rm(path.join(outdir, name), {recursive: true, force: true})));
}

/**
Builds. `entryPoints` names sources by the name of the file they become.
@returns esbuild's description of what was made
*/
export async function build({entryPoints = entries, outdir = inRoot('dist')} = {}) {
	const {version} = await readPackage(root);
	await fs.mkdir(outdir, {recursive: true});
	const {metafile} = await esbuild.build({
		absWorkingDir: root,
		entryPoints,
		outdir,
		bundle: true,
		splitting: true,
		format: 'esm',
		platform: 'node',
		target: 'node20',
		jsx: 'automatic',
		minifyWhitespace: true,
		minifySyntax: true,
		keepNames: true,
		legalComments: 'none',
		metafile: true,
		logLevel: 'warning',
		// The addon of secp256k1 is for one machine; it is required from what is installed, if at all.
		external: ['@electric-sql/pglite', 'pg-native', 'secp256k1'],
		// Its entry for Node is CommonJS, of which an import() in a bundle gives the default alone.
		alias: {'@peculiar/x509': inRoot('node_modules', '@peculiar', 'x509', 'build', 'x509.es.js')},
		// React's development build takes a third more time for every frame.
		define: {'process.env.NODE_ENV': '"production"', COLONIES_VERSION: JSON.stringify(version)},
		// What is CommonJS among the bundled requires modules of Node.
		banner: {js: 'import {createRequire as createBundleRequire} from \'node:module\'; const require = createBundleRequire(import.meta.url);'},
		plugins: [withoutDevtools, withInkTable, withoutPackageData],
	});
	await Promise.all([writeLicences(metafile.inputs, outdir), copyTemplate(outdir)]);
	const made = Object.keys(metafile.outputs).map(file => path.basename(file));
	if (made.includes('index.js')) {
		const {writeDeclarations} = await import('./declarations.js');
		await writeDeclarations(outdir);
		made.push('index.d.ts');
	}

	if (made.includes('cli.js')) {
		made.push(...await writeManual(outdir, version));
	}

	await removeOthers(outdir, new Set([...made, 'licenses.txt', 'template.tar.gz']));
	if (made.includes('cli.js')) {
		await fs.chmod(path.join(outdir, 'cli.js'), 0o755);
	}

	return metafile;
}

// Not when it is imported. Node resolves links for the one and not for the other.
if (process.argv[1] && fileURLToPath(import.meta.url) === await fs.realpath(process.argv[1])) {
	const there = await Promise.all(Object.entries(entries).map(async ([name, file]) => await exists(file) ? [[name, file]] : []));
	await build({entryPoints: Object.fromEntries(there.flat())});
}
