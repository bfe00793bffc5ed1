import {shellWord, singleQuoted} from './quoting.ts';
import {
	type CommandEntry, type Source, contextsFrom, flagsOf, keysFrom, nounsOf, ofNoun, operandSource, valuedFlags,
} from './sources.ts';

// The program as it was called, for it need not be in PATH.
const self = '"${COMP_WORDS[0]}"'; // eslint-disable-line no-template-curly-in-string

const words = (list: readonly string[]): string => `_colonies_offer ${list.map(word => shellWord(word)).join(' ')}`;

/** What a pipe prints, a word a line. `compgen -W` would expand it, and so run what somebody called a context. */
const fromPipe = (pipe: string): string => `_colonies_offer_lines < <(${pipe})`;

function value(source: Source): string {
	switch (source.from) {
		case 'choices': {
			return words(source.choices);
		}

		case 'file': {
			return '_colonies_files';
		}

		case 'keychain': {
			return fromPipe(keysFrom(self, source.kind));
		}

		case 'contexts': {
			return fromPipe(contextsFrom(self));
		}

		case 'nowhere': {
			return ':';
		}
	}
}

const flagNames = (command: CommandEntry): string[] => Object.keys(flagsOf(command)).map(name => `--${name}`);

/** What comes after a command: the flags, and first its operand where there are some to choose from. */
function afterCommand(command: CommandEntry): string {
	const source = operandSource(command);
	const flags = words(flagNames(command));
	return source === undefined || source.from === 'nowhere' ? flags : `if [[ $current == -* || -n $operand ]]; then ${flags}; else ${value(source)}; fi`;
}

/** The completion script for bash: noun and verb first, then by what was typed last, a flag that takes a value or another flag. */
export function bashCompletion(commands: readonly CommandEntry[]): string {
	const nouns = nounsOf(commands);
	const valued = valuedFlags(commands);
	return `_colonies_offer() {
	local word shown
	for word in "$@"; do
		printf -v shown '%q' "$word"
		if [[ $word == "$current"* || $shown == "$current"* ]]; then COMPREPLY+=("$shown"); fi
	done
}
_colonies_offer_lines() {
	local line
	while IFS= read -r line; do _colonies_offer "$line"; done
}
_colonies_files() {
	local line
	# Readline quotes the names of files itself, where it can be asked to.
	if compopt -o filenames 2>/dev/null; then
		while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
	else
		_colonies_offer_lines < <(compgen -f -- "$current")
	fi
}
_colonies() {
	local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}" noun='' verb='' operand='' word index
	COMPREPLY=()
	# Bash cuts words at the equals sign.
	if [[ $current == '=' ]]; then current=''; elif [[ $previous == '=' ]]; then previous="\${COMP_WORDS[COMP_CWORD - 2]}"; fi
	for ((index = 1; index < COMP_CWORD; index++)); do
		word="\${COMP_WORDS[index]}"
		case "$word" in
			${[...valued.keys()].map(name => `--${name}`).join('|')})
				((index++))
				if [[ "\${COMP_WORDS[index]}" == '=' ]]; then ((index++)); fi ;;
			-*|=) ;;
			*) if [[ -z $noun ]]; then noun="$word"; elif [[ -z $verb ]]; then verb="$word"; elif [[ $noun == help ]]; then noun="$verb"; verb="$word"; else operand="$word"; fi ;;
		esac
	done
	case "$previous" in
${[...valued].map(([name, source]) => `		--${name}) ${value(source)}; return ;;`).join('\n')}
	esac
	case "$noun $verb" in
		' ') ${words([...nouns, 'help'])} ;;
		'help ') ${words(nouns)} ;;
${nouns.map(noun => `		${singleQuoted(`${noun} `)}|${singleQuoted(`help ${noun}`)}) ${words(ofNoun(commands, noun).map(({words: [, verb]}) => verb))} ;;`).join('\n')}
${commands.map(command => `		${singleQuoted(command.words.join(' '))}) ${afterCommand(command)} ;;`).join('\n')}
	esac
}
complete -F _colonies colonies colonies-tui
`;
}
