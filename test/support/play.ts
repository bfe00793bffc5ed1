import {migrate} from '../../source/database/index.ts';
import type {Database} from '../../source/database/types.ts';
import {toColoniesError} from '../../source/core/errors.ts';
import {
	attributeId, type Identity, idOf, prove, sha3,
} from '../../source/identity/index.ts';
import {
	type Caller, type InputOf, type OperationName, type ResultOf, Broker,
} from '../../source/operations/index.ts';

/** What came of one call, as text that is the same on every database. */
export type Line = {who: string; operation: OperationName; code: string; answer: string; notices: string[]};

/** What was answered, and what the history has of it, with times and random ids by their names. */
export type Played = {lines: Line[]; history: string[]};

const keyOf = (name: string): string => sha3(`the key of ${name}`);

const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/g;
const unset = '0001-01-01T00:00:00Z';

/** What is different in every run, by name: an id by the order in which it came up, a time as one, a nonce as one. */
class Names {
	readonly #ids = new Map<string, string>();

	plain(value: unknown): string {
		const text = JSON.stringify(value, (_, part: unknown) => this.#part(part), 1) ?? 'undefined';
		return text
			.replaceAll(/[\da-f]{64}/g, id => this.#nameOf(id))
			.replaceAll(/([\da-f]{4})\.\.([\da-f]{4})/g, (short, start: string, end: string) => {
				const known = [...this.#ids.keys()].find(id => id.startsWith(start) && id.endsWith(end));
				return known === undefined ? short : `short ${this.#nameOf(known)}`;
			})
			.replaceAll(/"(wait|run)": \d+/g, '"$1": 0')
			.replaceAll(time, 'a time');
	}

	#nameOf(id: string): string {
		const name = this.#ids.get(id) ?? `id ${this.#ids.size + 1}`;
		this.#ids.set(id, name);
		return name;
	}

	#part(part: unknown): unknown {
		if (typeof part !== 'object' || part === null) {
			return part;
		}

		if ('id' in part && 'sealed' in part) {
			return {...part, id: 'a place'};
		}

		// How far a seal reaches is a matter of what else the server does.
		if ('upto' in part || 'intact' in part) {
			return {...part, upto: 'a place', rows: 'some', requests: 'some'};
		}

		if ('positions' in part && Array.isArray(part.positions)) {
			return {...part, positions: part.positions.map(position => Buffer.from(String(position), 'base64url').toString().replace(/^\[\d+,\d+]$/, '[a transaction,a row]').replace(/,\d+]$/, ',a row]'))};
		}

		// What was counted is the same, whenever it was and however long it took.
		if ('waitp50' in part) {
			return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, /p\d\d$/.test(name) && value !== null ? 'measured' : value as number | null]));
		}

		if ('series' in part) {
			return {...part, series: undefined, ...('waiting' in part && 'running' in part ? {waiting: (part.waiting as number[]).at(-1), running: (part.running as number[]).at(-1)} : {})};
		}

		if ('version' in part && 'since' in part) {
			return {...part, version: 'a version'};
		}

		// Of a running process the deadline says how long it has.
		return 'deadline' in part && 'status' in part && part.status === 1 && 'starttime' in part && part.deadline !== unset
			? {...part, deadline: `${(Date.parse(String(part.deadline)) - Date.parse(String(part.starttime))) / 1000} s after its start`}
			: part;
	}
}

type HistoryRow = {txid: string; request: string | null; signature: string | null; what: string};

/** The rows in the order in which they were written; those that one statement wrote, in an order that no random id decides. */
async function historyOf(database: Database, names: Names): Promise<string[]> {
	const {rows} = await database.query<HistoryRow>('select h.txid::text as txid, colonies.text_of(actor) as actor, colony_id, noun, colonies.text_of(subject_id) as subject_id, what, from_state, to_state, detail, request, signature from colonies.history h order by h.txid, history_id');
	const texts = rows.map(({txid, request, signature, ...row}) => {
		const {created: _, nonce: __, ...signed} = JSON.parse(request ?? '{}') as Record<string, unknown>;
		return {txid, what: row.what, text: names.plain({...row, request: request === null ? null : signed, signed: signature !== null})};
	});
	const transactions = [...new Set(texts.map(({txid}) => txid))];
	const kindOf = new Map(texts.map(({txid, what}, index) => [`${txid} ${what}`, index]));
	return texts
		.sort((one, other) => kindOf.get(`${one.txid} ${one.what}`)! - kindOf.get(`${other.txid} ${other.what}`)! || (one.text < other.text ? -1 : 1))
		.map(({txid, text}) => `transaction ${transactions.indexOf(txid) + 1}: ${text}`);
}

