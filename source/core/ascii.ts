/** What stands for the signs that we draw with, cell for cell. */
const signs: ReadonlyMap<string, string> = new Map(Object.entries({
	'-': '─', '|': '│▏▎▍▌▋▊▉▕', ':': '┆▂', '+': '┌┐└┘├┤┬┴┼✓±▅', '#': '█', '.': '·░▁', '=': '▄', '*': '▆•', '%': '▇', '~': '…▃', x: '✗×', '>': '▸→', '<': '←‹', '!': '≠‼',
}).flatMap(([sign, drawn]) => Array.from(drawn, character => [character, sign] as const)));

const isAscii = /^[\n\r\u0020-\u007E]*$/;

/** One character, as a reader sees it, in ASCII: a sign of ours as one that looks alike, anything else as a `?` for each of its cells. */
export const asciiOf = (grapheme: string, widthOf: (grapheme: string) => number): string => signs.get(grapheme) ?? (isAscii.test(grapheme) ? grapheme : '?'.repeat(widthOf(grapheme)));

/** A plain text in ASCII, each character in as many cells as before; line ends stay. `widthOf`: cells of a character, one unless given. */
export const inAscii = (text: string, widthOf: (grapheme: string) => number = () => 1): string =>
	isAscii.test(text) ? text : Array.from(new Intl.Segmenter().segment(text), ({segment}) => asciiOf(segment, widthOf)).join('');

/**
Whether people see ASCII only, as the locale says: LC_ALL, else LC_CTYPE, else LANG, and none of them names UTF-8. Without any of them, and on Windows,
where they mean nothing, terminals of today show UTF-8.
*/
export function wantsAscii(env: Readonly<Record<string, string | undefined>>, platform: string): boolean {
	const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find(Boolean);
	return platform !== 'win32' && locale !== undefined && !/utf-?8/i.test(locale);
}
