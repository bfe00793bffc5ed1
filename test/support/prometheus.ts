// The real programs of Prometheus: promtool, and a server that scrapes.
import {spawn, spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {setTimeout as pause} from 'node:timers/promises';
import {after} from 'node:test';
import {freePort} from './databases.ts';

const isThere = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

function whyNot(): string | false {
	if (isThere('promtool') && isThere('prometheus')) {
		return false;
	}

	const reason = 'prometheus and promtool are not installed.';
	if (process.env.CI === 'true') {
		throw new Error(reason);
	}

	console.error(`\n!!! ${reason} The tests with Prometheus are SKIPPED.\n`);
	return reason;
}

/** For `{skip: noPrometheus}`: false, or why tests with Prometheus cannot run. With CI=true that is a failure. */
export const noPrometheus = whyNot();

/** Runs promtool. `said`: all that it wrote. */
export function promtool(words: readonly string[], input = ''): {status: number | null; said: string} {
	const {status, stdout, stderr} = spawnSync('promtool', words, {input, encoding: 'utf8'});
	return {status, said: `${stdout}${stderr}`};
}

export type Prometheus = {
	/** The data of an answer of its HTTP API. */
	ask(target: string): Promise<any>;
};

/** Starts a Prometheus with a configuration file. It ends with the tests. */
export async function startPrometheus(config: string): Promise<Prometheus> {
	const [data, port] = [mkdtempSync(path.join(tmpdir(), 'colonies-prometheus-')), await freePort()];
	const child = spawn('prometheus', [`--config.file=${config}`, `--storage.tsdb.path=${data}`, `--web.listen-address=127.0.0.1:${port}`], {stdio: ['ignore', 'ignore', 'pipe']});
	let said = '';
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		said += text;
	});
	const ended = new Promise<void>(resolve => {
		child.once('close', () => {
			resolve();
		});
	});
	after(async () => {
		child.kill('SIGKILL');
		await ended;
		rmSync(data, {recursive: true, force: true});
	});
	const until = performance.now() + 60_000;
	for (;;) {
		if (child.exitCode !== null || performance.now() > until) {
			throw new Error(`Prometheus did not start.\n${said}`);
		}

		const answer = await fetch(`http://127.0.0.1:${port}/-/ready`).catch(() => undefined);
		if (answer?.ok) {
			break;
		}

		await pause(50);
	}

	return {
		async ask(target) {
			const answer = await fetch(`http://127.0.0.1:${port}${target}`);
			const {status, data, error} = await answer.json() as {status: string; data: unknown; error?: string};
			if (status !== 'success') {
				throw new Error(`${target}: ${error}`);
			}

			return data;
		},
	};
}
