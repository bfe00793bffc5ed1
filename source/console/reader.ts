import {visible} from '../core/text.ts';
import {compose, type Terminal} from './compose.ts';
import {toAscii} from './terminal/ascii.ts';
import {listenToKeys} from './terminal/keys.ts';
import {Ownership} from './terminal/ownership.ts';
import {setColour} from './terminal/style.ts';
import type {State} from './state.ts';
import {editIn} from './typed.ts';
import {spoken} from './views/spoken.ts';
import type {World} from './world.ts';

/** What was typed into the text field that is open, as it may be echoed; undefined where there is none. */
function typedText({overlays}: State): {text: string; isSecret: boolean} | undefined {
	const top = overlays.at(-1);
	const edit = editIn(top);
	return edit && {text: edit.text, isSecret: top?.kind === 'form' && top.fields[top.focus]!.kind === 'secret'};
}

/**
The console for a screen reader: the same keys, and line after line of what changes in place of a screen. Nothing is ever drawn over, and nothing is said that nobody asked for but what was done,
what went wrong, and what happens to the row under the cursor.
@returns the exit code
*/
export async function openReader(world: World, terminal: Terminal): Promise<number> {
	const {stdin, stdout, ascii, debug} = terminal;
	const shown = (text: string): string => ascii ? toAscii(text) : text;
	setColour(false);
	const console = compose(world, terminal, () => ({
		columns: stdout.columns, rows: stdout.rows,
		suspend() {
			ownership.suspend();
		},
		async close() {
			ownership.close();
		},
	}));
	const {store, left} = console;
	let before = store.get();
	let isOpenLine = false;
	const say = (lines: readonly string[]): void => {
		if (lines.length > 0) {
			stdout.write(`${isOpenLine ? '\r\n' : ''}${lines.map(line => shown(line)).join('\r\n')}\r\n`);
			isOpenLine = false;
		}
	};

	const ownership = new Ownership({stdin, stdout, debug, linear: true, async onEnd() {
		await console.abandon();
	}}, {onTaken: () => undefined, onResize: () => undefined});
	store.subscribe(() => {
		const now = store.get();
		const [old, typed] = [typedText(before), typedText(now)];
		const lines = spoken(before, now);
		if (old && typed && lines.length === 0 && typed.text !== old.text) {
			const added = typed.text.startsWith(old.text) ? typed.text.slice(old.text.length) : ` [${typed.isSecret ? 'changed' : visible(typed.text)}] `;
			stdout.write(typed.isSecret ? '*'.repeat([...added].length) : shown(visible(added)));
			isOpenLine = true;
		}

		before = now;
		say(lines);
	});
	say(['Colonies for a screen reader. Question mark lists the keys, q leaves.']);
	const stopListening = listenToKeys(stdin, store.press);
	// The size of the terminal means nothing here, and must keep nobody out.
	store.dispatch({type: 'resized', columns: 120, rows: 50});
	console.start();
	try {
		await left;
	} finally {
		console.stop();
		stopListening();
		ownership.close();
		await console.finish();
	}

	return 0;
}
