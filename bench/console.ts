// How quick the console is, as a person sees it: start, first paint, key to paint, memory; each beside bare Node in the same run.
// Usage: npm run build && node --import tsx bench/console.ts [runs]
import {spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {spawn} from '@lydell/node-pty';
import xterm from '@xterm/headless';

const runs = Number(process.argv[2] ?? 5);
const home = mkdtempSync(path.join(tmpdir(), 'colonies-bench-'));
const {CI: _, ...env} = process.env;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
const percentile = (values: readonly number[], share: number): number => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]!;

function timed(work: () => void): number {
	const start = performance.now();
	work();
	return performance.now() - start;
}

const bare = () => timed(() => spawnSync(process.execPath, ['-e', '']));
const command = (...words: string[]) => timed(() => spawnSync(process.execPath, ['dist/cli.js', ...words], {env: {...env, COLONIES_HOME: home}}));

type Session = {firstPaint: number; open: number; keys: number[]; memory: number};

/** Residential memory of a process in MB. */
const residentOf = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

async function session(folder: string, words: readonly string[], ready: RegExp, keys: number): Promise<Session> {
	const start = performance.now();
	const pty = spawn(process.execPath, ['dist/cli.js', ...words], {cols: 120, rows: 36, env: {...env, COLONIES_HOME: folder, TERM: 'xterm-256color'}});
	const ended = new Promise<void>(resolve => {
		pty.onExit(() => {
			resolve();
		});
	});
	const terminal = new xterm.Terminal({cols: 120, rows: 36, allowProposedApi: true});
	let heard: () => void = () => undefined;
	pty.onData(data => {
		terminal.write(data, () => {
			heard();
		});
	});
	const screen = () => Array.from({length: 36}, (_, row) => terminal.buffer.active.getLine(row)?.translateToString(true) ?? '').join('\n');
	const until = async (wanted: RegExp) => new Promise<number>(resolve => {
		heard = () => {
			if (wanted.test(screen())) {
				resolve(performance.now());
			}
		};

		heard();
	});
	const firstPaint = await until(/colonies/) - start;
	const open = await until(ready) - start;
	const pressed: number[] = [];
	for (let index = 0; index < keys; index++) {
		const at = performance.now();
		pty.write('?');
		pressed.push(await until(/┌ Help /) - at); // eslint-disable-line no-await-in-loop
		pty.write('\u001B[27u');
		await until(/^(?![^]*┌ Help )/); // eslint-disable-line no-await-in-loop
	}

	const memory = residentOf(pty.pid);
	pty.write('q');
	await ended;
	return {firstPaint, open, keys: pressed, memory};
}

const row = (name: string, value: number, unit: string, beside?: number) => {
	console.log(`${name.padEnd(44)} ${value.toFixed(unit === 'MB' ? 0 : 1).padStart(9)} ${unit}${beside === undefined ? '' : `  ${(value / beside).toFixed(1)} × bare node`}`);
};

try {
	const node = median(Array.from({length: runs}, () => bare()));
	const cold: Session[] = [];
	for (let index = 0; index < Math.min(3, runs); index++) {
		cold.push(await session(path.join(home, `cold-${index}`), [], /Welcome/, 0)); // eslint-disable-line no-await-in-loop
	}

	command('database', 'create');
	const warm: Session[] = [];
	for (let index = 0; index < runs; index++) {
		warm.push(await session(home, [], /Welcome/, 20)); // eslint-disable-line no-await-in-loop
	}

	const demo = await session(path.join(home, 'demo'), ['--demo'], /running/, 60);
	row('bare node', node, 'ms');
	row('colonies --version', median(Array.from({length: runs}, () => command('--version'))), 'ms', node);
	row('colonies database where (embedded, warm)', median(Array.from({length: runs}, () => command('database', 'where'))), 'ms', node);
	row('console, first paint', median(warm.map(({firstPaint}) => firstPaint)), 'ms', node);
	row('console, database open, first start', median(cold.map(({open}) => open)), 'ms', node);
	row('console, database open, warm', median(warm.map(({open}) => open)), 'ms', node);
	const keys = warm.flatMap(session => session.keys);
	row('key to paint, quiet, p50', median(keys), 'ms');
	row('key to paint, quiet, p95', percentile(keys, 0.95), 'ms');
	row('key to paint, demo at work in it, p50', median(demo.keys), 'ms');
	row('key to paint, demo at work in it, p95', percentile(demo.keys, 0.95), 'ms');
	row('memory, console with its embedded database', median(warm.map(({memory}) => memory)), 'MB');
	row('memory, the same with the demo', demo.memory, 'MB');
} finally {
	rmSync(home, {recursive: true, force: true});
}