/** What an answer says that does not depend on which store it is. */
function sameEverywhere(operation: OperationName, answer: unknown): unknown {
	switch (operation) {
		case 'database.status': {
			return Object.keys(answer as object);
		}

		case 'cell.list': {
			return (answer as object[]).map(row => Object.keys(row));
		}

		case 'token.create': {
			return {...answer as object, token: 'random'};
		}

		default: {
			return answer;
		}
	}
}

/** Calls operations on a database as somebody, and writes down what came of it. */
class Player {
	readonly lines: Line[] = [];
	readonly names = new Names();
	readonly local: Broker;
	readonly remote: Broker;
	readonly #identities = new Map<string, Identity>();
	#now = '';

	constructor(readonly database: Database) {
		this.local = new Broker(database, {local: true});
		this.remote = new Broker(database, {local: false});
	}

	/** Calls an operation as one with that name, or as root with a password: `root secret`. */
	readonly call = async <Name extends OperationName>(who: string, operation: Name, input: Record<string, unknown> = {}, broker = this.local): Promise<ResultOf<Name> | undefined> => {
		await this.#tick();
		const notices: string[] = [];
		const write = (code: string, answer: unknown): void => {
			this.lines.push({who, operation, code, answer: this.names.plain(answer), notices: notices.map(notice => this.names.plain(notice))});
		};

		try {
			const answer = await broker.run(this.#callerOf(who), operation, input, {notice(sentence) {
				notices.push(sentence);
			}});
			write('done', sameEverywhere(operation, answer));
			return answer;
		} catch (error) {
			const {code, message, hint} = toColoniesError(error);
			write(code, {message, hint});
			return undefined;
		}
	};

	#callerOf(who: string): Caller {
		if (who.startsWith('root ')) {
			return {root: who.slice(5)};
		}

		const identity = this.#identities.get(who) ?? prove(keyOf(who));
		this.#identities.set(who, identity);
		return {identity};
	}

	/** Lets the clock of the database go on, by a millisecond where it counts no less: what comes at one time is ordered by its id. */
	async #tick(): Promise<void> {
		let now = this.#now;
		while (now === this.#now) {
			const {rows} = await this.database.query<{now: string}>('select date_trunc(\'milliseconds\', clock_timestamp())::text as now');
			now = rows[0]!.now;
		}

		this.#now = now;
	}
}

const idsOf = <Name extends string>(...names: Name[]): Record<Name, string> => Object.fromEntries(names.map(name => [name, idOf(keyOf(name))])) as Record<Name, string>;

const {owner, rival, edge, core, slow, foreign, stranger} = idsOf('owner', 'rival', 'edge', 'core', 'slow', 'foreign', 'stranger');
const nobody = '0'.repeat(64);
const root = 'root secret';
const colonyid = owner;

/** Everybody tries it, with the same input. */
const everybody = [root, 'root wrong', 'owner', 'edge', 'slow', 'rival', 'foreign', 'stranger'];

async function playColonies({call, remote}: Player): Promise<void> {
	await call(root, 'colony.list', {}, remote);
	await call(root, 'colony.list');
	await call(root, 'colony.list', {}, remote);
	await call('root wrong', 'colony.list');
	await call(root, 'colony.register', {colonyid, spec: {name: 'mycolony'}});
	await call(root, 'colony.register', {colonyid, spec: {name: 'again'}});
	await call(root, 'colony.move', {colonyid, cell: 'another'});
	await call('root wrong', 'colony.move', {colonyid, cell: 'another'});
	await call('root wrong', 'cell.list');
	await call(root, 'cell.list');
	await call(root, 'colony.register', {colonyid: rival, spec: {name: String.raw`Zürich "'\%_`}, unknown: 1});
	for (const spec of [undefined, [], {}, {name: ''}, {name: 'a\nb'}, {name: 'x'.repeat(201)}, {name: 'x', colonyid: rival}]) {
		await call(root, 'colony.register', {colonyid: stranger, spec});
	}

	await call(root, 'colony.register', {colonyid: 'abc', spec: {name: 'x'}});
	const first = await call(root, 'colony.list', {count: 1});
	const position = first!.positions[0];
	for (const direction of ['after', 'from', 'before', 'beside']) {
		await call(root, 'colony.list', {position, direction});
	}

	await call(root, 'colony.list', {position: 'nowhere'});
	await call(root, 'colony.list', {count: 0});
	await call(root, 'colony.list', {count: 1001});
	await call(root, 'colony.list', {filter: 'name~ZÜ -id:00'});
	for (const who of everybody) {
		await call(who, 'colony.get', {colonyid});
		await call(who, 'colony.get', {colonyid: nobody});
	}
}

