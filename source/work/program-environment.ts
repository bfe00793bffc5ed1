import {Buffer} from 'node:buffer';
import {isSecretKey, plural, shortId} from '../core/text.ts';
import type {Process} from '../core/types.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Bytes of one value: Linux takes 128 KiB for a variable with its name. */
const mostOfOne = 65_536;
/** Bytes of all of them together; a system may take a megabyte with everything else. */
const mostOfAll = 262_144;

const prefix = 'COLONIES_IN_';

/** Variables of ours that hold a secret, or that would be taken for the process's own: the trace of this computer is not the trace of what it runs. */
const isOurs = (name: string): boolean => name === 'TRACEPARENT' || name === 'TRACESTATE' || name === 'DATABASE_URL' || name === 'PGPASSWORD' || name.startsWith('COLONIES_DB') || name.startsWith(prefix) || (name.startsWith('COLONIES_') && isSecretKey(name));

/** The variable of a key: `COLONIES_IN_TEST_KEY1` for `test-key1`. */
const nameOf = (key: string): string => `${prefix}${key.toUpperCase().replaceAll(/[^A-Z\d_]/g, '_')}`;

/** The in attributes as variables. Of two keys that come to one name the first is taken; what is too large is left out, and said. */
function inputsOf({processid, in: attributes}: Process, notice: (sentence: string) => void): Record<string, string> {
	const variables: Record<string, string> = {};
	let [left, leftOut] = [mostOfAll, 0];
	for (const {key, value} of attributes ?? []) {
		const [name, size] = [nameOf(key), Buffer.byteLength(value)];
		if (Object.hasOwn(variables, name)) {
			continue;
		}

		if (size > mostOfOne || name.length + size > left) {
			leftOut++;
		} else {
			variables[name] = value;
			left -= name.length + size;
		}
	}

	if (leftOut > 0) {
		notice(`${shortId(processid)}: ${plural(leftOut, 'in attribute')} too large for the environment; the program finds all of them on its standard input.`);
	}

	return variables;
}

/** What a program finds in its environment: ours without its secrets, and what it is run for. */
export function environmentOf(process: Process, {env, notice, traceparent}: {env: Environment; notice: (sentence: string) => void; traceparent: string | undefined}): Record<string, string> {
	const inherited = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && !isOurs(entry[0]));
	return {
		...Object.fromEntries(inherited),
		...inputsOf(process, notice),
		COLONIES_PROCESSID: process.processid,
		COLONIES_COLONYID: process.targetcolonyid,
		COLONIES_COMPUTERID: process.assignedcomputerid,
		...(traceparent === undefined ? {} : {TRACEPARENT: traceparent}),
	};
}
