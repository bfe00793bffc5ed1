import assert from 'node:assert/strict';
import {test} from 'node:test';
import {actions} from '../source/console/actions.ts';
import {
	type Binding, bindingsHere, keymap, modesOf, resolve,
} from '../source/console/keymap.ts';
import {screens} from '../source/console/screens/index.ts';
import {screenNames} from '../source/console/state.ts';
import {createKeyParser} from '../source/console/terminal/keys.ts';
import {
	type Console, computerOf, explanationOf, opened, processOf,
} from './support/console-states.ts';
import {bytesOf} from './support/terminal.ts';

/** Places that have keys of their own, each with everything that they need under the cursor. */
const places: Record<string, () => Console> = {
	'processes, waiting': () => under('processes', 0),
	'processes, running': () => under('processes', 1),
	'processes, failed': () => under('processes', 3),
	'computers, pending': () => under('computers', 0),
	'computers, approved': () => under('computers', 1),
	'processes as they were': () => pressed(under('processes', 1), ','),
	colonies: () => under('colonies'),
	attention: () => under('attention'),
	pulse: () => under('pulse'),
	'an explanation': explanation,
	keys: () => under('keys'),
	audit: () => under('audit'),
	'a change': () => pressed(under('audit'), 'enter'),
	verifying: () => pressed(under('audit'), 'v'),
	'detail of a waiting one': () => detail(0),
	'detail of a successful one': () => detail(2),
	'comparison of a failed one': () => pressed(detail(3), 'D'),
	'menu of a waiting one': () => menu(0),
	'menu of a failed one': () => menu(3),
	'menu of identities': () => pressed(opened(), 'i'),
	help: () => pressed(opened(), '?'),
	'a command line': () => pressed(opened(), '!'),
	'a result': () => pressed(opened(), ':', ...'process count', 'enter', 'enter'),
};

function pressed(console: Console, ...keys: string[]): Console {
	console.press(...keys);
	return console;
}

function under(screen: typeof screenNames[number], status: 0 | 1 | 2 | 3 = 0): Console {
	const console = opened({screen});
	console.tell({type: 'root-unlocked'});
	if (screen === 'processes') {
		console.load([0, 1, 2].map(number => processOf(number, {status})));
	} else if (screen === 'computers') {
		console.load([0, 1, 2].map(number => computerOf(number, {status: status as 0 | 1 | 2})));
	}

	return pressed(console, 'j', 'j');
}

function detail(status: 0 | 1 | 2 | 3): Console {
	const console = pressed(under('processes', status), 'enter');
	console.tell({type: 'detailed', process: processOf(1, {status})});
	return console;
}

function explanation(): Console {
	const console = pressed(under('processes', 0), 'e');
	console.answer('why', explanationOf(processOf(1)));
	return console;
}

const menu = (status: 0 | 1 | 2 | 3): Console => pressed(under('processes', status), 'x');

const isChange = ({type}: {type: string}): boolean => type === 'run' || type === 'forget-key' || type === 'send-form';

test('no chord stands twice where both could be meant', () => {
	for (const [name, open] of Object.entries(places)) {
		const modes = modesOf(open().state);
		const chords = keymap.filter(({mode}) => modes.includes(mode)).flatMap(({chords}) => chords);
		assert.deepEqual(chords.filter((chord, index) => chords.indexOf(chord) !== index), [], name);
	}

	for (const screen of screenNames) {
		const modes = modesOf(opened({screen}).state);
		const chords = keymap.filter(({mode}) => modes.includes(mode)).flatMap(({chords}) => chords);
		assert.equal(new Set(chords).size, chords.length, screen);
	}
});

test('no item of a menu has the key of something else', () => {
	for (const name of ['menu of a waiting one', 'menu of a failed one', 'menu of identities']) {
		const {top, state} = places[name]!();
		assert.equal(top?.kind, 'menu');
		const keys = top.items.map(({key}) => key);
		assert.equal(new Set(keys).size, keys.length);
		assert.deepEqual(keys.filter(key => resolve(state, key)), []);
		assert.deepEqual(top.items.map(({action}) => action).filter(action => !(action in actions)), []);
	}
});

