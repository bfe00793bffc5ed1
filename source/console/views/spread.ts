import {fitAnsi, widthOf, withoutStyle} from '../terminal/width.ts';

/** Cells of a text without its style. */
export const widthOfStyled = (text: string): number => widthOf(withoutStyle(text));

/** A left and a right part in one line of exactly `width` cells; the left one gives way. */
export function spread(left: string, right: string, width: number): string {
	const room = width - widthOfStyled(right) - 1;
	return room > 0 ? `${fitAnsi(left, room)} ${right}` : fitAnsi(left, width);
}
