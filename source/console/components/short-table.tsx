import {useMemo} from 'react';
import {Box, Text} from 'ink';
import {visible} from '../../core/text.ts';
import {Table} from '../terminal/ink-table.ts';
import {cut, widthOf} from '../terminal/width.ts';

export type ShortTableProps = {
	/** Titles of the columns, in their order. */
	readonly columns: readonly string[];
	/** One list of values a row; more than 50 rows are counted, not shown. */
	readonly rows: ReadonlyArray<readonly string[]>;
	/** Cells that the table may take at most, borders included. */
	readonly width: number;
	/** Styles a value that is drawn, as much of it as there is room for. */
	readonly paint?: (text: string, row: number, column: number) => string;
};

const rowLimit = 50;

/** Cells around a value: a space on either side and one border. */
const around = 3;

/** Narrowest a column gets before the table overflows. */
const narrowest = 4;

/** Widths of the columns so that the table fits: the widest gives way first. */
function widthsOf(table: ReadonlyArray<readonly string[]>, room: number): number[] {
	const widths = table[0]!.map((_, column) => Math.max(1, ...table.map(row => widthOf(row[column] ?? ''))));
	let excess = widths.reduce((sum, width) => sum + width + around, 1) - room;
	while (excess > 0) {
		const widest = widths.indexOf(Math.max(...widths));
		if (widths[widest]! <= narrowest) {
			break;
		}

		widths[widest]!--;
		excess--;
	}

	return widths;
}

/**
Ink-table counts UTF-16 units where cells count, and takes two titles of one text for one column. So every text goes through it as a token of its own,
of as many private characters as it has cells, and comes back in the cell.
*/
const first = 0xE0_00;
const filler = '\uF8FF';
const token = /([\uE000-\uF8FE])\uF8FF*/gu;
function disguise(table: ReadonlyArray<readonly string[]>, widths: readonly number[], paint: ShortTableProps['paint']): {texts: string[]; disguised: string[][]} {
	const texts: string[] = [];
	const disguised = table.map((row, index) => widths.map((width, column) => {
		const text = cut(row[column] ?? '', width);
		if (text === '') {
			return '';
		}

		texts.push(paint && index > 0 ? paint(text, index - 1, column) : text);
		return String.fromCodePoint(first + texts.length - 1) + filler.repeat(Math.max(0, widthOf(text) - 1));
	}));
	return {texts, disguised};
}

/** A table of at most 50 rows with borders, for attributes and other short lists. Its values are made safe, put on one line and cut to the width. */
export function ShortTable({
	columns, rows, width, paint,
}: ShortTableProps) {
	const {data, shown, Cell, Header} = useMemo(() => {
		const table = [columns, ...rows.slice(0, rowLimit)].map(row => row.map(value => visible(value)));
		const {texts, disguised} = disguise(table, widthsOf(table, width), paint);
		const reveal = (children: unknown) => String(children).replaceAll(token, (_, character: string) => texts[character.codePointAt(0)! - first] ?? '');
		return {
			data: disguised,
			shown: texts.join('\n'),
			Cell: ({children}: {readonly children?: unknown}) => <Text wrap='truncate'>{reveal(children)}</Text>,
			Header: ({children}: {readonly children?: unknown}) => <Text bold wrap='truncate'>{reveal(children)}</Text>,
		};
	}, [columns, rows, width, paint]);
	const [titles, ...values] = data;
	const beyond = rows.length - rowLimit;
	return (
		<Box flexDirection='column'>
			{/* Ink-table keeps the cell component that it was made with: other texts want another table. */}
			<Table
				key={shown}
				columns={titles}
				data={values.map(row => Object.fromEntries(titles!.map((title, index) => [title, row[index]!])))}
				header={Header}
				cell={Cell}
				skeleton={Skeleton}
			/>
			{beyond > 0 && <Text dimColor>{`and ${beyond} more`}</Text>}
		</Box>
	);
}

function Skeleton({children}: {readonly children?: unknown}) {
	return <Text dimColor>{String(children)}</Text>;
}
