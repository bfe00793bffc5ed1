import assert from 'node:assert/strict';
import {keymap} from '../../source/console/keymap.ts';
import {screens} from '../../source/console/screens/index.ts';
import {hostileTexts} from './console-states.ts';
import {checkOutput, type OutputCheck} from './output-check.ts';
import type {Random} from './random.ts';
import {openSettled, type SettledTerminal} from './settled-terminal.ts';
import {bytesOf, type Exit, sane} from './terminal.ts';

/** One thing that a hand does at a terminal. */
export type Move = {name: string} & ({bytes: string} | {sizes: ReadonlyArray<readonly [number, number]>});

/** A question, or a form, as it stood on the screen when the key was pressed that may confirm it. */
export type Answered = {step: number; screen: string; key: string};

/** What may confirm a question or send a form: `y`, enter, and ctrl-s. */
const confirming = /[y\r\n\u0013]/;
/** What may end the console. */
const leaving = /[q\u0003]/;

const sizes = [[60, 15], [61, 16], [80, 24], [99, 20], [100, 30], [120, 36], [200, 50], [50, 10]] as const;
const names = ['left', 'right', 'up', 'down', 'home', 'end', 'backspace', 'delete', 'tab', 'shift-tab', 'ctrl-u', 'ctrl-w', 'ctrl-a', 'ctrl-e', 'f1', 'f5', 'alt-x', 'pgup', 'pgdn', 'esc'];
const texts = ['gpu', 'state:failed', 'age>5m', 'in.sensor=mast-1', 'err~memor', 'edge', '7', '1', '30', '0', 'secret', 'spare', 'é漢👩‍👩‍👧', '"', 'cores:4 -waiting', 'nobod', 'process', 'computer ', 'remove', 'approve', 'demo', 'rw', '{"a":', 'a=b'];
const junk = ['\u001B[1;5P', '\u001B[<0;10;10M', '\u001B[M !!', '\u001B[?1;2c', '\u001B]11;rgb:0/0/0\u0007', '\u001BP>|x\u001B\\', '\u001B[I\u001B[O', '\u009B', '\u0000', '\u001B[', '\u001B\u001B', '\u001B[999999999999C', '\u001B[31', '\u00C3', '\u001B[97;2:3u'];

const chords = [...new Set(keymap.flatMap(binding => binding.chords))];
const asksFirst = [...new Set(keymap.filter(({changes}) => changes).flatMap(binding => binding.chords))];

const key = (name: string): Move => ({name, bytes: bytesOf(name)});

function paste(text: string): Move {
	const typed = text.replaceAll('\u001B[201~', '').replaceAll('\n', '\r');
	return {name: `paste ${JSON.stringify(text.slice(0, 30))}`, bytes: `\u001B[200~${typed}\u001B[201~`};
}

function storm(random: Random): Move {
	const chosen = Array.from({length: 2 + random.below(20)}, () => random.pick(sizes));
	return {name: `${chosen.length} sizes up to ${chosen.at(-1)!.join('×')}`, sizes: chosen};
}

function resize(random: Random): Move {
	// Mostly with room, for in a small terminal no key means anything.
	const size = random.chance(0.9) ? random.pick(sizes.slice(0, -1)) : random.pick(sizes);
	return {name: size.join('×'), sizes: [size]};
}

/** Bytes that are no keys, ended so that they take no key behind them for their own. */
function noise(random: Random): Move {
	const bytes = random.pick([...junk, ...hostileTexts.map(text => text.slice(0, 200)), ...random.pick(junk)].filter(text => !confirming.test(text) && !leaving.test(text)));
	return {name: JSON.stringify(bytes), bytes: `${bytes}\u0018`};
}

