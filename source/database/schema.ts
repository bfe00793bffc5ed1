import {InvalidInput} from '../core/errors.ts';
import {defaultSchema, readSchemaName} from '../core/schema-name.ts';

export {defaultSchema} from '../core/schema-name.ts';

/** Texts that are kept; beyond that, those of statements with numbers in them have pushed out the rest. */
const mostKept = 2000;

// The canonical forms that seals are made of are called the same wherever they are.
const name = /\bcolonies\.(?!history\/1|seal\/1)/g;
const literal = /'colonies'/g;

/**
Statements are written for the schema `colonies`: each table and function with its schema, `colonies.live`, also in texts that hold a name; and the schema's own name as a text, `'colonies'`.
Turns them into statements for another schema. Keys of advisory locks are written so too (`'colonies.seals'`), and differ with the schema.
@throws InvalidInput for what is no name of a schema
*/
export function statementsIn(schema: string): (text: string) => string {
	const read = readSchemaName(schema);
	if ('problem' in read) {
		throw new InvalidInput(`The schema ${read.problem}.`, {hint: read.hint});
	}

	if (schema === defaultSchema) {
		return text => text;
	}

	const kept = new Map<string, string>();
	return text => {
		const known = kept.get(text);
		if (known !== undefined) {
			return known;
		}

		if (kept.size >= mostKept) {
			kept.clear();
		}

		const statement = text.replaceAll(name, `"${schema}".`).replaceAll(literal, `'${schema}'`);
		kept.set(text, statement);
		return statement;
	};
}
