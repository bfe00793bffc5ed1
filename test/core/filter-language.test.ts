import assert from 'node:assert/strict';
import {suite, test} from 'node:test';
import fc from 'fast-check';
import {ColoniesError} from '../../source/core/errors.ts';
import {
	attributePlaces, completeFilter, type FilterList, filterLists, filterTables, type FilterTerm, groupsOf, parseFilter, passes, printFilter, putCandidate, readFilter, suggestedCandidate, type ValueKind,
} from '../../source/core/filter-language/index.ts';
import {parseSpan, printSpan} from '../../source/core/spans.ts';

const term = (field: string, operator: FilterTerm['operator'], value: string | number, more: Partial<FilterTerm> = {}): FilterTerm => ({field, operator, value, not: false, ...more});

/** Texts that are made of what the language is made of, so that they often come near to being right. */
const near = fc.array(fc.constantFrom('type', 'state', 'in.', 'err', 'age', 'mem', 'id', ':', '=', '~', '>', '<', '>=', '"', '\\', '-', '!', ' ', '\t', '5m', '8g', 'waiting', 'a5', 'x', 'Ä', '👩‍👩‍👧', '.'), {maxLength: 12}).map(parts => parts.join(''));
const anyText = fc.oneof(near, fc.string({unit: 'binary'}), fc.string({unit: 'grapheme'}));
const plainText = fc.oneof(fc.string({unit: 'grapheme', maxLength: 12}), near).filter(text => text.isWellFormed() && !text.includes('\0'));
const someText = plainText.filter(text => text !== '');

const valuesOf = (choices: readonly string[] = ['']): Record<ValueKind, fc.Arbitrary<string | number>> => ({
	choice: fc.constantFrom(...choices), name: plainText, text: plainText, computer: someText,
	id: fc.string({unit: fc.constantFrom(...'0123456789abcdef'), minLength: 1, maxLength: 64}), span: fc.nat(1e12).map(microseconds => microseconds / 1e6), number: fc.nat(999_999), memory: fc.nat(999_999),
});

function termsOf(list: FilterList): fc.Arbitrary<FilterTerm> {
	const {fields, attributes} = filterTables[list];
	const ofField = fc.oneof(...Object.entries(fields).flatMap(([field, {kind, operators, choices}]) => operators.map(operator => (operator === 'has' ? someText : valuesOf(choices)[kind]).map(value => term(field, operator, value)))));
	const word = someText.map(text => term('word', 'has', text));
	const attribute = fc.tuple(fc.constantFrom(...attributePlaces), someText, plainText).map(([field, key, value]) => term(field, 'is', value, {key}));
	const part = fc.tuple(fc.constantFrom(...attributePlaces), fc.option(someText, {nil: undefined}), someText).map(([field, key, value]) => term(field, 'has', value, key === undefined ? {} : {key}));
	return fc.tuple(fc.oneof(ofField, word, ...(attributes ? [attribute, part] : [])), fc.boolean()).map(([term, not]) => ({...term, not}));
}

suite('a span of time', () => {
	test('is read and printed to the microsecond', () => {
		fc.assert(fc.property(fc.oneof(fc.nat(1e9), fc.nat(1e9).map(microseconds => microseconds / 1e6)), seconds => {
			assert.equal(parseSpan(printSpan(seconds)), seconds);
		}));
		assert.deepEqual(['90s', '1h30m', '2d', '0.5s', '1.5h'].map(text => printSpan(parseSpan(text))), ['1m30s', '1h30m', '2d', '0.5s', '1h30m']);
	});
});

