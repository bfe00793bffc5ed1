import {microseconds} from './time.ts';
import type {Time} from './types.ts';

/** A wire time of microseconds since 1970. */
export function timeOf(moment: bigint): Time {
	const seconds = (moment / 1_000_000n) - (moment % 1_000_000n < 0n ? 1n : 0n);
	const fraction = moment - (seconds * 1_000_000n);
	return `${new Date(Number(seconds) * 1000).toISOString().slice(0, -5)}.${String(fraction).padStart(6, '0')}Z`;
}

/** A wire time so many microseconds later. */
export const shifted = (time: Time, by: bigint): Time => timeOf(microseconds(time)! + by);

const rfc3339 = /^(\d{4})-\d\d-\d\dt\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:z|[+-]\d\d:\d\d)$/i;

/** A time of RFC 3339, with whatever offset, as one in UTC with microseconds; undefined for what is none. */
export function readTime(text: string): Time | undefined {
	const [, year] = rfc3339.exec(text) ?? [];
	if (year === undefined || Number(year) === 0 || Number.isNaN(Date.parse(text))) {
		return undefined;
	}

	// The time that is not set is none.
	const moment = microseconds(text.toUpperCase());
	const time = moment === undefined ? '' : timeOf(moment);
	return rfc3339.test(time) && !time.startsWith('0000') ? time : undefined;
}

/** Whether something is a time as it goes over the wire. */
export const isTime = (value: unknown): value is Time => typeof value === 'string' && readTime(value) === value;

const units: Record<string, number> = {s: 1, m: 60, h: 3600, d: 86_400};
/** Ten years. */
const furthest = 315_360_000;

/** Seconds before now that `-5m`, `-90s`, `-1h30m` or `-2d` mean; undefined for what is none, and for more than ten years. */
export function readAgo(text: string): number | undefined {
	if (!/^-(?:\d{1,9}(?:\.\d{1,6})?[smhd])+$/.test(text)) {
		return undefined;
	}

	const seconds = [...text.matchAll(/([\d.]+)([smhd])/g)].reduce((sum, [, value, unit]) => sum + (Number(value) * units[unit!]!), 0);
	return seconds <= furthest ? seconds : undefined;
}

/** Where somebody reads a clock. `now`: milliseconds since 1970. `utc`: in UTC, else in the time zone of this machine. */
export type Clock = {now: number; utc: boolean};

const local = /^(?:(\d{4})-(\d\d)-(\d\d))?(?:(?:^|[ T])(\d{1,2}):(\d\d)(?::(\d\d)(\.\d{1,6})?)?)?$/;

/** Milliseconds since 1970 of a date and a time of day on a clock; undefined where there is no such day or hour. */
function onClock({utc}: Clock, [year, month, day, hours, minutes, seconds]: readonly [number, number, number, number, number, number]): number | undefined {
	const date = utc ? new Date(Date.UTC(year, month - 1, day, hours, minutes, seconds)) : new Date(year, month - 1, day, hours, minutes, seconds);
	const [readMonth, readDay, readMinutes] = utc ? [date.getUTCMonth(), date.getUTCDate(), date.getUTCMinutes()] : [date.getMonth(), date.getDate(), date.getMinutes()];
	return readMonth === month - 1 && readDay === day && readMinutes === minutes && hours < 24 && seconds < 60 ? date.getTime() : undefined;
}

/**
A moment as people write it: RFC 3339; `2026-03-01`, `2026-03-01 14:05` or `14:05:30` on their clock, where a time of day alone is the last one that has been; or so long ago, `-5m`, which stays as it is,
for only the database knows what time it is there. Undefined for anything else.
*/
export function readMoment(text: string, clock: Clock): string | undefined {
	const trimmed = text.trim();
	if (readAgo(trimmed) !== undefined) {
		return trimmed;
	}

	const whole = readTime(trimmed);
	const [, year, month, day, hours, minutes = '0', seconds = '0', fraction = ''] = local.exec(trimmed) ?? [];
	if (whole !== undefined || (year === undefined && hours === undefined)) {
		return whole;
	}

	const today = new Date(clock.now);
	const [todayYear, todayMonth, todayDay] = clock.utc ? [today.getUTCFullYear(), today.getUTCMonth() + 1, today.getUTCDate()] : [today.getFullYear(), today.getMonth() + 1, today.getDate()];
	const time = [Number(hours ?? 0), Number(minutes), Number(seconds)] as const;
	const on = (back: number) => {
		const before = new Date(Date.UTC(todayYear, todayMonth - 1, todayDay - back));
		return onClock(clock, [before.getUTCFullYear(), before.getUTCMonth() + 1, before.getUTCDate(), ...time]);
	};

	const at = year === undefined
		? [on(0), on(1)].find(at => at !== undefined && at <= clock.now)
		: onClock(clock, [Number(year), Number(month), Number(day), ...time]);
	return at === undefined ? undefined : readTime(`${new Date(at).toISOString().slice(0, -5)}${fraction}Z`);
}