async function playComputers({call}: Player): Promise<void> {
	const specs: Record<string, unknown> = {
		[edge]: {name: 'edge', cores: 8, mem: 16_000, gpus: 1, computertype: 'gpu', cpu: 'AMD Ryzen 9', gpu: 'NVIDIA'}, [core]: {name: 'Edge é', mem: 1_073_741_824, cores: 1_000_000}, [slow]: {name: 'ärger_%'},
	};
	for (const [computerid, spec] of Object.entries(specs)) {
		await call('owner', 'computer.register', {colonyid, computerid, spec});
	}

	await call('owner', 'computer.register', {colonyid, computerid: edge, spec: {name: 'twice'}});
	await call('rival', 'computer.register', {colonyid: rival, computerid: foreign, spec: {name: 'foreign'}});
	await call('rival', 'computer.register', {colonyid, computerid: foreign, spec: {name: 'foreign'}});
	await call('owner', 'computer.register', {colonyid: nobody, computerid: stranger, spec: {name: 'lost'}});
	for (const wrong of [{}, {name: 'x', status: 1}, {name: 'x', cores: -1}, {name: 'x', mem: 1_073_741_825}, {name: 'x', gpus: 0.5}, {name: 'x', colonyid: rival}, {name: 'x', nonsense: true}]) {
		await call('owner', 'computer.register', {colonyid, computerid: stranger, spec: wrong});
	}

	await call('owner', 'computer.remove', {colonyid, computerid: stranger});
	for (const operation of ['computer.approve', 'computer.disapprove', 'computer.approve', 'computer.approve'] as const) {
		for (const who of ['edge', 'rival', 'owner']) {
			await call(who, operation, {colonyid, computerid: edge});
		}

		await call('owner', operation, {colonyid, computerid: nobody});
	}

	await call('owner', 'computer.approve', {colonyid, computerid: core});
	await call('rival', 'computer.approve', {colonyid: rival, computerid: foreign});
	for (const who of everybody) {
		await call(who, 'computer.list', {colonyid});
		await call(who, 'computer.count', {colonyid});
		await call(who, 'computer.get', {colonyid, computerid: edge});
		await call(who, 'computer.get', {colonyid, computerid: slow});
	}

	for (const filter of [{state: 'approved'}, {state: 'lost'}, {computertype: 'gpu'}, {computertype: ''}, {text: 'EDGE'}, {text: 'É'}, {text: 'Ä'}, {text: '_%'}, {text: edge.slice(0, 6)}, {text: '\\'}, {state: 'pending', text: 'x'}]) {
		await call('owner', 'computer.list', {colonyid, ...filter});
	}

	const first = await call('owner', 'computer.list', {colonyid, count: 1});
	for (const direction of ['after', 'from', 'before', undefined]) {
		await call('owner', 'computer.list', {colonyid, position: first!.positions[0], direction});
	}

	await call('owner', 'computer.list', {colonyid, direction: 'before', count: 2});
}

const specs: Array<Record<string, unknown>> = [
	{},
	{in: {}, computertype: 'gpu', timeout: 100, maxretries: 1, mem: 16_000, cores: 8, gpus: 1},
	{in: {b: '2', a: '1', 漢字: '👩‍👩‍👧', '%_\\': '\t\n\u0001"\'', empty: '', constructor: 'x'}},
	{computertype: 'GPU Ä', timeout: 315_360_000, maxretries: 1_000_000, mem: 1_073_741_824, cores: 1_000_000, gpus: 1_000_000},
	{targetcomputerids: [slow], timeout: 0},
	{targetcomputerids: [edge, core], timeout: 3600, maxretries: 3},
	{targetcomputerids: [edge], timeout: 600, in: {part: 'é'.repeat(40_000)}},
	{targetcomputerids: [nobody]},
];

