import type {Topic} from '../../core/types.ts';
import type {Align} from '../terminal/width.ts';
import type {RowValue, ScreenName, State} from '../state.ts';

/** A column: pure text of a row at a moment (milliseconds since 1970). Text from outside is made visible in here. */
export type Column<Row> = {
	title: string;
	/** Cells. */
	width: number;
	align?: Align;
	/** Takes what room is left. */
	grows?: boolean;
	/** Higher ones go first when there is no room. 0 stays. */
	yields: number;
	value: (row: Row, now: number) => string;
	/** Colours and weights, by what it means. */
	style?: (text: string, row: Row) => string;
	/** Only where it says something. */
	shown?: (state: State) => boolean;
};

/** A list screen, as a value. */
export type Screen<Row extends RowValue = RowValue> = {
	name: ScreenName;
	/** The digit that opens it; console.md has the places. */
	digit: string;
	title: string;
	topics: readonly Topic[];
	tabs: readonly string[];
	columns: ReadonlyArray<Column<Row>>;
	idOf: (row: Row) => string;
	/** What a row is called in questions and notices. */
	nameOf: (row: Row) => string;
	/** Said where there is no row: what it means, and what to do. */
	empty: (state: State) => readonly string[];
	/** The side pane: pairs of a label and a text. */
	summary: (row: Row, state: State) => ReadonlyArray<readonly [label: string, text: string]>;
};
