import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {keymap} from '../source/console/keymap.ts';
import {layoutOf} from '../source/console/layout.ts';
import {screens} from '../source/console/screens/index.ts';
import {emptyList, type Overlay, type RowValue, screenNames} from '../source/console/state.ts';
import {Store} from '../source/console/store.ts';
import {withoutStyle} from '../source/console/terminal/width.ts';
import {sideLines} from '../source/console/views/detail.ts';
import {footerLines} from '../source/console/views/footer.ts';
import {headerLines} from '../source/console/views/frame.ts';
import {bodyLines, listLines} from '../source/console/views/list.ts';
import {overlayLines} from '../source/console/views/overlay-pages.ts';
import {
	attributeOf, Console, colonyOf, computerOf, failure, idOf, keyMessage, keyOf, lineOf, opened, pageOf, processOf, pulseView, start,
} from './support/console-states.ts';

type Detail = Extract<Overlay, {kind: 'detail'}>;

const isChange = ({type}: {type: string}): boolean => type === 'run' || type === 'forget-key' || type === 'send-form';

const footer = ({state}: Console): string => footerLines(state).map(line => withoutStyle(line)).join('\n');
const header = ({state}: Console): string => headerLines(state).map(line => withoutStyle(line)).join('\n');

/** A question about a computer. */
function asking(): Console {
	const console = opened({screen: 'computers'});
	console.press('A');
	assert.ok(console.asked);
	return console;
}

