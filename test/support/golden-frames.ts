import {renderToString} from 'ink';
import {createElement} from 'react';
import {App} from '../../source/console/app.tsx';
import {screens} from '../../source/console/screens/index.ts';
import {
	type Effect, initialState, type Message, type Overlay, type RowValue, type ScreenName, type State,
} from '../../source/console/state.ts';
import type {Store} from '../../source/console/store.ts';
import {withoutStyle} from '../../source/console/terminal/width.ts';
import {type Process, type ProcessState, processStates} from '../../source/core/types.ts';
import type {OperationName} from '../../source/operations/index.ts';
import {
	attributeOf, colonyOf, computerOf, Console, entryOf, explanationOf, failure, idOf, keyOf, lineOf, pageOf, processOf, pulseView, serverOf, start,
} from './console-states.ts';
import {pulseOf} from './pulse.ts';

/** The terminals that every place is drawn on: the smallest, the usual, a large and a very large one. */
export const goldenSizes = [[60, 15], [80, 24], [120, 36], [200, 50]] as const;

const time = (seconds: number): string => new Date(start + (seconds * 1000)).toISOString().replace('Z', '000Z');

const kinds = [
	{computertype: 'gpu_train', cores: 16, mem: 64_000, gpus: 2, timeout: 45},
	{computertype: 'cpu_batch', cores: 4, mem: 4000, gpus: 0, timeout: 600},
	{computertype: '', cores: 1, mem: 512, gpus: 0, timeout: -1},
	{computertype: 'gpu_infer', cores: 8, mem: 24_000, gpus: 1, timeout: 15},
];

const fixedProcess = (number: number): Process => {
	const status = ([0, 1, 2, 3, 0, 2] as const)[number % 6]!;
	const process = processOf(number, {...kinds[number % kinds.length], status, submissiontime: time(-100 - (number * 37)), retries: number % 3, ...(status === 1 ? {deadline: time(12 + number)} : {})});
	return {
		...process,
		in: [attributeOf(process, 'source', `s3://footage/take-${100 + number}.mov`), attributeOf(process, 'api_token', 'not to be seen')],
		out: status < 1 ? null : [attributeOf(process, 'progress', 'step 2 of 3', 1), attributeOf(process, 'log', 'loading inputs\nready', 1)],
		err: status === 3 ? [attributeOf(process, 'error', 'CUDA out of memory: tried to allocate 2.50 GiB', 2)] : null,
	};
};

const processes = Array.from({length: 60}, (_, number) => fixedProcess(number));
const computers = Array.from({length: 14}, (_, number) => computerOf(number, {
	name: ['edge', 'lab', 'gpu'][number % 3]! + `-${number}`, status: ([0, 1, 1, 1, 2, 1] as const)[number % 6]!, computertype: kinds[number % kinds.length]!.computertype || undefined, cores: 4 * (number + 1), mem: 8000 * (number + 1), gpus: number % 3, gpu: number % 3 === 0 ? '' : 'NVIDIA L4',
	cpu: 'AMD EPYC 7543 (64) @ 2.800GHz', lastseen: number % 6 === 0 ? undefined : time(-number * 11),
}));
const colonies = [colonyOf(0, {name: 'render farm'}), colonyOf(1, {name: 'weather'}), colonyOf(2, {name: '漢字 lab', as: [{kind: 'computer', id: idOf('computer', 3), name: 'edge-3'}]})];
const lines = [
	lineOf(0),
	lineOf(1, {severity: 'high', kind: 'deadline', noun: 'process', id: idOf('process', 1), name: 'gpu_train', text: 'past its deadline by 12s', fix: {operation: 'process.cancel', input: {colonyid: colonyOf(0).colonyid, processid: idOf('process', 1)}, says: 'Cancel it'}}),
	lineOf(2, {severity: 'low', kind: 'spent', noun: 'process', id: idOf('process', 3), name: 'gpu_infer', text: 'failed with its retries spent', fix: {operation: 'process.retry', input: {colonyid: colonyOf(0).colonyid, processid: idOf('process', 3)}, says: 'Retry it'}}),
];
const keys = [keyOf(0, {label: {kind: 'colony', name: 'render farm', colonyid: idOf('colony', 0)}}), {id: idOf('computer', 3), label: {kind: 'computer', name: 'edge-3', colonyid: idOf('colony', 2)}} as const, keyOf(7, {label: undefined, damaged: true, note: 'It holds no private key.'})];

