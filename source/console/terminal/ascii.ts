import {asciiOf} from '../../core/ascii.ts';
import {graphemesOf, graphemeWidth, splitByStyle} from './width.ts';

// eslint-disable-next-line no-control-regex -- ESC begins the styles, which stay.
const onlyAscii = /^[\u001B\u0020-\u007E]*$/;

/** The text in ASCII, each character in as many cells as before: the signs of the console by others that look alike, anything else as `?`. SGR sequences stay. */
export function toAscii(text: string): string {
	return onlyAscii.test(text) ? text : splitByStyle(text).map((part, index) => index % 2 === 1 || onlyAscii.test(part) ? part : Array.from(graphemesOf(part), grapheme => asciiOf(grapheme, graphemeWidth)).join('')).join('');
}
