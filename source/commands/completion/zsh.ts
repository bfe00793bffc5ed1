import {
	type CommandEntry, type Source, flagsOf, flagType, keyKinds, keysFrom, nounsOf, ofNoun, sourceOf,
} from './sources.ts';

/** A text within single quotes, where a colon or bracket would end it. */
const escape = (text: string): string => text.replaceAll('\'', String.raw`'\''`).replaceAll(/[:[\]\\]/g, String.raw`\$&`);

function action(source: Source): string {
	switch (source.from) {
		case 'choices': {
			return `(${source.choices.join(' ')})`;
		}

		case 'file': {
			return '_files';
		}

		case 'keychain': {
			return `_colonies_${source.kind}`;
		}

		case 'nowhere': {
			return ' ';
		}
	}
}

const argument = (name: string, field: Parameters<typeof sourceOf>[1]): string => flagType(field) === 'boolean'
	? `'--${name}[${escape(field.summary)}]'`
	: `'--${name}=[${escape(field.summary)}]:${escape(field.label)}:${action(sourceOf(name, field))}'`;

const command = (entry: CommandEntry): string => `		'${entry.words.join(' ')}')
			_arguments -S ${Object.entries(flagsOf(entry)).map(([name, field]) => argument(name, field)).join(' ')} ;;`;

const keys = (kind: (typeof keyKinds)[number]): string => `_colonies_${kind}() {
	local -a ids
	ids=(\${(f)"$(${keysFrom('colonies', kind)})"})
	compadd -a ids
}`;

/** The completion script for zsh: also usable as a file \`_colonies\` in fpath. */
export function zshCompletion(commands: readonly CommandEntry[]): string {
	const nouns = nounsOf(commands);
	return `#compdef colonies colonies-tui
compdef _colonies colonies colonies-tui
${keyKinds.map(kind => keys(kind)).join('\n')}
_colonies() {
	if (( CURRENT == 2 )); then
		compadd ${[...nouns, 'help'].join(' ')}
		return
	fi
	if [[ $words[2] == help ]]; then
		shift words
		(( CURRENT-- ))
		if (( CURRENT == 2 )); then
			compadd ${nouns.join(' ')}
			return
		fi
	fi
	if (( CURRENT == 3 )); then
		local -a verbs
		case $words[2] in
${nouns.map(noun => `			${noun}) verbs=(${ofNoun(commands, noun).map(({words: [, verb], summary}) => `'${verb}:${escape(summary)}'`).join(' ')}) ;;`).join('\n')}
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
