import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {
	existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {after, describe, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));

type Metafile = {outputs: Record<string, {imports: Array<{path: string; kind: string; external?: boolean}>}>};
const {build} = await import(new URL('../scripts/build.js', import.meta.url).href) as {build: (options: {entryPoints: Record<string, string>; outdir: string}) => Promise<Metafile>};

void describe('the bundle', () => {
	// Below the root, where the one package that is not in the bundle is found.
	const outdir = path.join(root, 'node_modules', '.cache', 'colonies-tui', `test-${process.pid}`);
	const home = mkdtempSync(path.join(tmpdir(), 'colonies-bundle-'));
	mkdirSync(outdir, {recursive: true});

	after(() => {
		rmSync(outdir, {recursive: true, force: true});
		rmSync(home, {recursive: true, force: true});
	});

	void test('opens the embedded database from the archive that it brings, and draws with ink-table', async () => {
		const source = path.join(outdir, 'entry.tsx');
		writeFileSync(source, `
			import process from 'node:process';
			import {Text, render} from 'ink';
			import {Table} from '../../../../source/console/terminal/ink-table.ts';
			const {unmount} = render(<Table data={[{key: 'a', value: '1'}]}/>, {debug: true});
			unmount();
			const {openEmbedded} = await import('../../../../source/database/embedded/index.ts');
			const database = await openEmbedded({folder: process.argv[2]});
			const {rows} = await database.query('select 42 as answer');
			await database.close();
			process.stdout.write(JSON.stringify(rows));
		`);
		const {outputs} = await build({
			entryPoints: {entry: source, 'embedded-worker': path.join(root, 'source', 'database', 'embedded', 'embedded-worker.js')},
			outdir,
		});
		const external = Object.values(outputs).flatMap(({imports}) => imports.filter(({external}) => external).map(({path: name}) => name));
		assert.deepEqual([...new Set(external)].filter(name => !name.startsWith('node:') && name.startsWith('@')), ['@electric-sql/pglite']);

		const folder = path.join(home, 'embedded');
		const {stdout} = await promisify(execFile)(process.execPath, [path.join(outdir, 'entry.js'), folder], {
			env: {PATH: process.env.PATH, HOME: home, TMPDIR: home, NODE_ENV: ''},
		});
		assert.match(stdout, /│ a +│ 1 +│/);
		assert.match(stdout, /\[{"answer":42}]$/);
		assert.ok(existsSync(path.join(folder, 'data', 'PG_VERSION')));
		assert.equal(statSync(path.join(outdir, 'template.tar.gz')).mode & 0o444, 0o444); // eslint-disable-line no-bitwise -- a mode is a set of bits
	});
});
