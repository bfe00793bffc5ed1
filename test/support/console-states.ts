import type {AttentionLine} from '../../source/core/attention.ts';
import {compare, type Explanation} from '../../source/core/explanation.ts';
import {type Attribute, type AttributeType, type Computer, type Process, unsetTime} from '../../source/core/types.ts';
import {attributeId, sha3} from '../../source/identity/index.ts';
import type {KeyEntry} from '../../source/keychain/index.ts';
import {screens} from '../../source/console/screens/index.ts';
import {
	type Deed, type Effect, type ErrorText, type KnownColony, type Message, type Overlay, type RowValue, type ScreenName, type ServerView, type State, initialState,
} from '../../source/console/state.ts';
import {update} from '../../source/console/update.ts';
import type {audit, Page} from '../../source/operations/index.ts';

/** The moment at which the states of these tests begin, in milliseconds since 1970. */
export const start = Date.UTC(2026, 0, 1);

const time = (seconds: number): string => new Date(start + (seconds * 1000)).toISOString().replace('Z', '000Z');

/** An id that the same number always gives. */
export const idOf = (noun: string, number: number): string => sha3(`${noun} ${number}`);

export const colonyOf = (number: number, change: Partial<KnownColony> = {}): KnownColony => {
	const colonyid = idOf('colony', number);
	return {colonyid, name: `colony-${number}`, as: [{kind: 'owner', id: colonyid, name: `colony-${number}`}], ...change};
};

export const computerOf = (number: number, change: Partial<Computer> = {}): Computer => ({
	computerid: idOf('computer', number), name: `edge-${number}`, colonyid: idOf('colony', 0), cpu: 'some cpu', cores: 8, mem: 16_000, gpu: '', gpus: 0, status: 0, ...change,
});

const states = [
	{starttime: unsetTime, endtime: unsetTime, isassigned: false},
	{starttime: time(-60), endtime: unsetTime, isassigned: true},
	{starttime: time(-60), endtime: time(-5), isassigned: true},
	{starttime: time(-60), endtime: time(-5), isassigned: true},
] as const;

export const processOf = (number: number, change: Partial<Process> = {}): Process => {
	const status = change.status ?? 0;
	return {
		processid: idOf('process', number), targetcolonyid: idOf('colony', 0), targetcomputerids: [], assignedcomputerid: status === 0 ? '' : idOf('computer', 0), status,
		computertype: 'gpu', submissiontime: time(-100), deadline: unsetTime, timeout: -1, retries: 0, maxretries: 3, mem: 1000, cores: 4, gpus: 1, in: null, out: null, err: null,
		...states[status], ...change,
	};
};

export const attributeOf = (process: Pick<Process, 'processid'>, key: string, value: string, attributetype: AttributeType = 0): Attribute => ({
	attributeid: attributeId(process.processid, key, attributetype), targetid: process.processid, attributetype, key, value,
});

export const keyOf = (number: number, change: Partial<KeyEntry> = {}): KeyEntry => ({
	id: idOf('colony', number), label: {kind: 'colony', name: `colony-${number}`, colonyid: idOf('colony', number)}, ...change,
});

export const serverOf = (change: Partial<ServerView['where']> = {}): ServerView => ({where: {context: 'embedded', kind: 'embedded', place: 'in memory', server: 'PostgreSQL', timescale: undefined, schema: 2, ...change}, delay: 3, memory: 100_000_000, node: '20.20.2'});

/** The row of 1 Pulse. */
export const pulseView = {pulse: true} as const;

/** A line of 5 Attention about a computer that waits for approval. */
export const lineOf = (number: number, change: Partial<AttentionLine> = {}): AttentionLine => ({
	kind: 'pending', severity: 'medium', text: 'waits for approval', since: time(-60), noun: 'computer', id: idOf('computer', number), name: `edge-${number}`, count: 1,
	fix: {operation: 'computer.approve', input: {colonyid: idOf('colony', 0), computerid: idOf('computer', number)}, says: `Approve edge-${number}`}, ...change,
});

/** A change of 7 Audit: somebody disapproved a computer. */
export const entryOf = (number: number, change: Partial<audit.AuditEntry> = {}): audit.AuditEntry => ({
	id: `${number + 1}.${number + 1}`, at: time(-number), actor: idOf('colony', 0), actorname: 'colony-0', what: 'computer.disapprove', noun: 'computer', subject: idOf('computer', number), name: `edge-${number}`,
	colonyid: idOf('colony', 0), from: 'approved', to: 'disapproved', signed: true, sealed: true, ...change,
});

/** Why a process waits that lacks the approval of a computer. */
export const explanationOf = (process: Process, computers: readonly Computer[] = [computerOf(0, {gpus: 1})], change: Partial<Explanation> = {}): Explanation => ({
	processid: process.processid, verdict: 'one-fix-away', says: `One fix away: approve ${computers[0]!.name}.`,
	fix: {operation: 'computer.approve', input: {colonyid: process.targetcolonyid, computerid: computers[0]!.computerid}, says: `Approve ${computers[0]!.name}`},
	state: 'waiting', computers: computers.map(computer => compare(computer, process)), others: [{unmet: ['approved'], count: computers.length}], ...change,
});