const wrongSpecs: Array<Record<string, unknown>> = [
	{status: 1},
	{timeout: -2},
	{timeout: 315_360_001},
	{maxretries: -1},
	{mem: 1.5},
	{cores: '8'},
	{gpus: null},
	{in: {a: 1}},
	{in: {'': 'x'}},
	{in: {a: 'a\0b'}},
	{in: {a: '\uD800'}},
	{in: 'text'},
	{in: {a: 'x'.repeat(1_048_577)}},
	{targetcomputerids: ['x']},
	{targetcomputerids: edge},
	{computertype: 'a\u202Eb'},
	{computertype: 'x'.repeat(201)},
	{targetcolonyid: nobody},
	{targetcolonyid: rival},
	{targetcolonyid: 'x'},
];

async function playProcesses({call, local, database}: Player): Promise<void> {
	await call('edge', 'process.assign', {colonyid});
	for (const [index, spec] of specs.entries()) {
		await call(index % 2 === 0 ? 'owner' : 'edge', 'process.submit', {spec: {targetcolonyid: colonyid, ...spec}});
	}

	for (const spec of wrongSpecs) {
		await call('owner', 'process.submit', {spec: {targetcolonyid: colonyid, ...spec}});
	}

	for (const who of everybody) {
		await call(who, 'process.submit', {spec: {targetcolonyid: rival}});
		await call(who, 'process.assign', {colonyid});
		await call(who, 'process.count', {colonyid});
		await call(who, 'process.list', {colonyid, count: 2});
	}

	for (const computerid of [edge, core, slow, stranger]) {
		await call('owner', 'process.list', {colonyid, runnableby: computerid});
	}

	await playQuestions(call);

	const running = [await call('core', 'process.assign', {colonyid}), await call('edge', 'process.assign', {colonyid, computerid: edge}), await call('edge', 'process.assign', {colonyid}), await call('core', 'process.assign', {colonyid})];
	await call('edge', 'process.assign', {colonyid, computerid: core});
	await call('slow', 'process.assign', {colonyid});
	await call('edge', 'process.assign', {colonyid});
	await call('edge', 'process.assign', {colonyid});
	const ids = running.map(process => process?.processid ?? nobody);
	const {rows: all} = (await call('owner', 'process.list', {colonyid}))!;
	for (const processid of [...ids, nobody, all[0]!.processid, 'x']) {
		for (const who of ['edge', 'core', 'owner', 'foreign']) {
			await call(who, 'attribute.add', {colonyid, processid, key: 'result', value: `of ${who}`});
		}

		await call('edge', 'attribute.add', {colonyid, processid, key: 'result', value: 'replaced', type: 'out'});
		await call('core', 'attribute.add', {colonyid, processid, key: '漢', value: '', type: 'err'});
		await call('owner', 'attribute.list', {colonyid, processid});
		await call('stranger', 'attribute.list', {colonyid, processid});
	}

	for (const filter of ['state:running', 'gpu', '-type:gpu', 'computer:edge', 'out~"of edge"', 'out.result=replaced err.漢=""', 'cores>=8 mem>8g', 'deadline>1s', 'ran<1h -ended<1h', 'a=1', 'stat:x']) {
		await call('owner', 'process.list', {colonyid, filter, attributes: false});
	}

	for (const filter of ['edge', 'É', 'state:approved cores>4', 'seen<1h', 'gpu~nvid', '-name~%', 'wait>5m']) {
		await call('owner', 'computer.list', {colonyid, filter});
	}

	for (const [list, field, more] of [['processes', 'type', {}], ['processes', 'in', {}], ['processes', 'out', {key: 'result'}], ['processes', 'computer', {prefix: 'E'}], ['computers', 'type', {prefix: 'g'}], ['computers', 'state', {}]] as const) {
		await call('owner', 'filter.suggest', {colonyid, list, field, ...more});
	}

	for (const wrong of [{key: '', value: 'x'}, {key: 'a\nb', value: 'x'}, {key: 'x'.repeat(201), value: 'x'}, {key: 'x', value: 'a\0'}, {key: 'x', value: 'x'.repeat(1_048_577)}, {key: 'x', value: 'x', type: 'in'}]) {
		await call('core', 'attribute.add', {colonyid, processid: ids[0], ...wrong});
	}

	for (const attributeid of [attributeId(ids[1]!, 'result', 1), attributeId(ids[0]!, 'result', 1), nobody, 'x']) {
		await call('edge', 'attribute.get', {colonyid, processid: ids[1], attributeid});
		await call('foreign', 'attribute.get', {colonyid: rival, processid: ids[1], attributeid});
	}

	await call('core', 'process.successful', {colonyid, processid: ids[0], computerid: edge});
	for (const who of ['owner', 'edge', 'core', 'core']) {
		await call(who, 'process.successful', {colonyid, processid: ids[0]});
	}

	await call('core', 'process.failed', {colonyid, processid: ids[0]});
	await call('core', 'process.failed', {colonyid, processid: all[0]!.processid});
	await call('core', 'process.failed', {colonyid, processid: nobody});
	await call('edge', 'process.failed', {colonyid, processid: ids[1]});
	await playLists(call, ids);

	// What runs on a computer that is sent away waits again; what is past its deadline ends, or waits again.
	await call('owner', 'computer.disapprove', {colonyid, computerid: edge});
	await call('owner', 'process.list', {colonyid});
	await call('edge', 'process.successful', {colonyid, processid: ids[2]});
	await call('owner', 'computer.approve', {colonyid, computerid: edge});
	for (const who of ['edge', 'edge', 'edge', 'core']) {
		await call(who, 'process.assign', {colonyid});
	}

	const {rows: limited} = (await call('owner', 'process.list', {colonyid, state: 'running'}))!;
	for (const {processid} of limited) {
		await database.query('update colonies.live set deadline = statement_timestamp() - interval \'1 second\' where process_id = colonies.bytes_of($1) and deadline is not null', [processid]);
	}

	await call('edge', 'process.successful', {colonyid, processid: limited[0]!.processid});
	await local.endExpired();
	await call('owner', 'process.list', {colonyid});
	await call('edge', 'process.assign', {colonyid});
}

