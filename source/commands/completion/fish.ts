import {fishQuoted} from './quoting.ts';
import {
	type CommandEntry, type Source, contextsFrom, flagsOf, flagType, keysFrom, nounsOf, ofNoun, operandSource, sourceOf,
} from './sources.ts';

/** Words for `-a`, which fish splits and expands again. */
const wordList = (words: readonly string[]): string => fishQuoted(words.map(word => /^[\w-]+$/.test(word) ? word : fishQuoted(word)).join(' '));

function value(source: Source): string {
	switch (source.from) {
		case 'choices': {
			return ` -x -a ${wordList(source.choices)}`;
		}

		case 'file': {
			return ' -r -F';
		}

		case 'keychain': {
			return ` -x -a ${fishQuoted(`(${keysFrom('colonies', source.kind)})`)}`;
		}

		case 'contexts': {
			return ` -x -a ${fishQuoted(`(${contextsFrom('colonies')})`)}`;
		}

		case 'nowhere': {
			return ' -x';
		}
	}
}

const program = 'complete -c colonies';

const verb = ({words: [noun, verb], summary}: CommandEntry): string => `${program} -n ${fishQuoted(`__colonies_noun ${noun}`)} -a ${wordList([verb])} -d ${fishQuoted(summary)}`;

const isCommand = ({words}: CommandEntry): string => fishQuoted(`__colonies_is ${words.join(' ')}`);

const flags = (entry: CommandEntry): string => Object.entries(flagsOf(entry)).map(([name, field]) => `${program} -n ${isCommand(entry)} -l ${name}${flagType(field) === 'boolean' ? '' : value(sourceOf(name, field))} -d ${fishQuoted(field.summary)}`).join('\n');

/** What the operands of a command are chosen from. */
function operands(entry: CommandEntry): string[] {
	const source = operandSource(entry);
	return source?.from === 'contexts' ? [`${program} -n ${isCommand(entry)}${value(source)}`] : [];
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
${program} -n 'test (count (__colonies_words)) -eq 1' -a ${wordList(nouns)}
${program} -n 'test (count (commandline -opc)) -eq 1' -a help
${nouns.flatMap(noun => ofNoun(commands, noun).map(entry => verb(entry))).join('\n')}
${commands.flatMap(entry => [...operands(entry), flags(entry)]).join('\n')}
`;
}
