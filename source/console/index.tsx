import {render} from 'ink';
import {ColoniesError} from '../core/errors.ts';
import {App} from './app.tsx';
import {ScreenContext} from './components/painted.tsx';
import {Effects} from './effects.ts';
import {type ErrorText, initialState} from './state.ts';
import {Store} from './store.ts';
import {openScreen} from './terminal/screen.ts';
import {setColour} from './terminal/style.ts';
import type {World} from './world.ts';

export type {World} from './world.ts';

type Terminal = {stdin: NodeJS.ReadStream; stdout: NodeJS.WriteStream; env: NodeJS.ProcessEnv; demo: boolean; debug: boolean};

/** OSC 52: the terminal's clipboard, where it allows that. */
const copySequence = (text: string): string => `\u001B]52;c;${Buffer.from(text).toString('base64')}\u0007`;

/** Opens the console on a terminal and stays until the operator leaves. @returns the exit code */
export async function openConsole(world: World, {stdin, stdout, env, demo, debug}: Terminal): Promise<number> {
	let leave: () => void = () => undefined;
	const left = new Promise<void>(resolve => {
		leave = resolve;
	});
	const screen = openScreen({stdin, stdout, env, debug, async onEnd() {
		await effects.close();
	}});
	setColour(screen.colour);
	const store = new Store(
		initialState({columns: screen.columns, rows: screen.rows, now: Date.now(), version: world.version, readOnly: world.readOnly}),
		(effect, state) => {
			effects.run(effect, state);
		},
	);
	const effects = new Effects(world, store.dispatch, {
		copy(text) {
			stdout.write(copySequence(text));
		},
		suspend() {
			screen.suspend();
		},
		quit: leave,
	});
	screen.on('resize', () => {
		store.dispatch({type: 'resized', columns: screen.columns, rows: screen.rows});
	});
	const clock = setInterval(() => {
		store.dispatch({type: 'ticked', now: Date.now()});
	}, 1000);
	const app = render(<ScreenContext value={screen}><App store={store}/></ScreenContext>, {
		stdin, stdout: screen.inkStdout, debug: true, patchConsole: false, exitOnCtrlC: false,
	});
	effects.run({type: 'open', demo}, store.get());
	let failure: ErrorText | undefined;
	try {
		// A fault while drawing ends the app by itself, and is thrown here.
		await Promise.race([left, app.waitUntilExit()]);
	} finally {
		clearInterval(clock);
		store.close();
		app.unmount();
		await screen.close();
		failure = await effects.close();
		// An opening under way, of a database that does not answer, keeps the shell waiting no longer than this.
		setTimeout(() => {
			process.exit(); // eslint-disable-line unicorn/no-process-exit
		}, 2000).unref();
	}

	if (failure) {
		throw new ColoniesError(failure.code, failure.message, {hint: failure.hint});
	}

	return 0;
}
