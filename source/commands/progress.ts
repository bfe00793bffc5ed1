import process from 'node:process';
import {inAscii, wantsAscii} from '../core/ascii.ts';
import type {World} from './world.ts';

const width = 30;
/** Eighths of a cell. */
const blocks = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

const formatted = (count: number): string => count.toLocaleString('en');

/** A bar with its numbers: how much of a whole is done. */
export function bar(done: number, total: number): string {
	const eighths = Math.floor((done / total) * width * 8);
	const filled = '█'.repeat(Math.floor(eighths / 8)) + blocks[eighths % 8]!;
	return `▕${filled.padEnd(width)}▏ ${formatted(done)} of ${formatted(total)}`;
}

/** A progress bar on standard error, where that is a terminal; it leaves nothing behind. */
export function startProgress({stderr, env}: Pick<World, 'stderr' | 'env'>, total: number): {show(done: number): void; end(): void} {
	if (stderr.isTTY !== true) {
		return {show: () => undefined, end: () => undefined};
	}

	return {
		show(done) {
			const text = bar(done, total);
			stderr.write(`\r${wantsAscii(env, process.platform) ? inAscii(text) : text}`);
		},
		end() {
			stderr.write('\r\u001B[K');
		},
	};
}
