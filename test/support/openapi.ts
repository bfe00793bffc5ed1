import assert from 'node:assert/strict';
// It comes with fastify.
import {Ajv2020} from 'ajv/dist/2020.js'; // eslint-disable-line import-x/no-extraneous-dependencies
import {describeApi} from '../../source/server/openapi.ts';
import type {Answer} from './server.ts';

/** The document as a client reads it. */
export const document: any = structuredClone(describeApi('0.0.0'));

const ajv = new Ajv2020({strict: false, allErrors: true});
ajv.addSchema({...document, $id: 'openapi'});

const pointer = (...names: string[]): string => `openapi#/${names.map(name => name.replaceAll('~', '~0').replaceAll('/', '~1')).map(name => encodeURIComponent(name)).join('/')}`;

/** Checks an answer against what the document says of a path and a method. */
export function conforms(path: string, method: string, {status, headers, json, text}: Answer): void {
	const operation = document.paths[path]?.[method.toLowerCase()];
	assert.ok(operation, `${method} ${path} is not in the document.`);
	if (status === 204) {
		assert.ok(operation.responses['204'], `${method} ${path} promises no 204.`);
		assert.equal(text, '');
		return;
	}

	const [type] = (headers['content-type'] ?? '').split(';') as [string];
	const promised = operation.responses[String(status)] ? ['paths', path, method.toLowerCase(), 'responses', String(status)] : ['components', 'responses', 'Problem'];
	const validate = ajv.getSchema(pointer(...promised, 'content', type, 'schema'));
	assert.ok(validate, `${method} ${path} promises no ${type} with ${status}.`);
	assert.ok(validate(json), `${method} ${path}: ${ajv.errorsText(validate.errors)} in ${text.slice(0, 1000)}`);
}
