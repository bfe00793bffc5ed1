import {pulseCounts, pulsePercentiles} from '../core/pulse.ts';
import {
	attributeTypes, computerStates, processStates,
} from '../core/types.ts';
import {parts} from '../core/differences.ts';
import {attentionKinds, severities} from '../core/attention.ts';
import {changesForetold} from '../core/forecast.ts';
import {verdicts} from '../core/explanation.ts';
import {conditions} from '../core/matching.ts';
import type {JsonSchema, OperationName} from '../operations/index.ts';

export const reference = (name: string): JsonSchema => ({$ref: `#/components/schemas/${name}`});

const id: JsonSchema = {type: 'string', pattern: '^[0-9a-f]{64}$'};
const text: JsonSchema = {type: 'string'};
const whole: JsonSchema = {type: 'integer'};
const wholeOrNull: JsonSchema = {type: ['integer', 'null']};
const index = (names: readonly string[]): JsonSchema => ({type: 'integer', minimum: 0, maximum: names.length - 1, description: names.map((name, place) => `${place} ${name}`).join(', ')});
const list = (items: JsonSchema): JsonSchema => ({type: 'array', items});
const said = (schema: JsonSchema, description: string): JsonSchema => ({...schema, description});

/** An object whose fields are always there, but for those that are named. More may stand beside them: clients ignore what they do not know. */
const object = (properties: Readonly<Record<string, JsonSchema>>, optional: readonly string[] = []): JsonSchema => ({
	type: 'object', properties, required: Object.keys(properties).filter(name => !optional.includes(name)),
});

const page = (name: string): JsonSchema => object({
	rows: list(reference(name)),
	positions: said(list(text), 'Of each row, for the query of the next page; empty where the list has none.'),
	more: object({before: {type: 'boolean'}, after: {type: 'boolean'}}),
	looked: said(object({count: whole, position: text}, ['position']), 'There where a filter was looked for in so many rows, and the page is not full though the list goes on: `position` goes on looking.'),
	at: said(reference('Time'), 'Of a list as it was: the moment.'),
	unanswered: said(list(text), 'Of a list over several cells: those that did not answer, whose rows are missing.'),
}, ['looked', 'at', 'unanswered']);

const listOf = (names: readonly string[], schema: JsonSchema): Record<string, JsonSchema> => Object.fromEntries(names.map(name => [name, schema]));
const seconds: JsonSchema = {type: ['number', 'null'], description: 'Seconds, within 9 %; null where nothing was measured.'};
const pulsePart = {totals: reference('PulseTotals'), series: reference('PulseSeries')};

const counts = (states: readonly string[]): JsonSchema => object(Object.fromEntries(states.map(state => [state, whole])));
const attributes = {oneOf: [list(reference('Attribute')), {type: 'null'}]};

const hash: JsonSchema = {type: 'string', pattern: '^[0-9a-f]{64}$'};
const effects: Readonly<Record<string, JsonSchema>> = {
	change: {type: 'string', enum: changesForetold},
	fitting: said(whole, 'Waiting processes that may run there once it is approved; 10,001 for more than 10,000, here and below.'),
	runnable: said(whole, 'Of these, those that nobody else may run.'),
	stranded: said(whole, 'Processes that wait for nobody then and did not before.'),
	requeued: said(whole, 'Running processes that go back to waiting.'),
};

const head: Readonly<Record<string, JsonSchema>> = {number: whole, hash, madeat: reference('Time'), upto: said(text, 'The last change that it covers.'), rows: whole};

const unsealed = said({oneOf: [reference('Time'), {type: 'null'}]}, 'When the oldest change was made that no seal covers yet; null where all is sealed.');

const change: Readonly<Record<string, JsonSchema>> = {
	id: text, at: reference('Time'), actor: said(text, 'An id, `root` or `system`.'), actorname: said({type: ['string', 'null']}, 'Of the colony or computer, also of one that is gone.'), what: text, noun: text, subject: text, name: {type: ['string', 'null']},
	colonyid: {oneOf: [id, {type: 'null'}]}, from: {type: ['string', 'null']}, to: {type: ['string', 'null']}, signed: {type: 'boolean'}, sealed: {type: 'boolean'},
	cell: said(text, 'Where root lists those of several cells.'),
};

const token: Readonly<Record<string, JsonSchema>> = {
	name: text, created: reference('Time'), createdby: said(text, 'An id, or `root`.'), lastused: said({oneOf: [reference('Time'), {type: 'null'}]}, 'To about a minute; null before the first time.'),
};

