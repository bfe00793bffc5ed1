/**
What `npm test` runs: builds when `dist/` is older than its sources, runs every test file, and ends with one line, `N passed, N failed`.
Words after it choose the files whose path has one of them: `npm test -- keychain identity`.
With COLONIES_TEST_DATABASE=postgresql://… the tests that need a PostgreSQL, and nothing of how it is run, work in schemas of their own in that database.
*/
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {run} from 'node:test';
import {spec} from 'node:test/reporters';
import {fileURLToPath, pathToFileURL} from 'node:url';
import esbuild from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Milliseconds for one file. Far above what any needs, so that only a file that hangs meets it. */
const patience = 300_000;

function filesUnder(folder) {
	const entries = fs.existsSync(folder) ? fs.readdirSync(folder, {recursive: true, withFileTypes: true}) : [];
	return entries.filter(entry => entry.isFile()).map(entry => path.join(entry.parentPath, entry.name));
}

/** When a file was last changed, milliseconds since 1970; 0 where there is none. */
const changed = file => fs.statSync(file, {throwIfNoEntry: false})?.mtimeMs ?? 0;

/** Builds `dist/` unless it is newer than all it is made from. False when that failed. */
function build() {
	const sources = [...filesUnder('source'), 'cli.tsx', 'package.json', path.join('scripts', 'build.js'), path.join('scripts', 'declarations.js')];
	if (changed(path.join('dist', 'cli.js')) > Math.max(...sources.map(file => changed(file)))) {
		return true;
	}

	const {status} = spawnSync(process.execPath, [path.join('scripts', 'build.js')], {stdio: 'inherit'});
	return status === 0;
}

/** Whether a test file starts programs of its own. Those take longest, and are begun first so that none of them is waited for alone at the end. */
const startsPrograms = file => /child_process|support\/(?:packed|processes|terminal)\.ts|support\/soak\//.test(fs.readFileSync(file, 'utf8'));

/** The test files whose path has one of the words, or all of them without a word, in the order in which they are begun. */
function chooseFiles(words) {
	const files = filesUnder('test').filter(file => /\.test\.tsx?$/.test(file)).sort();
	const chosen = files.filter(file => words.length === 0 || words.some(word => file.includes(path.normalize(word))));
	return [...chosen.filter(file => startsPrograms(file)), ...chosen.filter(file => !startsPrograms(file))];
}

/** Why a test or file failed, in one line. */
function reasonOf({cause, message, exitCode, signal}) {
	if (exitCode !== undefined || signal) {
		return signal ? `killed by ${signal}` : `exit code ${exitCode}`;
	}

	return String(cause?.message ?? cause ?? message).split('\n').find(line => line.trim() !== '');
}

/** Counts the events of a run: leaves only, for a parent says nothing that its children do not. */
function count(events) {
	const counts = {passed: 0, skipped: 0, failures: []};
	let plan;
	const isParent = ({nesting, details}) => plan === nesting + 1 || details.type === 'suite';
	// A file stands for itself only when it ran no test of its own, or ended in another way than its tests.
	const isFile = ({name, file}) => name === file;

	events.on('test:plan', ({nesting}) => {
		plan = nesting;
	});
	events.on('test:start', () => {
		plan = undefined;
	});
	events.on('test:pass', data => {
		if (isFile(data)) {
			counts.failures.push({name: 'has no test', file: data.file});
		} else if (!isParent(data)) {
			counts[data.skip === undefined && data.todo === undefined ? 'passed' : 'skipped']++;
		}

		plan = undefined;
	});
	events.on('test:fail', data => {
		const {error} = data.details;
		if (data.todo !== undefined) {
			counts.skipped++;
		} else if (error.failureType !== 'subtestsFailed') {
			counts.failures.push({name: isFile(data) ? 'the file itself' : data.name, file: data.file, reason: reasonOf(error)});
		}

		plan = undefined;
	});
	return counts;
}

/** Prints what failed in short, then the line that others read: it stays the last one. */
function report({passed, skipped, failures}) {
	if (failures.length > 0) {
		console.log('\nFailed:');
		for (const {name, file, reason} of failures) {
			console.log(`  ${file ? `${path.relative(root, file)}: ` : ''}${name}${reason === undefined ? '' : ` (${reason})`}`);
		}
	}

	if (passed + failures.length === 0) {
		console.log('\nNo test was run.');
	}

	console.log(`\n${passed} passed, ${failures.length} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
	// At once: a test file that hangs and takes no SIGTERM would keep this process waiting for it.
	process.exit(failures.length === 0 && passed > 0 ? 0 : 1); // eslint-disable-line unicorn/no-process-exit
}

/** Test files that run at a time. Those on a database that somebody names share it: one empties what another has left. */
const concurrency = process.env.COLONIES_TEST_DATABASE ? 1 : 2;

/** Gives each module what `import.meta` says of its source: many modules share a file once they are bundled. */
const withOwnPlace = {
	name: 'with-own-place',
	setup(build) {
		build.onLoad({filter: /\.tsx?$|[/\\](?:source|test|scripts)[/\\].*\.js$/}, async ({path: file}) => {
			const text = await fs.promises.readFile(file, 'utf8');
			const place = `const importMetaUrl = ${JSON.stringify(pathToFileURL(file).href)}, importMetaDirname = ${JSON.stringify(path.dirname(file))};`;
			// On the first line, so that all others keep their numbers.
			return {contents: text.includes('import.meta') ? `${place}${text.replace(/^#!.*/, '')}` : text, loader: path.extname(file).slice(1)};
		});
	},
};

/**
Bundles test files, with what they share in files of its own: to load hundreds of modules of TypeScript one by one takes each process a second or more.
@returns the bundled file of each
*/
async function bundle(files, folder) {
	await esbuild.build({
		entryPoints: files, outbase: 'test', outdir: folder, bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node20', packages: 'external', sourcemap: true, logLevel: 'error',
		define: {'import.meta.url': 'importMetaUrl', 'import.meta.dirname': 'importMetaDirname'}, plugins: [withOwnPlace],
	});
	return new Map(files.map(file => [path.resolve(folder, path.relative('test', file).replace(/\.tsx?$/, '.js')), file]));
}

/** Runs test files, each in a process of its own. */
async function runFiles(files) {
	const cache = path.join('node_modules', '.cache');
	fs.mkdirSync(cache, {recursive: true});
	const folder = fs.mkdtempSync(path.join(cache, 'tests-'));
	process.on('exit', () => {
		fs.rmSync(folder, {recursive: true, force: true});
	});
	const bundled = await bundle(files, folder);
	// The processes of the tests are started with the arguments of this one; `run` of Node 20 has no option for that.
	process.execArgv.push('--enable-source-maps');
	const events = run({files: [...bundled.keys()], concurrency, timeout: patience});
	const counts = count(events);
	for await (const chunk of events.compose(spec)) {
		process.stdout.write(chunk);
	}

	for (const failure of counts.failures) {
		failure.file = bundled.get(failure.file) ?? failure.file;
	}

	return counts;
}

process.chdir(root);
const words = process.argv.slice(2);
const files = chooseFiles(words);
if (files.length === 0) {
	console.log(words.length === 0 ? 'There is no test file.' : `No test file has ${words.map(word => `"${word}"`).join(' or ')} in its path.`);
	report({passed: 0, skipped: 0, failures: []});
} else if (build()) {
	report(await runFiles(files));
} else {
	report({passed: 0, skipped: 0, failures: [{name: 'the build failed'}]});
}
