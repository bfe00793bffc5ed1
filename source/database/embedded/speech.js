// Plain JavaScript, so that a worker thread runs it as it is.

const asIs = (/** @type {unknown} */ value) => value;

/**
Makes a PGlite hand out every value as the text that PostgreSQL printed, and take every parameter as text, as the protocol has it.
@param {import('./speech.js').Instance} instance
*/
export function speakText(instance) {
	for (const type of Object.keys(instance.parsers)) {
		instance.parsers[type] = asIs;
	}

	for (const type of Object.keys(instance.serializers)) {
		instance.serializers[type] = asIs;
	}
}

/**
Runs one statement on a PGlite that speaks text.
@param {import('./speech.js').Instance} instance
@param {string} text
@param {Array<string | null>} values
@returns {Promise<import('./speech.js').Answer>}
*/
export async function ask(instance, text, values) {
	const {fields, rows, rowCount, affectedRows = 0} = await instance.query(text, values, {rowMode: 'array'});
	return {
		columns: fields.map(({name, dataTypeID}) => ({name, oid: dataTypeID})),
		rows,
		// Older versions count only the rows that a statement changed.
		rowCount: rowCount ?? (rows.length > 0 ? rows.length : affectedRows),
	};
}

/**
What is kept of an error when it leaves its thread. A `code` is a SQLSTATE or one of the system's.
@param {unknown} error
@returns {import('./speech.js').Fault}
*/
export function faultOf(error) {
	const {message, code, detail, constraint, table, column, position, stack} = /** @type {import('./speech.js').Fault} */ (error instanceof Error ? error : {message: String(error)});
	return {message, code, detail, constraint, table, column, position, stack};
}
