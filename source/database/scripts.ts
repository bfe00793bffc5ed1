/** What a semicolon may stand in without ending a command: texts, quoted names, bodies between dollars, comments. And the semicolon that does. */
const parts = /'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$\w*\$).*?\1|--[^\n]*|\/\*.*?\*\/|;/gs;

/** The commands of a script, without the semicolons between them. Texts with backslashes (`e'…'`) are not understood: scripts of migrations have none at their top level. */
export function commandsOf(script: string): string[] {
	const ends = [...script.matchAll(parts)].flatMap(({0: part, index}) => part === ';' ? [index] : []);
	return [...ends, script.length].map((end, place) => script.slice(place === 0 ? 0 : ends[place - 1]! + 1, end).trim()).filter(command => command.replaceAll(/--[^\n]*/g, '').trim() !== '');
}
