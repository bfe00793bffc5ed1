import type {Page} from '../../operations/index.ts';

/** A list that is read at once and whole, as a page. */
export const whole = <Row>(rows: Row[]): Page<Row> => ({rows, positions: rows.map(() => ''), more: {before: false, after: false}});

/** Whether a text begins an id, or stands in a name. */
export const isAbout = (text: string, id: string, name = ''): boolean => id.startsWith(text) || name.toLowerCase().includes(text.toLowerCase());
