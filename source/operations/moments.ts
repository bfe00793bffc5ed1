import {moment, optional} from './fields.ts';

/** The moment of a list as it was. */
export const at = optional(moment('At', 'As it was at this moment: a time, or a span before now, -5m'));
