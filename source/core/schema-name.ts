import {type AddressFault} from './address.ts';

/** The schema that Colonies works in unless another one is named. It is also the name that statements are written with (database/schema.ts). */
export const defaultSchema = 'colonies';

const form = /^[a-z_][a-z\d_]*$/;
/** Bytes that PostgreSQL keeps of a name; it cuts off the rest. */
const longest = 63;

/** Reads the name of a schema: a plain identifier that PostgreSQL leaves to others. */
export function readSchemaName(text: string): {schema: string} | AddressFault {
	if (!form.test(text)) {
		return {problem: `must be a schema's name, not ${JSON.stringify(text)}`, hint: 'It has lower-case letters, digits and underscores, and does not begin with a digit.'};
	}

	if (text.length > longest) {
		return {problem: `must be a schema's name of at most ${longest} characters, not of ${text.length}`, hint: 'Give a shorter one.'};
	}

	if (text === 'public') {
		return {problem: 'must not be "public": Colonies keeps to a schema of its own', hint: `Leave it out for "${defaultSchema}", or give another name.`};
	}

	return text.startsWith('pg_') || text === 'information_schema' ? {problem: `must not be "${text}": that name belongs to PostgreSQL`, hint: 'Give a name that does not begin with pg_.'} : {schema: text};
}
