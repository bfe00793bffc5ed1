import {fitAnsi, widthOf} from '../terminal/width.ts';

/** `widthOf` under a name that says at the call that the text carries SGR sequences. */
export const widthOfStyled = widthOf;

/** A left and a right part in one line of exactly `width` cells; the left one gives way. */
export function spread(left: string, right: string, width: number): string {
	const room = width - widthOfStyled(right) - 1;
	return room > 0 ? `${fitAnsi(left, room)} ${right}` : fitAnsi(left, width);
}
