import process from 'node:process';
import {format} from 'node:util';

const methods = ['debug', 'error', 'info', 'log', 'trace', 'warn'] as const;

const limit = 64 * 1024;

/**
Keeps what libraries print (`console`, process warnings) away from the screen, where it would stand across the rows, until the terminal is restored.
Returns a function that ends this and gives what was printed, at most 64 Ki characters of it.
*/
export function holdConsole(): () => string {
	let held = '';
	const hold = (text: string): void => {
		held = (held + text + '\n').slice(0, limit);
	};

	const originals = methods.map(method => [method, console[method]] as const);
	for (const method of methods) {
		console[method] = (...values: unknown[]) => {
			hold(format(...values));
		};
	}

	const listeners = process.listeners('warning');
	const onWarning = (warning: Error): void => {
		hold(`${warning.name}: ${warning.message}`);
	};

	// Without listeners warnings were turned off, and stay so.
	if (listeners.length > 0) {
		process.removeAllListeners('warning');
		process.on('warning', onWarning);
	}

	return () => {
		for (const [method, original] of originals) {
			console[method] = original;
		}

		process.off('warning', onWarning);
		for (const listener of listeners) {
			process.on('warning', listener);
		}

		return held;
	};
}
