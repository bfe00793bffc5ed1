const perDecade = 15;
const decades = 11.5;

/**
Where the cells that spans of time are counted in begin, in microseconds, rising: fixed and logarithmic, fifteen to each power of ten, from a millisecond to ten years.
So counts of different times and kinds can be added up, and a percentile of the sum is known to within `cellError`.
Cell 0 is below the first of them, cell n from the nth on. They are part of the schema (migration `pulse`): others need a migration.
*/
export const cellBounds: readonly number[] = Array.from({length: Math.ceil(decades * perDecade) + 1}, (_, index) => Math.round(1000 * (10 ** (index / perDecade))));

/** How far `secondsOfCell` may be from a span of that cell, from a millisecond to ten years: 9 % of it. */
export const cellError = 0.09;

/** What stands for the spans of a cell, in seconds with three digits: its middle; half a millisecond for what is below one, ten years for what is above. */
export function secondsOfCell(cell: number): number {
	const from = cellBounds[cell - 1] ?? cellBounds[0]! / 4;
	const to = cellBounds[cell] ?? from;
	return Number((Math.sqrt(from * to) / 1_000_000).toPrecision(3));
}
