import type {Topic} from '../../core/types.ts';
import type {KeyEntry} from '../../keychain/index.ts';
import type {InputOf, OperationName, Page, ResultOf, Where} from '../../operations/index.ts';
import type {Ask} from '../answers.ts';
import type {Align} from '../terminal/width.ts';
import type {PageQuery, RowValue, ScreenName, State} from '../state.ts';

/** A column: pure text of a row at a moment (milliseconds since 1970), and of what the screen shows beside it. Text from outside is made visible in here. */
export type Column<Row> = {
	title: string;
	/** Cells. */
	width: number;
	align?: Align;
	/** Takes what room is left. */
	grows?: boolean;
	/** Higher ones go first when there is no room. 0 stays. */
	yields: number;
	value: (row: Row, now: number, state: State) => string;
	/** What it is sorted by; its text unless given. */
	sort?: (row: Row, now: number) => number | string;
	/** The direction in which the store itself has the list by this column, all of it; undefined where it does not. */
	stored?: (state: State) => 'ascending' | 'descending' | undefined;
	/** Colours and weights, by what it means. */
	style?: (text: string, row: Row) => string;
	/** Only where it says something. */
	shown?: (state: State) => boolean;
};

/** What a screen reads its rows with. */
export type Reader = {
	state: State;
	/** Carries out an operation as whoever acts. @throws ColoniesError */
	run: <Name extends OperationName>(name: Name, input: InputOf<Name>) => Promise<ResultOf<Name>>;
	/** The same as root, whose password is kept for this run. */
	runAsRoot: Reader['run'];
	where: () => Promise<Where>;
	keys: () => Promise<KeyEntry[]>;
};

/** A screen, as a value: a list, or with `body` one page that is drawn whole out of its only row. */
export type Screen<Row extends RowValue = RowValue> = {
	name: ScreenName;
	/** The digit that opens it; console.md has the places. */
	digit: string;
	title: string;
	topics: readonly Topic[];
	tabs: readonly string[];
	columns: ReadonlyArray<Column<Row>>;
	/** Whether it shows something of one colony, of the store that is open, or of this machine: without that there is nothing to read. */
	of: 'colony' | 'store' | 'machine';
	/** Reads a page of its rows. @throws ColoniesError */
	read: (query: PageQuery, reader: Reader) => Promise<Page<Row>>;
	/** Whether it is read at the moment of `state.past` where there is one. */
	past?: boolean;
	/** What else it needs from the store while it is in sight. */
	asks?: (state: State) => readonly Ask[];
	/** What its columns read of the state beside the row: rows are drawn anew when it is another. */
	beside?: (state: State) => unknown;
	/** When what it shows came, in milliseconds since 1970, where that is not when its rows were read; undefined where it has not. */
	cameAt?: (state: State) => number | undefined;
	/** Draws the whole body in place of a list, in so many cells and rows; no line is longer, and there are no more. */
	body?: (state: State, size: {width: number; height: number}) => string[];
	/** What stands at the right of its tabs in place of the range of rows. */
	note?: (state: State) => string;
	idOf: (row: Row) => string;
	/** Id of what a row is about, where that is not its own. */
	aboutOf?: (row: Row) => string;
	/** What a row is called in questions and notices. */
	nameOf: (row: Row) => string;
	/** Said where there is no row: what it means, and what to do. */
	empty: (state: State) => readonly string[];
	/** The side pane: pairs of a label and a text. */
	summary: (row: Row, state: State) => ReadonlyArray<readonly [label: string, text: string]>;
};
