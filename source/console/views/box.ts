import {dim} from '../terminal/style.ts';
import {fitAnsi, padAnsi} from '../terminal/width.ts';
import {widthOfStyled} from './spread.ts';

/** A box of exactly this size around lines, its title in the upper border. */
export function box(heading: string, lines: readonly string[], {width, height}: {width: number; height: number}): string[] {
	const inner = Math.max(0, width - 2);
	const cutHeading = fitAnsi(heading, Math.min(widthOfStyled(heading), Math.max(0, inner - 1)));
	const rule = '─'.repeat(Math.max(0, inner - (cutHeading === '' ? 0 : widthOfStyled(cutHeading) + 1)));
	const top = `${dim('┌')}${cutHeading === '' ? '' : ` ${cutHeading}`}${dim(`${rule}┐`)}`;
	const rows = Array.from({length: Math.max(0, height - 2)}, (_, index) => `${dim('│')}${padAnsi(fitAnsi(lines[index] ?? '', inner), inner)}${dim('│')}`);
	return [top, ...rows, dim(`└${'─'.repeat(inner)}┘`)];
}
