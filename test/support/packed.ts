import {execFile, execFileSync, type ExecFileException} from 'node:child_process';
import {copyFileSync, existsSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {temporaryFolder, type Run} from './commands.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What npm and the program are started with: nothing of this user's own, and nothing of npm's that runs the tests. */
export const environment = (home: string): NodeJS.ProcessEnv => {
	const names = Object.keys(process.env).filter(name => !/^(?:npm_|COLONIES_|NODE_|DATABASE_URL$)/.test(name));
	return {...Object.fromEntries(names.map(name => [name, process.env[name]])), COLONIES_HOME: home};
};

/** The settings that npm is given by whoever runs the tests: its configuration, certificates and proxies, without which it may reach no registry; not what it says of the script that runs. */
export const npmEnvironment = (home: string, env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv => {
	const names = Object.keys(env).filter(name => /^npm_config_(?!local_prefix$|prefix$|dry_run$|user_agent$)/i.test(name) || name === 'NODE_EXTRA_CA_CERTS' || name === 'NODE_TLS_REJECT_UNAUTHORIZED' || name === 'NODE_USE_ENV_PROXY' || name === 'NODE_USE_SYSTEM_CA');
	return {...environment(home), ...Object.fromEntries(names.map(name => [name, env[name]]))};
};

export type Installed = {
	/** The package's own folder. */
	folder: string;
	/** The command that npm links. */
	program: string;
	/** Runs the program with a fresh keychain and settings. */
	run: Run;
};

/** Packs what is built into a folder, and gives the name of the tarball. */
export function packInto(folder: string): string {
	if (!existsSync(path.join(root, 'dist', 'cli.js'))) {
		execFileSync(process.execPath, [path.join(root, 'scripts', 'build.js')], {cwd: root, stdio: 'pipe'});
	}

	// Its scripts would build again, under the feet of other tests.
	return execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
		cwd: root, env: npmEnvironment(folder), encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'],
	}).trim().split('\n').at(-1)!;
}

/** Packs what is built and installs it into an empty folder, as anybody would. */
export function installPacked(): Installed {
	const folder = temporaryFolder();
	const env = npmEnvironment(folder);
	const packed = packInto(folder);
	writeFileSync(path.join(folder, 'package.json'), '{"private": true}');
	// The settings of the project, such as its registry, which `npm ci` was given.
	if (existsSync(path.join(root, '.npmrc'))) {
		copyFileSync(path.join(root, '.npmrc'), path.join(folder, '.npmrc'));
	}

	execFileSync('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', path.join(folder, packed)], {cwd: folder, env, stdio: 'pipe'});
	const program = path.join(folder, 'node_modules', '.bin', 'colonies');
	const home = environment(temporaryFolder());
	return {
		folder: path.join(folder, 'node_modules', 'colonies-tui'),
		program,
		run: async (words, input = '') => new Promise(resolve => {
			const done = (error: ExecFileException | null, stdout: string, stderr: string) => {
				resolve({code: error ? Number(error.code) : 0, stdout, stderr});
			};

			const child = execFile(program, [...words], {env: home, cwd: folder, maxBuffer: 2 ** 26}, done);
			// A program that does not read its input may have ended before it is written.
			child.stdin!.on('error', () => undefined);
			child.stdin!.end(input);
		}),
	};
}