/** Why processes wait, what changes would do, and what asks for attention. */
async function playQuestions(call: Player['call']): Promise<void> {
	const {rows} = (await call('owner', 'process.list', {colonyid, state: 'waiting', count: 100}))!;
	for (const {processid} of [...rows, {processid: nobody}]) {
		await call('owner', 'process.explain', {colonyid, processid});
	}

	await call('rival', 'process.explain', {colonyid: rival, processid: rows[0]!.processid});
	await call('owner', 'process.explain', {colonyid, processid: rows[0]!.processid, count: 1});
	for (const who of everybody) {
		await call(who, 'process.reasons', {colonyid, processids: rows.map(({processid}) => processid)});
		await call(who, 'attention.list', {colonyid});
	}

	for (const processids of [undefined, 'x', [], `${rows[0]!.processid}, ${nobody}`]) {
		await call('owner', 'process.reasons', {colonyid, processids});
	}

	for (const change of ['approve', 'disapprove', 'remove', 'rename']) {
		for (const computerid of [edge, slow, nobody]) {
			await call('core', 'computer.forecast', {colonyid, computerid, change});
			await call('core', 'computer.forecastmany', {colonyid, computerids: [computerid], change});
		}
	}
}

async function playLists(call: Player['call'], ids: readonly string[]): Promise<void> {
	const filters: Array<Record<string, unknown>> = [
		{state: 'waiting'},
		{state: 'running'},
		{state: 'successful'},
		{state: 'failed'},
		{state: 'lost'},
		{computerid: edge},
		{computerid: core, state: 'successful'},
		{computerid: nobody},
		{computertype: 'gpu'},
		{computertype: 'GPU ä'},
		{olderthan: 3600},
		{youngerthan: 3600},
		{olderthan: -1},
		{attribute: 'a=1'},
		{attribute: '漢字=👩‍👩‍👧'},
		{attribute: '%_\\=\t\n\u0001"\''},
		{attribute: 'result=replaced', state: 'failed'},
		{attribute: 'nothing'},
		{attribute: 'empty='},
		{attribute: `part=${'é'.repeat(40_000)}`},
		{text: 'gpu'},
		{text: 'GPU Ä'},
		{text: 'ä'},
		{text: '%'},
		{text: ids[0]!.slice(0, 20)},
		{text: '\\'},
		{attributes: false},
		{runnableby: core, count: 1},
		{count: 1000},
		{at: '-0s', count: 1000},
		{at: '-0s', state: 'running', text: 'gpu'},
		{at: '2000-01-01T00:00:00Z'},
		{at: '9999-01-01T00:00:00Z'},
		{at: 'yesterday'},
		{at: '-0s', runnableby: core},
	];
	for (const filter of filters) {
		await call('owner', 'process.list', {colonyid, ...filter});
	}

	for (const state of [undefined, 'waiting']) {
		const first = await call('core', 'process.list', {colonyid, state, count: 2});
		for (const direction of ['after', 'from', 'before']) {
			await call('core', 'process.list', {colonyid, state, count: 2, position: first!.positions[1], direction});
		}

		await call('core', 'process.list', {colonyid, state, count: 2, direction: 'before'});
	}

	await call('core', 'process.list', {colonyid, position: Buffer.from('["yesterday","x"]').toString('base64url')});
	await call('core', 'process.list', {colonyid, position: Buffer.from('[1]').toString('base64url')});
}

