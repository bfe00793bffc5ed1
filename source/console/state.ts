import type {AttentionLine} from '../core/attention.ts';
import type {Reachability} from '../core/reachability.ts';
import {milliseconds} from '../core/time.ts';
import type {Colony, Computer, Id, Process, ProcessState, Time} from '../core/types.ts';
import type {KeyEntry} from '../keychain/index.ts';
import type {Reported} from '../operations/apply-plan.ts';
import type {audit, ContextChoice, KnownContext, OperationName, Page, Where} from '../operations/index.ts';
import type {Plan, PlannableName, Seen} from '../operations/plan.ts';
import type {Answer, Ask, ErrorText} from './answers.ts';
import type {EditState} from './terminal/text-edit.ts';

/** Every screen, in the order of their digits. */
export const screenNames = ['pulse', 'processes', 'computers', 'colonies', 'attention', 'keys', 'audit', 'server'] as const;
export type ScreenName = (typeof screenNames)[number];

/** As whom the operator acts. A key never stands here, only whose it is. */
export type Acting = {kind: 'owner' | 'computer' | 'root'; id: Id | 'root'; name: string};

/** A colony that the keychain, or root, gives a way into. */
export type KnownColony = Colony & {as: Acting[]};

/** What stands in a row of some screen; a screen that is drawn whole has one row, its answer. */
export type RowValue = Process | Computer | KnownColony | AttentionLine | KeyEntry | audit.AuditEntry | ServerView | PulseView;

/** What the Server screen shows of the store that is open, and of this program. */
export type ServerView = {where: Where; /** Milliseconds that an answer took. */ delay: number; /** Bytes of memory that this console takes. */ memory: number; /** Version of Node. */ node: string};

/** The row of Pulse: what it shows is asked for apart (pulse.ts). */
export type PulseView = {pulse: true};

/** What the operator looks at on Pulse. `row`: id of the line under the cursor; `at`: a time in the bucket under it, in milliseconds since 1970; undefined for the whole span. */
export type PulseChoice = {by: 'type' | 'computer'; measure: 'submitted' | 'successful' | 'failed' | 'waitp50' | 'waitp95' | 'runp50' | 'runp95'; digits: boolean; row?: string; at?: number};

export type Going = 'further' | 'first' | 'last';

/** One list as it is shown: a window of rows, and a cursor bound to an id. */
export type ListState = {
	rows: readonly RowValue[];
	/** Where each row stands in the whole list, for reading on from it. */
	positions: readonly string[];
	more: {before: boolean; after: boolean};
	/** Id of the row under the cursor. */
	cursor?: string;
	/** Id of a row that the operator has just made: the cursor goes to it when it comes. */
	made?: string;
	/** Id of a row that has left the list, kept in its place for as long as the cursor is on it. */
	gone?: string;
	/** Index of the first row on the screen. */
	top: number;
	/** How many lines of a screen that is drawn whole are above the body. */
	scroll: number;
	/** What is searched in a screen that is drawn whole. */
	search?: Search;
	tab: number;
	filter: string;
	/** How many rows a filter was looked for in, where that was not the whole list. */
	looked?: number;
	/** The newest request; answers to older ones are dropped. */
	sequence: number;
	loading: boolean;
	/** Where the operator is going while another window loads: to rows beyond this one, or to an end of the list. */
	going?: Going;
	/** Something changed while it was loading: load again at once. */
	stale: boolean;
	/** Of a list as it was: the moment of the rows that are shown. */
	at?: Time;
	/** Milliseconds since 1970 of the data that is shown; undefined before the first. */
	loadedAt?: number;
	error?: ErrorText;
	/** Where the window begins and ends in the store's order, whatever order it is shown in. */
	edges?: {first: string; last: string};
};

export type {ErrorText} from './answers.ts';

/** Something that will be done on the server, for an effect to carry out. */
export type Deed = {
	operation: OperationName;
	input: Record<string, unknown>;
	as: Acting;
	/** Said when it is done; what the operation tells unless given. */
	done?: string;
	/** Whether a form describes it, which closes when it is done and says in it what went wrong. */
	fromForm?: true;
};

export type FormField = {
	name: string;
	label: string;
	summary: string;
	kind: 'text' | 'secret' | 'integer' | 'pairs' | 'file';
	optional: boolean;
	edit: EditState;
	/** What stood in it before anything was typed; undefined as long as nothing was. */
	given?: string;
	error?: string;
};

/** What a form does when it is sent; its effect knows how. */
export type FormPurpose = 'register-colony' | 'register-computer' | 'submit-process' | 'add-key' | 'unlock-root' | 'connect' | 'connect-server';