const entries = [
	entryOf(0, {name: 'lab-4', subject: idOf('computer', 4), actorname: 'render farm'}),
	entryOf(1, {what: 'process.retry', noun: 'process', name: 'gpu_infer', subject: idOf('process', 3), from: 'failed', to: 'waiting', actorname: 'render farm'}),
	entryOf(2, {what: 'colony.register', noun: 'colony', name: 'render farm', subject: idOf('colony', 0), actor: 'root', actorname: null, from: null, to: null}),
];

/** The life of a process that was tried twice. */
const steps = (['process.submit', 'process.assign', 'process.requeue', 'process.assign', 'process.failed'] as const).map((what, index) => ({
	at: time(-100 + (index * 20)), what, from: [null, 'waiting', 'running', 'waiting', 'running'][index], to: ['waiting', 'running', 'waiting', 'running', 'failed'][index],
	actor: what === 'process.requeue' ? 'system' : idOf('computer', 1), actorname: what === 'process.requeue' ? null : 'lab-1', computerid: index === 0 ? null : idOf('computer', 1), computername: index === 0 ? null : 'lab-1',
	starttime: index === 0 ? null : time(-80 + (index > 2 ? 40 : 0)), endtime: what === 'process.requeue' ? time(-60) : (what === 'process.failed' ? time(-20) : null), why: what === 'process.requeue' ? 'deadline exceeded' : null, attributes: null,
}));

/** What the lists have, in the tab that is shown. */
function rowsOf(screen: ScreenName, state: State): readonly RowValue[] {
	const tab = screens[screen].tabs[state.lists[screen].tab];
	const all: Record<ScreenName, readonly RowValue[]> = {pulse: [pulseView], processes, computers, colonies, attention: lines, keys, audit: entries, server: [serverOf({context: 'embedded', place: '/home/operator/.local/share/colonies-tui/database'})]};
	return screen === 'processes' && processStates.includes(tab as ProcessState) ? processes.filter(({status}) => processStates[status] === tab) : all[screen];
}

/** What the store says of what is in sight. */
const answers: Partial<Record<OperationName, (input: any, state: State) => unknown>> = {
	'process.explain': ({processid}) => explanationOf(processes.find(process => process.processid === processid)!, computers.slice(0, 6)),
	'process.reasons': () => processes.filter(({status}) => status === 0).map(({processid}, index) => ({processid, verdict: 'behind', says: `Behind ${index} others.`, behind: index, more: false})),
	'computer.forecast': ({computerid, change}) => ({computerid, name: computers.find(computer => computer.computerid === computerid)!.name, change, fitting: 12, runnable: 12, stranded: 3, requeued: 2}),
	'computer.forecastmany': ({computerids, change}) => ({computers: (computerids as string[]).length, change, fitting: 12, runnable: 12, stranded: 3, requeued: 2}),
	'computer.list': () => pageOf(computers),
	'process.count': () => ({waiting: 1234, running: 38, successful: 9120, failed: 12}),
	'attention.list': () => pageOf(lines),
	'filter.suggest': () => [{value: 'state:', summary: 'waiting, running, successful or failed'}, {value: 'type:', summary: 'of this type'}],
	'pulse.get': (_, {pulse: {by}}) => pulseOf({by, keys: by === 'type' ? ['gpu_train', 'cpu_batch', ''] : [idOf('computer', 1)], name: by === 'type' ? undefined : 'lab-1', to: start}),
	'audit.head': () => ({number: 3, hash: idOf('seal', 3), madeat: time(-2), upto: '9.9', rows: 41, unsealed: null}),
	'audit.verify': () => ({intact: true, fault: null, from: 1, to: 3, more: false, last: {number: 3, hash: idOf('seal', 3), madeat: time(-2)}}),
	'audit.get': () => ({...entries[0], request: JSON.stringify({operation: 'computer.disapprove'}), signature: 'ab'.repeat(65), detail: null, seal: {number: 3, hash: idOf('seal', 3), madeat: time(-2)}}),
	'computer.get': ({computerid}) => computers.find(computer => computer.computerid === computerid),
	'process.history': () => pageOf(steps as never),
	'process.compare': () => [{part: 'process', name: 'computer', value: 'edge-0', other: 'lab-1'}, {part: 'in', name: 'source', value: 's3://footage/take-103.mov', other: 's3://footage/take-115.mov'}, {part: 'times', name: 'ran', value: '55s', other: '38s'}],
	'process.kept': ({colonyid}) => ({colonyid, successful: '30d', failed: '90d', own: {successful: '30d', failed: null}, installation: {successful: 'off', failed: '90d'}, due: 312, lastremoved: time(-300), lastcount: 1204}),
	'database.status': () => ({clock: time(0), started: time(-90_000), bytes: 52_428_800, sizes: [{table: 'processes', bytes: 4_194_304}, {table: 'history', bytes: 16_777_216}], connections: null, most: 100, oldest: null, readonly: null, listening: true, prepared: true, lag: null}),
};

