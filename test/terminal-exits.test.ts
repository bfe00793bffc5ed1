import assert from 'node:assert/strict';
import {
	existsSync, mkdtempSync, readFileSync, rmSync, statSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import process from 'node:process';
import {after, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {lineageOf} from '../source/console/terminal/parents.ts';
import {
	type Terminal, type TerminalOptions, openTerminal, sane,
} from './support/terminal.ts';
import {eventually} from './support/eventually.ts';

// Bundled once, for it is started for every test.
const {build} = await import(new URL('../scripts/build.js', import.meta.url).href) as {build: (options: {entryPoints: Record<string, string>; outdir: string}) => Promise<unknown>};
const outdir = mkdtempSync(join(tmpdir(), 'exits-app-'));
after(() => {
	rmSync(outdir, {recursive: true, force: true});
});
await build({entryPoints: {app: fileURLToPath(new URL('fixtures/terminal-app.tsx', import.meta.url))}, outdir});
const program = [process.execPath, join(outdir, 'app.js')];

type Context = {after: (f: () => Promise<void>) => void};

async function start(t: Context, options: Partial<TerminalOptions> = {}): Promise<Terminal> {
	const terminal = openTerminal({
		command: program, columns: 60, rows: 10, ...options,
	});
	t.after(async () => terminal.close());
	return terminal;
}

async function open(t: Context, options: Partial<TerminalOptions> = {}): Promise<Terminal> {
	const terminal = await start(t, options);
	await terminal.until('header 60x10');
	return terminal;
}

function createFolder(t: Context): string {
	const folder = mkdtempSync(join(tmpdir(), 'exits-'));
	t.after(async () => {
		rmSync(folder, {recursive: true});
	});
	return folder;
}

const count = (text: string, part: string): number => text.split(part).length - 1;

test('quitting gives the terminal back, once', async t => {
	const terminal = await open(t);
	terminal.press('j', 'esc', 'p');
	await terminal.until('keys j esc p');
	assert.ok(!terminal.screen().join('\n').includes('printed'));
	terminal.press('q');
	assert.deepEqual(await terminal.exit(), {code: 0, signal: undefined});
	assert.deepEqual(await terminal.sanity(), sane);
	assert.equal(count(terminal.raw(), '\u001B[?1049l'), 1);
	assert.deepEqual(terminal.screen().slice(0, 3), ['printed by a library', 'goodbye', '']);
});

for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const) {
	test(`${signal} gives the terminal back, cleans up and ends`, async t => {
		const cleaned = join(createFolder(t), 'cleaned');
		const terminal = await open(t, {env: {CLEAN: cleaned}});
		terminal.signal(signal);
		assert.equal((await terminal.exit()).signal, signal);
		assert.deepEqual(await terminal.sanity(), sane);
		assert.equal(count(terminal.raw(), '\u001B[?1049l'), 1);
		assert.equal(readFileSync(cleaned, 'utf8'), `cleaned after ${signal}`);
	});
}

test('a crash gives the terminal back, then says what happened', async t => {
	for (const [key, message] of [['c', 'crashed on purpose'], ['r', 'rejected on purpose']] as const) {
		const terminal = await open(t);
		terminal.press(key);
		assert.deepEqual(await terminal.exit(), {code: 70, signal: undefined});
		assert.deepEqual(await terminal.sanity(), sane);
		assert.match(terminal.screen().join(''), new RegExp(message));
	}
});

test('a terminal that goes away ends the program, which still cleans up', async t => {
	const cleaned = join(createFolder(t), 'cleaned');
	const terminal = await open(t, {env: {CLEAN: cleaned}});
	terminal.hangUp();
	await eventually(() => existsSync(cleaned), 'the program did not hear of it');
	assert.match(readFileSync(cleaned, 'utf8'), /^cleaned after (SIGHUP|terminal gone)$/);
	await eventually(() => !terminal.running(), 'the program is still there');
});

test('a resize is drawn at the new size', async t => {
	const terminal = await open(t);
	terminal.resize(40, 6);
	await terminal.until('header 40x6');
	terminal.resize(80, 24);
	await terminal.until('header 80x24');
	terminal.press('q');
	await terminal.exit();
	assert.deepEqual(await terminal.sanity(), sane);
});

test('a paste arrives as one chord, a character cut by the line as one too', async t => {
	const terminal = await open(t);
	terminal.paste('två\nrader');
	await terminal.until('paste(två');
	terminal.press('å', 'f1', 'q');
	await terminal.exit();
	assert.deepEqual(await terminal.sanity(), sane);
});

test('a lone ESC is heard without another key', async t => {
	const terminal = await open(t);
	terminal.send('\u001B');
	await terminal.until('keys esc');
});

test('ctrl-z gives the shell its terminal, fg takes it again', async t => {
	const terminal = await start(t, {command: ['bash', '--norc', '--noprofile', '-i'], env: {PS1: 'shell> '}});
	await terminal.until('shell>');
	terminal.type(`${program.map(part => `'${part}'`).join(' ')}\r`);
	await terminal.until('header 60x10 keys');
	terminal.press('z');
	await terminal.until('Stopped');
	terminal.type('stty -a | grep -c " icanon .* echo "; echo "now $((6*7))"\r');
	await terminal.until('now 42');
	assert.deepEqual(terminal.screen().filter(line => line === '1').length, 1);
	assert.equal(terminal.raw().lastIndexOf('\u001B[?25h') > terminal.raw().lastIndexOf('\u001B[?25l'), true);
	terminal.type('fg\r');
	await terminal.until('header 60x10 keys z');
	terminal.press('j');
	await terminal.until('keys z j');
	terminal.press('q');
	await terminal.until('goodbye');
	terminal.type('exit\r');
	assert.equal((await terminal.exit()).code, 0);
	assert.deepEqual(await terminal.sanity(), sane);
});

test('a stop where no shell waits is gone on from at once', async t => {
	const terminal = await open(t);
	terminal.press('z', 'j');
	await terminal.until('keys z j');
	assert.equal(count(terminal.raw(), '\u001B[?1049h'), 2);
	terminal.signal('SIGCONT');
	terminal.press('k');
	await terminal.until('keys z j k');
});

test('a terminal that takes nothing stops neither the program nor its end', async t => {
	const pulse = join(createFolder(t), 'pulse');
	const terminal = await open(t, {env: {PULSE: pulse}});
	terminal.press('b');
	await terminal.until('100 2 ');
	terminal.stall();
	// So many frames, of 600 bytes each, that no buffer on the way holds them.
	const beats = statSync(pulse).size;
	await eventually(() => statSync(pulse).size > beats + 1000, 'the program stands still');
	terminal.signal('SIGTERM');
	assert.equal((await terminal.exit()).signal, 'SIGTERM');
});

test('a terminal that is slow sees whole frames and is sane at the end', async t => {
	const terminal = await open(t);
	terminal.press('b');
	await terminal.until('100 2 ');
	terminal.stall();
	terminal.unstall();
	terminal.press('q');
	await terminal.until('goodbye');
	await terminal.exit();
	assert.deepEqual(await terminal.sanity(), sane);
});

/** Quoted for a shell. */
const words = program.map(part => `'${part}'`).join(' ');

test('a shell that started it through another program, as npm is, has a sane terminal again when that one is killed', async t => {
	const folder = createFolder(t);
	const [between, cleaned] = [join(folder, 'between'), join(folder, 'cleaned')];
	const terminal = await start(t, {command: ['bash', '--norc', '--noprofile', '-i'], env: {PS1: 'shell> ', CLEAN: cleaned, BETWEEN: between}});
	await terminal.until('shell>');
	// A parent, and a shell of its own between it and the program: npm does the same.
	terminal.type(`sh -c 'echo $$ > "$BETWEEN"; sh -c "${words.replaceAll('\'', String.raw`'\''`)}; true"; true'\r`);
	await terminal.until('header 60x10 keys');
	process.kill(Number(readFileSync(between, 'utf8')), 'SIGTERM');
	await eventually(() => existsSync(cleaned), 'the program did not hear of it');
	terminal.type('stty -a | grep -c " icanon .* echo "; echo "now $((6*7))"\r');
	await terminal.until('now 42');
	assert.equal(terminal.screen().filter(line => line === '1').length, 1);
	assert.equal(terminal.raw().lastIndexOf('\u001B[?1049l') > terminal.raw().lastIndexOf('\u001B[?1049h'), true);
	assert.equal(terminal.raw().lastIndexOf('\u001B[?25h') > terminal.raw().lastIndexOf('\u001B[?25l'), true);
	terminal.type('exit\r');
	await terminal.exit();
});

test('a script that started it through another program has a sane terminal again, too', async t => {
	const folder = createFolder(t);
	const [between, cleaned] = [join(folder, 'between'), join(folder, 'cleaned')];
	const terminal = await open(t, {
		command: ['sh', '-c', 'sh -c \'echo $$ > "$BETWEEN"; "$@"; true\' sh "$@"; until [ -e "$CLEAN" ]; do sleep 0.05; done', 'sh', ...program],
		env: {CLEAN: cleaned, BETWEEN: between},
	});
	process.kill(Number(readFileSync(between, 'utf8')), 'SIGTERM');
	await terminal.exit();
	assert.equal(readFileSync(cleaned, 'utf8'), 'cleaned after SIGHUP');
	assert.deepEqual(await terminal.sanity(), sane);
});

test('one that was detached from whoever started it is watched for nobody', {skip: process.platform !== 'linux'}, async t => {
	const folder = createFolder(t);
	const [own, done] = [join(folder, 'own'), join(folder, 'done')];
	// A double fork: the shell between has ended before the program has begun.
	const terminal = await open(t, {
		command: ['sh', '-c', '(sh -c \'echo $$ > "$OWN"; exec "$@"\' sh "$@" </dev/tty; : > "$DONE") & until [ -e "$DONE" ]; do sleep 0.05; done', 'sh', 'setsid', '--wait', ...program],
		env: {OWN: own, DONE: done},
	});
	assert.deepEqual(lineageOf(Number(readFileSync(own, 'utf8'))), []);
	terminal.press('j');
	await terminal.until('keys j');
	terminal.press('q');
	await terminal.until('goodbye');
	await terminal.exit();
});