const everyKey = [...new Set([...keymap.flatMap(({chords}) => chords), ...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 äß漢', 'enter', 'esc', 'tab', 'backspace', 'ctrl-c', 'ctrl-y', 'alt-y', 'paste', 'f5'])];

test('the question names the store, the object and what comes of it; its default is Cancel', () => {
	const console = asking();
	assert.match(footer(console), /^embedded colony-0: Approve the computer edge-0 \([\da-f]{8}\)\?/);
	assert.match(footer(console), /\n Cancel {2}enter {3}y Approve .*It will receive/);
	const process = opened();
	process.press('j', 'X');
	assert.match(footer(process), new RegExp(`embedded colony-0: Remove the waiting process ${processOf(0).processid.slice(0, 8)}\\?`));
	const colony = opened({screen: 'colonies'});
	colony.tell({type: 'root-unlocked'});
	colony.press('j', 'X');
	assert.match(footer(colony), /^embedded: Remove the colony colony-1\?\s+All its computers, processes/);
});

test('on the narrowest terminal the question still says which computer, however long its name', () => {
	const console = opened({screen: 'computers', columns: 60, height: 15});
	console.load([computerOf(1, {name: '漢字'.repeat(40), status: 1})]);
	console.press('j', 'V');
	assert.match(footer(console), new RegExp(`^embedded colony-0: Disapprove the computer\\s+[漢字\\s]+ \\(${idOf('computer', 1).slice(0, 8)}\\)\\?`));
});

test('only y confirms; enter, esc, n, q and ctrl-c cancel, ! shows the command line, and everything else does nothing', () => {
	for (const key of everyKey) {
		const console = asking();
		const {asked} = console;
		const effects = console.press(key);
		if (key === 'y') {
			assert.deepEqual(effects, [{type: 'run', deed: asked!.deed}]);
			assert.equal(console.state.busy, 1);
		} else {
			assert.deepEqual(effects, [], key);
			assert.equal(console.state.overlays.some(({kind}) => kind === 'confirm'), !['enter', 'esc', 'n', 'q', 'ctrl-c'].includes(key), key);
		}
	}
});

test('the key that asked does not confirm, however often it is pressed', () => {
	for (const [screen, key] of [['computers', 'A'], ['computers', 'V'], ['computers', 'X'], ['processes', 'X'], ['keys', 'X']] as const) {
		const console = opened({screen});
		assert.deepEqual(console.press('j', key, key, key, key).filter(effect => isChange(effect)), []);
		assert.ok(console.asked);
	}
});

test('a colony goes only when its name is typed', () => {
	const removing = () => {
		const console = opened({screen: 'colonies'});
		console.tell({type: 'root-unlocked'});
		console.press('X');
		return console;
	};

	for (const wrong of ['', 'y', 'colony-', 'colony-00', 'Colony-0', 'yes']) {
		const console = removing();
		assert.deepEqual([...console.type(wrong), ...console.press('enter')], [], wrong);
		assert.ok(console.asked, 'the question is closed');
		assert.match(console.state.notice!.text, /does not fit/);
	}

	const console = removing();
	console.type('colony-1');
	console.press('backspace');
	console.type('0');
	const deed = {operation: 'colony.remove', input: {colonyid: idOf('colony', 0), name: 'colony-0'}, as: {kind: 'root', id: 'root', name: 'root'}, done: 'Removed the colony colony-0.'};
	assert.deepEqual(console.press('enter'), [{type: 'run', deed}]);

	const left = removing();
	left.type('colony-0');
	assert.deepEqual(left.press('esc', 'enter', 'y').filter(effect => isChange(effect)), []);
});

const printable = fc.array(fc.oneof(
	{weight: 4, arbitrary: fc.constantFrom(...'abcdxyqXAVRK?:/[]*-16 .')},
	fc.constantFrom('漢', '👩‍👩‍👧', 'é', 'e\u0301', '🇸🇪', '"', '{'),
), {minLength: 1, maxLength: 30});

test('in a text field every key is text', () => {
	const fields: Array<[open: () => Console, text: (top: Overlay) => string]> = [
		[() => pressed(opened({screen: 'computers'}), 'n'), top => top.kind === 'form' ? top.fields[0]!.edit.text : ''],
		[() => pressed(opened({screen: 'keys'}), 'n'), top => top.kind === 'form' ? top.fields[0]!.edit.text : ''],
		[() => pressed(opened(), '/'), top => top.kind === 'filter' ? top.edit.text : ''],
	];
	fc.assert(fc.property(printable, fc.constantFrom(...fields), (keys, [open, textOf]) => {
		const console = open();
		for (const key of keys) {
			// What may complete a filter is asked for, and nothing else happens.
			assert.deepEqual(console.tell({type: 'key', key, text: key}).filter(effect => !(effect.type === 'ask' && effect.ask.operation === 'filter.suggest')), []);
		}

		// Two that belong together, such as flags, are one from then on.
		assert.equal(textOf(console.top!), keys.join(''));
	}));
});

function pressed(console: Console, ...keys: string[]): Console {
	console.press(...keys);
	return console;
}

test('a paste is text too, on one line and without what a terminal could obey', () => {
	const console = pressed(opened(), '/');
	assert.deepEqual(console.tell({type: 'key', key: 'paste', text: 'type:gpu\nX\ny\u001B[31m q'}), []);
	assert.equal(console.top?.kind === 'filter' && console.top.edit.text, 'type:gpu X y[31m q');
	const list = opened({screen: 'computers'});
	assert.deepEqual(list.tell({type: 'key', key: 'paste', text: 'Ay'}), []);
	assert.equal(list.asked, undefined);
});

test('a form says what is missing before it is sent, and sends what is there', () => {
	const console = pressed(opened({screen: 'computers'}), 'n');
	assert.deepEqual(console.press('ctrl-s'), []);
	const form = console.top;
	assert.equal(form?.kind, 'form');
	assert.equal(form.fields[form.focus]!.error, 'Name is missing.');
	console.type('edge-9');
	console.press('down', 'down', 'down');
	console.type('many');
	assert.deepEqual(console.press('ctrl-s'), []);
	assert.match(console.top?.kind === 'form' ? console.top.fields[console.top.focus]!.error ?? '' : '', /Cores must be a whole number/);
	console.press('ctrl-u');
	console.type('8');
	const [sent] = console.press('ctrl-s');
	assert.deepEqual(sent, {type: 'send-form', purpose: 'register-computer', values: {file: '', name: 'edge-9', computertype: '', cpu: '', cores: '8', mem: '', gpu: '', gpus: ''}});
	assert.deepEqual(console.press('ctrl-s', 'enter', 'x'), [], 'it is sent twice');
	assert.equal(console.press('esc').length + (console.top?.kind === 'form' ? 0 : 1), 0, 'it is left while it is sent');
	console.tell({type: 'form-failed', error: failure('The name is taken.')});
	assert.ok(console.top?.kind === 'form' && !console.top.busy && console.top.error?.message === 'The name is taken.');
});

function lose(console: Console): void {
	console.tell({type: 'reached', reachable: false, since: console.state.now});
}

test('while the database is away no key and no question changes anything, and each says why', () => {
	for (const screen of screenNames.filter(name => name !== 'keys')) {
		const bindings = keymap.filter(({mode, changes}) => mode === screen && changes);
		for (const {chords} of bindings) {
			const console = opened({screen});
			console.tell({type: 'root-unlocked'});
			const rows: Partial<Record<typeof screen, (number: number) => RowValue>> = {
				processes: number => processOf(number, {status: chords[0] === 'R' ? 3 : 0}), computers: number => computerOf(number, {status: chords[0] === 'A' ? 0 : 1}), attention: number => lineOf(number),
			};
			console.load([0, 1].map(number => (rows[screen] ?? colonyOf)(number)));
			console.press('j');
			lose(console);
			assert.deepEqual(console.press(...chords), []);
			assert.equal(console.asked, undefined);
			assert.match(console.state.notice!.text, /database is away/, `${screen} ${chords.join(' ')}`);
		}
	}

	const asked = asking();
	lose(asked);
	assert.deepEqual(asked.press('y'), []);
	assert.match(asked.state.notice!.text, /database is away/);

	const form = pressed(opened({screen: 'computers'}), 'n');
	form.type('edge-9');
	lose(form);
	assert.deepEqual(form.press('ctrl-s'), []);
	assert.match(form.top?.kind === 'form' ? form.top.error!.message : '', /database is away/);
	form.tell({type: 'reached', reachable: true, since: start});
	assert.equal(form.press('ctrl-s')[0]?.type, 'send-form', 'what was typed is lost');

	const menu = pressed(opened(), 'j', 'x');
	lose(menu);
	assert.deepEqual(menu.press('X', 'y').filter(effect => isChange(effect)), []);
});

test('a banner says since when the database is away and how old the data is; it goes by itself', () => {
	const console = opened();
	lose(console);
	console.tell({type: 'ticked', now: start + 65_000});
	assert.match(header(console), /AWAY 1m05s old/);
	assert.match(footer(console), /The database is away for 1m05s; the data is 1m05s old\. Changes are refused until it is back\./);
	const effects = console.tell({type: 'reached', reachable: true, since: start + 70_000});
	assert.ok(effects.some(({type}) => type === 'load'));
	assert.ok(effects.some(({type}) => type === 'load-known'));
	assert.doesNotMatch(footer(console), /away/);
	console.load([processOf(0)]);
	assert.match(header(console), /live/);
});

test('a screen that is opened after the database went away says that it has no data yet, and why, and tells no age', () => {
	for (const screen of screenNames.filter(name => name !== 'keys')) {
		const console = opened({screen: screen === 'processes' ? 'computers' : 'processes'});
		console.state = {...console.state, lists: {...console.state.lists, [screen]: emptyList()}};
		console.tell({type: 'reached', reachable: false, since: start, reason: 'The database stopped: out of memory.'});
		console.press(screens[screen].digit);
		if (screen === 'pulse') {
			console.load([pulseView]);
		}

		assert.match(header(console), / AWAY, no data /, screen);
		assert.match(footer(console), /is away for 0s; there is no data yet\./, screen);
		const body = bodyLines(console.state).map(line => withoutStyle(line)).join('\n');
		assert.match(body, /No data yet\.[^]*The database stopped: out of memory\./, screen);
		assert.doesNotMatch(body, /Loading|Counting/, screen);
	}
});

test('nothing is read again while it is away or paused, and every two seconds otherwise', () => {
	const console = opened();
	assert.deepEqual(console.tell({type: 'ticked', now: start + 1000}), []);
	assert.ok(console.tell({type: 'ticked', now: start + 2000}).some(({type}) => type === 'load'));
	assert.deepEqual(console.tell({type: 'ticked', now: start + 4000}).filter(({type}) => type === 'load'), [], 'it is read while it is being read');
	console.load([processOf(0)]);
	console.press('p');
	assert.deepEqual(console.tell({type: 'ticked', now: start + 9000}, {type: 'changed', topics: new Set(['processes'])}), []);
	assert.match(header(console), /PAUSED 5s old/);
	assert.ok(console.press('p').some(({type}) => type === 'load'));
	console.load([processOf(0)]);
	lose(console);
	assert.deepEqual(console.tell({type: 'ticked', now: start + 20_000}), []);
});

test('what changes while a list is loading is read when it is there, once', () => {
	const console = opened();
	const changed = {type: 'changed', topics: new Set(['processes'])} as const;
	assert.equal(console.tell(changed).filter(({type}) => type === 'load').length, 1);
	assert.deepEqual(console.tell(changed, changed, changed).filter(({type}) => type === 'load'), []);
	assert.equal(console.load([processOf(0)]).filter(({type}) => type === 'load').length, 1);
	assert.equal(console.load([processOf(0)]).filter(({type}) => type === 'load').length, 0);
});

const keysButEscape = fc.array(fc.constantFrom(...everyKey.filter(key => !['esc', 'y', 'ctrl-s', 'enter', 'ctrl-c', 'q'].includes(key))), {maxLength: 30});

test('an error stays until esc', () => {
	fc.assert(fc.property(keysButEscape, keys => {
		const console = opened();
		console.tell({type: 'failed', error: failure('It did not work.')});
		for (const key of keys) {
			console.press(key);
			console.tell({type: 'ticked', now: console.state.now + 9000}, {type: 'changed', topics: new Set(['processes', 'computers'])});
			console.load([processOf(1)], undefined, 'processes');
		}

		assert.equal(console.state.error?.message, 'It did not work.');
	}), {numRuns: 50});
	const console = opened();
	console.tell({type: 'failed', error: failure('It did not work.')}, {type: 'done', text: 'Something else is done.'});
	assert.match(footer(console), /✗ It did not work\. Do something else\. \(esc clears\)/);
	console.press('esc');
	assert.doesNotMatch(footer(console), /did not work/);
});

test('a notice goes with the next key, or after a while', () => {
	const console = opened();
	console.tell({type: 'done', text: 'Approved edge-1.'});
	console.tell({type: 'ticked', now: start + 7000});
	assert.match(footer(console), /Approved edge-1/);
	console.tell({type: 'ticked', now: start + 8000});
	assert.doesNotMatch(footer(console), /Approved/);
	console.tell({type: 'done', text: 'Approved edge-2.'});
	console.press('j');
	assert.doesNotMatch(footer(console), /Approved/);
});

test('without the owner\'s key, read-only, or without a store, changes are refused with the reason', () => {
	const computer = opened({screen: 'computers'});
	computer.tell({type: 'known', colonies: [colonyOf(0, {as: [{kind: 'computer', id: idOf('computer', 0), name: 'edge-0'}]})]});
	assert.deepEqual(computer.press('A'), []);
	assert.match(computer.state.notice!.text, /needs the key of the colony owner.*6 Keys/);
	for (const screen of screenNames) {
		const console = opened({screen, readOnly: true});
		console.tell({type: 'root-unlocked'});
		for (const key of ['A', 'V', 'X', 'R', 'n']) {
			assert.deepEqual(console.press('j', key).filter(effect => isChange(effect)), []);
			assert.equal(console.state.overlays.length, 0, `${screen} ${key}`);
		}
	}

	const closed = new Console();
	for (const key of everyKey) {
		assert.deepEqual(closed.press(key).filter(({type}) => !['quit', 'suspend', 'load', 'remember', 'list-contexts'].includes(type)), []);
	}
});

test('on a terminal that is too small keys do nothing but leave', () => {
	for (const key of everyKey) {
		const console = asking();
		console.tell({type: 'resized', columns: 50, rows: 10});
		const expected = key === 'q' || key === 'ctrl-c' ? [{type: 'quit'}] : (key === 'ctrl-z' ? [{type: 'suspend'}] : []);
		assert.deepEqual(console.press(key), expected, key);
		assert.ok(console.asked);
	}
});

test('ctrl-c leaves from everywhere but a question, which it cancels; q only where it is no text', () => {
	for (const keys of [[], ['?'], ['j', 'enter'], ['j', 'x'], ['n']]) {
		assert.deepEqual(pressed(opened(), ...keys).press('ctrl-c'), [{type: 'quit'}]);
	}

	assert.deepEqual(pressed(opened(), 'n').press('q'), []);
	assert.deepEqual(pressed(opened(), '/').press('q', 'ctrl-c'), []);
	assert.deepEqual(pressed(opened(), '?').press('q'), [{type: 'quit'}]);
});

test('help is for the screen below it, and goes with the key that brought it', () => {
	const console = pressed(opened({screen: 'computers'}), '?');
	assert.equal(console.top?.kind, 'help');
	console.press('?');
	assert.equal(console.top, undefined);
});

test('a page scrolls to its end and back without a dead stretch', () => {
	const console = pressed(opened({height: 15}), '?', ...Array.from({length: 30}, () => 'pgdn'));
	const end = console.top?.kind === 'help' ? console.top.scroll : 0;
	assert.ok(end > 5 && end < 80, String(end));
	console.press('k');
	assert.equal(console.top?.kind === 'help' && console.top.scroll, end - 1);
	for (const view of ['d', 'a', 'y']) {
		const detail = pressed(opened({height: 15}), 'j', 'enter', view);
		const process = processOf(0);
		detail.tell({type: 'detailed', process: {...process, in: Array.from({length: 20}, (_, index) => ({attributeid: idOf('attribute', index), targetid: process.processid, attributetype: 0, key: `key${index}`, value: 'value'}))}});
		detail.press(...Array.from({length: 300}, () => 'j'));
		const last = detail.top?.kind === 'detail' ? detail.top.scroll : 0;
		assert.ok(last > 10 && last < 200, `${view} ${last}`);
		detail.press('g');
		assert.equal(detail.top?.kind === 'detail' && detail.top.scroll, 0);
	}
});

test('the filter is checked before it is applied, kept when it is wrong, and cleared by esc', () => {
	const console = pressed(opened(), '/');
	console.type('age>soon');
	assert.deepEqual(console.press('enter'), []);
	assert.match(footer(console), /age must be a span of time, not "soon"/);
	console.press('ctrl-u');
	console.type('type:gpu');
	const [load] = console.press('enter');
	assert.equal(load?.type, 'load');
	assert.equal(console.list.filter, 'type:gpu');
	console.load([]);
	assert.match(listLines(console.state).join('\n'), /No process matches \/type:gpu/);
	console.press('esc');
	assert.equal(console.list.filter, '');
});

test('an answer about another colony is not taken', () => {
	const console = opened();
	console.tell({type: 'counted', colonyid: idOf('colony', 1), counts: {waiting: 7, running: 7, successful: 7, failed: 7}, computers: {pending: 7, approved: 7, disapproved: 7}});
	assert.equal(console.state.counts, undefined);
	const {sequence} = console.list;
	console.press('4');
	console.load(console.state.known);
	console.press('j', 'enter');
	assert.equal(console.state.colony?.name, 'colony-1');
	console.tell({type: 'loaded', screen: 'processes', sequence, page: {rows: [processOf(5)], positions: [''], more: {before: false, after: false}}, at: start});
	assert.deepEqual(console.ids, []);
});

test('a colony that is gone takes everything about it off the screen', () => {
	const console = pressed(opened({rows: 1}), 'j', 'enter', 'x');
	console.tell({type: 'counted', colonyid: idOf('colony', 0), counts: {waiting: 7, running: 7, successful: 7, failed: 7}, computers: {pending: 7, approved: 7, disapproved: 7}}, {type: 'known', colonies: []});
	assert.deepEqual(console.state.overlays, []);
	assert.doesNotMatch(header(console), /WAIT 7|colony-0/);
	assert.match(footer(console), /colony-0 is gone/);
	assert.deepEqual(console.tell({type: 'ticked', now: start + 3000}).filter(({type}) => type === 'load-detail' || type === 'count'), []);
});

test('colonies that could not be read the first time are asked for again, one question at a time', () => {
	const console = new Console();
	console.tell({type: 'opened', context: {kind: 'database', name: 'db.example.com', place: 'there'}}, {type: 'not-known', error: failure('The database does not answer.', 'unavailable')});
	assert.match(listLines(console.state).join('\n'), /The database does not answer\./);
	assert.deepEqual(console.tell({type: 'ticked', now: start + 1000}), [{type: 'load-known', select: undefined}].map(({type}) => ({type})));
	assert.deepEqual(console.tell({type: 'ticked', now: start + 2000}), []);
	assert.match(listLines(console.state).join('\n'), /Loading/);
	console.tell({type: 'known', colonies: [colonyOf(0)]});
	assert.equal(console.state.colony?.name, 'colony-0');
});

test('the keys can be looked at while the database opens, and stay on the screen when it has', () => {
	const shows = ({state}: Console, text: string) => listLines(state).join('\n').includes(text);
	const console = new Console();
	const asked = console.press('6').find(({type}) => type === 'load');
	assert.ok(asked?.type === 'load' && shows(console, 'Opening the database'));
	console.tell({type: 'loaded', screen: 'keys', sequence: asked.sequence, page: pageOf([]), at: start});
	assert.ok(shows(console, 'The keychain is empty.'));
	console.tell({type: 'opened', context: {kind: 'database', name: 'db.example.com', place: 'there'}}, {type: 'known', colonies: []});
	assert.ok(shows(console, 'The keychain is empty.'));
	const waiting = new Console();
	waiting.tell({type: 'opened', context: {kind: 'database', name: 'db.example.com', place: 'there'}}, {type: 'known', colonies: []});
	assert.equal(waiting.state.screen, 'colonies');
});

test('a key that is added or removed changes who acts', () => {
	const console = opened({rows: 1});
	const owner = colonyOf(0).as[0]!;
	const computer = {kind: 'computer', id: idOf('computer', 1), name: 'edge-1'} as const;
	console.tell({type: 'known', colonies: [colonyOf(0, {as: [owner, computer]})]});
	console.press('i', '2');
	assert.deepEqual(console.state.acting, computer);
	console.tell({type: 'known', colonies: [colonyOf(0, {as: [owner, computer]})]});
	assert.deepEqual(console.state.acting, computer);
	console.tell({type: 'known', colonies: [colonyOf(0, {as: [owner]})]});
	assert.deepEqual(console.state.acting, owner);
});

test('copying takes the id or the JSON of what is open, and nothing that is not there yet', () => {
	const {processid} = processOf(0);
	const console = pressed(opened(), 'j');
	assert.deepEqual(console.press('c'), [{type: 'copy', text: processid, what: 'the id'}]);
	console.press('enter');
	assert.deepEqual(console.press('c'), [{type: 'copy', text: processid, what: 'the id'}]);
	assert.deepEqual(console.press('C'), []);
	assert.match(console.state.notice!.text, /still loading/);
	console.tell({type: 'detailed', process: processOf(0)});
	assert.deepEqual(console.press('C').map(effect => effect.type === 'copy' && (JSON.parse(effect.text) as {processid: string}).processid), [processid]);
});

test('a process with very much written on it can still be looked at', () => {
	const process = processOf(0);
	for (const value of ['\n'.repeat(5000), '漢'.repeat(5000), '👩‍👩‍👧'.repeat(700)]) {
		const attributes = Array.from({length: 300}, (_, index) => attributeOf(process, `key${index}`, value, 1));
		const console = pressed(opened({columns: 120}), 'j');
		console.tell({type: 'detailed', process: {...process, out: attributes}});
		assert.equal(sideLines(console.state).length, layoutOf(console.state).body);
		console.press('enter');
		assert.match(withoutStyle(overlayLines(console.top!, console.state)[0]!), / 1-22 of \d{4,}/);
		const {process: before} = console.top as Detail;
		console.tell({type: 'detailed', process: structuredClone({...process, out: attributes})});
		assert.equal((console.top as Detail).process, before, 'what has not changed is made anew');
	}
});

test('a key message carries its character as text', () => {
	assert.deepEqual(keyMessage('j'), {type: 'key', key: 'j', text: 'j'});
	assert.deepEqual(keyMessage('enter'), {type: 'key', key: 'enter'});
});

test('what is not on this machine is opened read-only, until the operator says otherwise', () => {
	const console = opened({screen: 'computers'});
	console.tell({type: 'opened', context: {kind: 'server', name: 'prod', place: 'the server at prod:8080', isLocal: false}});
	assert.equal(console.state.readOnly, 'elsewhere');
	assert.match(header(console), /\| RO\b/);
	assert.deepEqual(console.press('A'), []);
	assert.match(console.state.notice!.text, /not on this machine.*:rw/);
	console.press('i', 'w');
	assert.equal(console.state.readOnly, undefined);
	assert.match(console.state.notice!.text, /allowed now in prod/);
	console.press('A');
	assert.ok(console.asked);
	console.press('esc', 'i', 'r', 'A');
	assert.match(console.state.notice!.text, /read-only/);

	const flagged = opened({readOnly: true});
	flagged.press('i', 'w');
	assert.equal(flagged.state.readOnly, 'flag');
});

test('ages are told by the clock of the store, where it is another than this machine\'s', () => {
	const console = opened();
	assert.ok(console.state.answers.status?.loading);
	console.tell({type: 'ticked', now: start + 61_000});
	const told = (clock: string) => console.tell({type: 'asked', slot: 'status', sequence: console.state.answers.status!.sequence, result: {clock}, began: start + 61_000, at: start + 61_200});
	told('2026-01-01T00:01:01.500000Z');
	assert.equal(console.state.skew, 0);
	console.press('r');
	told('2026-01-01T01:01:01.100000Z');
	assert.equal(console.state.skew, 3_600_000);
	assert.match(listLines(console.state).map(line => withoutStyle(line)).join('\n'), /1h02m/);
});

test('a change that another key signs says so in its question', () => {
	const console = opened({screen: 'computers'});
	console.tell({type: 'known', colonies: [colonyOf(0, {as: [{kind: 'owner', id: idOf('colony', 0), name: 'colony-0'}, {kind: 'computer', id: idOf('computer', 0), name: 'edge-0'}]})]});
	console.press('A');
	assert.doesNotMatch(console.asked!.consequence!, /Signed as/);
	console.press('esc', 'i', '2', 'A');
	assert.equal(console.state.acting?.kind, 'computer');
	assert.match(console.asked!.consequence!, /^Signed as owner [\da-f]{4}\.\.[\da-f]{4}, not as computer/);
});

test('a computer is called by its name where it is known, made plain, and else by its id', () => {
	const console = opened();
	console.load([processOf(0, {status: 1})]);
	const rows = (): string => listLines(console.state).map(line => withoutStyle(line)).join('\n');
	assert.match(rows(), new RegExp(idOf('computer', 0).slice(0, 4)));
	const {sequence} = console.state.answers.names!;
	console.tell({type: 'asked', slot: 'names', sequence, result: pageOf([computerOf(0, {name: 'edge\u001B[2J'})]), began: start, at: start}, {type: 'ticked', now: start + 1000});
	assert.match(rows(), /edge<1B>\[2J|edge.*2J/);
	assert.doesNotMatch(rows(), /\u001B/);
});

test('a form into which something was typed is not thrown away without a word: esc and ctrl-c ask, and what was typed stays', () => {
	const typed = () => {
		const console = pressed(opened(), 'n');
		console.type('gpu');
		return console;
	};

	const form = typed();
	assert.deepEqual(form.press('esc'), []);
	assert.match(footer(form), /Discard what you typed\?/);
	for (const key of ['enter', 'esc', 'n', 'q', 'ctrl-c']) {
		form.press(key);
		assert.ok(form.top?.kind === 'form' && form.top.fields[form.top.focus]!.edit.text === 'gpu', key);
		form.press('esc');
	}

	form.press('x', 'a', 'ctrl-s', 'y');
	assert.deepEqual(form.state.overlays, []);

	const leaving = typed();
	assert.deepEqual(leaving.press('ctrl-c'), []);
	assert.match(footer(leaving), /Quit and lose what you typed\?/);
	leaving.press('n');
	assert.equal(leaving.top?.kind, 'form');
	assert.deepEqual(leaving.press('ctrl-c', 'y'), [{type: 'quit'}]);
	assert.deepEqual(typed().press('ctrl-c', 'ctrl-c'), [{type: 'quit'}]);

	// What was taken out again is not missed.
	const emptied = typed();
	emptied.press('backspace', 'backspace', 'backspace', 'esc');
	assert.deepEqual(emptied.state.overlays, []);
	assert.deepEqual(pressed(opened(), 'n').press('ctrl-c'), [{type: 'quit'}]);
});

test('keys that are typed while the store opens change nothing on the screen below, and say why', () => {
	for (const before of [() => new Console(), () => {
		const console = new Console();
		console.tell({type: 'opened', context: {kind: 'embedded', name: 'embedded', place: 'in memory'}});
		return console;
	}]) {
		for (const key of everyKey) {
			const console = before();
			const effects = console.press(key);
			const {paused, frozen, wide, utc, views, marks, lists, pulse, step} = before().state;
			const {state} = console;
			assert.deepEqual([state.paused, state.frozen, state.wide, state.utc, state.views, state.marks, state.pulse, state.step], [paused, frozen, wide, utc, views, marks, pulse, step], key);
			assert.deepEqual(Object.values(state.lists).map(({tab, filter, cursor, top}) => [tab, filter, cursor, top]), Object.values(lists).map(({tab, filter, cursor, top}) => [tab, filter, cursor, top]), key);
			assert.ok(state.overlays.every(({kind}) => ['help', 'palette', 'command-line', 'menu'].includes(kind)), key);
			assert.ok(effects.every(({type}) => ['quit', 'suspend', 'load', 'list-contexts', 'ask'].includes(type)), key);
		}
	}

	assert.match(pressed(new Console(), 'f').state.notice!.text, /not open yet/);
	const keychain = pressed(new Console(), '6');
	keychain.load([keyOf(0)]);
	assert.equal(pressed(keychain, 'n').top?.kind, 'form', 'the keychain is there at once');
});

test('what is offered at the first run takes no key from what the operator has opened meanwhile', () => {
	const console = pressed(new Console(), ':');
	console.type('serv');
	console.tell({type: 'opened', context: {kind: 'embedded', name: 'embedded', place: 'in memory'}}, {type: 'known', colonies: []});
	assert.equal(console.top?.kind, 'palette');
	console.press('esc');
	assert.equal(console.top?.kind, 'menu');
});

test('a key that comes before the first run has been drawn is not taken for an answer to it', t => {
	t.mock.timers.enable({apis: ['Date', 'setTimeout'], now: start});
	const store = new Store(new Console().state, () => undefined);
	store.dispatch({type: 'opened', context: {kind: 'embedded', name: 'embedded', place: 'in memory'}});
	store.dispatch({type: 'known', colonies: []});
	store.dispatch(keyMessage('1'));
	assert.equal(store.get().overlays.at(-1)?.kind, 'menu');
	store.dispatch(keyMessage('1'));
	assert.equal(store.get().overlays.at(-1)?.kind, 'form');
	store.close();
});

test('when the colony is gone, a form that was typed into stays, says so and is not sent, and one that is not about the colony stays as it is', () => {
	const lose = (console: Console): Console => {
		console.tell({type: 'known', colonies: []});
		return console;
	};

	const typed = pressed(opened(), 'n');
	typed.type('gpu');
	lose(typed);
	assert.ok(typed.top?.kind === 'form' && typed.top.fields[typed.top.focus]!.edit.text === 'gpu');
	assert.match(typed.top.error!.message, /^The colony .+ is gone, or the key/);
	// Another colony that is open by now gets nothing of it.
	typed.tell({type: 'known', colonies: [colonyOf(1)]});
	assert.equal(typed.state.colony?.colonyid, colonyOf(1).colonyid);
	assert.deepEqual(typed.press('ctrl-s').filter(effect => isChange(effect)), []);
	assert.match(typed.top?.kind === 'form' ? typed.top.error!.message : '', /colony of this form is gone/);
	typed.press('esc');
	assert.match(footer(typed), /Discard what you typed\?/);
	typed.press('y');
	assert.deepEqual(typed.state.overlays, []);

	const asked = pressed(opened(), 'n');
	asked.type('gpu');
	asked.press('esc');
	assert.equal(lose(asked).top?.kind, 'form');

	assert.deepEqual(lose(pressed(opened(), 'n')).state.overlays, []);
	assert.deepEqual(lose(pressed(opened(), 'j', 'enter')).state.overlays, []);
	const other = pressed(opened({screen: 'keys'}), 'n');
	const {top} = other;
	assert.equal(top?.kind, 'form');
	assert.equal(lose(other).top, top);
});

test('the form of an operation stays below its question, and goes only when it is done', () => {
	const sent = (): Console => {
		const console = pressed(opened(), 'g', ':');
		console.type('process retry');
		console.press('enter');
		assert.equal(console.top?.kind === 'form' ? console.top.operation : undefined, 'process.retry');
		console.press('shift-tab');
		console.type('waiting');
		console.press('ctrl-s');
		return console;
	};

	const typedIn = (console: Console): string | undefined => console.top?.kind === 'form' ? console.top.fields[console.top.focus]!.edit.text : undefined;
	const form = sent();
	const text = form.state.overlays.at(-2);
	assert.ok(form.asked && text?.kind === 'form');
	form.press('enter');
	assert.match(typedIn(form)!, /waiting$/);
	form.press('ctrl-s');
	const [run] = form.press('y');
	assert.equal(run?.type, 'run');
	form.press('esc');
	form.tell({type: 'form-failed', error: failure('It is not closed.')});
	assert.match(typedIn(form)!, /waiting$/);
	assert.equal(form.top?.kind === 'form' ? form.top.error!.message : '', 'It is not closed.');
	form.press('ctrl-s', 'y');
	form.tell({type: 'form-done', text: 'Done.'});
	assert.deepEqual(form.state.overlays, []);
	assert.equal(form.state.busy, 0);

	const lost = sent();
	lost.tell({type: 'known', colonies: []});
	assert.match(typedIn(lost)!, /waiting$/);
	lost.press('ctrl-s');
	assert.equal(lost.asked, undefined);
});
