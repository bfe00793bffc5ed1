import process from 'node:process';
import {visible} from '../../core/text.ts';
import {formatSpan, formatTime, milliseconds} from '../../core/time.ts';
import type {ResultOf} from '../../operations/index.ts';
import {answerIn} from '../asking.ts';
import {
	askKept, installationKeeps, keptIn, removedText,
} from '../kept.ts';
import {type ServerView, type State, storeNow} from '../state.ts';
import {bold, danger, dim, warning} from '../terminal/style.ts';
import {cut, fit, padAnsi} from '../terminal/width.ts';
import {unreachedLines} from '../views/unreached.ts';
import type {Screen} from './screen.ts';
import {whole} from './whole.ts';

type Status = ResultOf<'database.status'>;
type Fact = readonly [label: string, text: string, style?: (text: string) => string];
type Section = {title: string; facts: readonly Fact[]};

const kinds = {embedded: 'embedded database', database: 'PostgreSQL database', server: 'Colonies server'} as const;

/** A number of bytes for people: `812 kB`, `3.4 GB`, in powers of ten. */
export function formatBytes(bytes: number): string {
	const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
	const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
	const value = bytes / (1000 ** power);
	return `${power === 0 || value >= 100 ? Math.round(value) : Number(value.toPrecision(2))} ${units[power]}`;
}

const known = <Value>(value: Value | null | undefined, text: (value: Value) => string): string => value === null || value === undefined ? 'not told' : text(value);

/** How far the clocks of store and machine are apart; nothing to speak of below a second. */
const clockText = ({skew}: State): string => skew === 0 ? 'as this machine\'s' : `${formatSpan(Math.abs(skew))} ${skew > 0 ? 'ahead of' : 'behind'} this machine's`;

/** An open transaction older than this, in seconds, holds up what waits for it. */
const longOpen = 60;

const kindsOfReadOnly = {standby: ', standby', 'read-only': ', read-only'} as const;

/** How far a standby is behind its primary. */
const lagText = ({lag}: Status): string => lag === null ? 'unknown' : (lag < 1 ? 'none' : formatSpan(lag * 1000));

/** Seconds of lag that are worth a warning. */
const longLag = 10;

function databaseFacts({where}: ServerView, status: Status | undefined, state: State): Fact[] {
	const {noChanges} = state.reach;
	return [
		['runs', `${where.server}${noChanges ? kindsOfReadOnly[noChanges] : ''}`, noChanges && warning],
		['TimescaleDB', where.timescale?.replace('TimescaleDB ', '') ?? 'none; plain PostgreSQL does the same'],
		['schema', `${where.schema}${where.cells === undefined ? '' : `, in ${where.cells} cells`}`],
		...(status === undefined
			? []
			: [
				['up for', known(status.started, started => formatSpan(storeNow(state) - milliseconds(started)!))],
				['clock', `${formatTime(status.clock, state.utc)}, ${clockText(state)}`, state.skew === 0 ? undefined : warning],
				['connections', `${known(status.connections, String)} of ${status.most}`, status.connections !== null && status.connections >= status.most * 0.9 ? danger : undefined],
				...(status.readonly === 'standby' ? [['lag', lagText(status), (status.lag ?? longLag) >= longLag ? warning : undefined]] as Fact[] : []),
				['listening', status.listening ? 'yes: changes are heard of at once' : 'not heard: polls every 200 ms', status.listening ? undefined : warning],
				...(status.prepared ? [] : [['prepared', 'no: statements are planned at each call', warning]] as Fact[]),
				['oldest open', status.oldest === null ? 'no transaction' : `a transaction of ${formatSpan(status.oldest * 1000)}`, (status.oldest ?? 0) > longOpen ? warning : undefined],
			] satisfies Fact[]),
	];
}

/** How long closed processes are kept, and what was removed of this colony. */
function keptFacts(state: State): Fact[] {
	const kept = keptIn(state);
	if (kept === undefined) {
		return [];
	}

	const removed = removedText(state, kept);
	return [['closed kept', installationKeeps(kept)], ...(removed === undefined ? [] : [['removed', removed] as const])];
}

function certificateFact({kind}: ServerView['where'], context: State['context'], {barrier}: State['reach']): Fact {
	if (barrier === 'untrusted') {
		return ['certificate', 'NOT TRUSTED', danger];
	}

	return context?.insecure ? ['certificate', 'NOT CHECKED: any server is trusted', danger] : ['certificate', kind === 'server' ? 'checked' : '-'];
}

