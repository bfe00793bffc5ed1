import {render} from 'ink';
import {App} from './app.tsx';
import {ScreenContext} from './components/painted.tsx';
import {compose, type Terminal} from './compose.ts';
import {openScreen} from './terminal/screen.ts';
import {setColour} from './terminal/style.ts';
import type {World} from './world.ts';

export type {World} from './world.ts';

/** Opens the console on a terminal and stays until the operator leaves. @returns the exit code */
export async function openConsole(world: World, terminal: Terminal): Promise<number> {
	const {stdin, stdout, env, ascii, debug} = terminal;
	const console = compose(world, terminal, () => screen);
	const {store, left} = console;
	const screen = openScreen({stdin, stdout, env, ascii, debug, async onEnd() {
		await console.abandon();
	}});
	setColour(screen.colour);
	screen.on('resize', () => {
		store.dispatch({type: 'resized', columns: screen.columns, rows: screen.rows});
	});
	const app = render(<ScreenContext value={screen}><App store={store}/></ScreenContext>, {
		stdin, stdout: screen.inkStdout, debug: true, patchConsole: false, exitOnCtrlC: false,
	});
	console.start();
	try {
		// A fault while drawing ends the app by itself, and is thrown here.
		await Promise.race([left, app.waitUntilExit()]);
	} finally {
		console.stop();
		app.unmount();
		await screen.close();
		await console.finish();
	}

	return 0;
}
