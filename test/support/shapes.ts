// What of a statement Citus 13.2 refuses or does otherwise, found in the tree that PostgreSQL makes of it.
import pg from 'pg';
import type {PostgresOptions} from '../../source/database/postgres.ts';

/** A node of a tree of PostgreSQL: what it is, and its fields; lists and bare words as they are. */
type Node = {is: string; fields: Record<string, Part>};
type Part = Node | Part[] | string;

/** Reads a tree as `pg_node_tree` writes it: `{NAME :field value …}`, `(… …)`, words. */
function readTree(text: string): Part {
	const tokens = text.match(/[{}()]|"(?:[^"\\]|\\.)*"|(?:[^\s{}()\\]|\\.)+/gs) ?? [];
	let place = 0;
	const value = (): Part => {
		const token = tokens[place++]!;
		if (token === '(') {
			const list: Part[] = [];
			while (tokens[place] !== ')') {
				list.push(value());
			}

			place++;
			return list;
		}

		return token === '{' ? node() : token;
	};

	const node = (): Node => {
		const made: Node = {is: tokens[place++]!, fields: {}};
		let field = '';
		while (tokens[place] !== '}') {
			if (tokens[place]!.startsWith(':')) {
				field = tokens[place++]!.slice(1);
				made.fields[field] = '';
			} else {
				const part = value();
				// Of several words, as in the value of a constant, the first says enough.
				made.fields[field] = made.fields[field] === '' ? part : made.fields[field]!;
			}
		}

		place++;
		return made;
	};

	return value();
}

const isNode = (part: Part): part is Node => typeof part === 'object' && !Array.isArray(part);

/** A node with all nodes in it; `into`: whether to go into one. */
function * within(part: Part | undefined, into: (node: Node) => boolean = () => true): Generator<Node> {
	if (part === undefined || typeof part === 'string') {
		return;
	}

	if (Array.isArray(part)) {
		for (const each of part) {
			yield * within(each, into);
		}

		return;
	}

	yield part;
	if (into(part)) {
		yield * within(Object.values(part.fields), into);
	}
}

const listOf = (part: Part | undefined): Part[] => Array.isArray(part) ? part : [];
const commandOf = ({fields}: Node): string => ({1: 'select', 2: 'update', 3: 'insert', 4: 'delete'})[String(fields.commandType)] ?? '';
const isQuery = ({is}: Node): boolean => is === 'QUERY';

/** What PostgreSQL knows of the functions and tables that a statement names. */
export type Catalogue = {
	/** By object identifier: `i`, `s` or `v`, as in pg_proc. */
	volatility: ReadonlyMap<string, string>;
	names: ReadonlyMap<string, string>;
	/** By the identifier of a table, those of its columns that are filled by a function: `s` or `v` of each. */
	defaults: ReadonlyMap<string, ReadonlyMap<string, string>>;
};

/** What the functions are that a part calls, in it and below; of what it has columns of, `hasColumn`. */
function callsIn(part: Part | undefined, {volatility}: Catalogue): Array<{id: string; kind: string; hasColumn: boolean}> {
	return [...within(part)].flatMap(node => {
		const id = node.fields.funcid ?? node.fields.opfuncid ?? node.fields.aggfnoid ?? node.fields.winfnoid;
		const kind = node.is === 'SQLVALUEFUNCTION' ? 's' : (typeof id === 'string' ? volatility.get(id) : undefined);
		return kind === undefined || kind === 'i' ? [] : [{id: String(id), kind, hasColumn: [...within(node.fields.args)].some(({is}) => is === 'VAR')}];
	});
}

/** Tables of PostgreSQL itself, which every server has, are below. */
const firstOfOthers = 16_384;

const hasTable = (part: Part): boolean => [...within(part)].some(({is, fields}) => ['RTE', 'RANGETBLENTRY'].includes(is) && fields.rtekind === '0' && Number(fields.relid) >= firstOfOthers);

/** What only the server may do that all sessions share, in a statement without tables. */
const shared = /^(?:txid_|pg_(?:try_)?advisory)/;

/** What of a writing query is refused, wherever it stands. */
function faultsOfWriting(query: Node, catalogue: Catalogue): string[] {
	const faults: string[] = [];
	const {targetList, jointree, returningList, hasSubLinks, cteList} = query.fields;
	const command = commandOf(query);
	const isSelected = listOf(query.fields.rtable).some(each => isNode(each) && each.fields.rtekind === '1');
	if (callsIn(returningList, catalogue).length > 0) {
		faults.push('non-IMMUTABLE functions are not allowed in the RETURNING clause');
	}

	if (command === 'insert') {
		if (String(hasSubLinks) === 'true') {
			faults.push('subqueries are not supported within INSERT queries');
		}

		if (listOf(cteList).length > 0) {
			faults.push('CTEs are not supported for INSERTs');
		}

		if (isSelected) {
			faults.push(...faultsOfInsertSelect(query, catalogue));
		}

		return faults;
	}

	const parts = [...(command === 'update' ? listOf(targetList) : []), ...within(jointree, node => !isQuery(node))].filter(part => isNode(part));
	for (const part of parts) {
		const calls = callsIn(part, catalogue);
		if (calls.some(({kind}) => kind === 'v')) {
			faults.push('functions used in UPDATE queries must not be VOLATILE');
		}

		if (calls.some(({hasColumn}) => hasColumn)) {
			faults.push('STABLE functions used in UPDATE queries cannot be called with column references');
		}

		if ([...within(part)].some(node => /^(?:CASE|COALESCE)(?:EXPR)?$/.test(node.is) && callsIn(node, catalogue).length > 0)) {
			faults.push('non-IMMUTABLE functions are not allowed in CASE or COALESCE statements');
		}
	}

	return faults;
}