/** What a hand may do next, whatever is on the screen. */
export function anyMove(random: Random): Move {
	const choice = random.below(1000);
	if (choice < 720) {
		return key(random.pick(chords.filter(chord => !leaving.test(bytesOf(chord)))));
	}

	if (choice < 780) {
		return key(random.pick(asksFirst));
	}

	if (choice < 860) {
		return key(random.pick(names));
	}

	if (choice < 920) {
		const text = random.pick(texts);
		return {name: JSON.stringify(text), bytes: text};
	}

	if (choice < 945) {
		return paste(random.pick([...hostileTexts, ...texts, 'Xy', 'y\ny\n', 'q']));
	}

	if (choice < 965) {
		return noise(random);
	}

	if (choice < 985) {
		return key(random.pick(['y', 'enter', 'ctrl-s']));
	}

	return choice < 997 ? resize(random) : storm(random);
}

/** Keys that must do nothing to a question: neither what confirms one nor what cancels it. */
export const idleMoves = (random: Random): Move[] => Array.from({length: 12}, () => random.pick(chords.filter(chord => !['y', 'n', 'q', 'esc', 'enter', 'ctrl-c', 'ctrl-z', 'ctrl-s'].includes(chord)))).map(chord => key(chord));

/** The way to a question: back to some screen, down to some row, and a key that changes something there. A console that was made read-only is let change things again. */
export function aimedMoves(random: Random, screen: string): Move[] {
	const name = random.pick(['processes', 'processes', 'processes', 'computers', 'computers', 'colonies'] as const);
	const changing = keymap.filter(({mode, changes}) => mode === name && changes).flatMap(binding => binding.chords);
	const again = screen.includes('| RO') || screen.includes('console is read-only') ? ['i', 'w', 'esc'] : [];
	if (screen.split('\n', 1)[0]!.includes(' spare ')) {
		// Nothing lives there.
		return ['esc', 'esc', 'esc', '4', 'g', 'enter'].map(chord => key(chord));
	}

	const marking = name === 'colonies' ? [[]] : [[], [' ', 'j', ' ', 'j', 'j', ' '], ['v', 'j', 'j', 'v']];
	return ['esc', 'esc', 'esc', ...again, screens[name].digit, ...Array.from({length: random.below(8)}, () => 'j'), ...random.pick(marking), random.pick(changing)].map(chord => key(chord));
}

export const mayConfirm = (move: Move): boolean => 'bytes' in move && !move.bytes.startsWith('\u001B[200~') && confirming.test(move.bytes);

/** Whether it gives the terminal away for a moment: what is pressed at that moment is heard by the terminal itself. */
export const maySuspend = (move: Move): boolean => 'bytes' in move && move.bytes.includes('\u001A');

/** Whether a question or a form waits for an answer on this screen. */
export const isAsked = (screen: string): boolean => / Cancel {2,}enter/.test(screen) || /enter to \S+ (?:it|them), esc/.test(screen.replaceAll(/\s+/g, ' ')) || screen.includes('ctrl-s send');

type WalkerOptions = {command: readonly string[]; home: string; env: Record<string, string | undefined>; random: Random};

/** Someone who presses keys in a real terminal, and looks at everything that comes out of it. */
export class Walker {
	/** Every confirming key that was pressed, with the screen before it. */
	readonly answered: Answered[] = [];
	/** How many moves were made. */
	step = 0;
	readonly #options: WalkerOptions;
	readonly #trail: string[] = [];
	#terminal!: SettledTerminal;
	#output!: OutputCheck;
	#fault: Error | undefined;
	#size: readonly [number, number] = [120, 36];
	/** Moves that may write to the clipboard, or end the console, since it was settled last. */
	#burst: Move[] = [];

	constructor(options: WalkerOptions) {
		this.#options = options;
	}

	/** What was pressed last, for whoever has to find out why. */
	get trail(): string {
		return this.#trail.slice(-60).join('  ');
	}

	get screen(): string {
		return this.#terminal.screen().join('\n');
	}

