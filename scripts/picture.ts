// Makes docs/console.svg from a real run: the console on the demo, in a terminal of 120×36. Needs `npm run build` first.
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {spawn} from '@lydell/node-pty';
import xterm from '@xterm/headless';

const columns = 120;
const rows = 36;
const cell = {width: 8.4, height: 17};
const margin = 14;

// The base colours of a common dark scheme; 16 and up do not occur, for the console uses the base ones alone.
const palette = ['#1e222a', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#d7dae0', '#5c6370', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#ffffff'];
const [background, foreground] = ['#1e222a', '#d7dae0'];

const home = mkdtempSync(path.join(tmpdir(), 'colonies-picture-'));
const {CI: _, NO_COLOR: __, ...env} = process.env;
const terminal = new xterm.Terminal({cols: columns, rows, allowProposedApi: true});
const pty = spawn(process.execPath, ['dist/cli.js', '--demo'], {cols: columns, rows, env: {...env, COLONIES_HOME: home, TERM: 'xterm-256color'}});
const ended = new Promise<void>(resolve => {
	pty.onExit(() => {
		resolve();
	});
});

const text = (row: number): string => terminal.buffer.active.getLine(row)?.translateToString(true) ?? '';
const screen = (): string[] => Array.from({length: rows}, (_, row) => text(row));

/** Waits until the screen shows what is wanted; looks again at every output. */
const until = async (wanted: (lines: string[]) => boolean): Promise<void> => new Promise((resolve, reject) => {
	const late = setTimeout(() => {
		reject(new Error(`It never came:\n${screen().join('\n')}`));
	}, 180_000);
	const listener = pty.onData(() => {
		terminal.write('', () => {
			if (wanted(screen())) {
				clearTimeout(late);
				listener.dispose();
				resolve();
			}
		});
	});
});

pty.onData(data => {
	terminal.write(data);
});

const escapeText = (value: string): string => value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

type Run = {text: string; column: number; width: number; style: string; back: string | undefined};

/** Cells of one row that look alike, joined. */
function runsOf(row: number): Run[] {
	const line = terminal.buffer.active.getLine(row)!;
	const runs: Run[] = [];
	for (let column = 0; column < columns; column++) {
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

function picture(): string {
	const width = Math.ceil((columns * cell.width) + (2 * margin));
	const height = (rows * cell.height) + (2 * margin);
	const parts = Array.from({length: rows}, (_, row) => runsOf(row).map(run => {
		const [x, y] = [margin + (run.column * cell.width), margin + (row * cell.height)];
		const box = run.back === undefined ? '' : `<rect x="${x.toFixed(1)}" y="${y}" width="${(run.width * cell.width).toFixed(1)}" height="${cell.height}" fill="${run.back}"/>`;
		return `${box}<text x="${x.toFixed(1)}" y="${y + 13}" textLength="${(run.width * cell.width).toFixed(1)}" ${run.style}>${escapeText(run.text)}</text>`;
	}).join('')).filter(row => row !== '');
	return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" xml:space="preserve">
<title>The console with the demo at work</title>
<rect width="100%" height="100%" rx="8" fill="${background}"/>
${parts.join('\n')}
</svg>
`;
}

try {
	await until(lines => /OK [2-9]\d/.test(lines[1] ?? '') && /FAIL [1-9]/.test(lines[1] ?? '') && lines.some(line => line.includes('running')));
	pty.write('jjjj');
	await until(lines => lines.some(line => line.includes('│>')) && lines.some(line => /││ (?:in|out) /.test(line)));
	writeFileSync('docs/console.svg', picture());
	pty.write('q');
	await ended;
} finally {
	pty.kill();
	await ended;
	rmSync(home, {recursive: true, force: true});
}
