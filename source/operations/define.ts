import type {Rule} from '../core/authority.ts';
import type {ColoniesError} from '../core/errors.ts';
import type {Id, Topic} from '../core/types.ts';
import type {
	Author, Change, ClaimCursors, Client, Database, Done, Standing,
} from '../database/index.ts';
import type {Fields, ValueOf} from './fields.ts';
import type {Together} from './together.ts';

/** Who calls, as authorisation found them inside the transaction; a computer with its record, which is held there. `actor`: a computer's own id, also where its key proves another one. */
export type Who = Standing & {actor: Id | 'root'};

/** One call of an operation: its checked input, by whom, and what the history is told about its author. */
export type Call<Input> = {who: Who; input: Input; author: Author};

/** What an operation over many calls works with. `also`: records and tells what was done by somebody else beside the calls, also when they are refused; `load`: the database's connections now; `cursors`: how far claims have come. */
export type Answering<Input> = {client: Client; calls: ReadonlyArray<Call<Input>>; load: Database['load']; cursors: ClaimCursors; /** Says that there was nothing but what others hold just now. */ held: () => void; also: (author: Author, changes: readonly Change[]) => Promise<void>};

/** A method and a path whose `{names}` are fields of the input: `POST /colonies/{colonyid}/computers`. */
export type Route = `${'GET' | 'POST' | 'PUT' | 'DELETE'} /${string}`;

/**
How many calls come in one request, with one answer each: `list`, a JSON array of inputs in the body of `route` (or of the operation's own route);
`count`, so many calls alike, as `count` in the query. `isAtomic`: all of them are done or none, else each stands for itself. `most`: how many at most, where it is not `limits.batch`.
*/
export type Batch = {by: 'list' | 'count'; route?: Route; isAtomic?: boolean; most?: number};

/**
How an operation about one subject answers a request that came before under its idempotency key, for each of its calls: `subject` is what the call is about,
`done` gives the answer again to one that was done, and `now` the subject as it is for one that was refused. @throws NotFound
*/
export type Again<Input, Result> = {subject: (input: Input) => Id; done: (client: Client, input: Input) => Promise<Result>; now: (client: Client, input: Input) => Promise<Result>};

/** How an operation stands on the command line beside its own name: another verb, with some of its input fixed. */
export type Command = {
	words: readonly [noun: string, verb: string];
	summary: string;
	fixed?: Readonly<Record<string, unknown>>;
	/** A flag of the command that fills a field of another name. */
	renamed?: Readonly<Record<string, string>>;
	/** Fields that this command does not offer. */
	hidden?: readonly string[];
	/** Said on standard output in place of an empty list, where colonies.md says so; else it is `[]`. */
	empty?: string;
	/** Said on standard output in place of the result. */
	said?: string;
};

/** A column of a table for people: a field of the row, or what to show under a heading of its own. `now`: milliseconds since 1970. */
export type Column<Row = any> = string | readonly [heading: string, show: (row: Row, now: number) => string];

/** Lines of text, and rows under them, for people. */
export type Layout = {lines: readonly string[]; rows: readonly object[]; columns: readonly Column[]};

/**
How a call that names no colony goes over several cells: to `every` one with the answer of the first, to those where it is `found`, or to all with their answers `merged` into one page, in the order of their keys;
`heads`, `cells`, `register` and `move` are ways of one operation each (contexts/cells.ts). A call that names a cell goes there.
*/
export type Across = 'every' | 'found' | 'heads' | 'cells' | 'register' | 'move' | {merged: 'ascending' | 'descending'};

