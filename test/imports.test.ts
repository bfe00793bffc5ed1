/* eslint-disable no-template-curly-in-string -- the sources of the examples have placeholders */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';
import ts from 'typescript';
import {groupBy} from '../source/core/group-by.ts';

type Row = {
	/** Rooms whose values and types may be imported. */
	values: string[];
	/** Rooms of which only types may. */
	types?: string[];
	/** Nothing from packages or from Node either. */
	isPure?: true;
};

/**
Who may import whom; the design's table of rooms. Every room may also import itself and core.
`index.ts` is what the package exports, `cli.tsx` the door, with what it composes in `door/`: it hands each face its context.
*/
const rooms: Record<string, Row> = {
	core: {values: [], isPure: true},
	identity: {values: []},
	database: {values: ['identity']},
	operations: {values: ['identity', 'database']},
	keychain: {values: ['identity']},
	remote: {values: ['identity', 'operations']},
	server: {values: ['identity', 'operations']},
	contexts: {values: ['database', 'operations', 'remote', 'server', 'keychain'], types: ['identity']},
	work: {values: ['remote'], types: ['operations']},
	commands: {values: ['keychain', 'operations']},
	console: {values: ['keychain', 'operations']},
	door: {values: ['keychain', 'operations', 'contexts', 'work', 'server'], types: ['commands']},
	'index.ts': {values: ['contexts', 'work', 'keychain', 'door'], types: ['operations']},
	'cli.tsx': {
		values: ['identity', 'operations', 'keychain', 'remote', 'server', 'contexts', 'work', 'commands', 'console', 'door', 'index.ts'],
	},
};

/** Files by their path from the root of the project, with `/`. */
type Sources = Map<string, string>;
type Import = {from: string; specifier: string; line: number; isType: boolean};

const root = fileURLToPath(new URL('..', import.meta.url));

function readSources(): Sources {
	const entries = fs.readdirSync(path.join(root, 'source'), {recursive: true, encoding: 'utf8'});
	const files = [...entries.map(entry => path.posix.join('source', entry.replaceAll(path.sep, '/'))), 'cli.tsx'];
	const isSource = (file: string): boolean => /\.[cm]?[jt]sx?$/.test(file) && fs.existsSync(path.join(root, file));
	return new Map(files.filter(file => isSource(file)).sort().map(file => [file, fs.readFileSync(path.join(root, file), 'utf8')]));
}

/** Every node of a file, in order. */
function * nodesOf(node: ts.Node): Generator<ts.Node> {
	yield node;
	const children: ts.Node[] = [];
	ts.forEachChild(node, child => {
		children.push(child);
	});
	for (const child of children) {
		yield * nodesOf(child);
	}
}

const parse = (file: string, text: string): ts.SourceFile => ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);

const isText = (node: ts.Node | undefined): node is ts.StringLiteralLike => node !== undefined && ts.isStringLiteralLike(node);

/** Whether nothing of an import or export declaration is left when types are erased. */
function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
	const names = ts.isImportDeclaration(node) ? node.importClause?.namedBindings : node.exportClause;
	const hasDefault = ts.isImportDeclaration(node) && node.importClause?.name !== undefined;
	const elements: readonly ts.ImportOrExportSpecifier[] = names !== undefined && (ts.isNamedImports(names) || ts.isNamedExports(names)) ? names.elements : [];
	const isMarked = ts.isImportDeclaration(node) ? node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword : node.isTypeOnly;
	return isMarked || (!hasDefault && elements.length > 0 && elements.every(element => element.isTypeOnly));
}

/** What a node imports: `import`, `export … from`, `import()`, `require()`, the type `import('…')`, and `new URL('…', import.meta.url)`, by which a worker is started. */
function importOf(node: ts.Node): {specifier: ts.Node | undefined; isType: boolean} | undefined {
	if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
		return {specifier: node.moduleSpecifier, isType: isTypeOnly(node)};
	}

	if (ts.isImportTypeNode(node)) {
		return {specifier: ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, isType: true};
	}

	if (ts.isExternalModuleReference(node)) {
		return {specifier: node.expression, isType: false};
	}

	const isCall = ts.isCallExpression(node) && (node.expression.kind === ts.SyntaxKind.ImportKeyword || node.expression.getText() === 'require');
	const isFile = ts.isNewExpression(node) && node.expression.getText() === 'URL' && node.arguments?.[1]?.getText() === 'import.meta.url';
	return isCall || isFile ? {specifier: node.arguments?.[0], isType: false} : undefined;
}

