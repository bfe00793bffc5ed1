import assert from 'node:assert/strict';
import {execFile, execFileSync, type ExecFileException} from 'node:child_process';
import {
	existsSync, readFileSync, realpathSync, statSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {temporaryFolder, type Run} from './support/commands.ts';
import {freshDatabase, noPostgres, startPostgres} from './support/databases.ts';
import {walk} from './support/walk.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What npm and the program are started with: nothing of this user's own. */
const environment = (home: string): NodeJS.ProcessEnv => {
	const names = Object.keys(process.env).filter(name => !/^(?:npm_|COLONIES_|NODE_|DATABASE_URL$)/.test(name));
	return {...Object.fromEntries(names.map(name => [name, process.env[name]])), COLONIES_HOME: home}; // eslint-disable-line @typescript-eslint/naming-convention
};

/** Packs what is built, installs it into an empty folder as anybody would, and gives that folder. */
function install(): string {
	const folder = temporaryFolder();
	const env = environment(folder);
	if (!existsSync(path.join(root, 'dist', 'cli.js'))) {
		execFileSync(process.execPath, [path.join(root, 'scripts', 'build.js')], {cwd: root, stdio: 'pipe'});
	}

	// Its scripts would build again, under the feet of other tests.
	const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {cwd: root, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']}).trim().split('\n').at(-1)!;
	writeFileSync(path.join(folder, 'package.json'), '{"private": true}');
	execFileSync('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', path.join(folder, packed)], {cwd: folder, env, stdio: 'pipe'});
	return folder;
}

const folder = install();
const program = path.join(folder, 'node_modules', '.bin', 'colonies');
const installed = path.join(folder, 'node_modules', 'colonies-tui');

/** Runs the installed program, with a keychain and settings of its own. */
const inHome = (home: string): Run => async (words, input = '') => new Promise(resolve => {
	const child = execFile(program, [...words], {env: environment(home), cwd: folder, maxBuffer: 2 ** 26}, (error: ExecFileException | null, stdout, stderr) => { // eslint-disable-line @typescript-eslint/no-restricted-types -- as Node has it
		resolve({code: error === null ? 0 : Number(error.code), stdout, stderr});
	});
	child.stdin!.on('error', () => undefined);
	child.stdin!.end(input);
});

test('the package has one dependency, its examples, and no source', () => {
	const {dependencies, bin} = JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8')) as {dependencies: Record<string, string>; bin: Record<string, string>};
	assert.deepEqual(Object.keys(dependencies), ['@electric-sql/pglite']);
	assert.deepEqual(Object.values(bin), ['dist/cli.js', 'dist/cli.js']);
	assert.ok(!existsSync(path.join(installed, 'source')));
	assert.ok(!existsSync(path.join(installed, 'test')));
	for (const name of ['colony.json', 'computer.json', 'process_spec.json']) {
		assert.ok(existsSync(path.join(installed, 'examples', name)));
	}

	// eslint-disable-next-line no-bitwise
	assert.ok((statSync(realpathSync(program)).mode & 0o111) !== 0);
});

test('a reader that goes away early is no failure', () => {
	const answer = execFileSync('bash', ['-c', 'set -o pipefail; "$1" help | head -n 1', 'bash', program], {env: environment(folder), encoding: 'utf8'});
	assert.match(answer, /^Colonies: /);
});

test('the walk of colonies.md, installed: embedded', async t => {
	await walk({
		step: async (name, work) => t.test(name, work), run: inHome(temporaryFolder()), examples: path.join(installed, 'examples'),
	});
});

test('the walk of colonies.md, installed: PostgreSQL', {skip: noPostgres}, async t => {
	const {host, port, user, database} = await freshDatabase(await startPostgres());
	await walk({
		step: async (name, work) => t.test(name, work),
		run: inHome(temporaryFolder()),
		databaseFlags: ['--dbhost', host!, '--dbport', String(port), '--dbuser', user!, `--dbname=${database!}`],
		examples: path.join(installed, 'examples'),
	});
});
