import assert from 'node:assert/strict';
import {test} from 'node:test';
import {ColoniesError} from '../../source/core/errors.ts';
import {
	attributePlaces, attributeSummaries, completeFilter, type FilterList, filterLists, filterTables, groupsOf, parseFilter, passes, printFilter, putCandidate, suggestedCandidate,
} from '../../source/core/filter-language/index.ts';

/** Reads a filter, and gives its terms in short: `field key operator value`. */
const read = (list: FilterList, text: string): string[] => parseFilter(list, text).map(({field, key, operator, value, not}) => `${not ? 'not ' : ''}${field}${key === undefined ? '' : ` ${JSON.stringify(key)}`} ${operator} ${JSON.stringify(value)}`);

function refusalOf(list: FilterList, text: string): [message: string, hint: string] {
	try {
		parseFilter(list, text);
	} catch (error) {
		assert.ok(error instanceof ColoniesError);
		return [error.message.replace('In the filter, at character 1: ', ''), error.hint!];
	}

	return assert.fail(`"${text}" was read.`);
}

test('memory is read in MB, or with a unit, whatever its case', () => {
	assert.deepEqual(['mem:5', 'mem:5m', 'mem:5MB', 'mem:2g', 'mem:2Gb', 'mem:1t', 'mem:1.25g', 'mem:0.0004g', 'mem:1000000000000'].map(text => parseFilter('processes', text)[0]!.value), [5, 5, 5, 2048, 2048, 1_048_576, 1280, 0, 1e12]);
	for (const wrong of ['mem:x5', 'mem:5x', 'mem:5.g', 'mem:.5g', 'mem:5gbb', 'mem:1000000000001', 'mem:1000000t']) {
		assert.deepEqual(refusalOf('processes', wrong), [`mem must be a number of MB, or one with m, g or t, not "${wrong.slice(4)}".`, 'Write mem>8g.']);
	}
});

test('a number is whole, and an id is of hex digits', () => {
	assert.deepEqual(read('processes', 'cores:123456789012'), ['cores is 123456789012']);
	for (const wrong of ['cores:1234567890123', 'cores:x1', 'cores:1x', 'cores:-1', 'cores:1.5']) {
		assert.deepEqual(refusalOf('processes', wrong), [`cores must be a whole number, not "${wrong.slice(6)}".`, 'Write cores>=4.']);
	}

	assert.deepEqual(read('processes', `id:${'aB'.repeat(32)}`), [`id is "${'ab'.repeat(32)}"`]);
	for (const wrong of [`id:${'a'.repeat(65)}`, 'id:xa', 'id:ax', 'id:""']) {
		assert.match(refusalOf('processes', wrong)[0], /^id must be the beginning of an id, 1 to 64 hex digits, not /);
	}
});

test('a comparison may stand behind a colon where a field has one, and nowhere else', () => {
	assert.deepEqual(read('processes', 'cores:>=4 cores:<40 mem:<=8g age:>5m'), ['cores >= 4', 'cores < 40', 'mem <= 8192', 'age > 300']);
	assert.deepEqual(read('processes', 'type:>4 type:<=x'), ['type is ">4"', 'type is "<=x"']);
	assert.match(refusalOf('processes', 'cores=>4')[0], /whole number, not ">4"/);
	assert.match(refusalOf('processes', 'cores:4>')[0], /whole number, not "4>"/);
	assert.match(refusalOf('processes', 'cores:>')[0], /cores has no value/);
});

test('a value may be empty where a whole text is asked for, and not where a part or a computer is', () => {
	assert.deepEqual(read('processes', 'type:"" in.key= in.key=""'), ['type is ""', 'in "key" is ""', 'in "key" is ""']);
	for (const [wrong, message] of [['type:', 'type has no value.'], ['type~""', 'type has no value.'], ['computer:""', 'computer has no value.'], ['target~""', 'target has no value.'], ['in~""', 'There is no text to look for in in.'], ['in.key~', 'There is no text to look for in the attribute "key".']] as const) {
		assert.equal(refusalOf('processes', wrong)[0], message);
	}

	assert.equal(refusalOf('processes', 'in~')[1], 'Write in~text.');
	assert.equal(refusalOf('processes', 'in.key~')[1], 'Write in.key~text.');
});

