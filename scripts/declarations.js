/**
Makes `dist/index.d.ts`: the types of what the package exports, in one file that needs no other, not even `@types/node`.
It is what `source/index.ts` exports and whatever that names, as the compiler declares it; what each operation takes and answers is written out, for it is inferred from schemas that are not shipped.
*/
import fs from 'node:fs/promises';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The files whose declarations may be taken, of those in `source/`. A name stands for one thing in all of them. */
const places = ['index', 'core/types', 'core/errors', 'database/pages', 'database/events', 'work/types'];

/** The type that is written out, under the name that it is exported as. */
const written = {place: 'operations/registry', from: 'OperationTypes', as: 'Operations'};

const fileOf = place => path.join(root, 'source', `${place}.ts`);

function createProgram() {
	const {config} = ts.readConfigFile(path.join(root, 'tsconfig.json'), ts.sys.readFile);
	const {options} = ts.parseJsonConfigFileContent(config, ts.sys, root);
	return ts.createProgram([fileOf('index')], {...options, noEmit: false, declaration: true, emitDeclarationOnly: true});
}

/** What the compiler declares of a file, as a syntax tree. */
function declarationsOf(program, place) {
	let text;
	program.emit(program.getSourceFile(fileOf(place)), (_, content) => {
		text = content;
	}, undefined, true);
	return ts.createSourceFile(`${place}.d.ts`, text, ts.ScriptTarget.Latest, true);
}

const namesOf = statement => ts.isVariableStatement(statement) ? statement.declarationList.declarations.map(({name}) => name.text) : [statement.name?.text].filter(Boolean);

const isLink = node => ts.isImportDeclaration(node) || ts.isExportDeclaration(node);

/** The text of a statement with the comment before it, no longer exported. */
const textOf = statement => statement.getFullText().trim().replace(/^((?:\/\*\*[^]*?\*\/\s*)?)export (declare )?/, (_, comment, declare) => `${comment}${declare ?? (ts.isTypeAliasDeclaration(statement) || ts.isInterfaceDeclaration(statement) ? '' : 'declare ')}`);

/** Every identifier of a statement: whatever it may need. */
function identifiersIn(node, found = new Set()) {
	if (ts.isIdentifier(node)) {
		found.add(node.text);
	}

	ts.forEachChild(node, child => {
		identifiersIn(child, found);
	});
	return found;
}

/** What a module exports: its own declarations, and what it hands on from others, by the name outside and inside, and whether it is a type alone. */
function exportsOf(source) {
	return source.statements.flatMap(statement => {
		if (ts.isExportDeclaration(statement) && statement.exportClause) {
			return statement.exportClause.elements.map(({name, propertyName, isTypeOnly}) => ({name: name.text, local: (propertyName ?? name).text, isType: statement.isTypeOnly || isTypeOnly}));
		}

		const isExported = statement.modifiers?.some(({kind}) => kind === ts.SyntaxKind.ExportKeyword);
		const isType = ts.isTypeAliasDeclaration(statement) || ts.isInterfaceDeclaration(statement);
		return isExported ? namesOf(statement).map(name => ({name, local: name, isType})) : [];
	});
}

/** Writes types out: by their names where those are declared, else by what they are made of. */
function createWriter(checker, isDeclared) {
	const listed = (types, glue) => types.map(type => write(type)).join(glue);
	const write = type => {
		const {aliasSymbol, aliasTypeArguments: given = []} = type;
		if (aliasSymbol && (isDeclared(aliasSymbol.name) || aliasSymbol.name === 'Record')) {
			return `${aliasSymbol.name}${given.length > 0 ? `<${listed(given, ', ')}>` : ''}`;
		}

		if (checker.isArrayType(type)) {
			return `Array<${listed(checker.getTypeArguments(type), '')}>`;
		}

		if (type.isUnion() && !(type.flags & ts.TypeFlags.Boolean)) { // eslint-disable-line no-bitwise
			return tidy(type.types.map(each => write(each))).join(' | ');
		}

		return type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection) ? writeObject(type) : checker.typeToString(type, undefined, ts.TypeFormatFlags.NoTruncation); // eslint-disable-line no-bitwise
	};

	const writeObject = type => {
		if (type.getCallSignatures().length > 0) {
			throw new Error(`A function is part of what an operation takes or answers: ${checker.typeToString(type)}`);
		}

		const index = checker.getIndexInfosOfType(type).map(info => `[key: string]: ${write(info.type)}`);
		const properties = checker.getPropertiesOfType(type).map(property => `${/^\w+$/.test(property.name) ? property.name : JSON.stringify(property.name)}${property.flags & ts.SymbolFlags.Optional ? '?' : ''}: ${write(checker.getTypeOfSymbol(property))}`); // eslint-disable-line no-bitwise
		return `{${[...index, ...properties].join('; ')}}`;
	};

	return write;
}