suite('the filter language', () => {
	test('is read term by term', () => {
		const filters: Record<string, FilterTerm[]> = {
			'': [],
			' \t ': [],
			'gpu train': [term('word', 'has', 'gpu'), term('word', 'has', 'train')],
			'"gpu train"': [term('word', 'has', 'gpu train')],
			'type:gpu -type:cpu !type~x': [term('type', 'is', 'gpu'), term('type', 'is', 'cpu', {not: true}), term('type', 'has', 'x', {not: true})],
			'type:"" type=a:b': [term('type', 'is', ''), term('type', 'is', 'a:b')],
			'STATE:Failed': [term('state', 'is', 'failed')],
			'age>5m wait<=1h30m ended<0.5s': [term('age', '>', 300), term('wait', '<=', 5400), term('ended', '<', 0.5)],
			'cores:4 cores=4 cores:>=4 mem>8g mem<1.5GB': [term('cores', 'is', 4), term('cores', 'is', 4), term('cores', '>=', 4), term('mem', '>', 8192), term('mem', '<', 1536)],
			'id:A5': [term('id', 'is', 'a5')],
			'computer:"lab 1" target~lab': [term('computer', 'is', 'lab 1'), term('target', 'has', 'lab')],
			'in.name="a b" out.a.b=c=d key= any.cores=4': [term('in', 'is', 'a b', {key: 'name'}), term('out', 'is', 'c=d', {key: 'a.b'}), term('any', 'is', '', {key: 'key'}), term('any', 'is', '4', {key: 'cores'})],
			'err~"out of memory" in.url~http': [term('err', 'has', 'out of memory'), term('in', 'has', 'http', {key: 'url'})],
			[String.raw`"say \"x\" \\ \n" "-x"`]: [term('word', 'has', String.raw`say "x" \ \n`), term('word', 'has', '-x')],
		};
		for (const [text, filter] of Object.entries(filters)) {
			assert.deepEqual(parseFilter('processes', text), filter, text);
		}
	});

	test('refuses what it does not know, says where, and what to write', () => {
		const refusals: Array<[list: FilterList, text: string, message: RegExp, hint: RegExp]> = [
			['processes', 'type:gpu stat:x', /at character 10: There is no field "stat" for processes\./, /Did you mean state\?/],
			['computers', 'wait>5m', /There is no field "wait" for computers/, /There are state, type, .*quote it: "wait>…"/],
			['computers', 'key=value', /There is no field "key"/, /There are/],
			['processes', 'state:lost', /state must be one of waiting, running, successful, failed, not "lost"/, /state:failed/],
			['processes', 'age>soon', /age must be a span of time, not "soon"/, /age>5m/],
			['processes', 'age:5m', /age cannot be compared with :/, /< <= > >=/],
			['processes', 'type>5', /type cannot be compared with >/, /: ~/],
			['processes', 'cores:many', /cores must be a whole number/, /cores>=4/],
			['processes', 'mem>8x', /mem must be a number of MB/, /mem>8g/],
			['processes', 'id:lab', /id must be the beginning of an id/, /id:/],
			['processes', 'in.a>5', /are text/, /in\.key=value/],
			['processes', 'in=5', /in needs the key/, /in~text/],
			['processes', 'err~ x', /no text to look for/, /err~text/],
			['processes', 'type: x', /type has no value/, /type:gpu/],
			['processes', '=x', /Nothing stands before "="/, /quote it: "="/],
			['processes', 'x - y', /at character 3: Nothing follows/, /-type:gpu/],
			['processes', 'é "a b', /at character 3: A quote begins here/, /Close it/],
			['processes', 'x'.repeat(2001), /at most 2000 characters/, /fewer/],
			['processes', 'a\0b', /without NUL/, /./],
		];
		for (const [list, text, message, hint] of refusals) {
			assert.throws(() => parseFilter(list, text), (error: unknown) => error instanceof ColoniesError && error.code === 'invalid-input' && message.test(error.message) && hint.test(error.hint!), text);
		}
	});

	for (const list of filterLists) {
		test(`of ${list} is printed so that it reads the same`, () => {
			fc.assert(fc.property(fc.array(termsOf(list), {maxLength: 6}), filter => {
				const text = printFilter(list, filter);
				assert.deepEqual(parseFilter(list, text), filter, text);
			}), {numRuns: 500});
		});

		test(`of ${list} is read or refused with a sentence and a hint, whatever is typed`, () => {
			fc.assert(fc.property(anyText, text => {
				const {terms, faults} = readFilter(list, text);
				assert.ok(faults.every(({at, end, message, hint}) => at >= 0 && at < end && end <= text.length && message.endsWith('.') && /[.?]$/.test(hint)));
				if (faults.length === 0) {
					assert.deepEqual(parseFilter(list, printFilter(list, terms)), terms);
				} else {
					assert.throws(() => parseFilter(list, text), ColoniesError);
				}
			}), {numRuns: 2000});
		});

		test(`of ${list} has an example for every field that reads as a term of that field`, () => {
			for (const [name, {example}] of Object.entries(filterTables[list].fields)) {
				assert.deepEqual(parseFilter(list, example).map(({field}) => field), [name]);
			}
		});
	}
});