test('a part of a field is any text, whatever its kind', () => {
	assert.deepEqual(read('processes', 'type~x computer~LAB'), ['type has "x"', 'computer has "LAB"']);
	assert.deepEqual(read('computers', 'cpu~"a b" gpu:x'), ['cpu has "a b"', 'gpu is "x"']);
});

test('an attribute is named by its place and key, or by its key alone', () => {
	assert.deepEqual(read('processes', 'in.a.b=1 any.x~y key=v key~v any~v inside=1 "in"=1 in."a b"=1 out."=x"=2'), [
		'in "a.b" is "1"', 'any "x" has "y"', 'any "key" is "v"', 'any "key" has "v"', 'any has "v"', 'any "inside" is "1"', 'any "in" is "1"', 'in "a b" is "1"', 'out "=x" is "2"',
	]);
	assert.deepEqual(read('processes', `${'k'.repeat(200)}=v`), [`any "${'k'.repeat(200)}" is "v"`]);
	assert.deepEqual(refusalOf('processes', `${'k'.repeat(201)}=v`), ['The key of an attribute has at most 200 characters.', 'Write in.key=value.']);
	assert.deepEqual(refusalOf('processes', 'in.=v'), ['The key of the attribute is missing.', 'Write in.key=value.']);
	assert.deepEqual(refusalOf('processes', 'in.key>5'), ['The values of attributes are text, and cannot be compared with >.', 'Write in.key=value, or in.key~text for a part of it.']);
	assert.deepEqual(refusalOf('processes', 'in:5'), ['in needs the key of an attribute.', 'Write in.key=value, or in~text to look in the values of all.']);
	assert.match(refusalOf('processes', 'owner:5')[0], /There is no field "owner" for processes/);
	assert.match(refusalOf('processes', 'owner:5')[1], /There are state, type, .*gpus, in, out, err, any\. To look for it as a word, quote it: "owner:…"\.$/);
	assert.match(refusalOf('computers', 'owner:5')[1], /There are state, type, name, id, seen, cores, mem, gpus, cpu, gpu\. To/);
	assert.deepEqual(read('processes', 'any.x:y'), ['any "x" is "y"']);
});

test('a filter says what is wrong with it, and how to write it', () => {
	assert.deepEqual(refusalOf('processes', '""'), ['An empty word finds nothing.', 'Write -type:gpu for all but those; quote a minus to look for it: "-".']);
	assert.deepEqual(refusalOf('processes', '-'), ['Nothing follows the sign for "not".', 'Write -type:gpu for all but those; quote a minus to look for it: "-".']);
	assert.deepEqual(refusalOf('processes', ':x'), ['Nothing stands before ":".', 'Write type:gpu or key=value; to look for it as a word, quote it: ":".']);
	assert.deepEqual(refusalOf('processes', '"a'), ['A quote begins here and does not end.', String.raw`Close it with another ", or write \" for a quote within quotes.`]);
	assert.deepEqual(refusalOf('processes', 'state>x'), ['state cannot be compared with >.', 'Its signs are :; write state:failed.']);
	assert.deepEqual(refusalOf('processes', 'cores~4'), ['cores cannot be compared with ~.', 'Its signs are : < <= > >=; write cores>=4.']);
	assert.deepEqual(refusalOf('processes', 'state:lost'), ['state must be one of waiting, running, successful, failed, not "lost".', 'Write state:failed.']);
	assert.deepEqual(read('processes', 'x'.repeat(2000)), [`word has "${'x'.repeat(2000)}"`]);
	assert.deepEqual(refusalOf('processes', 'x'.repeat(2001)), ['A filter must be Unicode text without NUL, of at most 2000 characters.', 'Write fewer terms.']);
	assert.match(refusalOf('processes', '\uD800')[0], /Unicode/);
});

