import {readFileSync} from 'node:fs';

declare const COLONIES_VERSION: string | undefined;

/** The version of this package; the bundle has it built in. */
export const version: string = typeof COLONIES_VERSION === 'string'
	? COLONIES_VERSION
	: (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {version: string}).version;