	/** Starts the console, and waits until the store is open. */
	async open(): Promise<void> {
		const {command, home, env} = this.#options;
		this.#size = [120, 36];
		this.#burst = [];
		const output = checkOutput(...this.#size);
		this.#output = output;
		this.#terminal = await openSettled({
			command, env: {COLONIES_HOME: home, ...env}, columns: this.#size[0], rows: this.#size[1],
			output: text => {
				try {
					output.take(text);
				} catch (error) {
					this.#fault ??= error as Error;
				}
			},
		});
		await this.until(screen => Boolean(screen[1]?.includes('WAIT')));
	}

	async until(isSo: (screen: string[]) => boolean): Promise<void> {
		await this.#terminal.until(isSo, {timeout: 60_000});
	}

	/** Makes a move, and waits for nothing. */
	make(move: Move): void {
		this.step++;
		this.#trail.push(`${this.step}:${move.name}`);
		this.#burst.push(move);
		if ('bytes' in move) {
			this.#terminal.send(move.bytes);
			return;
		}

		for (const [columns, rows] of move.sizes) {
			this.#output.resized(columns, rows);
			this.#terminal.resize(columns, rows);
			this.#size = [columns, rows];
		}
	}

	/** Presses a key that may confirm something, and remembers what was on the screen. The screen must be settled. */
	confirm(move: Move): void {
		this.answered.push({step: this.step + 1, screen: this.screen, key: move.name});
		this.make(move);
	}

	/** Waits until the console has done everything, and looks at it. @returns how it has ended, if it has */
	async settle(): Promise<'settled' | Exit> {
		let outcome = await this.#terminal.settle();
		while (outcome === 'settled' && !this.#output.isWhole() && !this.#output.isOut() && !this.#fault) {
			// A clock ticks, or somebody changed something: that frame is still to come.
			await this.until(() => this.#output.isWhole() || this.#output.isOut());
			outcome = await this.#terminal.settle();
		}

		const burst = this.#burst;
		this.#burst = [];
		if (this.#fault) {
			throw this.#fault;
		}

		const copies = this.#output.copies();
		const asked = burst.filter(move => 'bytes' in move && /[cC\r]/.test(move.bytes) && !move.bytes.startsWith('\u001B[200~')).length;
		assert.ok(copies <= asked, `The clipboard was written ${copies} times, and asked for ${asked} times at most.`);
		if (outcome !== 'settled') {
			const mayLeave = burst.some(move => 'bytes' in move && (leaving.test(move.bytes) || (move.bytes === 'y' && this.answered.at(-1)?.screen.includes('y Quit') === true) || (move.bytes === '\r' && this.answered.at(-1)?.screen.includes('┌ Palette'))));
			assert.ok(mayLeave, `The console ended by itself with ${JSON.stringify(outcome)}.`);
			// Whoever leaves at once learns at the shell of a change that was refused meanwhile.
			const isTold = this.answered.length > 0 && /^colonies: ./m.test(this.screen);
			assert.ok(outcome.signal === undefined && (outcome.code === 0 || isTold), `The console ended with ${JSON.stringify(outcome)}: ${this.screen}`);
			assert.deepEqual(await this.#terminal.sanity(), sane);
			await this.#terminal.close();
			return outcome;
		}

		this.#output.settled();
		if (!this.#output.isOut()) {
			await this.#look();
		}

		return outcome;
	}

	/** Leaves with ctrl-c, which in a question means no at first. */
	async leave(): Promise<void> {
		for (;;) {
			this.make(key('ctrl-c'));
			const outcome = await this.settle();
			if (outcome !== 'settled') {
				return;
			}

			if (this.#output.isOut()) {
				this.#burst.push(key('ctrl-c'));
				await this.#terminal.exit();
				await this.settle();
				return;
			}
		}
	}

	async close(): Promise<void> {
		await this.#terminal?.close();
	}

	/** What holds on every screen, once the console has heard of its size. */
	async #look(): Promise<void> {
		const [columns, rows] = this.#size;
		await this.#terminal.until(lines => {
			if (lines.length !== rows) {
				return false;
			}

			return columns < 60 || rows < 15
				? lines.join(' ').includes('needs 60 columns and 15 rows')
				// A long question in a small terminal stands over the header, too.
				: isAsked(lines.join('\n')) || (lines[0] !== '' && Object.values(screens).every(({digit}) => lines[2]!.includes(digit)) && (!lines[4]!.startsWith('┌') || lines.slice(5, rows - 2).some(line => line.startsWith('└'))));
		}, {timeout: 10_000});
	}
}
