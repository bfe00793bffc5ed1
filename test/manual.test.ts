import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {
	existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {calledAs} from '../source/commands/help.ts';
import {flagsOf} from '../source/commands/command.ts';
import {commands} from '../source/commands/entries.ts';
import {manual, roffText} from '../source/commands/manual.ts';
import {consoleFlags} from '../source/console/arguments.ts';
import {errorCodes} from '../source/core/errors.ts';
import {storeFlags} from '../source/operations/flags.ts';
import {temporaryFolder, writeInto} from './support/commands.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** For `{skip}`: false, or why a reader of manual pages cannot be run. That is said aloud; with CI=true it is a failure. */
function without(program: string): string | false {
	if (spawnSync(program, ['--version']).error === undefined) {
		return false;
	}

	const reason = `${program} is not installed.`;
	if (process.env.CI === 'true') {
		throw new Error(reason);
	}

	console.error(`\n!!! ${reason} The tests of the manual page with it are SKIPPED.\n`);
	return reason;
}

const page = manual({version: '1.2.3', date: new Date(Date.UTC(2026, 2, 5)), consoleFlags});
const file = writeInto(temporaryFolder(), 'colonies.1', page);

/** A page as mandoc shows it, on lines of any length, without its bold and underlined characters. */
const shown = (of: string): string => execFileSync('mandoc', ['-T', 'utf8', '-O', 'width=900', of], {encoding: 'utf8', maxBuffer: 2 ** 26}).replaceAll(/.\u0008/g, '');

/** With every run of spaces as one. */
const words = (text: string): string => text.replaceAll(/\s+/g, ' ');

test('the page has nothing that mandoc warns of', {skip: without('mandoc')}, () => {
	const {status, stdout} = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', file], {encoding: 'utf8'});
	assert.deepEqual({status, stdout}, {status: 0, stdout: ''});
	// That it would be heard.
	const broken = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', writeInto(temporaryFolder(), 'broken.1', page.replace('.Sh COMMANDS', '.Sh COMMANDS\n.Bl -tag\n.El\n.Nonsense'))], {encoding: 'utf8'});
	assert.notEqual(broken.status, 0);
});

test('it shows every command with its flags, every variable and every exit code', {skip: without('mandoc')}, () => {
	const text = shown(file);
	const [, ...parts] = text.split(/^ {3}(?=\S)/m);
	for (const entry of commands) {
		const part = parts.find(each => each.startsWith(`${calledAs(entry)}\n`));
		assert.ok(part, calledAs(entry));
		assert.ok(words(part).includes(entry.summary.replaceAll('`', '')), entry.summary);
		for (const [name, {summary}] of Object.entries(entry.flags)) {
			assert.match(part, new RegExp(`^ +--${name}\\b`, 'm'), `${calledAs(entry)} --${name}`);
			assert.ok(words(part).includes(words(summary).replaceAll('`', '')), summary);
		}
	}

	const flags = text.slice(text.indexOf('\nFLAGS'), text.indexOf('\nENVIRONMENT'));
	for (const name of commands.flatMap(entry => Object.keys(flagsOf(entry)).filter(name => !Object.hasOwn(entry.flags, name)))) {
		assert.match(flags, new RegExp(`^ +--${name}\\b`, 'm'));
	}

	for (const name of Object.keys(consoleFlags).filter(name => !Object.hasOwn(storeFlags, name))) {
		assert.match(text.slice(0, text.indexOf('\nCOMMANDS')), new RegExp(`^ +--${name}\\b`, 'm'));
	}

	const exits = text.slice(text.indexOf('\nEXIT STATUS'), text.indexOf('\nEXAMPLES'));
	for (const [code, {exit, meaning}] of Object.entries(errorCodes)) {
		assert.match(exits, new RegExp(`^ +${exit} \\(${code}\\)`, 'm'));
		assert.ok(words(exits).includes(meaning), meaning);
	}

	assert.match(text, /colonies-tui 1\.2\.3 +March 5, 2026/);
});

test('every variable that the source reads is on the page and in the documentation', () => {
	const sources = readdirSync(path.join(root, 'source'), {recursive: true, encoding: 'utf8'}).filter(name => /\.tsx?$/.test(name) && !name.endsWith('manual.ts'));
	const text = sources.map(name => readFileSync(path.join(root, 'source', name), 'utf8')).join('\n');
	const read = [
		...[...text.matchAll(/\bCOLONIES_[A-Z][A-Z_]*[A-Z]\b/g)].map(([name]) => name),
		...[...text.matchAll(/\benv\.([A-Z][A-Z_]+)\b/g)].map(([, name]) => name!),
		...Object.keys(storeFlags).filter(name => name !== 'demo').map(name => `COLONIES_${name.toUpperCase()}`),
		'DATABASE_URL',
	];
	// The version is set at build; HOME and its like say where the home folder is; the last is the beginning of names.
	const others = new Set(['COLONIES_VERSION', 'HOME', 'USERPROFILE', 'COLONIES_DB', 'COLONIES_IN_TEST_KEY']);
	const documents = readFileSync(path.join(root, 'docs', 'commands.md'), 'utf8');
	const names = [...new Set(read)].filter(name => !others.has(name));
	assert.ok(names.length > 25, names.join(' '));
	for (const name of names) {
		assert.match(page, new RegExp(String.raw`\bEv \\&${name}\b`), name);
		assert.ok(documents.includes(`\`${name}\``), name);
	}
});

test('every line of the examples is a command with flags that it has', () => {
	const lines = page.slice(page.indexOf('.Sh EXAMPLES'), page.indexOf('.Sh SEE ALSO')).split('\n').filter(line => line.startsWith('.Dl')).map(line => line.replaceAll(String.raw`\&`, '').replaceAll(String.raw`\-`, '-').replaceAll(/^\.Dl "?|"$/g, ''));
	assert.ok(lines.length > 5);
	for (const line of lines.flatMap(each => each.split(' && '))) {
		const [program, noun, verb] = line.split(' ');
		const flags = [...line.replace(/ -- .*$/, '').matchAll(/ --([a-z]+)/g)].map(([, name]) => name!);
		assert.equal(program, 'colonies');
		const entry = commands.find(({words}) => words[0] === noun && words[1] === (verb === '--install' ? 'install' : verb));
		const known = entry ? [...Object.keys(flagsOf(entry)), 'install'] : Object.keys(consoleFlags);
		assert.ok(entry ?? noun!.startsWith('--'), line);
		assert.deepEqual(flags.filter(name => !known.includes(name)), [], line);
	}
});

test('a text shows as it is, special characters too', {skip: without('mandoc')}, () => {
	for (const text of [String.raw`a\b \fB\n \(aq`, '.Sh NAME', '\'br', 'it\'s "x" `y` ^~-- - ‐', '…é漢😀', '%s $HOME {a} |']) {
		const shownText = execFileSync('mandoc', ['-T', 'utf8'], {encoding: 'utf8', input: `.Dd March 5, 2026\n.Dt X 1\n.Os\n.Sh NAME\n.Nm x\n.Nd y\n.Sh DESCRIPTION\n${roffText(text)}\n`}).replaceAll(/.\u0008/g, '');
		assert.ok(words(shownText).includes(text), shownText);
	}
});

test('man finds the page under both names once the package is installed', {skip: without('man')}, () => {
	assert.ok(existsSync(path.join(root, 'dist', 'colonies.1')));
	const {man, version} = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {man: string[]; version: string};
	// As npm places them for a global install: in share/man of its prefix.
	const prefix = temporaryFolder();
	const folder = path.join(prefix, 'share', 'man', 'man1');
	mkdirSync(folder, {recursive: true});
	for (const each of man) {
		writeFileSync(path.join(folder, path.basename(each)), readFileSync(path.join(root, each)));
	}

	for (const name of ['colonies', 'colonies-tui']) {
		const text = execFileSync('man', [name], {encoding: 'utf8', env: {PATH: process.env.PATH, MANPATH: path.join(prefix, 'share', 'man'), MANPAGER: 'cat', MANWIDTH: '100', LANG: 'C.UTF-8'}, maxBuffer: 2 ** 26}).replaceAll(/.\u0008/g, '');
		assert.match(text, /^NAME\n +colonies, colonies-tui . broker/m);
		assert.ok(text.includes(`colonies-tui ${version}`));
		// A flag can be copied from it.
		assert.match(text, /^ +--colonyid ID$/m);
		assert.match(text, /process retry --colonyid ID --filter 'state:failed ended<1d'/);
	}
});
