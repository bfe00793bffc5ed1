import {microseconds} from '../core/time.ts';
import {quoted, shortId} from '../core/text.ts';
import {attributeTypes, computerStates, type Id, type ProcessState, processStates, type Time} from '../core/types.ts';
import {keyOf, type present, type retention} from '../database/index.ts';

/** Something that is not as its last row of the history says. `kind`: whether it is otherwise, gone, or there without having been made. `row`: that row; null where there is none. */
export type Deviation = {kind: 'altered' | 'dropped' | 'added'; noun: 'colony' | 'computer' | 'process' | 'attribute'; subject: Id; colonyid: Id; row: string | null; message: string};

/** What was found about some rows, and how many of them retention left nothing to compare with. */
export type Judged = {deviations: Deviation[]; unknown: number};

type Row = Omit<present.Told<unknown>, 'detail' | 'image'>;

/** A value as it is, and as the history has it; undefined where that does not say. */
type Pair = readonly [name: string, is: unknown, told: unknown];

const shown = (value: unknown): string => value === null || value === '' ? 'none' : (typeof value === 'string' ? quoted(value) : JSON.stringify(value));

const by = ({place, at}: Pick<Row, 'place' | 'at'>): string => `row ${place}, ${at}`;

/** Tells rows that retention may have dropped from those that it cannot. */
class Memory {
	readonly #before: Time | undefined;

	constructor(horizon: retention.Horizon | undefined) {
		this.#before = horizon?.before;
	}