const condition: JsonSchema = {type: 'string', enum: conditions.map(({name}) => name)};
const side: JsonSchema = {type: ['string', 'integer']};
const reason = {
	processid: id,
	verdict: {type: 'string', enum: verdicts},
	says: said(text, 'The same in words.'),
	behind: said(whole, 'How many older waiting processes go before it on the computer where they are the fewest.'),
	more: said({type: 'boolean'}, 'Whether `behind` is counted to its limit, or not to the end.'),
	fix: reference('Fix'),
};

/** What operations give, by name. Fields and their order as the types of core/types.ts have them. */
export const answers: Readonly<Record<string, JsonSchema>> = {
	Time: {type: 'string', pattern: String.raw`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$`, description: 'RFC 3339 in UTC with microseconds; 0001-01-01T00:00:00Z where it is not set.'},
	Colony: object({colonyid: id, name: text, cell: said(text, 'The cell where it lives, where there are several and root asks.')}, ['cell']),
	Cell: object({
		cell: text, schema: text, place: said({type: ['string', 'null']}, 'Null in the database of the first.'), answers: {type: 'boolean'},
		colonies: said({type: ['integer', 'null']}, 'Null where it does not answer.'), bytes: {type: ['integer', 'null']}, problem: said(text, 'Why it does not answer.'),
	}, ['problem']),
	Move: object({colonyid: id, from: text, to: text, state: said({type: 'string', enum: ['copying', 'moved']}, '`copying`: ask again, it goes on.'), rows: said(whole, 'Copied so far.'), of: said(whole, 'Roughly all.')}),
	Computer: object({
		computerid: id, name: text, colonyid: id, computertype: said(text, 'Left out when it takes any.'), cpu: text, cores: whole, mem: said(whole, 'MB'), gpu: text, gpus: whole, status: index(computerStates), keyid: said(id, 'What its key proves; left out while that is its own id.'), lastseen: said(reference('Time'), 'When it last did something that it signed, to some seconds; left out before the first time.'),
	}, ['computertype', 'keyid', 'lastseen']),
	Attribute: object({attributeid: id, targetid: id, attributetype: index(attributeTypes), key: text, value: text}),
	Process: object({
		processid: id,
		targetcolonyid: id,
		targetcomputerids: list(id),
		assignedcomputerid: said({type: 'string', pattern: '^([0-9a-f]{64})?$'}, 'Empty where it is not assigned.'),
		status: index(processStates),
		isassigned: {type: 'boolean'},
		computertype: text,
		submissiontime: reference('Time'),
		starttime: reference('Time'),
		endtime: reference('Time'),
		deadline: reference('Time'),
		timeout: said(whole, 'Seconds from start to deadline; -1 or 0 for none.'),
		retries: whole,
		maxretries: whole,
		mem: said(whole, 'MB'),
		cores: whole,
		gpus: whole,
		traceparent: said(text, 'The trace that it belongs to (W3C Trace Context); left out where none was given.'),
		in: attributes,
		out: attributes,
		err: attributes,
	}, ['traceparent']),
	ProcessVersion: object({
		processid: id, status: index(processStates), since: said(reference('Time'), 'When it entered its state.'), retries: whole, computertype: text, version: said(text, 'Another one after every change of it; for `ifversion`.'),
	}),
	Event: object({
		id: text, at: reference('Time'), actor: said(text, 'An id, `root` or `system`.'), colonyid: {oneOf: [id, {type: 'null'}]}, noun: text, subject: text, what: text, from: {type: ['string', 'null']}, to: {type: ['string', 'null']},
	}),
	Step: object({
		at: reference('Time'), what: text, from: {type: ['string', 'null']}, to: {type: ['string', 'null']}, actor: said(text, 'An id, or `system`.'), actorname: said({type: ['string', 'null']}, 'Name of the computer that did it.'),
		computerid: said({oneOf: [id, {type: 'null'}]}, 'Of the attempt.'), computername: {type: ['string', 'null']}, starttime: {oneOf: [reference('Time'), {type: 'null'}]}, endtime: {oneOf: [reference('Time'), {type: 'null'}]},
		why: {type: ['string', 'null']}, attributes: said(attributes, 'What the attempt had written, where this step put it away.'),
	}),
	Difference: object({part: {type: 'string', enum: parts}, name: text, value: said({type: ['string', 'null']}, 'Null where it has none.'), other: {type: ['string', 'null']}}),
	Change: object(change, ['cell']),
	FullChange: object({
		...change, detail: said({}, 'A full image of what was made or removed, or what else belongs to it.'), request: said({type: ['string', 'null']}, 'What was signed, or asked by root, as JSON text.'), signature: {type: ['string', 'null']}, seal: {oneOf: [reference('Head'), {type: 'null'}]},
	}, ['cell']),
	Head: object(head),
	LastSeal: object({...head, unsealed, cells: said(list({oneOf: [object({cell: text, ...head, unsealed}), object({cell: text, problem: text})]}), 'Those of all cells, where there are several.')}, ['cells']),
	Verification: object({
		intact: {type: 'boolean'},
		fault: {oneOf: [reference('Fault'), {type: 'null'}]},
		from: whole,
		to: said(whole, 'The last seal that was checked.'),
		more: said({type: 'boolean'}, 'Whether there are seals after it: go on with it as `after`.'),
		last: {oneOf: [object({number: whole, hash, madeat: reference('Time')}), {type: 'null'}]},
		head: said({type: ['integer', 'null']}, 'The number of the seal whose hash was given as the head.'),
		dropped: said(whole, 'Rows of these seals that retention has dropped.'),
		droppedbefore: said({oneOf: [reference('Time'), {type: 'null'}]}, 'The time before which it has; null where it has dropped none.'),
		rows: said(whole, 'Told to root alone, as is requests.'),
		requests: whole,
	}, ['rows', 'requests']),
	Fault: object({kind: {type: 'string', enum: ['altered', 'dropped', 'added', 'moved', 'request', 'seal', 'head', 'retention']}, seal: {type: ['integer', 'null']}, row: {type: ['string', 'null']}, message: text}),
	Comparison: object({
		agrees: {type: 'boolean'},
		deviations: {type: 'array', items: reference('Deviation')},
		compared: object({colonies: whole, computers: whole, processes: whole, attributes: whole, rows: said(whole, 'Rows of the history whose subjects were looked for.'), unknown: said(whole, 'Of what retention left nothing to compare with.')}),
		more: said({type: 'boolean'}, 'Whether there is more: go on with `position`.'),
		position: {type: ['string', 'null']},
		share: said({type: 'number'}, 'How far it has come, of 1.'),
	}),
	Deviation: object({kind: {type: 'string', enum: ['altered', 'dropped', 'added']}, noun: {type: 'string', enum: ['colony', 'computer', 'process', 'attribute']}, subject: said(text, 'Of an attribute, its process.'), colonyid: text, row: said({type: ['string', 'null']}, 'The row of the history that says otherwise.'), message: text}),
	Retention: object({days: said({type: ['integer', 'null']}, 'Null for ever.'), compressafter: {type: ['integer', 'null']}, droppedbefore: {oneOf: [reference('Time'), {type: 'null'}]}}),
	ProcessRetention: object({
		colonyid: {oneOf: [id, {type: 'null'}]}, successful: said(text, 'A span, or `off` for ever.'), failed: text,
		own: said(object({successful: {type: ['string', 'null']}, failed: {type: ['string', 'null']}}), 'What the colony says; null where it says nothing.'), installation: object({successful: text, failed: text}),
		due: said(whole, 'How many are to be removed now, counted to 10,000 and one.'), lastremoved: {oneOf: [reference('Time'), {type: 'null'}]}, lastcount: whole,
	}),
	Fix: object({operation: text, input: {type: 'object'}, says: text}),
	Reason: object(reason, ['behind', 'more', 'fix']),
	Explanation: object({
		...reason,
		state: {type: 'string', enum: processStates},
		front: object({computerid: id, name: text, lastseen: reference('Time'), silent: {type: 'boolean'}}, ['lastseen']),
		computers: said(list(object({
			computerid: id, name: text, status: index(computerStates), lastseen: reference('Time'), mayrun: {type: 'boolean'},
			conditions: list(object({name: condition, ok: {type: 'boolean'}, has: side, asks: side})),
		}, ['lastseen'])), 'Those that fail the fewest conditions, approved ones first.'),
		others: said(list(object({unmet: list(condition), count: whole})), 'All computers of the colony, counted by what they fail.'),
	}, ['behind', 'more', 'fix', 'front']),
	Forecast: object({computerid: id, name: text, ...effects}),
	ForecastOfMany: object({computers: said(whole, 'How many they are.'), ...effects}),
	AttentionLine: object({
		kind: {type: 'string', enum: attentionKinds}, severity: {type: 'string', enum: severities}, text, since: reference('Time'), noun: {type: 'string', enum: ['process', 'computer']},
		id: said({type: 'string', pattern: '^([0-9a-f]{64})?$'}, 'Empty where the line stands for the rest of its kind.'), name: text, count: whole,
		fix: {oneOf: [reference('Fix'), object({screen: text, filter: text, says: text})]},
	}),
	AttentionPage: page('AttentionLine'),
	DatabaseStatus: object({
		clock: reference('Time'), started: {oneOf: [reference('Time'), {type: 'null'}]}, bytes: said(wholeOrNull, 'Of the whole database.'), sizes: list(object({table: text, bytes: whole})),
		connections: said(wholeOrNull, 'Of whatever program to this database.'), most: said(whole, 'How many connections the database server allows.'), oldest: said({type: ['number', 'null']}, 'Age in seconds of the oldest open transaction.'),
		readonly: said({type: ['string', 'null'], enum: ['standby', 'read-only', null]}, 'Why the database takes no changes; null where it takes them.'),
		prepared: said({type: 'boolean'}, 'Whether hot statements are prepared: not with `--dbprepare off`, nor behind a pooler that was found not to keep them.'),
		lag: said({type: ['number', 'null']}, 'Seconds by which a standby is behind its primary; null on a primary, and where a standby has not heard of it yet.'),
		listening: said({type: 'boolean'}, 'Whether notifications of the database reach this server. Where they do not, changes and work are found by polling every 200 ms.'),
	}),
	ColonyPage: page('Colony'),
	ComputerPage: page('Computer'),
	ProcessPage: page('Process'),
	EventPage: page('Event'),
	PulseTotals: object({...listOf(pulseCounts, whole), ...listOf(pulsePercentiles, seconds)}),
	PulseSeries: said(object({...listOf(pulseCounts, list(whole)), ...listOf(pulsePercentiles, list(seconds))}), 'One number for each bucket.'),
	Pulse: object({
		colonyid: id,
		by: {type: 'string', enum: ['none', 'type', 'computer']},
		from: reference('Time'),
		to: said(reference('Time'), 'The end of the last bucket, which has begun.'),
		now: reference('Time'),
		step: said(whole, 'Seconds of a bucket.'),
		waiting: said(list(whole), 'How many waited at the end of each bucket; where more than 10,000 do now, at least so many.'),
		running: said(list(whole), 'How many ran, likewise.'),
		...pulsePart,
		rows: said(list(object({key: said(text, 'A type, empty where none was asked for, or the id of a computer.'), name: text, ...pulsePart}, ['name'])), 'The types or computers of which most was counted.'),
		others: said(object({keys: said(whole, 'How many.'), ...pulsePart}), 'The rest of them together; left out when there is none.'),
	}, ['others']),
	StepPage: page('Step'),
	ChangePage: page('Change'),
	ComputerCounts: counts(computerStates),
	ProcessCounts: counts(processStates),
};

