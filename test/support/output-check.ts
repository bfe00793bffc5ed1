import {visible} from '../../source/core/text.ts';
import {widthOf} from '../../source/console/terminal/width.ts';

export type OutputCheck = {
	/** Takes what came out of the console, cut anywhere. @throws Error for whatever the console itself does not write, and for what does not fit the terminal */
	take: (text: string) => void;
	/** The terminal has another size from now on; what was begun for the one before may still come. */
	resized: (columns: number, rows: number) => void;
	/** Everything written from now on must fit the present size. */
	settled: () => void;
	/** Whether no frame is half written. */
	isWhole: () => boolean;
	/** Whether the terminal shows its main screen. */
	isOut: () => boolean;
	/** How often the clipboard was written since it was asked last. */
	copies: () => number;
};

type Size = readonly [columns: number, rows: number];

/** Sequences that stand for themselves: alternate screen, cursor, wrap, bracketed paste, synchronised updates, erasing. */
const fixed = /^\u001B\[(?:\?(?:1049|25|7|2004|2026)[hl]|2J|2?K)$/;
/** Cursor to a place, or to a column. */
const place = /^\u001B\[(?:(\d+);(\d+)H|(\d+)G)$/;
/** Styles: bold, dim, underline, inverse, and the base colours that are legible everywhere. */
const style = /^\u001B\[(?:0|1|2|4|7|22|24|27|31|35|39|94)(?:;(?:0|1|2|4|7|22|24|27|31|35|39|94))*m$/;
const clipboard = /^\u001B]52;c;[\w+/=]*\u0007$/;
const frameEnd = '\u001B[?2026l';
const token = /\u001B\[[^@-~]*[@-~]|\u001B][^\u0007\u001B]*\u0007|\u001B[^[\]]|[^\u001B]+/g;

/** What stands before the way out where a frame was cut short. */
const cancelled = /(?:\u001B(?:\[[\d;?]*)?)?\u0018(?=\u001B\[\?2026l\u001B\[0m\u001B\[\?2004l)/g;

/** Reads everything that the console writes, and holds it against what it may write. */
export function checkOutput(columns: number, rows: number): OutputCheck {
	let sizes: Size[] = [[columns, rows]];
	let rest = '';
	let [row, column] = [1, 1];
	let copied = 0;
	let isOut = true;

	const fits = (right: number, bottom: number, what: string): void => {
		if (!sizes.some(([width, height]) => right <= width && bottom <= height)) {
			throw new Error(`Row ${bottom}, column ${right} is beyond the terminal of ${sizes.map(size => size.join('×')).join(' or ')}: ${JSON.stringify(what)}`);
		}
	};

	const read = (part: string): void => {
		const placed = place.exec(part);
		if (placed) {
			[row, column] = placed[3] === undefined ? [Number(placed[1]), Number(placed[2])] : [row, Number(placed[3])];
			fits(column, row, part);
		} else if (clipboard.test(part)) {
			copied++;
		} else if (part.startsWith('\u001B')) {
			if (!fixed.test(part) && !style.test(part)) {
				throw new Error(`The console writes no such sequence: ${JSON.stringify(part)}`);
			}
		} else {
			if (part !== visible(part)) {
				throw new Error(`A terminal could obey something in ${JSON.stringify(part)}`);
			}

			column += widthOf(part);
			fits(column - 1, row, part);
		}
	};

	return {
		take(text) {
			const all = rest + text;
			const [entered, left] = [all.lastIndexOf('\u001B[?1049h'), all.lastIndexOf('\u001B[?1049l')];
			isOut = entered === left ? isOut : left > entered;
			// Whole frames and copies, for half a character has another width.
			const end = Math.max(...[frameEnd, '\u0007'].map(mark => all.includes(mark) ? all.lastIndexOf(mark) + mark.length : 0));
			rest = all.slice(end);
			for (const [part] of all.slice(0, end).replaceAll(cancelled, '').matchAll(token)) {
				read(part);
			}
		},
		resized(width, height) {
			sizes.push([width, height]);
		},
		settled() {
			sizes = sizes.slice(-1);
		},
		isWhole: () => rest === '',
		isOut: () => isOut,
		copies() {
			const count = copied;
			copied = 0;
			return count;
		},
	};
}