function importsOf(file: string, text: string): Import[] {
	const source = parse(file, text);
	return [...nodesOf(source)].flatMap(node => {
		const found = importOf(node);
		const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
		return found !== undefined && isText(found.specifier)
			? [{
				from: file, specifier: found.specifier.text, line, isType: found.isType,
			}]
			: [];
	});
}

const isRelative = (specifier: string): boolean => /^\.{0,2}\//.test(specifier);
const targetOf = ({from, specifier}: Import): string => path.posix.join(path.posix.dirname(from), specifier);
/** The room that a file is in: the folder under `source/`, or the name of a file that lies beside the folders. */
const roomOf = (file: string): string | undefined => file === 'cli.tsx' ? file : /^source\/([^/]+)/.exec(file)?.[1];

/** What is wrong with one import, or undefined. */
function faultOf(found: Import): string | undefined {
	const room = roomOf(found.from)!;
	const row = rooms[room];
	if (row === undefined) {
		return `${room} has no row in the table of rooms`;
	}

	if (!isRelative(found.specifier)) {
		return row.isPure ? `${room} imports nothing, no package and nothing of Node` : undefined;
	}

	const target = targetOf(found);
	if (target === 'package.json' && !row.isPure) {
		return undefined;
	}

	const other = roomOf(target);
	if (other === undefined || other === 'cli.tsx') {
		return `${room} imports nothing from outside source/`;
	}

	if (other === room || other === 'core' || row.values.includes(other)) {
		return undefined;
	}

	if (row.types?.includes(other)) {
		return found.isType ? undefined : `${room} imports only types from ${other} (import type)`;
	}

	const allowed = [...(room === 'core' ? [] : ['core']), ...row.values, ...(row.types ?? []).map(name => `${name} (types)`)];
	return `${room} imports ${allowed.join(', ') || 'nothing'}; not ${other}`;
}

const everyImport = (sources: Sources): Import[] => [...sources].flatMap(([file, text]) => importsOf(file, text));

function arrowFaults(sources: Sources): string[] {
	return everyImport(sources).flatMap(found => {
		const fault = faultOf(found);
		return fault === undefined ? [] : [`${found.from}:${found.line} imports '${found.specifier}': ${fault}.`];
	});
}

/** One line for each circle of imports, `a.ts → b.ts → a.ts`. An import of a type counts: two files that need each other are one. */
function circles(sources: Sources): string[] {
	const arrows = groupBy(everyImport(sources).filter(({specifier}) => isRelative(specifier)), ({from}) => from);
	const found: string[] = [];
	const finished = new Set<string>();
	const visit = (file: string, way: string[]): void => {
		if (way.includes(file)) {
			found.push(`${[...way.slice(way.indexOf(file)), file].join(' → ')}: files import each other in a circle.`);
		} else if (!finished.has(file)) {
			for (const target of new Set(arrows.get(file)?.map(each => targetOf(each)))) {
				visit(target, [...way, file]);
			}

			finished.add(file);
		}
	};

	for (const file of sources.keys()) {
		visit(file, []);
	}

	return found;
}

// As statements are written: a verb all small or all large that begins a text, a line or what is in brackets. A sentence begins with one capital.
const statement = /(?:^|[\n();])\s*(?:(?:select|SELECT)\s[^]*?\s(?:from|FROM)\s|(?:insert|INSERT)\s+(?:into|INTO)\s|(?:update|UPDATE)\s[^]*?\s(?:set|SET)\s|(?:delete|DELETE)\s+(?:from|FROM)\s)/;

/** Texts that hold an SQL statement outside database/, with and without placeholders. */
function sqlFaults(sources: Sources): string[] {
	return [...sources].filter(([file]) => roomOf(file) !== 'database').flatMap(([file, text]) => {
		const source = parse(file, text);
		const texts = [...nodesOf(source)].filter(node => ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node) || ts.isTemplateExpression(node));
		const lineOf = (node: ts.Node): number => source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
		return texts.filter(node => statement.test(node.getText().slice(1, -1))).map(node => `${file}:${lineOf(node)} holds SQL: only database/ does.`);
	});
}

const sources = readSources();

test('every import follows an arrow of the table of rooms', () => {
	assert.ok(sources.size > 20, 'The sources are found.');
	assert.deepEqual(arrowFaults(sources), []);
});

