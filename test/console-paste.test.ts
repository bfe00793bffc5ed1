import assert from 'node:assert/strict';
import {type TestContext, test} from 'node:test';
import {Store} from '../source/console/store.ts';
import type {State} from '../source/console/state.ts';
import {createKeyParser} from '../source/console/terminal/keys.ts';
import {drawField, textLimits, textOf} from '../source/console/terminal/text-edit.ts';
import {editIn} from '../source/console/typed.ts';
import {opened} from './support/console-states.ts';
import {FixedConsole, goldenPlaces} from './support/golden-frames.ts';

/** Bytes that a terminal hands over at once. */
const chunkBytes = 4096;

/** What a terminal sends for a text that is pasted, with bracketed paste or without. */
const ways: Record<string, (text: string) => string> = {bracketed: text => `\u001B[200~${text}\u001B[201~`, plain: text => text};

const texts: Record<string, string> = {latin: 'state:failed ', han: '漢字仮名', emoji: '👩‍👩‍👧🇸🇪', marks: 'e\u0301'};

/** A console with a text field in it. */
const fields: Record<string, (console: FixedConsole) => void> = {
	filter: console => console.press('/'),
	palette: console => console.press(':'),
	moment: console => console.press('t'),
	form: console => console.press('n'),
	secret: console => console.press('6', 'n'),
	'name of a colony to be removed'(console) {
		console.tell({type: 'root-unlocked'});
		console.press('4', 'X');
	},
};

function paste(state: State, sent: string): {store: Store; draws: number} {
	const store = new Store(state, () => undefined);
	const parser = createKeyParser();
	let draws = 0;
	store.subscribe(() => {
		draws++;
		const edit = editIn(store.get().overlays.at(-1));
		drawField(edit ?? textOf(''), {width: 60});
	});
	const bytes = Buffer.from(sent);
	for (let at = 0; at < bytes.length; at += chunkBytes) {
		store.press(parser.feed(bytes.subarray(at, at + chunkBytes)));
	}

	store.close();
	return {store, draws};
}

/** Counts the units that are handed to the segmenter of graphemes. */
function countUnits(t: TestContext): () => number {
	let units = 0;
	const {segment} = Intl.Segmenter.prototype;
	t.mock.method(Intl.Segmenter.prototype, 'segment', function (this: Intl.Segmenter, text: string) {
		units += text.length;
		return segment.call(this, text);
	});
	return () => units;
}

for (const [field, open] of Object.entries(fields)) {
	for (const [way, send] of Object.entries(ways)) {
		test(`a paste into a text field costs an edit and a drawing for each piece that the terminal sends: ${field}, ${way}`, t => {
			const console = new FixedConsole(100, 30).opened();
			open(console);
			assert.ok(editIn(console.top), 'There is a text field.');
			const units = countUnits(t);
			for (const [name, part] of Object.entries(texts)) {
				const sent = send(part.repeat(Math.ceil(120_000 / part.length)));
				const before = units();
				const {store, draws} = paste(console.state, sent);
				const chunks = Math.ceil(Buffer.byteLength(sent) / chunkBytes);
				assert.ok(draws <= chunks + 1, `${name}: ${draws} drawings for ${chunks} pieces`);
				const {text, full} = editIn(store.get().overlays.at(-1))!;
				assert.ok(full !== undefined && text.length <= full && text.length > full - 16, `${name}: the field takes what fits, and says that it is full`);
				// A piece is cut into graphemes once as it is read, and the field a few times as it is edited and drawn.
				const bound = (3 * sent.length) + (chunks * 8 * (full + chunkBytes));
				assert.ok(units() - before <= bound, `${name}: ${units() - before} units were segmented, more than ${bound}`);
			}
		});
	}
}

test('twice the text costs about twice the work', t => {
	const units = countUnits(t);
	const cost = (length: number, send: (text: string) => string): number => {
		const console = new FixedConsole(100, 30).opened();
		console.press('n');
		const before = units();
		const {store} = paste(console.state, send('漢é👍'.repeat(length / 4)));
		assert.equal(editIn(store.get().overlays.at(-1))!.text.length, length);
		return units() - before;
	};

	const [once, twice] = [cost(20_000, ways.bracketed!), cost(40_000, ways.bracketed!)];
	assert.ok(twice < once * 2.2, `${once} units for 20,000, ${twice} for 40,000`);
});

test('what does not fit is left out, and that is said until the next key', () => {
	const console = new FixedConsole(100, 30).opened();
	console.press('/');
	console.tell({type: 'key', key: 'paste', text: 'x'.repeat(5000)});
	assert.match(console.frame(), /This field takes 4,096 characters; what did not fit was left out\./);
	assert.equal(editIn(console.top)!.text.length, textLimits.filter);
	console.press('backspace');
	assert.doesNotMatch(console.frame(), /This field takes/);
	for (const [keys, limit] of [[[':'], '500'], [['n'], '65,536'], [['6', 'n'], '1,000'], [['t'], '500']] as const) {
		const other = new FixedConsole(100, 30).opened();
		other.press(...keys);
		other.tell({type: 'key', key: 'paste', text: 'x'.repeat(70_000)});
		assert.match(other.frame(), new RegExp(`This field takes ${limit} characters; what did not fit was left out\\.`));
	}
});

test('keys that come at once mean the same as one after the other', () => {
	for (const keys of ['/gpu\u001B/cpu\u001B', ':comp\u001B3', 'njk\tA\u001B2jj', '/a\rjjx', 'x\u001Bjk q']) {
		const one = opened({rows: 5});
		const parser = createKeyParser();
		for (const chord of [...parser.feed(keys), ...parser.flush()]) {
			one.tell({type: 'key', ...chord});
		}

		const store = new Store(opened({rows: 5}).state, () => undefined);
		const other = createKeyParser();
		store.press([...other.feed(keys), ...other.flush()]);
		assert.deepEqual(store.get().overlays, one.state.overlays, keys);
		assert.deepEqual(store.get().lists[store.get().screen].cursor, one.cursor, keys);
		store.close();
	}
});

test('the count of a plan takes digits only, in one piece or many', () => {
	const console = goldenPlaces.get('plan')!(100, 30);
	assert.equal(console.top?.kind, 'plan');
	const store = new Store(console.state, () => undefined);
	store.press(createKeyParser().feed(`a1b2${'x'.repeat(5000)}3`));
	assert.equal(editIn(store.get().overlays.at(-1))?.text, '123');
	store.close();
});