type Common<Input extends Fields, Result> = {
	/** `noun.verb`, the same in every face and in the history. */
	name: string;
	/** One sentence, for help, the palette and the readme. */
	summary: string;
	input: Input;
	/** Where it stands on the wire. What the path does not hold is in the query of a GET or DELETE, and in the JSON body of the others. */
	route: Route;
	/** A name in the path that stands for a field of a spec: `{colonyid: ['spec', 'targetcolonyid']}`. */
	places?: Readonly<Record<string, readonly [field: string, inner: string]>>;
	/** Fields that are in the query whatever the method. */
	query?: readonly string[];
	/** How many calls come in one request; left out where they do not. */
	many?: Batch;
	/** Whether what it makes, takes or changes is kept under an idempotency key, so that the same request may come twice. */
	keyed?: boolean;
	/** What is answered then; left out where it is the processes that were made or taken. */
	again?: Again<ValueOf<Input>, Result>;
	/** Whether it waits, up to `wait` seconds of its input, while there is nothing to assign. */
	waits?: boolean;
	/** What is answered where there is nothing to assign. */
	nothing?: () => ColoniesError;
	/** How calls of several go together that arrive together; left out where each goes alone. It does what carrying them out one by one does. */
	together?: Together<ValueOf<Input>, Result>;
	/** A rule of core/authority.ts. */
	allow: Rule;
	/** The colony that it is about; left out for what is about the whole installation. */
	colony?: (input: ValueOf<Input>) => Id;
	/** The colony whose cell it goes to, of what root does about one. */
	about?: (input: ValueOf<Input>) => Id;
	/** How a call that names no colony goes over several cells; the first one answers where it is left out. */
	across?: Across;
	/** What a computer calls when it works: whoever does is seen. Reading is not, for an operator may read with the key of a computer. */
	work?: boolean;
	/** Whether the call is about the caller's own record, for rules that ask. */
	self?: (input: ValueOf<Input>, actor: Id) => boolean;
	/** An operator's change: asked about first in the console, kept in the history with the request that was signed. */
	operator?: boolean;
	/** What else one call of an operator's change writes to the history, besides a change of its own name: what followed from it. */
	implies?: readonly string[];
	/** Whether root may set the first root password of an installation with it, where callers are on this machine. */
	keepsRoot?: boolean;
	/** What is lost when it is done by mistake; the console asks harder. */
	danger?: 'high' | 'highest';
	/** Field that holds the id of a new identity: the caller makes its key pair. */
	creates?: string;
	/** Field that holds the id of what gets a new key, which `creates` names: the caller may have that already, and what is kept of the old one is noted as replaced. */
	rekeys?: string;
	/** Field that holds the id of what gets another name: a key that is kept for it is noted under that. */
	renames?: string;
	/** What watchers are told; empty for what changes nothing. */
	changes: readonly Topic[];
	/** What was done, in one sentence for whoever did it; for changes whose result nobody needs to read. */
	tells?: (result: Result) => string;
	/** What its command prints alone in place of the result, for programs to take: a secret that is shown once. */
	prints?: (result: Result) => string;
	/** What a table shows of a result or of the rows of one; every field when it is left out. */
	columns?: readonly Column[];
	/** What a table shows of a result that is more than one list or one flat object: lines, and a table under them. */
	layout?: (result: Result) => Layout;
	/** The lines of CSV of a result that is no list; the result itself in one line when it is left out. */
	records?: (result: Result) => readonly object[];
	commands?: readonly Command[];
};

type Single<Input extends Fields, Result> = Common<Input, Result> & {
	handle: (call: Call<ValueOf<Input>> & Pick<Answering<Input>, 'client' | 'load'>) => Promise<Result | Done<Result>>;
};

type Many<Input extends Fields, Result> = Common<Input, Result> & {
	/** One answer for each call, in their order; a call that fails leaves the others be. */
	handleMany: (context: Answering<ValueOf<Input>>) => Promise<Array<Done<Result> | ColoniesError>>;
};

/** Something that anyone can do, defined once; commands, routes, forms, help and tests come from it. */
export type Operation<Input extends Fields = Fields, Result = unknown> = Common<Input, Result> & {
	/** Over a list of calls with one answer each, so that calls that arrive together can share a statement and a commit. */
	answer: (context: Answering<ValueOf<Input>>) => Promise<Array<Done<Result> | ColoniesError>>;
};

/** An operation whose types are not known to the caller, for faces that are made from the registry. */
export type AnyOperation = Operation<any, any>;

const isDone = (value: unknown): value is Done<unknown> => typeof value === 'object' && value !== null && 'result' in value && 'changes' in value;

/** Defines an operation that is carried out call by call. */
export function defineOperation<Input extends Fields, Result>({handle, ...common}: Single<Input, Result>): Operation<Input, Result> {
	return {
		...common,
		async answer({client, calls, load}) {
			const answers: Array<Done<Result>> = [];
			for (const call of calls) {
				const answer = await handle({client, load, ...call}); // eslint-disable-line no-await-in-loop
				answers.push(isDone(answer) ? answer : {result: answer, changes: []});
			}

			return answers;
		},
	};
}

/** Defines an operation over a list of calls: submit, assign and close, which arrive in numbers. */
export function defineMany<Input extends Fields, Result>({handleMany, ...common}: Many<Input, Result>): Operation<Input, Result> {
	return {...common, answer: handleMany};
}