/**
What is inserted out of tables is handed on as a whole, unless a function is volatile; and then none may be stable, or it ends with `syntax error at or near "NOT"`. Anything else that is selected is gathered first:
the transaction is then committed in two phases, and its rows come into sight when its number is no longer that of an open one.
*/
function faultsOfInsertSelect(query: Node, catalogue: Catalogue): string[] {
	const {rtable, resultRelation, targetList, onConflict, returningList} = query.fields;
	const target = listOf(rtable)[Number(resultRelation) - 1] as Node;
	const given = new Set(listOf(targetList).map(each => String((each as Node).fields.resname)));
	const filled = [...catalogue.defaults.get(String(target.fields.relid)) ?? []].filter(([column]) => !given.has(column)).map(([, kind]) => kind);
	const kinds = [...filled, ...callsIn(query, catalogue).map(({kind}) => kind)];
	const selected = listOf(rtable).filter(each => each !== target);
	const faults = !hasTable(selected) || kinds.includes('v') ? ['what is selected is gathered first, and the transaction committed in two phases'] : (kinds.length > 0 ? ['a function is stable, and none volatile: syntax error at or near "NOT"'] : []);
	const skips = typeof onConflict === 'object' && (onConflict as Node).fields.action === '1';
	return skips && listOf(returningList).length === 0 ? [...faults, 'rows that are there already are counted as inserted: it must return them'] : faults;
}

/** What Citus refuses of a statement, or does otherwise, in its own words where it has some. */
export function faultsOf(tree: string, catalogue: Catalogue): string[] {
	const queries = [...within(readTree(tree))].filter(node => isQuery(node));
	const top = queries[0]!;
	const writing = queries.filter(query => commandOf(query) !== 'select');
	const faults = writing.flatMap(query => faultsOfWriting(query, catalogue));
	if (writing.some(query => query !== top && commandOf(query) === 'insert')) {
		faults.push('only SELECT, UPDATE, or DELETE common table expressions may be router planned');
	}

	if (writing.length > 1) {
		faults.push('several parts of one statement write');
	}

	if (hasTable(top) && callsIn(top, catalogue).some(({id}) => shared.test(catalogue.names.get(id)!))) {
		faults.push('a transaction is counted, or a lock taken, on the server where the tables lie');
	}

	return [...new Set(faults)];
}

/** Makes trees of statements, on a PostgreSQL that has their tables. */
export async function openShapes({host, port, user, password, database}: PostgresOptions): Promise<{faultsOf: (text: string) => Promise<string[]>; close: () => Promise<void>}> {
	const client = new pg.Client({host, port, user, password, database});
	await client.connect();
	const {rows: functions} = await client.query<{id: string; kind: string; name: string}>('select oid::text as id, provolatile as kind, proname as name from pg_catalog.pg_proc');
	const {rows: defaults} = await client.query<{table: string; name: string; expression: string}>(`
		select d.adrelid::text as table, a.attname as name, pg_get_expr(d.adbin, d.adrelid) as expression from pg_catalog.pg_attrdef d join pg_catalog.pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
		union all select attrelid::text, attname, 'nextval()' from pg_catalog.pg_attribute where attidentity <> ''`);
	const byTable = new Map<string, Map<string, string>>();
	for (const {table, name, expression} of defaults) {
		const [, called] = /^(\w+)\(/.exec(expression) ?? [];
		const kind = functions.find(each => each.name === called)?.kind;
		if (kind === 's' || kind === 'v') {
			byTable.set(table, (byTable.get(table) ?? new Map<string, string>()).set(name, kind));
		}
	}

	const catalogue = {volatility: new Map(functions.map(({id, kind}) => [id, kind])), names: new Map(functions.map(({id, name}) => [id, name])), defaults: byTable};
	return {
		async faultsOf(text) {
			await client.query(`prepare shape as ${text}`);
			const {rows: [row]} = await client.query<{types: string}>('select array_to_string(parameter_types, \', \') as types from pg_prepared_statements where name = \'shape\'');
			await client.query('deallocate shape');
			await client.query('begin');
			try {
				await client.query(`create function shape(${row!.types}) returns void language sql begin atomic ${text.trim().replace(/;$/, '')}; end`);
				const {rows: [made]} = await client.query<{tree: string}>('select prosqlbody::text as tree from pg_catalog.pg_proc where proname = \'shape\'');
				return faultsOf(made!.tree, catalogue);
			} finally {
				await client.query('rollback');
			}
		},
		close: async () => client.end(),
	};
}