const storeFacts = ({where, delay}: ServerView, {context, reach}: State): Fact[] => [
	['context', where.context],
	['kind', kinds[where.kind]],
	['place', where.place],
	certificateFact(where, context, reach),
	['answers in', reach.reachable ? `${Math.max(1, Math.round(delay))} ms` : 'not now'],
];

const consoleFacts = ({memory, node}: ServerView, {version, rootUnlocked, readOnly, reach}: State): Fact[] => [
	['version', `colonies-tui ${version}`],
	['Node.js', node],
	['memory', formatBytes(memory)],
	['changes', reach.noChanges ? 'refused: the database takes none' : (readOnly === undefined ? 'allowed, each asks first' : 'refused: read-only')],
	['root', rootUnlocked ? 'unlocked for this run' : 'locked'],
];

const labelWidth = 13;

const sectionLines = ({title, facts}: Section, width: number): string[] => [
	bold(title),
	...facts.map(([label, text, style]) => {
		const shown = cut(visible(text), Math.max(1, width - labelWidth));
		return `${dim(fit(label, labelWidth))}${style ? style(shown) : shown}`;
	}),
];

/** The sizes of the tables, each with a bar beside the largest. */
function sizeLines({bytes, sizes}: Status, width: number): string[] {
	const most = Math.max(1, ...sizes.map(size => size.bytes));
	const room = Math.max(1, Math.min(40, width - labelWidth - 10));
	return [
		bold('On disk'),
		`${dim(fit('database', labelWidth))}${fit(known(bytes, formatBytes), 9, 'right')}`,
		...sizes.map(size => `${dim(fit(size.table, labelWidth))}${fit(formatBytes(size.bytes), 9, 'right')} ${'█'.repeat(Math.max(size.bytes > 0 ? 1 : 0, Math.round(room * size.bytes / most)))}`),
	];
}

/** Puts columns of lines beside each other, each so wide. */
const beside = (columns: ReadonlyArray<readonly string[]>, width: number): string[] => Array.from({length: Math.max(...columns.map(({length}) => length))}, (_, index) => columns.map(lines => padAnsi(lines[index] ?? '', width)).join('  '));

/** Below so many columns the sections stand below each other. */
const besideFrom = 100;

function noSizes({colony, reach}: State): string {
	if (!colony) {
		return 'Sizes and connections are shown to members of a colony.';
	}

	return reach.reachable ? 'Sizes and connections are being asked for …' : 'Sizes and connections are not known yet.';
}

function draw(state: State, {width, height}: {width: number; height: number}): string[] {
	const view = state.lists.server.rows[0] as ServerView;
	const colonyid = state.colony?.colonyid ?? '';
	const {result: status} = answerIn(state, 'status', colonyid, 'database.status');
	const inner = width - 4;
	const half = Math.floor((inner - 2) / 2);
	const isWide = width >= besideFrom;
	const room = isWide ? half : inner;
	const store = sectionLines({title: 'Store', facts: storeFacts(view, state)}, room);
	const database = sectionLines({title: 'Database', facts: [...databaseFacts(view, status, state), ...keptFacts(state)]}, room);
	const program = sectionLines({title: 'This console', facts: consoleFacts(view, state)}, room);
	const sizes = status ? sizeLines(status, room) : [dim(noSizes(state))];
	// On a low terminal what tells of trouble comes first, and empty lines give way.
	const gap = isWide || height >= 26 ? [''] : [];
	const lines = isWide
		? [...beside([store, database], half), '', ...beside([program, sizes], half)]
		: [...store, ...gap, ...database, ...gap, ...sizes, ...gap, ...program];
	const trouble = unreachedLines(state, inner);
	return [...trouble.length > 0 && isWide ? [''] : [], ...trouble, '', ...lines].map(line => `  ${line}`);
}

/** 8 Server: which store is open, what runs there, how it answers, and what it holds. */
export const serverScreen: Screen<ServerView> = {
	name: 'server',
	digit: '8',
	title: 'Server',
	topics: [],
	of: 'store',
	async read(_, {where}) {
		const began = performance.now();
		const place = await where();
		return whole([{where: place, delay: performance.now() - began, memory: process.memoryUsage.rss(), node: process.versions.node}]);
	},
	asks: askKept,
	tabs: [],
	columns: [],
	body: draw,
	idOf: () => 'server',
	nameOf: ({where}) => visible(where.context),
	note: () => 'j k scroll',
	empty: () => ['Nothing is known of the server yet.'],
	summary: () => [],
};
