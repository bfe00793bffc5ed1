import process from 'node:process';
import {wantsAscii} from '../core/ascii.ts';
import {limits} from '../core/limits.ts';
import {visible} from '../core/text.ts';
import type {Column, Layout} from '../operations/define.ts';
import {choice, optional} from '../operations/fields.ts';
import {toCsv} from './csv.ts';
import {toJson} from './json.ts';
import {print, say} from './output.ts';
import type {World} from './world.ts';

/** The flag of every command that prints data. */
export const outputFlags = {output: optional(choice('Output', 'How data is printed: json unless given', ['json', 'table', 'csv']))};

export type OutputFormat = 'json' | 'table' | 'csv';

type Row = Readonly<Record<string, unknown>>;
type Looked = {count: number; position?: string};
type Rows = {rows: readonly Row[]; more: boolean; position: string | undefined; looked?: Looked};

/** How a result is shown. `empty`: said in place of an empty list, unless a format was asked for. `records`: the lines of CSV of a result that is no list. `count`: how many rows were asked for. */
export type Showing = {output: OutputFormat | undefined; empty?: string; columns?: readonly Column[]; layout?: (result: any) => Layout; records?: (result: any) => readonly object[]; count?: number};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** The rows of a list, of a page or plain; undefined for a single object. */
function rowsOf(result: unknown): Rows | undefined {
	if (Array.isArray(result)) {
		return {rows: result as Row[], more: false, position: undefined};
	}

	if (isObject(result) && Array.isArray(result.rows) && isObject(result.more)) {
		const {rows, more, positions, looked} = result as {rows: Row[]; more: {after: boolean}; positions?: string[]; looked?: Looked};
		return {rows, more: more.after, position: positions?.at(-1), ...(looked ? {looked} : {})};
	}

	return undefined;
}

/** Prints a table, in ASCII where the locale shows nothing else. */
async function printForPeople(world: World, text: string): Promise<void> {
	const {printedInAscii} = await import('./table.ts');
	await print(world, wantsAscii(world.env, process.platform) ? printedInAscii(text) : text);
}

async function printRows(world: World, rows: readonly Row[], {output, columns}: Showing): Promise<void> {
	const {isTTY: toTerminal = false, columns: width} = world.stdout;
	if (output === 'csv') {
		await print(world, toCsv(rows, {toTerminal}));
	} else if (output === 'table') {
		const {toTable} = await import('./table.ts');
		await printForPeople(world, `${toTable(rows, {columns, width: toTerminal ? width : undefined})}\n`);
	} else {
		// Row by row, for a thousand rows of large attributes do not fit into one text.
		await print(world, rows.length === 0 ? '[' : '[\n');
		for (const [index, row] of rows.entries()) {
			await print(world, `    ${toJson(row, 1)}${index < rows.length - 1 ? ',' : ''}\n`); // eslint-disable-line no-await-in-loop
		}

		await print(world, ']\n');
	}
}

async function printObject(world: World, object: Row, {output, columns}: Showing): Promise<void> {
	const {isTTY: toTerminal = false, columns: width} = world.stdout;
	if (output === 'csv') {
		await print(world, toCsv([object], {toTerminal}));
	} else if (output === 'table') {
		const {toFieldTable} = await import('./table.ts');
		await printForPeople(world, `${toFieldTable(object, {columns, width: toTerminal ? width : undefined})}\n`);
	} else {
		await print(world, `${toJson(object)}\n`);
	}
}

async function printLayout(world: World, {lines, rows, columns}: Layout): Promise<void> {
	const {toTable} = await import('./table.ts');
	const {isTTY: toTerminal = false, columns: width} = world.stdout;
	const table = rows.length === 0 ? '' : `\n${toTable(rows as Row[], {columns, width: toTerminal ? width : undefined})}\n`;
	await printForPeople(world, `${lines.map(line => `${visible(line)}\n`).join('')}${table}`);
}

/** Says when a list has more rows than were asked for, and how to see them. */
async function sayMore(world: World, {more, position}: Rows, count: number | undefined): Promise<void> {
	if (more && count !== undefined && count < limits.count) {
		await say(world, `There are more: --count ${limits.count} shows up to ${limits.count}.`);
	} else if (more) {
		await say(world, position === undefined ? 'There are more.' : `There are more: --position ${position} goes on after these.`);
	}
}

/** Says when a filter was not looked for in the whole list, and how to go on. */
async function sayLooked(world: World, {count, position}: Looked): Promise<void> {
	await say(world, `Looked through ${count.toLocaleString('en')}, and not further: ${position === undefined ? 'there may be more' : `--position ${position} goes on from there`}.`);
}

/** Prints what an operation answered to standard output: a list, an object, or nothing. */
export async function printResult(world: World, result: unknown, showing: Showing): Promise<void> {
	const list = rowsOf(showing.records !== undefined && showing.output === 'csv' ? showing.records(result) : result);
	if (showing.layout !== undefined && showing.output === 'table') {
		await printLayout(world, showing.layout(result));
	} else if (list === undefined) {
		if (isObject(result)) {
			await printObject(world, result, showing);
		}
	} else if (list.rows.length === 0 && showing.empty !== undefined && showing.output === undefined) {
		await print(world, `${showing.empty}\n`);
	} else {
		await printRows(world, list.rows, showing);
		await sayMore(world, list, showing.count);
	}

	if (list?.looked) {
		await sayLooked(world, list.looked);
	}
}