function answerTo(effect: Effect, state: State): Message | undefined {
	switch (effect.type) {
		case 'load': {
			return {type: 'loaded', screen: effect.screen, sequence: effect.sequence, page: pageOf(rowsOf(effect.screen, state)), at: state.now};
		}

		case 'load-known': {
			return {type: 'known', colonies};
		}

		case 'count': {
			return {type: 'counted', colonyid: colonies[0]!.colonyid, counts: {waiting: 1234, running: 38, successful: 9120, failed: 12}, computers: {pending: 1, approved: 12, disapproved: 1}};
		}

		case 'load-detail': {
			return {type: 'detailed', process: processes.find(({processid}) => processid === effect.id)!};
		}

		case 'ask': {
			const {ask: {slot, operation, input}, sequence} = effect;
			const answer = answers[operation];
			return answer && {type: 'asked', slot, sequence, result: answer(input, state), began: state.now, at: state.now};
		}

		case 'make-plan': {
			const {number, name, colonyid, seen} = effect;
			return {type: 'planned', number, plan: {name, colonyid, entries: seen, leftOut: [{id: idOf('process', 1), label: 'cpu_batch', reason: 'only a closed process can be retried'}], more: false}};
		}

		default: {
			return undefined;
		}
	}
}

/** The console in a world that stands still: whatever it asks is answered at once, always the same. */
export class FixedConsole extends Console {
	constructor(columns: number, rows: number) {
		super({...initialState({columns, rows, now: start, version: '1.2.3'}), utc: true});
	}

	override tell(...messages: Message[]): Effect[] {
		let ahead: Message[] = messages;
		for (let round = 0; ahead.length > 0 && round < 20; round++) {
			const asked = super.tell(...ahead);
			ahead = asked.map(effect => answerTo(effect, this.state)).filter(message => message !== undefined);
		}

		return [];
	}

	/** Opens a store. */
	opened(): this {
		this.tell({type: 'opened', context: {kind: 'embedded', name: 'embedded', place: '/home/operator/.local/share/colonies-tui/database'}}, {type: 'known', colonies});
		return this;
	}

	/** The frame as a person sees it, without styles. */
	frame(): string {
		const {state} = this;
		const store = {get: () => state, subscribe: () => () => undefined} as unknown as Store;
		return renderToString(createElement(App, {store}), {columns: state.columns}).split('\n').map(line => withoutStyle(line).trimEnd()).join('\n');
	}
}

/** How somebody gets to a place. */
type Way = (console: FixedConsole) => void;

const pressed = (...chords: string[]): Way => console => {
	for (const chord of chords) {
		console.press(chord);
	}
};

const screen = (name: ScreenName, ...more: string[]): Way => pressed('8', screens[name].digit, ...more);

const typed = (text: string, before: Way): Way => console => {
	before(console);
	console.type(text);
};

/** Every screen, and how it looks in other states than the usual. */
export const goldenScreens: Record<ScreenName, Record<string, Way>> = {
	pulse: {pulse: screen('pulse', 'j', 'j', 'left'), 'pulse as a heat map': screen('pulse', 'v')},
	processes: {processes: screen('processes', 'j', 'j'), 'processes that failed, wide': screen('processes', ']', ']', ']', ']', 'w'), 'processes, marked': screen('processes', ' ', 'j', ' ', 'j')},
	computers: {computers: screen('computers', 'j')},
	colonies: {colonies: screen('colonies', 'j')},
	attention: {attention: screen('attention', 'j')},
	keys: {keys: screen('keys', 'j')},
	audit: {audit: screen('audit', 'j')},
	server: {server: screen('server')},
};

