import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {spawn} from '@lydell/node-pty';
import xterm from '@xterm/headless';

const cell = {width: 8.4, height: 17};
const margin = 14;

// The base colours of a common dark scheme, on a ground of their own, so that a picture can be read on a light page and on a dark one. 16 and up do not occur, for the console uses the base ones alone.
const palette = ['#1e222a', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#d7dae0', '#5c6370', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#ffffff'];
const [background, foreground] = ['#1e222a', '#d7dae0'];

const bytes: Record<string, string> = {enter: '\r', tab: '\t', esc: '\u001B[27u', space: ' ', down: '\u001B[B', right: '\u001B[C', left: '\u001B[D', 'ctrl-s': '\u0013'};

/** What stands at the end of each frame. */
const frameEnd = '\u001B[?2026l';

const escapeText = (value: string): string => value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

type Run = {text: string; column: number; width: number; style: string; back: string | undefined};

/** Cells of one row that look alike, joined. */
function runsOf(terminal: InstanceType<typeof xterm.Terminal>, row: number): Run[] {
	const line = terminal.buffer.active.getLine(row)!;
	const runs: Run[] = [];
	for (let column = 0; column < terminal.cols; column++) {
		const each = line.getCell(column)!;
		if (each.getWidth() === 0) {
			continue;
		}

		const [fg, bg] = [each.isFgDefault() ? foreground : palette[each.getFgColor()]!, each.isBgDefault() ? undefined : palette[each.getBgColor()]!];
		const fill = each.isInverse() ? bg ?? background : fg;
		const back = each.isInverse() ? fg : bg;
		const style = `fill="${fill}"${each.isBold() ? ' font-weight="bold"' : ''}${each.isDim() ? ' opacity="0.6"' : ''}`;
		const last = runs.at(-1);
		const character = each.getChars() || ' ';
		if (last?.style === style && last.back === back) {
			last.text += character;
			last.width += each.getWidth();
		} else {
			runs.push({text: character, column, width: each.getWidth(), style, back});
		}
	}

	return runs.filter(({text, back}) => text.trim() !== '' || back !== undefined);
}

function pictureOf(terminal: InstanceType<typeof xterm.Terminal>, title: string): string {
	const width = Math.ceil((terminal.cols * cell.width) + (2 * margin));
	const height = (terminal.rows * cell.height) + (2 * margin);
	const parts = Array.from({length: terminal.rows}, (_, row) => runsOf(terminal, row).map(run => {
		const [x, y] = [margin + (run.column * cell.width), margin + (row * cell.height)];
		const box = run.back === undefined ? '' : `<rect x="${x.toFixed(1)}" y="${y}" width="${(run.width * cell.width).toFixed(1)}" height="${cell.height}" fill="${run.back}"/>`;
		return `${box}<text x="${x.toFixed(1)}" y="${y + 13}" textLength="${(run.width * cell.width).toFixed(1)}" ${run.style}>${escapeText(run.text)}</text>`;
	}).join('')).filter(row => row !== '');
	return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" xml:space="preserve">
<title>${escapeText(title)}</title>
<rect width="100%" height="100%" rx="8" fill="${background}"/>
${parts.join('\n')}
</svg>
`;
}

/** The program in a terminal, for pictures of it. */
export type Camera = {
	/** Presses keys by the names of their chords, and types what is none. */
	press: (...keys: string[]) => void;
	/** Resolves when the screen shows it; looked at again at every output. */
	until: (wanted: string | RegExp | ((lines: string[]) => boolean)) => Promise<void>;
	/** Writes what is on the screen as a picture. */
	take: (file: string, title: string) => void;
	/** Leaves with ctrl-c. */
	close: () => Promise<void>;
};

/** Starts the built console with its data in a folder. */
export function openCamera(home: string, {words = [], columns = 100, rows = 30}: {words?: readonly string[]; columns?: number; rows?: number} = {}): Camera {
	const {CI: _, NO_COLOR: __, ...env} = process.env;
	const terminal = new xterm.Terminal({cols: columns, rows, allowProposedApi: true});
	const pty = spawn(process.execPath, ['dist/cli.js', ...words], {cols: columns, rows, env: {...env, COLONIES_HOME: home, TERM: 'xterm-256color', TZ: 'UTC'}});
	const ended = new Promise<void>(resolve => {
		pty.onExit(() => {
			resolve();
		});
	});
	const watchers = new Set<() => void>();
	let tail = '';
	pty.onData(data => {
		tail = (tail + data).slice(-frameEnd.length);
		// Only whole frames are looked at.
		const isWhole = tail === frameEnd;
		terminal.write(data, () => {
			for (const watcher of isWhole ? watchers : []) {
				watcher();
			}
		});
	});
	const screen = (): string[] => Array.from({length: rows}, (_, row) => terminal.buffer.active.getLine(row)?.translateToString(true) ?? '');
	return {
		press(...keys) {
			pty.write(keys.map(key => bytes[key] ?? key).join(''));
		},
		until: async wanted => new Promise((resolve, reject) => {
			const isThere = (): boolean => {
				const lines = screen();
				return typeof wanted === 'function' ? wanted(lines) : (typeof wanted === 'string' ? lines.join('\n').includes(wanted) : wanted.test(lines.join('\n')));
			};

			const look = (): void => {
				if (isThere()) {
					clearTimeout(late);
					watchers.delete(look);
					resolve();
				}
			};

			const late = setTimeout(() => {
				watchers.delete(look);
				reject(new Error(`${String(wanted)} never came:\n${screen().join('\n')}`));
			}, 60_000);
			watchers.add(look);
			if (tail === frameEnd) {
				look();
			}
		}),
		take(file, title) {
			mkdirSync(path.dirname(file), {recursive: true});
			writeFileSync(file, pictureOf(terminal, title));
		},
		async close() {
			pty.write('\u0003\u0003');
			await ended;
		},
	};
}
