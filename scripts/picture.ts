/**
Makes the pictures of the readme and of docs/tour.md from real runs of the built console: on an empty folder, on a colony that has worked for a day (pictures/colony.ts), and on the demo.
Needs `npm run build` first. Words after it choose pictures: `node --import tsx scripts/picture.ts tour`.
*/
import {mkdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {makeColony, rootPassword} from './pictures/colony.ts';
import {type Camera, openCamera} from './pictures/terminal.ts';

/** Does something with a folder that is removed afterwards. */
async function withHome(work: (home: string) => Promise<void>): Promise<void> {
	// Always the same one, for its path is in the pictures.
	const home = path.join(tmpdir(), 'colonies-tour');
	rmSync(home, {recursive: true, force: true});
	mkdirSync(home, {mode: 0o700});
	try {
		await work(home);
	} finally {
		rmSync(home, {recursive: true, force: true, maxRetries: 5});
	}
}

const inTour = (name: string): string => `docs/tour/${name}.svg`;

/** From nothing to the first computer. */
async function begin(camera: Camera): Promise<void> {
	await camera.until('Welcome to Colonies');
	camera.take(inTour('first-run'), 'The console with nothing configured');
	camera.press('1');
	await camera.until('> Name');
	camera.press('render-farm', 'enter', rootPassword);
	await camera.until('••••••');
	camera.take(inTour('register-colony'), 'Registering a colony');
	camera.press('enter');
	await camera.until('Password again');
	camera.press(rootPassword, 'enter');
	await camera.until('Registered the colony render-farm');
	camera.press('3');
	await camera.until('No computers found');
	camera.press('n');
	await camera.until('> Name');
	camera.press('lab1', 'down', 'render', 'down', 'AMD Ryzen 9 5950X', 'down', '32', 'down', '80326');
	await camera.until('80326');
	camera.press('ctrl-s');
	await camera.until(/> lab1 +\? pending/);
	camera.press('A');
	await camera.until(lines => lines.at(-2)!.includes('Approve the computer lab1') && !lines.join(' ').includes('Counting'));
	camera.take(inTour('approve'), 'The question before a computer is approved');
	camera.press('y');
	await camera.until(/> lab1 +✓ approved/);
}

/** What an operator does on a day like any other. */
async function operate(camera: Camera): Promise<void> {
	await camera.until('✓ successful');
	await camera.until('OK/h');
	camera.press('j', 'j');
	await camera.until(/││ (?:in|out) /);
	camera.take(inTour('watch'), 'Processes, the latest change first, with the one under the cursor beside');
	camera.press('1', ']', ']', ']', 'v');
	await camera.until(lines => /\[24h].*counted/.test(lines[3]!) && lines.some(line => line.includes('render')));
	camera.take(inTour('pulse'), 'A day of the colony on Pulse');

	camera.press('2', ']', ']', ']', ']');
	await camera.until('[failed]');
	await camera.until(/\[failed][^]*gpu_train/);
	camera.press('j', 'enter');
	await camera.until('error = ');
	camera.take(inTour('inspect'), 'A failed process, opened');

	camera.press('esc', '[', '[', '[', 'g');
	await camera.until(/\[waiting][^]*48/);
	camera.press('e');
	await camera.until('One fix away');
	camera.take(inTour('why'), 'Why a process waits, and the key that mends it');

	camera.press('esc', '[', '/', 'state:failed ended<2d', 'enter');
	await camera.until(/state:failed ended<2d/);
	await camera.until(lines => lines.filter(line => line.includes('✗ failed')).length > 5);
	camera.press('*');
	await camera.until(/marked/);
	camera.press('R');
	await camera.until(/Type \d+ and enter to retry them/);
	camera.take(inTour('retry'), 'A plan before it is carried out');
	camera.press('esc', 'esc', 'esc', 'esc', 'n');
	await camera.until('Submit a process to render-farm');
	camera.press('render', 'down', 'down', '3', 'down', '32000', 'down', '16', 'down', 'down', 'scene=bridge_7.blend, frames=1-800');
	await camera.until(lines => lines.join('\n').includes('frames=1-800') && !lines[3]!.includes('loading'));
	camera.take(inTour('submit'), 'Submitting a process');
	camera.press('esc');
	await camera.until('Discard what you typed?');
	camera.press('y', '7');
	await camera.until('computer.disapprove');
	camera.press('/', 'lab2', 'enter');
	await camera.until(lines => lines[3]!.includes('/lab2') && lines.filter(line => line.includes('computer.')).length >= 3);
	camera.press('g');
	await camera.until(/> .*computer.disapprove/);
	camera.take(inTour('who'), 'What was done to one computer, by whom');
	camera.press(':', 'retr');
	await camera.until('Palette');
	camera.take(inTour('palette'), 'The palette');
	camera.press('esc');
}

const runs: Record<string, (home: string) => Promise<void>> = {
	async console(home) {
		const camera = openCamera(home, {words: ['--demo'], columns: 120, rows: 36});
		await camera.until(lines => /OK\S* [2-9]\d/.test(lines[1] ?? '') && lines.some(line => line.includes('running')));
		camera.press('j', 'j', 'j', 'j');
		await camera.until(lines => lines.some(line => line.includes('│>')) && lines.some(line => /││ (?:in|out) /.test(line)));
		camera.take('docs/console.svg', 'The console with the demo at work');
		await camera.close();
	},
	async 'tour of the beginning'(home) {
		const camera = openCamera(home);
		await begin(camera);
		await camera.close();
	},
	async 'tour of a day'(home) {
		await makeColony(home);
		const camera = openCamera(home, {columns: 120, rows: 32});
		await operate(camera);
		await camera.close();
	},
};

const words = process.argv.slice(2);
for (const [name, run] of Object.entries(runs)) {
	if (words.length === 0 || words.some(word => name.includes(word))) {
		await withHome(run); // eslint-disable-line no-await-in-loop -- one after the other, for each takes all of a core
	}
}
