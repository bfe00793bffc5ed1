import {type Time, unsetTime} from './types.ts';

/** Microseconds since 1970 of a wire time; undefined for the unset one. A bigint, so that arithmetic stays exact; a Date loses the microseconds. */
export function microseconds(time: Time): bigint | undefined {
	if (time === unsetTime) {
		return undefined;
	}

	const fraction = (/\.(\d+)/.exec(time)?.[1] ?? '').slice(0, 6).padEnd(6, '0');
	return (BigInt(Date.parse(time.replace(/\.\d+/, ''))) * 1000n) + BigInt(fraction);
}

/** Milliseconds since 1970, for showing ages; undefined for the unset time. */
export function milliseconds(time: Time): number | undefined {
	const value = microseconds(time);
	return value === undefined ? undefined : Number(value / 1000n);
}

/** A span in at most two units, `12m04s`, `3h20m`, `2d04h`; `0s` for anything below a second. Input in milliseconds. */
export function formatSpan(span: number): string {
	const seconds = Math.max(0, Math.floor(span / 1000));
	const two = (value: number) => String(value).padStart(2, '0');
	if (seconds < 60) {
		return `${seconds}s`;
	}

	if (seconds < 3600) {
		return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
	}

	if (seconds < 86_400) {
		return `${Math.floor(seconds / 3600)}h${two(Math.floor(seconds / 60) % 60)}m`;
	}

	return `${Math.floor(seconds / 86_400)}d${two(Math.floor(seconds / 3600) % 24)}h`;
}

/** How long ago something was, `12s`, in milliseconds since 1970; `-` for never. */
export function formatAge(time: Time | undefined, now: number): string {
	const at = time === undefined ? undefined : milliseconds(time);
	return at === undefined ? '-' : formatSpan(now - at);
}

/** Units with their seconds, and from how many seconds on they are used: from where the smaller one would round to a whole of them. */
const shortUnits = [{unit: 's', size: 1, from: 0.9995}, {unit: 'm', size: 60, from: 59.5}, {unit: 'h', size: 3600, from: 3570}, {unit: 'd', size: 86_400, from: 84_600}] as const;

/** A measured span in five characters at most and one unit, `850ms`, `4.2s`, `12m`, `3.5h`, `40d`; input in seconds. */
export function formatSeconds(seconds: number): string {
	const fitting = shortUnits.findLast(({from}) => seconds >= from);
	if (!fitting) {
		return `${Math.round(seconds * 1000) || (seconds > 0 ? '<1' : 0)}ms`;
	}

	const value = seconds / fitting.size;
	return `${value < 9.95 ? value.toFixed(1).replace('.0', '') : Math.round(value)}${fitting.unit}`;
}

/** Between these an ISO text has a year of four digits; milliseconds since 1970. */
const yearZero = -62_167_219_200_000;
const yearTenThousand = 253_402_300_800_000;

/** A moment moved into UTC or into the time zone of this machine, as an ISO text without its zone; nothing where its year has not four digits. In milliseconds since 1970. */
function wallClock(at: number, utc: boolean): string {
	const moved = utc ? at : at - (new Date(at).getTimezoneOffset() * 60_000);
	return moved >= yearZero && moved < yearTenThousand ? new Date(moved).toISOString() : '';
}

/** The time of day of a moment in milliseconds since 1970, `09:41:07`; in UTC, or in the time zone of this machine. */
export const formatClock = (at: number, utc: boolean): string => wallClock(at, utc).slice(11, 19);

/** A wire time in as few cells as tell it apart: the time of day of today's, `09:41:07`; the day and the time of one of another day, `11-23 09:41`. `now`: milliseconds since 1970. */
export function formatMoment(time: Time, now: number, utc: boolean): string {
	const at = milliseconds(time);
	if (at === undefined) {
		return '-';
	}

	const text = wallClock(at, utc);
	return text.slice(0, 10) === wallClock(now, utc).slice(0, 10) ? text.slice(11, 19) : `${text.slice(5, 10)} ${text.slice(11, 16)}`;
}

/** A wire time for people, `2021-12-21 21:04:07`, with `UTC` after it where it is that; `-` for one that is not set. */
export function formatTime(time: Time, utc: boolean): string {
	const at = milliseconds(time);
	return at === undefined ? '-' : `${wallClock(at, utc).slice(0, 19).replace('T', ' ')}${utc ? ' UTC' : ''}`;
}
