import {InvalidInput} from './errors.ts';
import {quoted} from './text.ts';

const units = {d: 86_400, h: 3600, m: 60, s: 1} as const;

/** No span is longer: a thousand years, in seconds. */
const longest = 31_536_000_000;

/** Seconds, to the microsecond, of a span such as `90s`, `5m`, `1h30m`, `2d`. @throws InvalidInput */
export function parseSpan(text: string): number {
	const parts = [...text.matchAll(/(\d+(?:\.\d+)?)([smhd])/g)];
	const seconds = parts.reduce((sum, [, value, unit]) => sum + (Number(value) * units[unit as keyof typeof units]), 0);
	if (parts.length === 0 || parts.map(part => part[0]).join('') !== text || seconds > longest) {
		throw new InvalidInput(`${quoted(text)} is no span of time.`, {hint: 'Write 90s, 5m, 1h30m or 2d.'});
	}

	return Math.round(seconds * 1e6) / 1e6;
}

/** A span as `parseSpan` reads it, exactly: `1h30m`, `0.5s`. Input in seconds. */
export function printSpan(seconds: number): string {
	if (!Number.isInteger(seconds)) {
		return `${seconds}s`;
	}

	let rest = seconds;
	const parts = Object.entries(units).map(([unit, length]) => {
		const count = Math.floor(rest / length);
		rest -= count * length;
		return count > 0 ? `${count}${unit}` : '';
	});
	return parts.join('') || '0s';
}
