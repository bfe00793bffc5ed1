import {type FilterList, parseFilter, passes} from '../../core/filter-language/index.ts';
import type {Page} from '../../operations/index.ts';

/** A list that is read at once and whole, as a page. */
export const whole = <Row>(rows: Row[]): Page<Row> => ({rows, positions: rows.map(() => ''), more: {before: false, after: false}});

/** The rows that pass a filter, of a list that is held in memory. `fieldsOf`: a row by the fields of the filter language. @throws InvalidInput */
export function passing<Row>(list: FilterList, text: string, rows: readonly Row[], fieldsOf: (row: Row) => Parameters<typeof passes>[2]): Row[] {
	const filter = parseFilter(list, text);
	return rows.filter(row => passes(list, filter, fieldsOf(row)));
}