	/** Whether what was written then, and since, stands in the history. */
	has(at: Time | null): boolean {
		return at !== null && (this.#before === undefined || at >= this.#before);
	}
}

type Subject = {noun: Deviation['noun']; subject: Id; colonyid: Id; name: string};

const deviation = ({name: _, ...about}: Subject, kind: Deviation['kind'], row: string | null, message: string): Deviation => ({kind, ...about, row, message});

/** What is wrong with something by its last row alone; undefined where its values are to be compared, `unknown` where nothing is known of it. */
function presence(subject: Subject, told: Row, made: Time, memory: Memory): Deviation | 'unknown' | undefined {
	const {noun, name} = subject;
	if (told.what === null) {
		return memory.has(made) ? deviation(subject, 'added', null, `The ${noun} ${name} is not in the history: it was put in.`) : 'unknown';
	}

	if (!memory.has(told.at)) {
		return 'unknown';
	}

	return told.what === `${noun}.remove` ? deviation(subject, 'added', told.place, `The ${noun} ${name} was removed by the history (${by(told)}), and is there.`) : undefined;
}

/** The first value that is not as it is told. */
function difference(subject: Subject, told: Row, pairs: readonly Pair[]): Deviation[] {
	const wrong = pairs.find(([, is, says]) => says !== undefined && JSON.stringify(is) !== JSON.stringify(says));
	return wrong === undefined
		? []
		: [deviation(subject, 'altered', told.place, `The ${subject.noun} ${subject.name} has the ${wrong[0]} ${shown(wrong[1])}; by the history (${by(told)}) it is ${shown(wrong[2])}.`)];
}

function judgeEach<Told extends Row>(rows: readonly Told[], memory: Memory, about: (row: Told) => {subject: Subject; made: Time; pairs: () => readonly Pair[]}): Judged {
	const judged: Judged = {deviations: [], unknown: 0};
	for (const row of rows) {
		const {subject, made, pairs} = about(row);
		const found = presence(subject, row, made, memory);
		if (found === 'unknown') {
			judged.unknown++;
		} else {
			judged.deviations.push(...(found === undefined ? difference(subject, row, pairs()) : [found]));
		}
	}

	return judged;
}

const named = (name: string, id: Id): string => `${quoted(name)} (${shortId(id)})`;

export const judgeColonies = (rows: readonly present.ToldColony[], horizon: retention.Horizon | undefined): Judged => judgeEach(rows, new Memory(horizon), row => ({
	subject: {noun: 'colony', subject: row.colony_id, colonyid: row.colony_id, name: named(row.name, row.colony_id)},
	made: row.made,
	pairs: () => [['name', row.name, row.image?.name]],
}));

export const judgeComputers = (rows: readonly present.ToldComputer[], horizon: retention.Horizon | undefined): Judged => judgeEach(rows, new Memory(horizon), row => ({
	subject: {noun: 'computer', subject: row.computer_id, colonyid: row.colony_id, name: named(row.name, row.computer_id)},
	made: row.made,
	pairs: () => [
		['state', computerStates[row.status], row.to ?? undefined],
		['key', keyOf(row), row.image?.keyid],
		['type', row.computer_type, row.image === null ? undefined : row.image.computertype ?? ''],
		...(['name', 'cpu', 'cores', 'mem', 'gpu', 'gpus'] as const).map((name): Pair => [name, row[name], row.image?.[name]]),
	],
}));

/** A time so many microseconds after another; undefined where one of them is not said. */
function plus(time: Time | null | undefined, span: number | null | undefined): Time | undefined {
	if (!time || !span) {
		return undefined;
	}

	const at = microseconds(time)! + BigInt(span);
	return new Date(Number(at / 1000n)).toISOString().replace('Z', `${String(at % 1000n).padStart(3, '0')}Z`);
}

/** The times of a process as its last row has them. What a statement of its own wrote down is known to the microsecond where the row says how long it ran. */
function timesOf(row: present.ToldProcess): Pair[] {
	const state = row.to as ProcessState;
	const start = state === 'waiting' ? null : row.detail?.start;
	const deadline = start && row.timeout > 0 ? plus(start, row.timeout * 1_000_000) : null;
	const entered = {waiting: row.submission_time, running: row.start_time, successful: row.end_time, failed: row.end_time}[state];
	return [
		['start', row.start_time, start],
		['deadline', row.deadline, start === undefined ? undefined : deadline],
		['end', row.end_time, state === 'waiting' || state === 'running' ? null : plus(start, row.detail?.run)],
		['time since which it is so', row.entered_at, entered ?? undefined],
	];
}

/** How many retries a process has after its last row: one that the deadline put back has one more than the attempt had. */
function retriesOf({what, by: author, detail}: present.ToldProcess): number | undefined {
	if (what === 'process.submit' || what === 'process.retry') {
		return 0;
	}

	const {retries} = detail ?? {};
	return retries === undefined ? undefined : retries + (what === 'process.requeue' && author === 'system' ? 1 : 0);
}

function pairsOf(row: present.ToldProcess): Pair[] {
	const {image, detail} = row;
	return [
		['state', processStates[row.status], row.to ?? undefined],
		['computer', row.assigned_computer_id, row.to === 'waiting' ? null : detail?.computer],
		['count of retries', row.retries, retriesOf(row)],
		['colony', row.colony_id, image?.targetcolonyid],
		['type', row.computer_type, image?.computertype],
		['list of computers', row.target_computer_ids, image?.targetcomputerids],
		['time of submission', row.submission_time, image?.submissiontime],
		['timeout', row.timeout, image?.timeout],
		['maxretries', row.max_retries, image?.maxretries],
		['mem', row.mem, image?.mem],
		['cores', row.cores, image?.cores],
		['gpus', row.gpus, image?.gpus],
		['traceparent', row.traceparent ?? null, image ? image.traceparent ?? null : undefined],
		['place among those that ask the same', row.fits ?? true, true],
		...timesOf(row),
	];
}

export const judgeProcesses = (rows: readonly present.ToldProcess[], horizon: retention.Horizon | undefined): Judged => judgeEach(rows, new Memory(horizon), row => ({
	subject: {noun: 'process', subject: row.process_id, colonyid: row.colony_id, name: shortId(row.process_id)},
	made: [row.entered_at, row.start_time, row.end_time].filter(time => time !== null).sort().at(-1)!,
	pairs: () => pairsOf(row),
}));

/** Whether retention can have dropped the row that would tell of an attribute. */
function isForgotten(row: present.WrongAttribute, memory: Memory): boolean {
	if (row.told) {
		return !memory.has(row.at) && !(row.type === 0 && row.submitted);
	}

	return row.type === 0 ? !row.submitted : row.status !== 0 && !memory.has(row.begun);
}

export function judgeAttributes(rows: readonly present.WrongAttribute[], horizon: retention.Horizon | undefined): Deviation[] {
	const memory = new Memory(horizon);
	return rows.filter(row => !isForgotten(row, memory)).map(row => {
		const subject: Subject = {noun: 'attribute', subject: row.process_id, colonyid: row.colony_id, name: ''};
		const name = `The ${attributeTypes[row.type] ?? ''} attribute ${quoted(row.key)} of the process ${shortId(row.process_id)}`;
		return row.there
			? (row.told ? deviation(subject, 'altered', row.place, `${name} is not as the history has it (${by(row)}).`) : deviation(subject, 'added', null, `${name} is not in the history: it was put in.`))
			: deviation(subject, 'dropped', row.place, `${name} is gone; the history has it (${by(row)}).`);
	});
}

export function judgeAbsent(rows: readonly present.Absent[], horizon: retention.Horizon | undefined): Deviation[] {
	const memory = new Memory(horizon);
	return rows.filter(({at}) => memory.has(at)).map(row => {
		const name = row.noun === 'process' || row.name === null ? shortId(row.subject) : named(row.name, row.subject);
		return deviation({noun: row.noun, subject: row.subject, colonyid: row.colony, name}, 'dropped', row.place, `The ${row.noun} ${name} is gone; by the history (${by(row)}) it is ${row.to ?? 'there'}.`);
	});
}