export const pageOf = (rows: readonly RowValue[], more?: Page<RowValue>['more']): Page<RowValue> => ({rows: [...rows], positions: rows.map((_, index) => `position ${index}`), more: more ?? {before: false, after: false}});

/** A key press as it comes from the terminal: one character is also text. */
export const keyMessage = (key: string): Extract<Message, {type: 'key'}> => ({type: 'key', key, ...([...key].length === 1 ? {text: key} : {})});

export const failure = (message: string, code: ErrorText['code'] = 'conflict'): ErrorText => ({code, message, hint: 'Do something else.'});

/** The console driven by messages alone, as nobody outside answers; what it asked for is kept. */
export class Console {
	state: State;
	effects: Effect[] = [];

	constructor(state: State = initialState({columns: 100, rows: 30, now: start, version: '1.2.3'})) {
		this.state = state;
	}

	/** Takes messages, and gives what they asked for. */
	tell(...messages: Message[]): Effect[] {
		const asked: Effect[] = [];
		for (const message of messages) {
			const [state, effects] = update(this.state, message);
			this.state = state;
			asked.push(...effects);
		}

		this.effects.push(...asked);
		return asked;
	}

	press(...keys: string[]): Effect[] {
		return this.tell(...keys.map(key => keyMessage(key)));
	}

	type(text: string): Effect[] {
		return this.press(...text);
	}

	/** What is in sight gets this as the answer to what was asked last under a slot. */
	answer(slot: string, result: unknown): Effect[] {
		const answer = this.state.answers[slot];
		return answer ? this.tell({type: 'asked', slot, sequence: answer.sequence, result, began: this.state.now, at: this.state.now}) : [];
	}

	/** The list on the screen gets these rows, as the answer to what was asked last. */
	load(rows: readonly RowValue[], more?: Page<RowValue>['more'], screen: ScreenName = this.state.screen): Effect[] {
		return this.tell({type: 'loaded', screen, sequence: this.state.lists[screen].sequence, page: pageOf(rows, more), at: this.state.now});
	}

	get list() {
		return this.state.lists[this.state.screen];
	}

	get top(): Overlay | undefined {
		return this.state.overlays.at(-1);
	}

	get cursor(): string | undefined {
		return this.list.cursor;
	}

	/** Ids of the rows as they stand. */
	get ids(): string[] {
		return this.list.rows.map(row => screens[this.state.screen].idOf(row));
	}

	/** The question that is asked now. */
	get asked(): Extract<Overlay, {kind: 'confirm'}> | undefined {
		return this.top?.kind === 'confirm' ? this.top : undefined;
	}
}

/** The console on an open store with one colony, as its owner; its screens have `rows` rows. */
export function opened({screen = 'processes', rows = 3, columns = 100, height = 30, readOnly = false}: {screen?: ScreenName; rows?: number; columns?: number; height?: number; readOnly?: boolean} = {}): Console {
	const console = new Console(initialState({columns, rows: height, now: start, version: '1.2.3', readOnly}));
	console.tell(
		{type: 'opened', context: {kind: 'embedded', name: 'embedded', place: 'in memory'}},
		{type: 'known', colonies: [colonyOf(0), ...Array.from({length: Math.max(0, rows - 1)}, (_, index) => colonyOf(index + 1))]},
	);
	const numbers = Array.from({length: rows}, (_, index) => index);
	console.load(numbers.map(number => processOf(number)), undefined, 'processes');
	console.load(console.state.known, undefined, 'colonies');
	if (screen !== 'processes') {
		console.press(screens[screen].digit);
		const rows: Partial<Record<ScreenName, (number: number) => RowValue>> = {computers: computerOf, attention: lineOf, audit: entryOf, keys: keyOf};
		const only = {server: serverOf(), pulse: pulseView}[screen as string];
		console.load(only ? [only] : numbers.map(number => (rows[screen] ?? colonyOf)(number)));
	}

	console.effects = [];
	return console;
}

/** Id of what a question is about. */
export function subjectOf(deed: Deed | {forgetKey: string}): string {
	if ('forgetKey' in deed) {
		return deed.forgetKey;
	}

	const {processid, computerid, colonyid} = deed.input;
	return String(processid ?? computerid ?? colonyid);
}

/** Texts that a worker may write and a terminal must never obey. */
export const hostileTexts: readonly string[] = [
	'\u001B[2J\u001B[H',
	'\u001B]52;c;aGFja2Vk\u0007',
	'\u001B]0;title\u0007',
	'\u0007',
	'line\rover',
	'two\nlines',
	'\u202Egnp.exe',
	'\u2066\u2069\u200F',
	'\u009B31mred',
	'\u0090q\u009C',
	'\u0000',
	'\t\v\b\u007F',
	'漢字仮名交じり文'.repeat(9),
	'👩‍👩‍👧‍👦🇸🇪👍🏽'.repeat(7),
	'e\u0301\u0302\u0303\u0304'.repeat(20),
	`e${'\u0301'.repeat(80)}`,
	`${'\u200D\u0301\u{1F3FD}'.repeat(40)}x`,
	'x'.repeat(10_000),
	'漢'.repeat(10_000),
	'\uD800',
	'\uE000\uF8FF\uE001',
	'\uFEFF\u200B\u2060',
	'\u{E0041}\u{E007F}',
	'ﷺ꧅𒐫',
	'\u3164\u115F\u00AD',
];
