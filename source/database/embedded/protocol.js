// Plain JavaScript, so that a worker thread runs it as it is.
import {Buffer} from 'node:buffer';

/** @param {string} type @param {Buffer[]} parts */
function message(type, ...parts) {
	const body = Buffer.concat(parts);
	const head = Buffer.alloc(5);
	head.write(type, 'latin1');
	head.writeInt32BE(body.length + 4, 1);
	return Buffer.concat([head, body]);
}

/** @param {number} value */
const int16 = value => {
	const bytes = Buffer.alloc(2);
	bytes.writeUInt16BE(value);
	return bytes;
};

/** @param {number} value */
const int32 = value => {
	const bytes = Buffer.alloc(4);
	bytes.writeInt32BE(value);
	return bytes;
};

const nothing = Buffer.alloc(1);
const none = int16(0);
const isNull = int32(-1);
const described = Buffer.concat([message('D', Buffer.from('P\0')), message('E', nothing, int32(0))]);
const sync = message('S');

const parsing = (name, text) => message('P', Buffer.from(`${name}\0`), Buffer.from(text), nothing, none);

/** Binds a statement that was parsed under a name, describes and executes it. */
function running(name, values) {
	const parameters = values.flatMap(value => {
		if (value === null) {
			return [isNull];
		}

		const bytes = Buffer.from(value);
		return [int32(bytes.length), bytes];
	});
	return Buffer.concat([message('B', nothing, Buffer.from(`${name}\0`), none, int16(values.length), ...parameters, none), described]);
}

/** Sends messages, and reads an answer for each statement that was executed. */
async function exchange(instance, messages) {
	const answers = [];
	let answer = {columns: [], rows: [], rowCount: 0};
	for (const part of await instance.execProtocolStream(messages, {syncToFs: false})) {
		switch (part.name) {
			case 'dataRow': {
				answer.rows.push(part.fields);

				break;
			}

			case 'rowDescription': {
				answer.columns = part.fields.map(({name, dataTypeID}) => ({name, oid: dataTypeID}));

				break;
			}

			case 'commandComplete': {
				// `INSERT 0 2`, `SELECT 3`, `CREATE TABLE`
				answer.rowCount = Number(/ (\d+)$/.exec(part.text)?.[1] ?? 0);
				answers.push(answer);
				answer = {columns: [], rows: [], rowCount: 0};

				break;
			}
		// No default
		}
	}

	return answers;
}

/**
Runs one statement on a PGlite, with its values in one message. PGlite's own `query` sends parse, bind, describe, execute and sync each on its own and takes three times as long.
@param {import('./protocol.js').Instance} instance
@param {string} text
@param {Array<string | null>} values
@returns {Promise<import('./protocol.js').Answer>}
*/
export async function ask(instance, text, values) {
	const [answer = {columns: [], rows: [], rowCount: 0}] = await exchange(instance, Buffer.concat([parsing('', text), running('', values), sync]));
	return answer;
}

/** What each PGlite has prepared. @type {WeakMap<import('./protocol.js').Instance, Set<string>>} */
const prepared = new WeakMap();

/**
Runs statements in one message and one transaction, all or nothing: with one sync for all of them they share it. Each is prepared under its name.
@param {import('./protocol.js').Instance} instance
@param {import('./protocol.js').Leg[]} legs
@returns {Promise<Array<import('./protocol.js').Answer>>} an answer for each
*/
export async function askTogether(instance, legs) {
	const known = prepared.get(instance) ?? new Set();
	prepared.set(instance, known);
	const messages = legs.flatMap(({name, text, values}) => {
		// After a failure the server may or may not have it.
		const preparing = known.has(name) ? [] : [message('C', Buffer.from(`S${name}\0`)), parsing(name, text)];
		return [...preparing, running(name, values)];
	});
	// A statement that fails is prepared again: its tables may have changed.
	for (const {name} of legs) {
		known.delete(name);
	}

	const answers = await exchange(instance, Buffer.concat([...messages, sync]));
	for (const {name} of legs) {
		known.add(name);
	}

	return answers;
}

/**
What is kept of an error when it leaves its thread. A `code` is a SQLSTATE or one of the system's.
@param {unknown} error
@returns {import('./protocol.js').Fault}
*/
export function faultOf(error) {
	const {message: text, code, detail, constraint, table, column, position, stack} = /** @type {import('./protocol.js').Fault} */ (error instanceof Error ? error : {message: String(error)});
	return {
		message: text, code, detail, constraint, table, column, position, stack,
	};
}
