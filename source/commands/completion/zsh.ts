import {
	type CommandEntry, type Source, contextsFrom, flagsOf, flagType, keyKinds, keysFrom, nounsOf, ofNoun, operandSource, sourceOf,
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

		case 'contexts': {
			return '_colonies_context';
		}

		case 'nowhere': {
			return ' ';
		}
	}
}

const argument = (name: string, field: Parameters<typeof sourceOf>[1]): string => flagType(field) === 'boolean'
	? `'--${name}[${escape(field.summary)}]'`
	: `'--${name}=[${escape(field.summary)}]:${escape(field.label)}:${action(sourceOf(name, field))}'`;

function operand(entry: CommandEntry): string[] {
	const source = operandSource(entry);
	return source === undefined ? [] : [`'1:${Object.keys(entry.operands)[0]!}:${action(source)}'`];
}

const command = (entry: CommandEntry): string => `		'${entry.words.join(' ')}')
			_arguments -S ${[...operand(entry), ...Object.entries(flagsOf(entry)).map(([name, field]) => argument(name, field))].join(' ')} ;;`;

const choices = (name: string, pipe: string): string => `_colonies_${name}() {
	local -a ids
	ids=(\${(f)"$(${pipe})"})
	compadd -a ids
}`;

/** The completion script for zsh: also usable as a file \`_colonies\` in fpath. */
export function zshCompletion(commands: readonly CommandEntry[]): string {
	const nouns = nounsOf(commands);
	return `#compdef colonies colonies-tui
compdef _colonies colonies colonies-tui
${[...keyKinds.map(kind => choices(kind, keysFrom('colonies', kind))), choices('context', contextsFrom('colonies'))].join('\n')}
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
