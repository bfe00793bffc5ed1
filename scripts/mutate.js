/**
What `npm run mutate -- FILE…` runs: changes each FILE in many small ways, one at a time, runs its tests against each change, and lists the changes that no test noticed.
The tests of `source/core/time.ts` are `test/core/time.test.ts` or `test/time.test.ts`, and what `more` names. Ends with exit code 1 where they notice less than they should.
Stryker changes a statement of SQL as one text, to nothing; its conditions are to be tried by hand.
*/
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {Stryker} from '@stryker-mutator/core';

/** Percent of the changes to a file that its tests should notice. */
const leastNoticed = 85;

/** Tests of a file that are not named after it or its folder. */
const more = {
	'source/core/filter-language/complete.ts': ['test/core/filter-values.test.ts'],
	'source/core/filter-language/fields.ts': ['test/core/filter-values.test.ts'],
	'source/core/filter-language/match.ts': ['test/core/filter-values.test.ts'],
	'source/core/filter-language/terms.ts': ['test/core/filter-values.test.ts'],
	'source/core/filter-language/tokens.ts': ['test/core/filter-values.test.ts'],
	'source/core/matching.ts': ['test/matching.test.ts'],
	'source/operations/networks.ts': ['test/proxy-headers.test.ts'],
	'source/server/proxies.ts': ['test/proxy-headers.test.ts'],
	'source/server/proxy-protocol.ts': ['test/proxy-headers.test.ts'],
	'source/database/seals.ts': ['test/audit-seals.test.ts', 'test/audit-verify.test.ts'],
};

/** The test files of a source file, both by their paths. */
function testsOf(file) {
	const place = path.relative('source', file).replace(/\.tsx?$/, '');
	const names = [place, path.dirname(place), path.basename(place)];
	return [...names.flatMap(name => [`test/${name}.test.ts`, `test/${name}.test.tsx`]), ...more[file] ?? []].filter((test, index, all) => fs.existsSync(test) && all.indexOf(test) === index);
}

/** Percent of the changes to a file that were noticed; one that makes a test run for ever was. */
function noticed(results, file) {
	const counted = results.filter(({fileName, status}) => path.relative('.', fileName) === file && ['Killed', 'Timeout', 'Survived', 'NoCoverage'].includes(status));
	return counted.length === 0 ? 100 : 100 * counted.filter(({status}) => status === 'Killed' || status === 'Timeout').length / counted.length;
}

/** Changes one file. Stryker copies the project into a temporary folder, and runs a test file in a process of its own, two at once. */
async function mutate(file, tests) {
	const results = await new Stryker({
		mutate: [file],
		testRunner: 'tap',
		plugins: ['@stryker-mutator/tap-runner'],
		tap: {testFiles: tests, nodeArgs: ['--import', 'tsx', '--test-reporter=tap', '-r', '{{hookFile}}', '{{testFile}}'], forceBail: true},
		coverageAnalysis: 'perTest',
		concurrency: 2,
		// So that a busy machine does not count as a test that noticed something.
		timeoutMS: 60_000,
		ignorePatterns: ['/bench', '/dist'],
		tempDirName: path.join(os.tmpdir(), `colonies-mutants-${process.pid}`),
		disableTypeChecks: false,
		reporters: ['clear-text', 'progress-append-only'],
		clearTextReporter: {logTests: false, reportTests: false, allowColor: process.stdout.isTTY === true},
		thresholds: {high: leastNoticed, low: leastNoticed, break: null},
	}).runMutationTest();
	return noticed(results, file);
}

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const files = process.argv.slice(2).map(file => path.normalize(file));
if (files.length === 0) {
	console.error('Name the files to change: npm run mutate -- source/core/time.ts');
	process.exitCode = 2;
}

for (const file of files) {
	const tests = fs.existsSync(file) ? testsOf(file) : [];
	if (tests.length === 0) {
		console.error(fs.existsSync(file) ? `${file} has no tests of its name; add them to \`more\` in scripts/mutate.js.` : `There is no file ${file}.`);
		process.exitCode = 2;
	} else {
		const share = await mutate(file, tests); // eslint-disable-line no-await-in-loop
		console.log(`${file}: its tests noticed ${share.toFixed(1)} % of the changes (${tests.join(', ')}).`);
		process.exitCode ||= share < leastNoticed ? 1 : 0;
	}
}
