// Whoever is asked something reads all of it: every question of the console, on every size of terminal.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {bindingsHere} from '../source/console/keymap.ts';
import {askOperation} from '../source/console/deeds.ts';
import {screens} from '../source/console/screens/index.ts';
import {type Overlay, type RowValue, type ScreenName, screenNames, type State} from '../source/console/state.ts';
import {forecastText} from '../source/console/overlays/forecast.ts';
import {widthOf} from '../source/console/terminal/width.ts';
import {type OperationName, operations} from '../source/operations/index.ts';
import {plannable} from '../source/operations/plan.ts';
import {
	colonyOf, computerOf, idOf, keyOf, lineOf, processOf,
} from './support/console-states.ts';
import {FixedConsole} from './support/golden-frames.ts';

const sizes = [[60, 15], [80, 24], [120, 36], [160, 45], [200, 50]] as const;

/** Names as long as they may be, of words, of one word, and of wide characters. */
const names = ['edge', 'a computer '.repeat(18).trim(), 'x'.repeat(200), '漢'.repeat(200)];

const rowsOf = (name: string): Partial<Record<ScreenName, readonly RowValue[]>> => ({
	processes: ([0, 1, 2, 3] as const).map(status => processOf(status, {status, computertype: name})),
	computers: ([0, 1, 2] as const).map(status => computerOf(status, {status, name})),
	colonies: [colonyOf(0, {name}), colonyOf(1, {name: `${name}2`})],
	keys: [keyOf(0, {label: {kind: 'colony', name, colonyid: idOf('colony', 0)}})],
	attention: (['computer.approve', 'computer.disapprove', 'computer.remove', 'process.retry', 'process.cancel', 'process.remove'] as const).map((operation, index) => lineOf(index, {
		noun: operation.startsWith('computer') ? 'computer' : 'process',
		fix: {operation, input: {colonyid: idOf('colony', 0), computerid: idOf('computer', index), processid: idOf('process', index)}, says: `${operation.split('.')[1]!} ${name}`},
	})),
});

/** A console as root too, that acts as a computer, so that a question says who signs. */
function consoleOn(screen: ScreenName, name: string, [columns, rows]: readonly [number, number]): FixedConsole {
	const console = new FixedConsole(columns, rows).opened();
	console.tell({type: 'root-unlocked'});
	console.press('8', screens[screen].digit);
	console.load(rowsOf(name)[screen] ?? console.list.rows);
	console.state = {...console.state, acting: {kind: 'computer', id: idOf('computer', 3), name: 'edge-3'}};
	return console;
}

/** The text of a frame without its borders, as it is read: line after line. */
const readable = (frame: string): string => frame.split('\n').map(line => line.replaceAll(/[│┌┐└┘─]/g, ' ').trim()).join(' ').replaceAll(/\s+/g, ' ');

/** A text that may be broken anywhere, as a word is that has no room in one line. */
const squeezed = (text: string): string => text.replaceAll(/\s+/g, '');

function assertAsked(console: FixedConsole, about: string): void {
	const frame = console.frame();
	const {columns, rows} = console.state;
	const lines = frame.split('\n');
	assert.ok(lines.length <= rows, `${about}: ${lines.length} lines in ${rows} rows\n${frame}`);
	assert.deepEqual(lines.filter(line => widthOf(line) > columns), [], about);
	for (const text of textsOf(console.top!, console.state)) {
		assert.ok(squeezed(readable(frame)).includes(squeezed(text)), `${about}: "${text}" is not on the screen\n${frame}`);
	}
}

/** Everything that a question says. */
function textsOf(overlay: Overlay, state: State): string[] {
	if (overlay.kind === 'plan') {
		const {plan, place, as, stage} = overlay;
		const count = plan!.entries.length;
		return stage === 'ready' && count > 0 ? [place, `as ${as.kind}`, `Type ${count} and enter to ${plannable[overlay.name].verb} ${count === 1 ? 'it' : 'them'}, esc cancels:`] : [place];
	}

	assert.equal(overlay.kind, 'confirm');
	assert.ok(overlay.kind === 'confirm');
	const {place, question, consequence = '', verb, typed} = overlay;
	const answer = typed ? `Type ${typed.expected} and enter to` : `Cancel enter y ${verb}`;
	return [`${place}: ${question}`, consequence, forecastText(state, overlay) ?? '', answer];
}

/** What asks, by the kind of thing that it asks about. */
const asked = new Set<string>();

for (const size of sizes) {
	test(`every key that changes something asks in whole sentences on ${size.join('×')}`, () => {
		for (const screen of screenNames) {
			for (const name of names) {
				const {list} = consoleOn(screen, name, size);
				for (const index of list.rows.keys()) {
					const keys = bindingsHere(consoleOn(screen, name, size).state).flatMap(({bindings}) => bindings).filter(({changes}) => changes).map(({chords}) => [chords[0]!]);
					for (const press of [...keys, ...(screen === 'processes' ? [['x', 'K']] : [])]) {
						const console = consoleOn(screen, name, size);
						console.press('g', ...Array.from<string>({length: index}).fill('j'), ...press);
						const {asked: question} = console;
						if (question) {
							asked.add('operation' in question.deed ? question.deed.operation : 'forget-key');
							assertAsked(console, `${screen} ${press.join(' ')}`);
						}
					}
				}
			}
		}
	});

	test(`what is done from the palette asks in whole sentences on ${size.join('×')}`, () => {
		for (const name of Object.keys(operations) as OperationName[]) {
			for (const object of ['', ...names]) {
				const console = consoleOn('processes', 'edge', size);
				[console.state] = askOperation(console.state, {operation: name, input: {colonyid: idOf('colony', 1)}, as: {kind: 'owner', id: idOf('colony', 0), name: 'owner'}, object: object.slice(0, 12)});
				assertAsked(console, name);
			}
		}
	});

	test(`a plan says where, as whom, and how it is confirmed on ${size.join('×')}`, () => {
		for (const [name, keys] of Object.entries({'process.retry': ['R'], 'process.remove': ['X'], 'computer.approve': ['A'], 'computer.disapprove': ['V'], 'computer.remove': ['X']})) {
			for (const label of names) {
				const console = consoleOn(name.startsWith('process') ? 'processes' : 'computers', label, size);
				console.press('g', ' ', ' ', ' ', ...keys);
				assert.equal(console.top?.kind, 'plan', name);
				assertAsked(console, name);
			}
		}
	});
}

test('every change that the console knows a question for was asked about', () => {
	assert.deepEqual([...asked].sort(), ['colony.remove', 'computer.approve', 'computer.disapprove', 'computer.remove', 'forget-key', 'process.cancel', 'process.remove', 'process.retry']);
});

test('a name that is typed wrong is told of beside the question', () => {
	for (const size of sizes) {
		const console = consoleOn('colonies', 'render farm', size);
		console.press('g', 'X');
		console.type('render');
		console.press('enter');
		assert.match(readable(console.frame()), /The name does not fit; esc cancels\. Type render farm and enter to remove it, esc cancels: > render/);
	}
});

test('a question stands over the last rows of the body, and the border stays', () => {
	const console = consoleOn('computers', 'edge', [60, 15]);
	console.press('g', 'A');
	const lines = console.frame().split('\n');
	const first = lines.findIndex(line => line.includes('Approve the computer'));
	assert.ok(first < 13 && lines[first - 1]!.startsWith('└'), console.frame());
	assert.ok(lines[4]!.startsWith('┌'));
	console.press('esc');
	assert.ok(console.frame().split('\n')[12]!.startsWith('└'));
});
