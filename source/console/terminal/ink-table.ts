import {createRequire} from 'node:module';
import type {ComponentType, ReactNode} from 'react';
import * as ink from 'ink';

type CellProps = {readonly children?: ReactNode};

/** The part of ink-table's properties that is used here. */
export type TableProps = {
	readonly data: ReadonlyArray<Record<string, string>>;
	readonly columns?: readonly string[];
	readonly padding?: number;
	readonly header?: ComponentType<CellProps>;
	readonly cell?: ComponentType<CellProps>;
	readonly skeleton?: ComponentType<CellProps>;
};

/**
Ink-table is CommonJS and requires Ink, which as a module with top-level await cannot be required. It finds Ink already loaded in the cache instead.
The bundle replaces this file, see scripts/build.js.
*/
function requireTable(): ComponentType<TableProps> {
	const require = createRequire(import.meta.url);
	const path = require.resolve('ink');
	const cached: unknown = {
		id: path, filename: path, loaded: true, exports: ink, children: [], paths: [],
	};
	require.cache[path] ??= cached as NodeJS.Module;
	return (require('ink-table') as {default: ComponentType<TableProps>}).default;
}

/** A table for a few rows; see ShortTable for what it needs done to its values. */
export const Table = requireTable();