/** The members of a union as a person would write them: boolean as one, for the compiler it is two, and undefined last. */
function tidy(texts) {
	const isBoolean = texts.includes('true') && texts.includes('false');
	const others = texts.filter(text => text !== 'undefined' && !(isBoolean && (text === 'true' || text === 'false')));
	return [...others, ...(isBoolean ? ['boolean'] : []), ...(texts.includes('undefined') ? ['undefined'] : [])];
}

/** The type of all operations, written out. */
function writeOperations(program, isDeclared) {
	const checker = program.getTypeChecker();
	const alias = program.getSourceFile(fileOf(written.place)).statements.find(statement => namesOf(statement).includes(written.from));
	const write = createWriter(checker, isDeclared);
	const partOf = (operation, name) => write(checker.getTypeOfSymbol(checker.getPropertyOfType(checker.getTypeOfSymbol(operation), name)));
	const operations = checker.getPropertiesOfType(checker.getTypeAtLocation(alias.name));
	return `/** What each operation takes and answers. */\ntype ${written.as} = {\n${operations.map(operation => `\t'${operation.name}': {\n\t\tinput: ${partOf(operation, 'input')};\n\t\tresult: ${partOf(operation, 'result')};\n\t};`).join('\n')}\n};`;
}

/** Statements by the names that they declare. */
function byName(sources) {
	const found = new Map();
	for (const source of sources) {
		for (const statement of source.statements.filter(statement => !isLink(statement))) {
			for (const name of namesOf(statement)) {
				found.set(name, [...(found.get(name) ?? []), statement]);
			}
		}
	}

	return found;
}

/** @throws Error when the file would not stand alone */
function check(file, text) {
	const options = {strict: true, noEmit: true, skipLibCheck: false, types: [], lib: ['lib.es2022.d.ts'], target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext};
	const host = ts.createCompilerHost(options);
	const {fileExists, readFile} = host;
	host.fileExists = name => name === file || fileExists(name);
	host.readFile = name => name === file ? text : readFile(name);
	const {getSourceFile} = host;
	host.getSourceFile = (name, version, ...rest) => name === file ? ts.createSourceFile(name, text, version) : getSourceFile.call(host, name, version, ...rest);
	const faults = ts.getPreEmitDiagnostics(ts.createProgram([file], options, host));
	if (faults.length > 0) {
		throw new Error(`index.d.ts does not stand alone:\n${ts.formatDiagnostics(faults, {getCanonicalFileName: name => name, getCurrentDirectory: () => root, getNewLine: () => '\n'})}`);
	}
}

/**
The text of the declarations.
@throws Error when they would not stand alone
*/
export function declarations() {
	const program = createProgram();
	const sources = places.map(place => declarationsOf(program, place));
	const known = byName(sources);
	const exported = exportsOf(sources[0]).map(each => each.local === written.from ? {...each, local: written.as} : each);
	const operations = writeOperations(program, name => known.has(name));
	const [texts, done] = [[], new Set([written.as])];
	const take = name => {
		if (done.has(name) || !known.has(name)) {
			return;
		}

		done.add(name);
		const [statement, other] = [...new Set(known.get(name))].filter((each, index, all) => !ts.isFunctionDeclaration(each) || index === all.length - 1);
		if (other) {
			throw new Error(`${name} is declared twice: in ${statement.getSourceFile().fileName} and ${other.getSourceFile().fileName}.`);
		}

		for (const needed of identifiersIn(statement)) {
			take(needed);
		}

		texts.push(textOf(statement));
	};

	for (const {local} of exported) {
		take(local);
	}

	for (const [name] of known) {
		if (new RegExp(String.raw`\b${name}\b`).test(operations)) {
			take(name);
		}
	}

	const list = exported.map(({name, local, isType}) => `${isType ? 'type ' : ''}${local === name ? name : `${local} as ${name}`}`);
	const text = `${[...texts, operations, `export {\n\t${list.join(',\n\t')},\n};`].join('\n\n')}\n`;
	check(path.join(root, 'dist', 'index.d.ts'), text);
	return text;
}

/** Writes the declarations into a folder. */
export async function writeDeclarations(folder) {
	await fs.writeFile(path.join(folder, 'index.d.ts'), declarations());
}