test('a filter is printed as short as it can be written', () => {
	for (const [text, printed] of [
		['any.key=v', 'key=v'],
		['any.type=v', 'any.type=v'],
		['any.TYPE=v', 'any.TYPE=v'],
		['any.in=v', 'any.in=v'],
		['any.in.x=v', 'any.in.x=v'],
		['any.inside=v', 'inside=v'],
		['any.begin=v', 'begin=v'],
		['in.key~v', 'in.key~v'],
		['any~v', 'any~v'],
		['any."a b"="c d"', '"a b"="c d"'],
		['-age>90s', '-age>1m30s'],
		['type:""', 'type:""'],
		['mem>8g', 'mem>8192'],
		['!state:FAILED', '-state:failed'],
		['"-x" "a:b"', '"-x" "a:b"'],
		['in.x:y', 'in.x=y'],
	]) {
		assert.equal(printFilter('processes', parseFilter('processes', text!)), printed, text);
	}
});

test('every field says what it is, with an example of itself', () => {
	for (const list of filterLists) {
		const {words, fields, attributes} = filterTables[list];
		assert.match(words, / its /);
		assert.equal(attributes, list === 'processes');
		for (const [name, {summary, example, kind, suggested}] of Object.entries(fields)) {
			assert.match(summary, /^[A-Z].{3,}[a-z>`]$/, `${list} ${name}`);
			assert.ok(example.startsWith(name));
			assert.equal(suggested === true, (kind === 'name' && list !== 'colonies' && list !== 'keys') || kind === 'computer', `${list} ${name}`);
		}
	}

	for (const place of attributePlaces) {
		assert.match(attributeSummaries[place], /^Attributes .{10,}/);
	}
});

test('lists in memory compare as the language says', () => {
	const rows = [{id: 'a1', cores: 4, mem: 8, cpu: 'AMD Ryzen'}, {id: 'b2', cores: 8, mem: 16, cpu: 'Intel'}, {id: 'c3', cores: 16}];
	const found = (text: string): string => rows.filter(row => passes('computers', parseFilter('computers', text), row)).map(({id}) => id[0]).join('');
	assert.deepEqual(['cores<8', 'cores<=8', 'cores>8', 'cores>=8', 'cores:8', '-cores:8', 'mem<100', '-mem<100', 'cpu~ryz', 'cpu:Intel', 'cpu:intel'].map(text => found(text)), ['a', 'ab', 'c', 'bc', 'b', 'ac', 'ab', 'c', 'a', 'b', '']);
	assert.deepEqual(['cores:4 cores:16', 'cores>4 cores<16', 'id:a id:b2', '-id:a -id:b', 'b', '"B2"', '2', 'cores:4 -cores:4'].map(text => found(text)), ['ac', 'b', 'ab', 'c', 'b', 'b', '', '']);
});

test('terms that ask what the same field or attribute is are alternatives, and no others', () => {
	const groups = (text: string): string[] => groupsOf(parseFilter('processes', text)).map(group => group.map(({field, key, value}) => `${field}${key === undefined ? '' : `.${key}`} ${value}`).join(' or '));
	assert.deepEqual(groups('type:a state:failed type:b in.a=1 in.b=2 in.a=3 out.a=4'), ['type a or type b', 'state failed', 'in.a 1 or in.a 3', 'in.b 2', 'out.a 4']);
	assert.deepEqual(groups('type~a type~b -type:c -type:d x y'), ['type a', 'type b', 'type c', 'type d', 'word x', 'word y']);
});

test('a completion offers what may stand at the cursor, with what it means', () => {
	const offered = (list: FilterList, text: string, cursor = text.length) => completeFilter(list, text, cursor);
	assert.deepEqual(offered('processes', 'age>').candidates.map(({label}) => label), ['1m', '5m', '15m', '1h', '6h', '1d', '7d']);
	assert.deepEqual(offered('processes', 'age>7').candidates, [{text: 'age>7d', label: '7d', summary: 'How long it is in its state: > 7d', whole: true}]);
	assert.deepEqual(offered('processes', 'state:FA').candidates, [{text: 'state:failed', label: 'failed', summary: '', whole: true}]);
	assert.deepEqual(offered('processes', 'STATE:f').candidates.map(({text}) => text), ['state:failed']);
	assert.deepEqual(offered('processes', 'ag').candidates, [{text: 'age>', label: 'age>5m', summary: 'How long it is in its state', whole: false}]);
	assert.deepEqual(offered('processes', 'out').candidates, [{text: 'out.', label: 'out.KEY=VALUE', summary: attributeSummaries.out, whole: false}]);
	assert.deepEqual(offered('processes', 'state>').candidates, []);
	assert.deepEqual(offered('processes', 'cores:').candidates, []);
	assert.deepEqual(offered('computers', 'out').candidates, []);
	assert.deepEqual(offered('computers', 'key=').wanted, undefined);
	assert.deepEqual(offered('processes', 'key:').wanted, undefined);
	assert.deepEqual(offered('processes', 'x').wanted, undefined);
	assert.deepEqual(offered('processes', 'xy').wanted, {field: 'any', prefix: 'xy'});
	assert.deepEqual(offered('processes', 'in.').wanted, {field: 'in', prefix: ''});
	assert.deepEqual(offered('processes', 'begin.x').wanted, {field: 'any', prefix: 'begin.x'});
	assert.deepEqual(offered('processes', '!in.a=b').before, '!in.a=');
	assert.deepEqual(offered('processes', 'x ', 2), {from: 2, to: 2, candidates: offered('processes', '').candidates, before: ''});
});

test('a completion replaces the term that the cursor is in', () => {
	const at = (text: string, cursor: number) => {
		const {from, to} = completeFilter('processes', text, cursor);
		return [from, to];
	};

	assert.deepEqual([at('type:gpu state:w age>5m', 16), at('type:gpu state:w age>5m', 8), at('type:gpu state:w age>5m', 9), at('type:gpu', 2), at('a b', 1), at('a  b', 2), at('', 0)], [[9, 16], [0, 8], [9, 9], [0, 8], [0, 1], [2, 2], [0, 0]]);
	assert.deepEqual(at('-type:gpu x', 5), [0, 9]);
});

test('a candidate is put in with a space behind it where it is whole, and no second one', () => {
	const whole = {text: 'state:failed', label: '', summary: '', whole: true};
	assert.deepEqual(putCandidate('x st', {from: 2, to: 4}, whole), {text: 'x state:failed ', cursor: 15});
	assert.deepEqual(putCandidate('st x', {from: 0, to: 2}, whole), {text: 'state:failed x', cursor: 13});
	assert.deepEqual(putCandidate('stx y', {from: 0, to: 2}, whole), {text: 'state:failed x y', cursor: 13});
	assert.deepEqual(putCandidate('st x', {from: 0, to: 2}, {...whole, text: 'state:', whole: false}), {text: 'state: x', cursor: 6});
});

test('a suggestion is a key or a value, quoted where it must be', () => {
	assert.deepEqual(suggestedCandidate({wanted: {field: 'in', prefix: ''}, before: 'in.'}, {value: 'a b'}), {text: 'in."a b"=', label: 'a b', summary: '', whole: false});
	assert.deepEqual(suggestedCandidate({wanted: {field: 'in', key: 'k', prefix: ''}, before: 'in.k='}, {value: 'a:b', summary: 'often'}), {text: 'in.k=a:b', label: 'a:b', summary: 'often', whole: true});
	assert.deepEqual(suggestedCandidate({wanted: {field: 'type', prefix: ''}, before: 'type:'}, {value: ''}), {text: 'type:""', label: '', summary: '', whole: true});
	assert.equal(suggestedCandidate({before: ''}, {value: 'x'}).whole, true);
});