async function playAudit({call, local}: Player): Promise<void> {
	await call(root, 'audit.head');
	await local.seal();
	for (const who of everybody) {
		await call(who, 'audit.list', {colonyid, count: 3});
		await call(who, 'audit.get', {colonyid, entry: '999999999999999.0'});
		await call(who, 'audit.head', {colonyid});
		await call(who, 'audit.verify', {colonyid});
		await call(who, 'audit.present', {colonyid});
		await call(who, 'history.get', {colonyid});
		await call(who, 'history.retention', {days: 30});
		await call(who, 'process.kept', {colonyid});
		await call(who, 'process.retention', {colonyid, failed: '90d'});
	}

	for (const filter of [{}, {text: 'edge'}, {text: edge.slice(0, 8)}, {text: 'nobody'}, {what: 'disapprove'}, {what: 'computer', all: true}, {what: 'process.assign', all: true}, {what: 'nonsense'}, {actor: 'system', all: true}, {actor: edge, all: true}, {subject: slow}, {text: 'lab', actor: owner, what: 'approve'}, {position: 'nowhere'}]) {
		await call('owner', 'audit.list', {colonyid, ...filter});
		await call(root, 'audit.list', filter);
	}

	const {rows: [oldest]} = (await call(root, 'audit.list', {what: 'database.firstrootpassword'}))!;
	await call(root, 'audit.get', {entry: oldest!.id});
	const first = await call('owner', 'audit.list', {colonyid, count: 2});
	for (const direction of ['after', 'from', 'before']) {
		await call('owner', 'audit.list', {colonyid, count: 2, position: first!.positions[1], direction});
	}

	for (const input of [{}, {days: 0}, {days: 30}, {compressafter: 0}, {compressafter: 31}, {days: -1}, {days: 36_501}]) {
		await call(root, 'history.retention', input);
		await call(root, 'history.get');
	}

	for (const input of [{}, {successful: '30d'}, {failed: 'off', successful: 'default'}, {failed: '1h'}, {colonyid, failed: '30d'}]) {
		await call(root, 'process.retention', input);
		await call(root, 'process.kept');
	}

	await call('owner', 'process.retention', {colonyid, successful: 'off', failed: 'default'});
	await call(root, 'history.retention', {days: 0});
	await call(root, 'audit.verify', {head: 'f'.repeat(64)});
	await call(root, 'audit.verify', {after: 5});
	await call(root, 'audit.get', {entry: 'x'});
}