/** What each operation gives; undefined for nothing. */
export const answerOf: Readonly<Record<OperationName, JsonSchema | undefined>> = {
	'colony.register': reference('Colony'),
	'colony.list': reference('ColonyPage'),
	'colony.get': reference('Colony'),
	'colony.rename': reference('Colony'),
	'colony.remove': reference('Colony'),
	'colony.move': reference('Move'),
	'cell.list': list(reference('Cell')),
	'computer.register': reference('Computer'),
	'computer.list': reference('ComputerPage'),
	'computer.count': reference('ComputerCounts'),
	'computer.get': reference('Computer'),
	'computer.forecast': reference('Forecast'),
	'computer.forecastmany': reference('ForecastOfMany'),
	'computer.rename': reference('Computer'),
	'computer.rekey': reference('Computer'),
	'computer.approve': reference('Computer'),
	'computer.disapprove': reference('Computer'),
	'computer.remove': reference('Computer'),
	'process.submit': reference('Process'),
	'process.list': reference('ProcessPage'),
	'process.count': reference('ProcessCounts'),
	'process.get': reference('Process'),
	'process.explain': reference('Explanation'),
	'process.reasons': list(reference('Reason')),
	'process.version': reference('ProcessVersion'),
	'process.history': reference('StepPage'),
	'process.compare': list(reference('Difference')),
	'process.assign': reference('Process'),
	'process.successful': reference('Process'),
	'process.failed': reference('Process'),
	'process.retry': reference('Process'),
	'process.cancel': reference('Process'),
	'process.remove': reference('Process'),
	'attribute.add': reference('Attribute'),
	'attribute.get': reference('Attribute'),
	'attribute.list': list(reference('Attribute')),
	'filter.suggest': list(object({value: text, summary: said(text, 'What it is; empty mostly.')})),
	'attention.list': reference('AttentionPage'),
	'event.list': reference('EventPage'),
	'pulse.get': reference('Pulse'),
	'audit.list': reference('ChangePage'),
	'audit.get': reference('FullChange'),
	'audit.head': reference('LastSeal'),
	'audit.verify': reference('Verification'),
	'audit.present': reference('Comparison'),
	'process.kept': reference('ProcessRetention'),
	'process.retention': reference('ProcessRetention'),
	'history.get': reference('Retention'),
	'history.retention': reference('Retention'),
	'token.create': object({...token, token: said(text, 'The token itself, which is shown this once.')}),
	'token.list': list(object(token)),
	'token.revoke': object(token),
	'database.status': reference('DatabaseStatus'),
	'database.rootpassword': undefined,
};