export type MenuItem = {key: string; label: string; summary?: string; action: string; value?: string; disabled?: string};

/** How a list is shown: sorted by a column (its title), the store's own order reversed, columns left out, and how many are scrolled away at the left. */
export type View = {sort?: {title: string; descending: boolean}; reversed?: boolean; hidden?: readonly string[]; offset?: number};

/** What is searched in a page. */
export type Search = {
	words: string;
	/** The match that one is at: in which of the texts of the page, what that text was, and at which unit; undefined where nothing is found. */
	at?: {text: number; content: string; start: number};
};

/** How far a page is scrolled, and what is searched in it. */
export type Scrolled = {scroll: number; search?: Search};

/** An action on many, over the screen: it is made, shown, carried out, and told of. `number` tells it from others. */
export type PlanOverlay = {
	kind: 'plan';
	number: number;
	name: PlannableName;
	/** How many were marked. */
	marked: number;
	/** Where it happens, and as whom. */
	place: string;
	as: Acting;
	stage: 'making' | 'ready' | 'running' | 'ended';
	plan?: Plan;
	/** The count, as it is typed. */
	edit: EditState;
	/** Rows a second. */
	rate: number;
	reported: readonly Reported[];
	/** Why it does not go on just now. */
	waits?: string;
	isStopping: boolean;
	error?: ErrorText;
} & Scrolled;

export type Overlay =
	| PlanOverlay
	| {kind: 'sort'}
	| {kind: 'columns'; cursor: number}
	| {kind: 'detail'; id: Id; view: 'detail' | 'attributes' | 'json'; process?: Process; error?: ErrorText; revealed: boolean; /** The attribute that keys are about, and those that are shown whole, by their ids. */ chosen?: Id; opened?: readonly Id[]} & Scrolled
	| {kind: 'difference'; id: Id} & Scrolled
	/** Why a process waits. */
	| {kind: 'explain'; id: Id} & Scrolled
	/** A change of the history, with what was signed and its seal. */
	| {kind: 'entry'; id: string} & Scrolled
	/** The history is verified, or was, for so many times; and where it was asked for, the present is compared with it. */
	| {kind: 'verify'; time: number; compares?: boolean} & Scrolled
	| {kind: 'help'} & Scrolled
	/** The commands that do what is in sight, or what is asked about. */
	| {kind: 'command-line'; lines: ReadonlyArray<{about: string; text: string}>} & Scrolled
	| {kind: 'menu'; title: string; items: readonly MenuItem[]; cursor: number; isWelcome?: boolean}
	| {kind: 'palette'; edit: EditState; cursor: number}
	/** What an operation gives that only reads. */
	| {kind: 'result'; operation: OperationName; input: Record<string, unknown>} & Scrolled
	| {kind: 'form'; purpose: FormPurpose | 'operation'; /** Whose form it is, of the purpose `operation`. */ operation?: OperationName; /** The colony that it is about, where it is about one. */ colonyid?: Id; title: string; intro: string; fields: readonly FormField[]; focus: number; busy: boolean; error?: ErrorText}
	| {kind: 'confirm'; /** Where it would happen. */ place: string; question: string; consequence?: string; verb: string; deed: Deed | {forgetKey: Id}; typed?: {expected: string; edit: EditState}}
	/** Leaving what would be lost is asked about: a plan under way, or what was typed into a form. */
	| {kind: 'leave'; to: 'quit' | 'discard'; question: string; consequence: string}
	| {kind: 'filter'; edit: EditState; error?: string; /** The text before the candidate of this index was put in. */ completing?: {from: EditState; index: number}; /** Which earlier filter it is, and what was typed before. */ recalled?: {index: number; typed: EditState}}
	| {kind: 'moment'; edit: EditState; error?: string}
	/** Words are typed that are searched in the page below. `from`: how that page stood. */
	| {kind: 'search'; edit: EditState; from: Scrolled & {chosen?: Id}};

export type ReadOnly = 'flag' | 'chosen' | 'elsewhere' | 'past';

