import {graphemesOf, graphemeWidth, splitByStyle} from './width.ts';

/** What stands for the signs that the console draws with, cell for cell. */
const signs: ReadonlyMap<string, string> = new Map(Object.entries({
	'-': '─', '|': '│▏▎▍▌▋▊▉▕', ':': '┆▂', '+': '┌┐└┘├┤┬┴┼✓±▅', '#': '█', '.': '·░▁', '=': '▄', '*': '▆•', '%': '▇', '~': '…▃', x: '✗×', '>': '▸→', '<': '←‹', '!': '≠‼',
}).flatMap(([sign, drawn]) => Array.from(drawn, character => [character, sign] as const)));

// eslint-disable-next-line no-control-regex -- ESC begins the styles, which stay.
const onlyAscii = /^[\u001B\u0020-\u007E]*$/;

/** The text in ASCII, each character in as many cells as before: the signs of the console by others that look alike, anything else as `?`. SGR sequences stay. */
export function toAscii(text: string): string {
	return onlyAscii.test(text) ? text : splitByStyle(text).map((part, index) => index % 2 === 1 || onlyAscii.test(part) ? part : Array.from(graphemesOf(part), asciiOf).join('')).join('');
}

const asciiOf = (grapheme: string): string => signs.get(grapheme) ?? (onlyAscii.test(grapheme) ? grapheme : '?'.repeat(graphemeWidth(grapheme)));

/**
Whether the terminal is one that shows ASCII only, as its locale says: LC_ALL, else LC_CTYPE, else LANG, and none of them names UTF-8. Without any of them, and on Windows,
where they mean nothing, terminals of today show UTF-8.
*/
export function wantsAscii(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): boolean {
	const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find(Boolean);
	return platform !== 'win32' && locale !== undefined && !/utf-?8/i.test(locale);
}