test('no files import each other in a circle', () => {
	assert.deepEqual(circles(sources), []);
});

test('only database/ holds SQL', () => {
	assert.deepEqual(sqlFaults(sources), []);
});

test('the door has at most 60 lines', () => {
	const lines = (sources.get('cli.tsx') ?? '').trimEnd().split('\n').length;
	assert.ok(lines <= 60, `cli.tsx has ${lines} lines; it composes and decides nothing.`);
});

test('an import that the table does not have is found, however it is written', () => {
	const faults = (file: string, text: string): string[] => arrowFaults(new Map([[file, text]]));
	for (const text of [
		'import {run} from \'../operations/index.ts\';',
		'import \'../operations/index.ts\';',
		'import type {Run} from \'../operations/index.ts\';',
		'export * from \'../operations/index.ts\';',
		'export type {Run} from \'../operations/index.ts\';',
		'const a = () => import(\'../operations/index.ts\');',
		'const a = await import(`../operations/index.ts`);',
		'type A = import(\'../operations/index.ts\').Run;',
		'const a = require(\'../operations/index.ts\');',
		'import a = require(\'../operations/index.ts\');',
		'new Worker(new URL(\'../operations/index.ts\', import.meta.url));',
	]) {
		assert.deepEqual(faults('source/keychain/a.ts', `\n${text}`), ['source/keychain/a.ts:2 imports \'../operations/index.ts\': keychain imports core, identity; not operations.'], text);
	}

	assert.match(faults('source/work/a.ts', 'import {run} from \'../operations/index.ts\';').join(''), /work imports only types from operations/);
	assert.match(faults('source/work/a.ts', 'import {type Run, run} from \'../operations/index.ts\';').join(''), /only types/);
	assert.match(faults('source/work/a.ts', 'import run, {type Run} from \'../operations/index.ts\';').join(''), /only types/);
	assert.match(faults('source/core/a.ts', 'import fs from \'node:fs\';').join(''), /core imports nothing, no package/);
	assert.match(faults('source/console/a.ts', 'import {x} from \'../../cli.tsx\';').join(''), /nothing from outside source/);
	assert.match(faults('source/utils/a.ts', 'import fs from \'node:fs\';').join(''), /utils has no row/);
	assert.match(faults('cli.tsx', 'import {x} from \'./source/database/index.ts\';').join(''), /not database/);
});

test('imports that the table has are let through', () => {
	assert.deepEqual(arrowFaults(new Map([
		['source/work/a.ts', 'import {type Run} from \'../operations/index.ts\'; import type {A} from \'../operations/define.ts\'; import {x} from \'../remote/index.ts\'; import b from \'./b.ts\';'],
		['source/contexts/a.ts', 'import type {Identity} from \'../identity/index.ts\'; const a = await import(\'../server/index.ts\'); import p from \'../../package.json\';'],
		['cli.tsx', 'const {startConsole} = await import(\'./source/console/index.tsx\');'],
	])), []);
});

test('a circle is found, also over types and through three files', () => {
	assert.deepEqual(circles(new Map([
		['source/core/a.ts', 'import {b} from \'./b.ts\';'],
		['source/core/b.ts', 'import type {C} from \'./deep/c.ts\'; import \'./d.ts\';'],
		['source/core/deep/c.ts', 'export * from \'../a.ts\';'],
		['source/core/d.ts', ''],
	])), ['source/core/a.ts → source/core/b.ts → source/core/deep/c.ts → source/core/a.ts: files import each other in a circle.']);
});

test('SQL is told from a sentence', () => {
	const faults = (text: string): number => sqlFaults(new Map([['source/operations/a.ts', text]])).length;
	for (const text of [
		'`select * from processes where id = $1`',
		'\'delete from computers where true\'',
		'`with gone as (\n\tdelete from computers returning *) ${rest}`',
		'`INSERT INTO ${table} (a)`',
		'`update ${table}\nset status = 1 `',
		'`\n\tselect id\n\tfrom ${table} for update`',
	]) {
		assert.equal(faults(text), 1, text);
	}

	for (const text of [
		'\'Select a computer from the list\'',
		'`Delete from here ${on}`',
		'\'Update the settings, then set it\'',
		'\'selected from many\'',
		'\'Press space to select a row from the list\'',
		'// select a from b \n\'\'',
	]) {
		assert.equal(faults(text), 0, text);
	}
});
