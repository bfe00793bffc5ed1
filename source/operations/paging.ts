import {limits} from '../core/limits.ts';
import type {PageRequest} from '../database/index.ts';
import {
	choice, flag, integer, line, optional, otherwise,
} from './fields.ts';

/** The fields of every list: how many rows, and where to go on. */
export const pagingFields = {
	count: otherwise(integer('Count', 'How many rows at most', {least: 1, most: limits.count}), 10),
	position: optional(line('Position', 'Where to go on: the position of a row of an earlier page', {longest: 2000})),
	direction: optional(choice('Direction', 'Which rows: after the position, from it on, or before it', ['after', 'from', 'before'])),
	reversed: optional(flag('Reversed', 'The whole list the other way round')),
};

export const toPageRequest = ({count, position, direction, reversed}: {count: number; position: string | undefined; direction: 'after' | 'from' | 'before' | undefined; reversed: boolean | undefined}): PageRequest => ({count, position, direction, reversed});
