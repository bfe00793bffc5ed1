import {attributeTypes, computerStates, processStates} from '../types.ts';

/** The lists that a filter can be given for. */
export const filterLists = ['processes', 'computers', 'colonies', 'keys'] as const;
export type FilterList = (typeof filterLists)[number];

/** How a field is compared: it is the value, it has it in it, or it is less or more. */
export type Operator = 'is' | 'has' | '<' | '<=' | '>' | '>=';

/** What the value of a field is. `choice`: one of a few words; `name`: a whole text; `id`: the beginning of an id; `computer`: an id, its beginning, or a name; `memory`: MB, or with a unit. */
export type ValueKind = 'choice' | 'name' | 'text' | 'id' | 'computer' | 'span' | 'number' | 'memory';

/** A field of the filter language, of one list. */
export type FilterField = {
	kind: ValueKind;
	operators: readonly Operator[];
	summary: string;
	/** A term with it, for help and hints. */
	example: string;
	choices?: readonly string[];
	/** Whether its values can be asked for, of `filter.suggest`. */
	suggested?: true;
};

/** The language as one list understands it. */
export type FilterTable = {
	/** What a word without a field is looked for in. */
	words: string;
	fields: Readonly<Record<string, FilterField>>;
	/** Whether it has attributes: `in.key=value`, `err~text`. */
	attributes: boolean;
};

const compared = ['<', '<=', '>', '>='] as const;

const span = (summary: string, example: string): FilterField => ({kind: 'span', operators: compared, summary, example});
const number = (summary: string, example: string): FilterField => ({kind: 'number', operators: ['is', ...compared], summary, example});
const memory = (summary: string, example: string): FilterField => ({kind: 'memory', operators: ['is', ...compared], summary, example});
const text = (summary: string, example: string): FilterField => ({kind: 'text', operators: ['is', 'has'], summary, example});
const name = (summary: string, example: string): FilterField => ({kind: 'name', operators: ['is', 'has'], summary, example, suggested: true});
const state = (choices: readonly string[], summary: string, example: string): FilterField => ({kind: 'choice', operators: ['is'], summary, example, choices});
const id = (summary: string, example: string): FilterField => ({kind: 'id', operators: ['is'], summary, example});

/** Every field of every list. What is not here does not exist: the parser, the completion, the help and docs/filter.md are made from it. */
export const filterTables: Readonly<Record<FilterList, FilterTable>> = {
	processes: {
		words: 'the beginning of its id, or any part of its computer type',
		attributes: true,
		fields: {
			state: state(processStates, 'Its state', 'state:failed'),
			type: name('Computer type that it asks for; `""` for any', 'type:gpu'),
			computer: {kind: 'computer', operators: ['is', 'has'], summary: 'Computer that runs it, or that closed it: its id, the beginning of that, or its name; `~` for a part of the name', example: 'computer:lab1', suggested: true},
			target: {kind: 'computer', operators: ['is', 'has'], summary: 'Computer that it names as its target, in the same way', example: 'target:lab1', suggested: true},
			id: id('Beginning of its id', 'id:a5620e'),
			age: span('How long it is in its state', 'age>5m'),
			wait: span('How long it has waited, or waited until it was assigned', 'wait>10m'),
			ran: span('How long it has run, or ran until it was closed', 'ran>1h'),
			submitted: span('How long ago it was submitted', 'submitted<1d'),
			started: span('How long ago it was assigned', 'started<1h'),
			ended: span('How long ago it was closed', 'ended<1h'),
			deadline: span('How long it still has to run; `<0s` is past', 'deadline<5m'),
			retries: number('How often it was tried again', 'retries>0'),
			maxretries: number('How often it may be tried again', 'maxretries:0'),
			cores: number('Processor cores that it asks for', 'cores>=4'),
			mem: memory('Memory that it asks for, in MB or with a unit', 'mem>8g'),
			gpus: number('Graphics processors that it asks for', 'gpus:0'),
		},
	},
	computers: {
		words: 'any part of its name, or the beginning of its id',
		attributes: false,
		fields: {
			state: state(computerStates, 'Its state', 'state:pending'),
			type: name('Computer type that it is; `""` for any', 'type:gpu'),
			name: name('Its name', 'name~lab'),
			id: id('Beginning of its id', 'id:4c60'),
			seen: span('How long ago it was last seen; one that never was is further away than any span', 'seen>5m'),
			cores: number('Its processor cores', 'cores>=8'),
			mem: memory('Its memory, in MB or with a unit', 'mem>=16g'),
			gpus: number('Its graphics processors', 'gpus>0'),
			cpu: text('Its processor', 'cpu~ryzen'),
			gpu: text('Its graphics processor', 'gpu~nvidia'),
		},
	},
	colonies: {
		words: 'any part of its name, or the beginning of its id',
		attributes: false,
		fields: {
			name: {...name('Its name', 'name~test'), suggested: undefined},
			id: id('Beginning of its id', 'id:2770'),
		},
	},
	keys: {
		words: 'any part of its name, or the beginning of its id',
		attributes: false,
		fields: {
			of: state(['colony', 'computer', 'other'], 'Whose it is', 'of:computer'),
			name: {...name('Name of whoever it belongs to', 'name~lab'), suggested: undefined},
			id: id('Beginning of its id', 'id:4c60'),
			colony: id('Beginning of the id of its colony', 'colony:2770'),
		},
	},
};

/** Where an attribute may be: in one list of a process, or in any. */
export const attributePlaces = [...attributeTypes, 'any'] as const;
export type AttributePlace = (typeof attributePlaces)[number];

/** What is said of attributes, for help and completion. */
export const attributeSummaries: Readonly<Record<AttributePlace, string>> = {
	in: 'Attributes that went in: in.KEY=VALUE, in.KEY~TEXT, or in~TEXT in the value of any',
	out: 'Attributes that came out, in the same way',
	err: 'Attributes that say what went wrong, in the same way',
	any: 'Attributes of whatever list; KEY=VALUE and KEY~TEXT say the same',
};

/** How an operator is written; `:` and `=` both say that something is the value. */
export const operatorSigns = {is: ':', has: '~', '<': '<', '<=': '<=', '>': '>', '>=': '>='} as const satisfies Record<Operator, string>;
