import {type FilterList, type FilterTerm, filterTables, type Operator} from '../core/filter-language/index.ts';
import {computerStates, processStates} from '../core/types.ts';
import {entriesIn, hasAttribute} from './attributes.ts';
import {bytesOfAll} from './values.ts';

/** Hands a value to a statement and gives the text that stands for it there, `$3`. */
export type Given = (value: unknown) => string;

/** Characters of a value of an attribute in which a text is looked for: more of a large one is not read. */
export const searchedCharacters = 65_536;

/** What the fields of a list are in SQL. `computers`: the ids that a term with a computer means, looked up before. */
type Sources = {
	id: string;
	/** What a word is looked for in beside the beginning of the id. */
	text: string;
	columns: Readonly<Record<string, string>>;
};

/** The clock that ages are told by, in the texts below. */
const now = 'statement_timestamp()';

/** Seconds since a time; null before it. */
const since = (time: string): string => `extract(epoch from ${now} - ${time})::float8`;

const sources: Readonly<Record<Exclude<FilterList, 'keys'>, Sources>> = {
	processes: {
		id: 'p.process_id',
		text: 'p.computer_type',
		columns: {
			state: 'p.status', type: 'p.computer_type', computer: 'p.assigned_computer_id', target: 'p.target_computer_ids', id: 'p.process_id',
			age: since('p.entered_at'),
			wait: `extract(epoch from coalesce(p.start_time, p.end_time, ${now}) - p.submission_time)::float8`,
			ran: `extract(epoch from coalesce(p.end_time, ${now}) - p.start_time)::float8`,
			submitted: since('p.submission_time'), started: since('p.start_time'), ended: since('p.end_time'),
			deadline: `case when p.status = 1 then extract(epoch from p.deadline - ${now})::float8 end`,
			retries: 'p.retries', maxretries: 'p.max_retries', cores: 'p.cores', mem: 'p.mem', gpus: 'p.gpus',
		},
	},
	computers: {
		id: 'c.computer_id',
		text: 'c.name',
		columns: {
			state: 'c.status', type: 'c.computer_type', name: 'c.name', id: 'c.computer_id',
			seen: `coalesce((select ${since('s.seen_at')} from colonies.seen s where s.colony_id = c.colony_id and s.computer_id = c.computer_id), 'infinity')`,
			cores: 'c.cores', mem: 'c.mem', gpus: 'c.gpus', cpu: 'c.cpu', gpu: 'c.gpu',
		},
	},
	colonies: {id: 'c.colony_id', text: 'c.name', columns: {name: 'c.name', id: 'c.colony_id'}},
};

const lower = (text: string): string => `lower(${text} collate "C")`;

const contains = (text: string, part: string): string => `position(${lower(part)} in ${lower(text)}) > 0`;

const begins = (id: string, prefix: string): string => `left(encode(${id}, 'hex'), length(${prefix})) = ${prefix}`;

const comparisons: Readonly<Record<Exclude<Operator, 'is' | 'has'>, string>> = {'<': '<', '<=': '<=', '>': '>', '>=': '>='};

const stateNames = {processes: processStates, computers: computerStates} as const;

/** Whether a process has an attribute. A scalar, so that it is asked of each process in turn and not turned into a join. */
function attributeTest({field, key, operator, value}: FilterTerm, given: Given): string {
	const kind = field === 'any' ? undefined : field;
	if (operator === 'is' && key !== undefined) {
		return hasAttribute('p', {kind, key, value: String(value)}, given);
	}

	const conditions = [
		...(key === undefined ? [] : [`a.key = ${given(key)}`]),
		operator === 'is' ? `a.value = ${given(value)}` : contains(`left(a.value, ${searchedCharacters})`, given(value)),
	];
	return `(select true from ${entriesIn('p', kind)} where ${conditions.join(' and ')} limit 1)`;
}

/** What a term means of a row of its list; null, which is no, where the row has no such thing. */
function termTest(list: keyof typeof sources, term: FilterTerm, given: Given, computers: ReadonlyMap<FilterTerm, readonly string[]>): string {
	const {field, operator, value} = term;
	const {id, text, columns} = sources[list];
	if (field === 'word') {
		const word = given(value);
		return `(${contains(text, word)} or ${begins(id, lower(word))})`;
	}

	const column = columns[field];
	const kind = filterTables[list].fields[field]?.kind;
	if (column === undefined || kind === undefined) {
		return attributeTest(term, given);
	}

	switch (kind) {
		case 'choice': {
			return `${column} = ${given((stateNames[list as 'processes'] as readonly unknown[]).indexOf(value))}::smallint`;
		}

		case 'id': {
			return begins(column, given(value));
		}

		case 'computer': {
			const ids = `${given(bytesOfAll(computers.get(term) ?? []))}::bytea[]`;
			return field === 'target' ? `${column} && ${ids}` : `${column} = any (${ids})`;
		}

		case 'name':
		case 'text': {
			return operator === 'is' ? `${column} = ${given(value)}` : contains(column, given(value));
		}

		default: {
			return `${column} ${operator === 'is' ? '=' : comparisons[operator as '<']} ${given(value)}::float8`;
		}
	}
}

/** What conditions depend on besides the filter. `computers`: of each term about computers the ids that it means; `at`: as SQL, the moment that ages are told of, now unless given. */
export type Testing = {computers?: ReadonlyMap<FilterTerm, readonly string[]>; at?: string};

/** The conditions of groups of terms (`groupsOf`) on rows of a list, for a `where`; each is true or false, never null. The row is `p` of processes, `c` of computers and colonies. */
export function testsOf(list: keyof typeof sources, groups: ReadonlyArray<readonly FilterTerm[]>, given: Given, {computers = new Map(), at = now}: Testing = {}): string[] {
	return groups.map(group => {
		const tests = group.map(term => {
			const test = `coalesce(${termTest(list, term, given, computers).replaceAll(now, at)}, false)`;
			return term.not ? `not ${test}` : test;
		});
		return tests.length === 1 ? tests[0]! : `(${tests.join(' or ')})`;
	});
}