export type State = {
	columns: number;
	rows: number;
	/** Milliseconds since 1970. */
	now: number;
	version: string;
	/** Why nothing may be changed: the flag `--read-only`, the word of the operator, or a store that is not on this machine. */
	readOnly?: ReadOnly;
	/** The moment that the lists are shown of, in place of now. */
	past?: {at: Time};
	/** Seconds from one moment to the next. */
	step: number;
	context?: {kind: 'embedded' | 'database' | 'server'; name: string; place: string; /** Whether nobody checks the server's certificate. */ insecure?: boolean; isLocal?: boolean; /** What a command must be told to work on the same store, without passwords. */ choice?: ContextChoice};
	/** Why there is no context yet: it is being opened, or could not be. */
	opening: {text: string; error?: ErrorText};
	reach: Reachability;
	colony?: KnownColony;
	known: readonly KnownColony[];
	knownLoaded: boolean;
	acting?: Acting;
	rootUnlocked: boolean;
	screen: ScreenName;
	previous: ScreenName;
	lists: Record<ScreenName, ListState>;
	/** The filters that each screen had, the last one first. */
	filters: Readonly<Partial<Record<ScreenName, readonly string[]>>>;
	/** What was chosen in the palette, the last one first. */
	chosen: readonly string[];
	/** The contexts that are kept, for the palette. */
	contexts?: readonly KnownContext[];
	/** What was asked of the store for what is in sight, by slot; see asks.ts. */
	answers: Readonly<Record<string, Answer>>;
	counts?: Record<ProcessState, number>;
	computerCounts?: {pending: number; approved: number; disapproved: number};
	/** What is looked at on Pulse. */
	pulse: PulseChoice;
	overlays: readonly Overlay[];
	/** What the operator has marked on a screen, as it was seen then; it survives whatever the list does. */
	marks: Readonly<Partial<Record<ScreenName, ReadonlyMap<Id, Seen>>>>;
	/** Where a range of marks began, and what was marked before it. */
	range?: {screen: ScreenName; anchor: Id; base: ReadonlyMap<Id, Seen>};
	/** All that match are being marked, page by page. */
	marking?: {screen: ScreenName; number: number};
	/** How the lists are shown, where somebody chose so; remembered. */
	views: Readonly<Partial<Record<ScreenName, View>>>;
	/** A plan that goes on, or has ended, while something else is looked at; one at most. */
	plan?: PlanOverlay;
	/** Counts what is numbered: markings and plans. */
	numbers: number;
	/** The process in the side pane, with its attributes. */
	side?: Process;
	paused: boolean;
	frozen: boolean;
	wide: boolean;
	/** Whether times of day are shown in UTC; else in the time zone of this machine. */
	utc: boolean;
	/** Milliseconds by which the clock of the store is ahead of this machine's: ages are told by the store's. */
	skew: number;
	/** What was done; goes with the next key or after a while. */
	notice?: {text: string; at: number; /** Whether it says what the operator has just done. */ isOutcome?: true};
	/** What went wrong; stays until esc. */
	error?: ErrorText;
	/** How many deeds are under way. */
	busy: number;
};

/** What a form has made, and on which screen it is. */
export type Made = {screen: ScreenName; id: Id};

export type Message =
	| {type: 'key'; key: string; text?: string}
	| {type: 'resized'; columns: number; rows: number}
	| {type: 'ticked'; now: number}
	| {type: 'opening'; text: string}
	| {type: 'opened'; context: NonNullable<State['context']>; remembered?: string}
	| {type: 'not-opened'; error: ErrorText}
	| {type: 'reached'} & Reachability
	| {type: 'changed'; topics: ReadonlySet<string>}
	| {type: 'known'; colonies: readonly KnownColony[]; select?: Id}
	| {type: 'not-known'; error: ErrorText}
	| {type: 'loaded'; screen: ScreenName; sequence: number; page: Page<RowValue>; at: number}
	| {type: 'not-loaded'; screen: ScreenName; sequence: number; error: ErrorText}
	| {type: 'counted'; colonyid: Id; /** Of the moment that they are of, where it is not now. */ at?: Time; counts: Record<ProcessState, number>; computers: State['computerCounts']}
	| {type: 'detailed'; process: Process}
	| {type: 'not-detailed'; id: Id; error: ErrorText}
	| {type: 'done'; text: string}
	| {type: 'failed'; error: ErrorText}
	| {type: 'noticed'; text: string}
	| {type: 'marked'; number: number; seen: readonly Seen[]; /** How it ended; undefined while there is more to come. */ ended?: 'all' | 'most'}
	| {type: 'not-marked'; number: number; error: ErrorText}
	| {type: 'planned'; number: number; plan: Plan}
	| {type: 'not-planned'; number: number; error: ErrorText}
	| {type: 'plan-went'; number: number; reported: readonly Reported[]; waits?: string}
	| {type: 'plan-ended'; number: number}
	| {type: 'form-done'; text: string; made?: Made}
	| {type: 'form-failed'; error: ErrorText}
	| {type: 'root-unlocked'}
	| {type: 'asked'; slot: string; sequence: number; result: unknown; /** Milliseconds since 1970: sent, and answered. */ began: number; at: number}
	| {type: 'not-asked'; slot: string; sequence: number; error: ErrorText}
	| {type: 'contexts'; contexts: readonly KnownContext[]}
	| {type: 'clock'; skew: number}
	| {type: 'settings'; utc: boolean; views?: State['views']};