suite('the completion of a filter', () => {
	const labels = (list: FilterList, text: string) => completeFilter(list, text, text.length).candidates.map(candidate => candidate.text);

	test('offers fields, then what may be their values', () => {
		assert.deepEqual(labels('colonies', ''), ['name:', 'id:']);
		assert.deepEqual(labels('processes', 'type:gpu st'), ['state:', 'started>']);
		assert.deepEqual(labels('processes', 'state:'), ['state:waiting', 'state:running', 'state:successful', 'state:failed']);
		assert.deepEqual(labels('processes', '-state:w'), ['-state:waiting']);
		assert.deepEqual(labels('processes', 'age>1'), ['age>1m', 'age>15m', 'age>1h', 'age>1d']);
		assert.deepEqual(labels('processes', 'in'), ['in.']);
	});

	test('says what else to ask for, and puts the answer in', () => {
		const asks: Array<[text: string, wanted: unknown, value: string, becomes: string]> = [
			['x type:g', {field: 'type', prefix: 'g'}, 'gpu', 'x type:gpu '],
			['computer:"la', {field: 'computer', prefix: 'la'}, 'lab 1', 'computer:"lab 1" '],
			['-in.', {field: 'in', prefix: ''}, 'my key', '-in."my key"='],
			['in.name=a', {field: 'in', key: 'name', prefix: 'a'}, 'a"b', String.raw`in.name="a\"b" `],
			['sta', {field: 'any', prefix: 'sta'}, 'stage', 'stage='],
		];
		for (const [text, wanted, value, becomes] of asks) {
			const completion = completeFilter('processes', text, text.length);
			assert.deepEqual(completion.wanted, wanted, text);
			const put = putCandidate(text, completion, suggestedCandidate(completion, {value}));
			assert.deepEqual([put.text, put.cursor], [becomes, becomes.length]);
		}
	});

	test('replaces the term that the cursor is in, and leaves the rest', () => {
		const text = 'type:gpu state:w age>5m';
		const completion = completeFilter('processes', text, 16);
		assert.deepEqual(putCandidate(text, completion, completion.candidates[0]!), {text: 'type:gpu state:waiting age>5m', cursor: 23});
	});

	test('makes terms that can be read, wherever the cursor is', () => {
		fc.assert(fc.property(fc.constantFrom(...filterLists), anyText, fc.nat(20), (list, text, at) => {
			const cursor = Math.min(at, text.length);
			const completion = completeFilter(list, text, cursor);
			assert.ok(completion.from <= cursor && completion.to >= cursor && completion.to <= text.length);
			for (const candidate of completion.candidates.filter(({whole}) => whole)) {
				assert.deepEqual(readFilter(list, candidate.text).faults, [], candidate.text);
			}
		}), {numRuns: 2000});
	});
});

suite('a list in memory', () => {
	test('is filtered as the language says: what a field is are alternatives, all else holds together', () => {
		const rows = [{id: 'a1', name: 'Lab one', of: 'colony', colony: 'a1'}, {id: 'b2', name: 'edge', of: 'computer', colony: 'a1'}, {id: 'c3', of: 'other'}];
		const found = (text: string) => rows.filter(row => passes('keys', parseFilter('keys', text), row)).map(({id}) => id).join(' ');
		assert.equal(found(''), 'a1 b2 c3');
		assert.equal(found('LAB'), 'a1');
		assert.equal(found('of:colony of:other'), 'a1 c3');
		assert.equal(found('of:colony of:computer name~e -name:edge'), 'a1');
		assert.equal(found('colony:A'), 'a1 b2');
		assert.equal(found('-colony:a'), 'c3');
		assert.equal(found('b'), 'a1 b2');
		assert.deepEqual(groupsOf(parseFilter('keys', 'of:colony name~a of:other')).map(group => group.length), [2, 1]);
	});
});
