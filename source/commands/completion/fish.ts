import {
	type CommandEntry, type Source, contextsFrom, flagsOf, flagType, keysFrom, nounsOf, ofNoun, operandSource, sourceOf,
} from './sources.ts';

const quote = (text: string): string => `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`;

function value(source: Source): string {
	switch (source.from) {
		case 'choices': {
			return ` -x -a ${quote(source.choices.join(' '))}`;
		}

		case 'file': {
			return ' -r -F';
		}

		case 'keychain': {
			return ` -x -a ${quote(`(${keysFrom('colonies', source.kind)})`)}`;
		}

		case 'contexts': {
			return ` -x -a ${quote(`(${contextsFrom('colonies')})`)}`;
		}

		case 'nowhere': {
			return ' -x';
		}
	}
}

const program = 'complete -c colonies';

const verb = ({words: [noun, verb], summary}: CommandEntry): string => `${program} -n '__colonies_noun ${noun}' -a ${verb} -d ${quote(summary)}`;

const flags = (entry: CommandEntry): string => Object.entries(flagsOf(entry)).map(([name, field]) => `${program} -n '__colonies_is ${entry.words.join(' ')}' -l ${name}${flagType(field) === 'boolean' ? '' : value(sourceOf(name, field))} -d ${quote(field.summary)}`).join('\n');

/** What the operands of a command are chosen from. */
function operands(entry: CommandEntry): string[] {
	const source = operandSource(entry);
	return source?.from === 'contexts' ? [`${program} -n '__colonies_is ${entry.words.join(' ')}'${value(source)}`] : [];
}

/** The completion script for fish. */
export function fishCompletion(commands: readonly CommandEntry[]): string {
	const nouns = nounsOf(commands);
	return `function __colonies_words
	commandline -opc | string match -v -- help
end
function __colonies_noun
	set -l words (__colonies_words)
	test (count $words) -eq 2; and test "$words[2]" = "$argv[1]"
end
function __colonies_is
	set -l words (__colonies_words)
	test (count $words) -ge 3; and test "$words[2] $words[3]" = "$argv[1] $argv[2]"
end
${program} -f
complete -c colonies-tui -w colonies
${program} -n 'test (count (__colonies_words)) -eq 1' -a ${quote(nouns.join(' '))}
${program} -n 'test (count (commandline -opc)) -eq 1' -a help
${nouns.flatMap(noun => ofNoun(commands, noun).map(entry => verb(entry))).join('\n')}
${commands.flatMap(entry => [...operands(entry), flags(entry)]).join('\n')}
`;
}