export type PageQuery = {count: number; position?: string; direction?: 'after' | 'from' | 'before'; reversed?: boolean};

export type Effect =
	| {type: 'open'; demo?: boolean}
	| {type: 'load'; screen: ScreenName; sequence: number; query: PageQuery}
	| {type: 'load-known'; select?: Id}
	/** Watches the colony as whoever acts; nothing where there is no store. */
	| {type: 'watch'}
	| {type: 'count'}
	| {type: 'load-detail'; id: Id; soon?: boolean}
	/** Asks the store for something that is in sight, as whoever acts; the answer comes as `asked`. */
	| {type: 'ask'; ask: Ask; sequence: number}
	| {type: 'run'; deed: Deed}
	| {type: 'forget-key'; id: Id}
	/** Reads all that the list of a screen has, for marking it; `stop-marking` ends it. */
	| {type: 'mark-all'; screen: ScreenName; number: number}
	| {type: 'stop-marking'}
	| {type: 'make-plan'; number: number; name: PlannableName; colonyid: Id; seen: readonly Seen[]; as: Acting}
	| {type: 'apply-plan'; number: number; plan: Plan; rate: number; as: Acting}
	| {type: 'plan-rate'; number: number; rate: number}
	| {type: 'stop-plan'; number: number}
	| {type: 'send-form'; purpose: FormPurpose; values: Record<string, string>}
	| {type: 'copy'; text: string; what: string}
	| {type: 'remember'; key: string; value: unknown}
	/** Finds out which contexts are kept; makes one of them current and opens it. */
	| {type: 'list-contexts'}
	| {type: 'use-context'; name: string}
	| {type: 'suspend'}
	| {type: 'quit'};

export type Step = readonly [State, readonly Effect[]];

export const emptyList = (tab = 0): ListState => ({rows: [], positions: [], more: {before: false, after: false}, top: 0, scroll: 0, tab, filter: '', sequence: 0, loading: false, stale: false});

/** A list without its rows. It counts its requests on, so that an answer to an older one is not taken for a new one's. */
export const emptied = ({sequence}: ListState, tab = 0): ListState => ({...emptyList(tab), sequence: sequence + 1});

/** Something for every screen. */
export const forScreens = <Value>(make: (screen: ScreenName) => Value): Record<ScreenName, Value> => Object.fromEntries(screenNames.map(name => [name, make(name)])) as Record<ScreenName, Value>;

/** The lists of another store, without rows. */
export const emptiedLists = (lists: State['lists']): State['lists'] => forScreens(name => emptied(lists[name]));

/** What a person calls the store that is open. */
export const storeName = ({context}: Pick<State, 'context'>): 'database' | 'server' => context?.kind === 'server' ? 'server' : 'database';

/** What time it is for the store, in milliseconds since 1970. */
export const storeClock = ({now, skew}: Pick<State, 'now' | 'skew'>): number => now + skew;

/** The time by which ages and deadlines are told, in milliseconds since 1970: the store's, or the moment that is shown. */
export const storeNow = (state: Pick<State, 'now' | 'skew' | 'past'>): number => state.past ? milliseconds(state.past.at)! : storeClock(state);

/** The console before anything is known. Milliseconds since 1970 come from whoever starts it. */
export const initialState = ({columns, rows, now, version, readOnly = false}: Pick<State, 'columns' | 'rows' | 'now' | 'version'> & {readOnly?: boolean}): State => ({
	columns, rows, now, version, ...(readOnly && {readOnly: 'flag'}),
	opening: {text: 'Opening the database …'},
	reach: {reachable: true, since: now},
	known: [],
	knownLoaded: false,
	rootUnlocked: false,
	screen: 'processes',
	previous: 'processes',
	lists: forScreens(() => emptyList()),
	filters: {},
	chosen: [],
	answers: {},
	pulse: {by: 'type', measure: 'submitted', digits: false},
	overlays: [],
	marks: {},
	views: {},
	numbers: 0,
	paused: false,
	frozen: false,
	wide: false,
	utc: false,
	skew: 0,
	step: 60,
	busy: 0,
});