test('every key does something, can be typed, and says what it does', () => {
	for (const {action, chords, label, mode} of keymap) {
		assert.ok(action in actions, action);
		assert.ok(label.length > 1 && !label.endsWith('.'), label);
		for (const chord of chords) {
			const parser = createKeyParser();
			const read = [...parser.feed(bytesOf(chord)), ...parser.flush()];
			assert.deepEqual(read.map(({key}) => key), [chord], `${mode} ${chord}`);
		}
	}

	const used = new Set([...keymap.map(({action}) => action), 'cancel', 'act-as', 'demo', 'connect-menu', 'ro', 'rw']);
	assert.deepEqual(Object.keys(actions).filter(action => !used.has(action)), []);
});

test('the help of every place lists exactly the keys that hold there', () => {
	for (const [name, open] of Object.entries(places).filter(([name]) => name !== 'help')) {
		const {state} = open();
		const listed = bindingsHere(state).flatMap(({bindings}) => bindings.flatMap(({chords}) => chords));
		const every = [...new Set(keymap.flatMap(({chords}) => chords))];
		assert.deepEqual(new Set(listed), new Set(every.filter(chord => resolve(state, chord))), name);
	}
});

test('screens have the digits that console.md gives them, and tabs only where there is more than one', () => {
	const places = ['1 Pulse', '2 Processes', '3 Computers', '4 Colonies', '5 Attention', '6 Keys', '7 Audit', '8 Server'];
	const shown = screenNames.map(name => `${screens[name].digit} ${screens[name].title}`);
	assert.deepEqual(shown, places.filter(place => shown.includes(place)));
	assert.deepEqual(screens.processes.tabs, ['all', 'waiting', 'running', 'successful', 'failed']);
});

const upper = /^[A-Z]$/;

test('what changes something is an uppercase letter, and asks', () => {
	const asking = new Set<Binding>();
	for (const [name, open] of Object.entries(places)) {
		for (const binding of keymap.filter(({mode}) => modesOf(open().state).includes(mode))) {
			for (const chord of binding.chords) {
				const console = open();
				assert.equal(console.press(chord).some(effect => isChange(effect)), false, `${name}: ${chord} changes something at once`);
				if (console.asked && binding.action !== 'menu-choose') {
					asking.add(binding);
					assert.match(chord, upper, name);
					assert.ok(binding.changes, `${binding.label} asks, but is not marked as a change`);
				}
			}
		}
	}

	const changing = keymap.filter(({changes}) => changes);
	assert.deepEqual(changing.filter(binding => !asking.has(binding)), [], 'a change that does not ask anywhere');
	assert.ok(changing.every(({chords}) => chords.every(chord => upper.test(chord))));
});

test('every item of the menu asks too', () => {
	for (const [name, key, verb] of [['menu of a waiting one', 'K', 'Cancel'], ['menu of a waiting one', 'X', 'Remove'], ['menu of a failed one', 'R', 'Retry']] as const) {
		const byKey = places[name]!();
		assert.deepEqual(byKey.press(key), []);
		assert.match(byKey.asked!.question, new RegExp(`^${verb} the \\w+ process`));
		assert.equal(byKey.state.overlays.length, 1);

		const byCursor = places[name]!();
		const {top} = byCursor;
		assert.equal(top?.kind, 'menu');
		const steps = top.items.findIndex(item => item.key === key);
		assert.deepEqual(byCursor.press(...Array.from({length: steps}, () => 'j'), 'enter'), []);
		assert.deepEqual(byCursor.asked, byKey.asked);
	}
});

test('no lowercase letter changes anything, wherever it is pressed', () => {
	const keys = [...'abcdefghijklmnopqrstuvwxyz0123456789[]/?!*-:', 'enter', 'esc', 'tab', ' ', 'backspace', 'delete', 'up', 'down', 'left', 'right', 'pgup', 'pgdn', 'ctrl-s', 'alt-x', 'f1', 'paste'];
	for (const [name, open] of Object.entries(places)) {
		for (const key of keys) {
			const console = open();
			assert.equal(console.press(key).some(effect => isChange(effect)), false, `${name}: ${key}`);
			assert.equal(name.startsWith('menu') && key === 'enter' ? undefined : console.asked, undefined, `${name}: ${key} asks`);
		}
	}
});
