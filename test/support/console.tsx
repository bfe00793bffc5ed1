import assert from 'node:assert/strict';
import {after} from 'node:test';
import {setImmediate} from 'node:timers/promises';
import {render} from 'ink-testing-library';
import {App} from '../../source/console/app.tsx';
import {Effects} from '../../source/console/effects.ts';
import {type State, initialState} from '../../source/console/state.ts';
import {Store} from '../../source/console/store.ts';
import {withoutStyle} from '../../source/console/terminal/width.ts';
import type {World} from '../../source/console/world.ts';
import {readSpecFile} from '../../source/commands/specs.ts';
import {brokerContext} from '../../source/contexts/index.ts';
import {visible} from '../../source/core/text.ts';
import type {Database} from '../../source/database/types.ts';
import type {Context} from '../../source/operations/index.ts';
import type {Colony} from './colony.ts';
import {type Home, freshHome} from './commands.ts';
import {bytesOf} from './terminal.ts';

export type Wanted = string | RegExp | ((lines: string[]) => boolean);

/** The console as a person has it in front of them. */
export type Person = {
	/** Presses keys by the names of their chords. */
	press: (...keys: string[]) => void;
	type: (text: string) => void;
	paste: (text: string) => void;
	/** Resolves when the screen shows it; looked at whenever something is drawn. */
	until: (wanted: Wanted) => Promise<void>;
	/** Resolves when it is so; looked at until then. */
	settled: (isSo: () => boolean) => Promise<void>;
	/** The rows as a person sees them. */
	lines: () => string[];
	frame: () => string;
	resize: (columns: number, rows: number) => void;
	/** Lets the clock of the console go on by milliseconds. */
	pass: (time: number) => void;
	state: () => State;
	/** What was copied to the clipboard. */
	copied: string[];
	home: Home;
	/** Whether the operator has left. */
	hasLeft: () => boolean;
	/** What became of a plan that leaving has stopped. */
	close: () => Promise<{outcomes: readonly string[]}>;
};

export type OpenOptions = {
	database: Database;
	/** Whose keys are in the keychain. */
	colonies?: readonly Colony[];
	home?: Home;
	columns?: number;
	rows?: number;
	readOnly?: boolean;
	contexts?: World['contexts'];
	choice?: World['choice'];
};

const patience = 20_000;

/** A context on a database that stays open when the context is closed, for many consoles look at one. */
function contextOn(database: Database): Context {
	const context = brokerContext(database, {kind: 'embedded', name: 'embedded', local: true});
	const stops: Array<() => void> = [];
	const noted = (stop: () => void) => {
		stops.push(stop);
		return stop;
	};

	return {
		...context,
		watch: hear => noted(context.watch(hear)),
		watchReachability: tell => noted(context.watchReachability(tell)),
		async close() {
			for (const stop of stops) {
				stop();
			}
		},
	};
}

/** Contexts that are this one database. */
export const contextsOf = (database: Database): World['contexts'] => ({
	open: async () => contextOn(database),
	create: async () => assert.fail('It makes no schema.'),
	addCell: async () => assert.fail('It adds no cell.'),
	copy: async () => assert.fail('It copies nothing.'),
	prepareDrop: async () => assert.fail('It drops nothing.'),
	resetRoot: async () => assert.fail('It forgets no password.'),
	openHosted: async () => assert.fail('It serves nothing.'),
	save: async () => assert.fail('It keeps no context.'),
	list: async () => [{name: 'embedded', kind: 'embedded', where: 'memory', current: true}],
	use: async () => assert.fail('It changes no context.'),
	forget: async () => assert.fail('It forgets no context.'),
});