async function playOperator(player: Player): Promise<void> {
	const {call} = player;
	const {rows} = (await call('owner', 'process.list', {colonyid, count: 20}))!;
	for (const operation of ['process.retry', 'process.cancel', 'process.retry'] as const) {
		for (const {processid} of [...rows.slice(0, 6), {processid: nobody}]) {
			await call('edge', operation, {colonyid, processid});
			await call('owner', operation, {colonyid, processid});
			await call('rival', operation, {colonyid: rival, processid});
		}
	}

	for (const {processid} of [rows[0]!, rows[5]!, {processid: nobody}]) {
		for (const who of ['edge', 'owner', 'stranger']) {
			await call(who, 'process.version', {colonyid, processid});
		}

		for (const wrong of [{ifstate: 'lost'}, {ifstate: 'running', ifretries: 5}, {ifsince: '2021-12-21T21:04:07.807378Z'}, {ifsince: 'yesterday'}, {ifversion: '0'}]) {
			await call('owner', 'process.remove', {colonyid, processid, ...wrong});
		}
	}

	await call('owner', 'computer.approve', {colonyid, computerid: slow, ifstate: 'disapproved'});
	for (const {processid} of [...rows.slice(0, 6), {processid: nobody}]) {
		for (const who of ['core', 'foreign']) {
			await call(who, 'process.history', {colonyid, processid, count: 1000});
		}
	}

	// What never ran has no times that are different in every run.
	const {rows: waiting} = (await call('owner', 'process.list', {colonyid, state: 'waiting', count: 20}))!;
	const fresh = await call('owner', 'process.submit', {spec: {targetcolonyid: colonyid, computertype: 'never', in: {a: '2', 'api-key': 'x'}}});
	for (const other of [...waiting.slice(0, 3).map(({processid}) => processid), nobody, undefined]) {
		await call('owner', 'process.compare', {colonyid, processid: fresh!.processid, with: other});
		await call('rival', 'process.compare', {colonyid, processid: fresh!.processid, with: other});
	}

	for (const {processid} of [...rows.slice(0, 3), rows[0]!]) {
		await call('core', 'process.remove', {colonyid, processid});
		await call('owner', 'process.get', {colonyid, processid});
		await call('owner', 'process.remove', {colonyid, processid});
		await call('owner', 'process.get', {colonyid, processid});
	}

	await call('core', 'process.assign', {colonyid});
	for (const who of ['edge', 'owner', 'owner']) {
		await call(who, 'computer.rename', {colonyid, computerid: core, name: 'kern'});
		await call(who, 'computer.rekey', {colonyid, computerid: core, keyid: idOf(keyOf('another key of core'))});
		await call('core', 'process.count', {colonyid});
		await call('another key of core', 'process.count', {colonyid});
		await call(who, 'computer.remove', {colonyid, computerid: core});
	}

	await call('core', 'process.list', {colonyid});
	await call('owner', 'process.count', {colonyid});
	// Beyond the end: where events stand differs from store to store, and what they say is compared with the history.
	for (const who of everybody) {
		await call(who, 'event.list', {colonyid, after: '999999999999999.0'});
	}

	await playAudit(player);
	for (const who of everybody) {
		await call(who, 'database.status', {colonyid});
	}

	for (const who of everybody) {
		await call(who, 'token.create', {name: 'prometheus'});
		await call(who, 'token.list');
		await call(who, 'token.revoke', {name: who === root ? 'prometheus' : 'nobody'});
	}

	await call(root, 'token.revoke', {name: 'prometheus'});
	await call(root, 'token.create', {name: ''});
	await call(root, 'token.create', {name: 'twice'});
	await call(root, 'token.create', {name: 'twice'});
	await call(root, 'token.list');

	for (const after of ['', 'yesterday', '1', '-1.0', '1.2.3']) {
		await call('owner', 'event.list', {colonyid, after});
	}

	for (const who of everybody) {
		await call(who, 'pulse.get', {colonyid, span: '7d', by: 'type'});
	}

	for (const given of [{}, {by: 'type', computertype: ''}, {by: 'computer'}, {computertype: 'none of this'}, {span: '90s', step: '10s'}, {span: 'long'}, {span: '7d', step: '10s'}, {span: '1d', step: '10s'}, {by: 'computer', computertype: 'x'}]) {
		await call('owner', 'pulse.get', {colonyid, span: '30d', ...given});
	}

	for (const who of everybody.filter(name => name !== root)) {
		await call(who, 'database.rootpassword', {newrootpassword: 'another'});
		await call(who, 'colony.rename', {colonyid, name: `renamed by ${who}`});
		await call(who, 'colony.remove', {colonyid});
	}

	await call(root, 'database.rootpassword', {newrootpassword: ''});
	await call(root, 'database.rootpassword', {newrootpassword: 'another'});
	await call(root, 'colony.remove', {colonyid});
	await call('root another', 'colony.rename', {colonyid, name: 'renamed'});
	await call('root another', 'colony.rename', {colonyid, name: 'mycolony'});
	await call('root another', 'colony.remove', {colonyid, name: 'wrong'});
	await call('root another', 'colony.remove', {colonyid, name: 'mycolony'});
	await call('root another', 'colony.remove', {colonyid});
	await call('owner', 'process.list', {colonyid});
	await call('root another', 'colony.list');
}

/** Every operation, by everybody, with whatever may be right or wrong about it, in one and the same order on a fresh database. */
export async function play(database: Database): Promise<Played> {
	await migrate(database);
	const player = new Player(database);
	for (const act of [playColonies, playComputers, playProcesses, playOperator]) {
		await act(player);
	}

	return {lines: player.lines, history: await historyOf(database, player.names)};
}