/** Every kind of overlay. */
export const goldenOverlays: Record<Overlay['kind'], Record<string, Way>> = {
	detail: {detail: screen('processes', 'j', 'j', 'j', 'enter'), 'detail, attributes': screen('processes', 'j', 'j', 'j', 'a'), 'detail, JSON': screen('processes', 'j', 'j', 'j', 'y'), 'detail, searched'(console) {
		typed('lab-1', screen('processes', 'j', 'j', 'j', 'enter', '/'))(console);
		console.press('enter', 'n', 'n');
	}},
	explain: {explain: screen('processes', 'g', 'e')},
	difference: {difference: screen('processes', 'g', 'j', 'j', 'j', 'D')},
	entry: {'entry of the audit': screen('audit', 'g', 'enter')},
	verify: {verify: screen('audit', 'v')},
	sort: {sort: screen('processes', 'o')},
	columns: {columns: screen('processes', '|')},
	'command-line': {'command line': screen('computers', '!')},
	palette: {palette: screen('processes', ':'), 'palette, typed': typed('appr', screen('computers', ':'))},
	result: {result: screen('processes', ':', ...'process count', 'enter', 'ctrl-s')},
	help: {help: screen('processes', '?'), 'help, scrolled': screen('processes', '?', 'pgdn')},
	menu: {'menu of a process': screen('processes', 'g', 'x'), 'menu of identities': screen('processes', 'i')},
	form: {'form to submit': screen('processes', 'n'), 'form to register a computer': screen('computers', 'n', 'ctrl-s'), 'form to add a key': screen('keys', 'n')},
	confirm: {'confirm approving': screen('computers', 'g', 'A'), 'confirm removing a colony'(console) {
		console.tell({type: 'root-unlocked'});
		screen('colonies', 'j', 'X')(console);
	}},
	filter: {filter: typed('state:failed age>5', screen('processes', '/')), 'filter that is wrong'(console) {
		typed('age>soon', screen('processes', '/'))(console);
		console.press('enter');
	}},
	search: {'search in a page': typed('lab-1', screen('processes', 'j', 'j', 'j', 'enter', '/')), 'search without a match': typed('nowhere', screen('processes', '?', '/'))},
	moment: {moment: typed('-5m', screen('processes', 't'))},
	leave: {'leaving a form'(console) {
		typed('gpu_train', screen('processes', 'n'))(console);
		console.press('esc');
	}},
	plan: {plan: screen('processes', ']', ']', ']', ']', ' ', 'j', ' ', 'j', ' ', 'R')},
};

/** What befalls the console whatever is on the screen. `before`: before a store is open. */
export const goldenStates: Record<string, {before?: true; way: Way}> = {
	'opening the database': {before: true, way: () => undefined},
	'the database does not open': {before: true, way(console) {
		console.tell({type: 'not-opened', error: failure('Cannot connect to PostgreSQL at db.example, port 5432: nothing listens there.', 'unavailable')});
	}},
	'first run': {before: true, way(console) {
		console.tell({type: 'opened', context: {kind: 'embedded', name: 'embedded', place: '/home/operator/.local/share/colonies-tui/database'}}, {type: 'known', colonies: []});
	}},
	'form to connect': {before: true, way(console) {
		console.tell({type: 'opened', context: {kind: 'embedded', name: 'embedded', place: '/home/operator/.local/share/colonies-tui/database'}}, {type: 'known', colonies: []});
		console.press('3', '2');
	}},
	'the database is away': {way(console) {
		console.tell({type: 'reached', reachable: false, since: start}, {type: 'ticked', now: start + 75_000});
	}},
	'the server is not trusted': {way(console) {
		console.tell({
			type: 'reached', reachable: false, since: start, barrier: 'untrusted', reason: 'Not trusting the server at lab.example:8080: its certificate has another fingerprint.',
			hint: 'Somebody may stand in between, or it has a new certificate: compare with what the server prints when it starts. It shows 8ef7b82c9176b50ed00d68973ef5495d34980e37a10c244e865f570db58f970c.',
		}, {type: 'ticked', now: start + 75_000});
		screen('server')(console);
	}},
	'something went wrong': {way(console) {
		console.tell({type: 'failed', error: failure('The process "a562..4177" is running; only a successful or failed one can be retried. Nothing was changed.')});
	}},
};

/** A place on one terminal. */
function at(columns: number, rows: number, {before, way}: {before?: true; way: Way}): FixedConsole {
	const console = new FixedConsole(columns, rows);
	if (!before) {
		console.opened();
	}

	way(console);
	return console;
}

/** Every place that has a golden frame, by its name. */
export const goldenPlaces: ReadonlyMap<string, (columns: number, rows: number) => FixedConsole> = new Map([
	...[...Object.values(goldenScreens), ...Object.values(goldenOverlays)].flatMap(ways => Object.entries(ways)).map(([name, way]) => [name, {way}] as const),
	...Object.entries(goldenStates),
].map(([name, how]) => [name, (columns: number, rows: number) => at(columns, rows, how)]));

/** All frames of a place, as its file has them. */
export const goldenText = (place: (columns: number, rows: number) => FixedConsole): string => goldenSizes.map(([columns, rows]) => `── ${columns}×${rows} ──\n${place(columns, rows).frame()}\n`).join('\n');