/** Opens the console as `openConsole` does, drawn by Ink without a terminal. It is closed after the test. */
export async function open({database, colonies = [], home = freshHome(), columns = 100, rows = 30, readOnly = false, contexts = contextsOf(database), choice = {}}: OpenOptions): Promise<Person> {
	await Promise.all(colonies.map(async ({privateKeys, id}) => {
		await home.keychain.add(privateKeys[0]!);
		await home.keychain.describe(id, {kind: 'colony', name: 'mycolony', colonyid: id});
	}));
	const copied: string[] = [];
	let hasLeft = false;
	const store = new Store(initialState({columns, rows, now: Date.now(), version: '1.2.3', readOnly}), (effect, state) => {
		effects.run(effect, state);
	});
	const effects = new Effects({
		contexts, choice, keychain: home.keychain, settings: home.settings, version: '1.2.3', readOnly,
		openDemo: async () => assert.fail('It opens no demo.'),
		readSpec: async file => readSpecFile(file),
		print: async () => undefined,
	}, store.dispatch, {
		copy(text) {
			copied.push(text);
		},
		suspend: () => undefined,
		quit() {
			hasLeft = true;
		},
	});
	const {stdin, stdout, unmount} = render(<App store={store}/>);
	const watchers = new Set<() => void>();
	const faults: string[] = [];
	const look = (frame: string): void => {
		const {columns: width, rows: height} = store.get();
		const lines = frame.split('\n');
		for (const line of lines) {
			const bare = withoutStyle(line);
			if (bare !== visible(bare)) {
				faults.push(`Something that a terminal could obey stands in ${JSON.stringify(bare)}`);
			}
		}

		if (lines.length > height) {
			faults.push(`A frame of ${lines.length} lines in ${height} rows, ${width} columns:\n${frame}`);
		}

		for (const watcher of watchers) {
			watcher();
		}
	};

	const write = stdout.write.bind(stdout);
	stdout.write = frame => {
		write(frame);
		look(frame);
	};

	const fit = (width: number): void => {
		Object.defineProperty(stdout, 'columns', {value: width, configurable: true});
		stdout.emit('resize');
	};

	const frame = (): string => withoutStyle(stdout.lastFrame() ?? '');
	const lines = (): string[] => frame().split('\n').map(line => line.trimEnd());
	fit(columns);
	effects.run({type: 'open'}, store.get());

	const close = async () => {
		store.close();
		unmount();
		const {outcomes} = await effects.close();
		assert.deepEqual(faults, []);
		return {outcomes};
	};

	const person: Person = {
		press(...keys) {
			for (const key of keys) {
				stdin.write(bytesOf(key));
			}
		},
		type(text) {
			stdin.write(text);
		},
		paste(text) {
			stdin.write(`\u001B[200~${text}\u001B[201~`);
		},
		async until(wanted) {
			const isThere = () => typeof wanted === 'function' ? wanted(lines()) : (typeof wanted === 'string' ? frame().includes(wanted) : wanted.test(frame()));
			await new Promise<void>((resolve, reject) => {
				const check = (): void => {
					if (isThere()) {
						clearTimeout(timer);
						watchers.delete(check);
						resolve();
					}
				};

				const timer = setTimeout(() => {
					watchers.delete(check);
					reject(new Error(`The screen did not show ${String(wanted)}:\n${frame()}`));
				}, patience);
				watchers.add(check);
				check();
			});
			assert.deepEqual(faults, []);
		},
		async settled(isSo) {
			const end = Date.now() + patience;
			while (!isSo()) {
				assert.ok(Date.now() < end, `It did not become so: ${String(isSo)}\n${frame()}`);
				await setImmediate();
			}
		},
		lines,
		frame,
		resize(width, height) {
			fit(width);
			store.dispatch({type: 'resized', columns: width, rows: height});
		},
		pass(time) {
			store.dispatch({type: 'ticked', now: store.get().now + time});
		},
		state: store.get,
		copied,
		home,
		hasLeft: () => hasLeft,
		close,
	};
	opened.push(person);
	return person;
}

const opened: Person[] = [];

after(async () => {
	await Promise.all(opened.map(async person => person.close()));
});
