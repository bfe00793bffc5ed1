import {shellWord, singleQuoted, zshSpecText} from './quoting.ts';
import {
	type CommandEntry, type Source, contextsFrom, flagsOf, flagType, keyKinds, keysFrom, nounsOf, ofNoun, operandSource, sourceOf,
} from './sources.ts';

const wordList = (words: readonly string[]): string => words.map(word => shellWord(word)).join(' ');

function action(source: Source): string {
	switch (source.from) {
		case 'choices': {
			return `(${wordList(source.choices)})`;
		}

		case 'file': {
			return '_files';
		}

		case 'keychain': {
			return `_colonies_${source.kind}`;
		}

		case 'contexts': {
			return '_colonies_context';
		}

		case 'nowhere': {
			return ' ';
		}
	}
}

const argument = (name: string, field: Parameters<typeof sourceOf>[1]): string => singleQuoted(flagType(field) === 'boolean'
	? `--${name}[${zshSpecText(field.summary)}]`
	: `--${name}=[${zshSpecText(field.summary)}]:${zshSpecText(field.label)}:${action(sourceOf(name, field))}`);

function operand(entry: CommandEntry): string[] {
	const source = operandSource(entry);
	return source === undefined ? [] : [singleQuoted(`1:${zshSpecText(Object.keys(entry.operands)[0]!)}:${action(source)}`)];
}

const command = (entry: CommandEntry): string => `		${singleQuoted(entry.words.join(' '))})
			_arguments -S ${[...operand(entry), ...Object.entries(flagsOf(entry)).map(([name, field]) => argument(name, field))].join(' ')} ;;`;

const described = ({words: [, verb], summary}: CommandEntry): string => singleQuoted(`${zshSpecText(verb)}:${zshSpecText(summary)}`);

const choices = (name: string, pipe: string): string => `_colonies_${name}() {
	local -a found
	found=(\${(f)"$(${pipe})"})
	compadd "$@" -a found
}`;

/** The completion script for zsh: also usable as a file \`_colonies\` in fpath. It starts zsh's completion where nothing has. */
export function zshCompletion(commands: readonly CommandEntry[]): string {
	const nouns = nounsOf(commands);
	return `#compdef colonies colonies-tui
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }
compdef _colonies colonies colonies-tui
${[...keyKinds.map(kind => choices(kind, keysFrom('colonies', kind))), choices('context', contextsFrom('colonies'))].join('\n')}
_colonies() {
	if (( CURRENT == 2 )); then
		compadd ${wordList([...nouns, 'help'])}
		return
	fi
	if [[ $words[2] == help ]]; then
		shift words
		(( CURRENT-- ))
		if (( CURRENT == 2 )); then
			compadd ${wordList(nouns)}
			return
		fi
	fi
	if (( CURRENT == 3 )); then
		local -a verbs
		case $words[2] in
${nouns.map(noun => `			${shellWord(noun)}) verbs=(${ofNoun(commands, noun).map(entry => described(entry)).join(' ')}) ;;`).join('\n')}
		esac
		_describe command verbs
		return
	fi
	local name="$words[2] $words[3]"
	shift 2 words
	(( CURRENT -= 2 ))
	case $name in
${commands.map(entry => command(entry)).join('\n')}
	esac
}
if [[ "$funcstack[1]" == _colonies ]]; then _colonies "$@"; fi
`;
}
