import {root} from '../core/authority.ts';
import {Conflict, InvalidInput} from '../core/errors.ts';
import {quoted} from '../core/text.ts';
import {cells} from '../database/index.ts';
import {type Column, defineOperation} from './define.ts';
import {identity, line, optional} from './fields.ts';

/** A cell, for people. `place`: where its schema is, null in the database of the first one; never with a password. `colonies`, `bytes`: null where it does not answer. */
export type CellState = {cell: string; schema: string; place: string | null; answers: boolean; colonies: number | null; bytes: number | null; problem?: string};

/** How far a move has come: `rows` of roughly `of` are copied; `moved` at the end. */
export type Moved = {colonyid: string; from: string; to: string; state: 'copying' | 'moved'; rows: number; of: number};

/** The cell that a call is about, where there are several. */
export const cellField = optional(line('Cell', 'Name of a cell, where there are several (cell ls)'));

const columns: ReadonlyArray<Column<CellState>> = [
	'cell',
	['place', ({place}) => place ?? 'the database of the first'],
	'schema',
	['colonies', ({colonies}) => String(colonies ?? '-')],
	['size', ({bytes}) => bytes === null ? '-' : `${(bytes / 1_048_576).toFixed(1)} MiB`],
	['answers', ({answers}) => answers ? 'yes' : 'no'],
];

export const listCells = defineOperation({
	name: 'cell.list',
	summary: 'List the cells: schemas that colonies are spread over.',
	input: {},
	route: 'GET /cells',
	allow: root,
	across: 'cells',
	changes: [],
	columns,
	commands: [{words: ['cell', 'ls'], summary: 'List the cells: schemas that colonies are spread over.'}],
	async handle({client}): Promise<CellState[]> {
		const {schema, colonies, bytes} = await cells.sizeOf(client);
		return [{cell: schema, schema, place: null, answers: true, colonies, bytes}];
	},
});

export const oneCell = () => new InvalidInput('This store has one cell.', {hint: 'Make others with `colonies database create --cells N` or `colonies cell add`.'});

export const moveColony = defineOperation({
	name: 'colony.move',
	summary: 'Move a colony to another cell, as far as it gets in some seconds; again goes on.',
	input: {colonyid: identity('Colony'), cell: line('Cell', 'Name of the cell where it is to live (cell ls)')},
	route: 'PUT /colonies/{colonyid}/cell',
	allow: root,
	across: 'move',
	operator: true,
	danger: 'high',
	changes: ['colonies', 'computers', 'processes', 'attributes'],
	async handle(): Promise<Moved> {
		throw oneCell();
	},
	tells: ({state, from, to, rows, of}) => state === 'moved' ? `The colony lives in the cell ${to} now; it came from ${from}.` : `Copied ${rows} of about ${of} rows from ${from} to ${to}; run it again to go on.`,
});

/** Where a colony lives that somebody wants to move there. */
export const livesThere = (colony: string, cell: string) => new Conflict(`The colony ${quoted(colony)} lives in the cell ${quoted(cell)} already.`);
