import process from 'node:process';

type Style = (text: string) => string;

/** Whether the environment lets programs use colour: NO_COLOR, set to anything but the empty text, forbids it. */
export const allowsColour = (env: NodeJS.ProcessEnv): boolean => !env.NO_COLOR;

let coloured = allowsColour(process.env);

/** Turns the colour functions on or off; bold, dim, underline and inverse stay. */
export function setColour(on: boolean): void {
	coloured = on;
}

const wrap = (text: string, open: string, close: string): string => {
	if (text === '') {
		return '';
	}

	// A style inside ends with the same code as the one around it, which must then begin again.
	return open + (text.includes(close) ? text.replaceAll(close, close + open) : text) + close;
};

const attribute = (open: number, close: number): Style => text => wrap(text, `\u001B[${open}m`, `\u001B[${close}m`);

const colour = (code: number): Style => text => coloured ? wrap(text, `\u001B[${code}m`, '\u001B[39m') : text;

export const bold = attribute(1, 22);
export const dim = attribute(2, 22);
export const underline = attribute(4, 24);
export const inverse = attribute(7, 27);

/**
The base colours that text is written in, by their SGR codes: those of the sixteen that can be read on a white and on a black terminal. Yellow, green and cyan nearly vanish on white, and blue on black.
*/
export const textColours = {red: 31, magenta: 35, brightBlue: 94} as const;

/** What is wrong. */
export const danger = colour(textColours.red);
/** What wants to be seen: a question, a mark, what waits or is old. */
export const warning = colour(textColours.magenta);
/** What is well. */
export const success = colour(textColours.brightBlue);
/** What only has to be told apart from the text beside it. */
export const accent = colour(textColours.brightBlue);

const withoutColourCodes = (parameters: string): string => {
	const codes = parameters.split(/[;:]/);
	const kept: string[] = [];
	for (let index = 0; index < codes.length; index++) {
		const code = Number(codes[index]);
		if (code === 38 || code === 48 || code === 58) {
			index += codes[index + 1] === '5' ? 2 : 4;
		} else if (!((code >= 30 && code <= 49) || (code >= 90 && code <= 107))) {
			kept.push(codes[index]!);
		}
	}

	return kept.join(';');
};

/** The text with its colours taken out and its other attributes kept, whoever wrote them. */
export const withoutColour = (text: string): string => text.includes('\u001B')
	// eslint-disable-next-line no-control-regex -- Control characters are what it looks for.
	? text.replaceAll(/\u001B\[([\d;:]+)m/g, (_, parameters: string) => {
		const kept = withoutColourCodes(parameters);
		return kept === '' ? '' : `\u001B[${kept}m`;
	})
	: text;
