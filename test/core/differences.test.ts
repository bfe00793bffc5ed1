import assert from 'node:assert/strict';
import {test} from 'node:test';
import {differences, parts, type Side} from '../../source/core/differences.ts';
import {type Attribute, type Computer, type Process, unsetTime} from '../../source/core/types.ts';

const attributesOf = (values: Record<string, string>): Attribute[] => Object.entries(values).map(([key, value]) => ({attributeid: key, targetid: 'p', attributetype: 0, key, value}));

const processOf = (change: Partial<Process> = {}): Process => ({
	processid: 'one', targetcolonyid: 'colony', targetcomputerids: [], assignedcomputerid: '', status: 2, isassigned: true, computertype: 'gpu',
	submissiontime: '2026-01-01T00:00:00.000000Z', starttime: '2026-01-01T00:00:01.000000Z', endtime: '2026-01-01T00:01:02.000000Z', deadline: unsetTime, timeout: -1, retries: 0, maxretries: 3,
	mem: 1000, cores: 4, gpus: 1, in: null, out: null, err: null, ...change,
});
const computerOf = (change: Partial<Computer> = {}): Computer => ({computerid: 'lab', name: 'lab1', colonyid: 'colony', computertype: 'gpu', cpu: 'AMD', cores: 8, mem: 16_000, gpu: 'NVIDIA', gpus: 1, status: 1, ...change});

/** What differs, as `part name: value | other`, but for which they are. */
const told = (here: Side, there: Side): string[] => differences(here, there).filter(({part}) => part !== 'process').map(({part, name, value, other}) => `${part} ${name}: ${value ?? '-'} | ${other ?? '-'}`);
const between = (here: Partial<Process>, there: Partial<Process> = {}): string[] => told({process: processOf(here)}, {process: processOf(there)});

test('which they are and how they ended is always told, and of two that are alike nothing else', () => {
	assert.deepEqual(differences({process: processOf()}, {process: processOf({processid: 'two', status: 3})}), [
		{part: 'process', name: 'processid', value: 'one', other: 'two'},
		{part: 'process', name: 'state', value: 'successful', other: 'failed'},
	]);
	const same = {process: processOf({assignedcomputerid: 'lab', in: attributesOf({key: 'value'})}), computer: computerOf()};
	assert.equal(differences(same, same).length, 2);
});

test('everything that a process asks is compared', () => {
	assert.deepEqual(between({targetcomputerids: ['a', 'b'], computertype: 'cpu', timeout: 60, maxretries: 1, mem: 1, cores: 2, gpus: 0}), [
		'spec targetcomputerids: a, b | ', 'spec computertype: cpu | gpu', 'spec timeout: 60 | -1', 'spec maxretries: 1 | 3', 'spec mem: 1 | 1000', 'spec cores: 2 | 4', 'spec gpus: 0 | 1',
	]);
});

test('attributes are compared by their keys, those of each list by themselves', () => {
	assert.deepEqual(between({in: attributesOf({same: '1', changed: '2', mine: '3'}), out: attributesOf({result: '4'}), err: null}, {in: attributesOf({same: '1', changed: '9', theirs: '8'}), out: null, err: attributesOf({error: 'x'})}), [
		'in changed: 2 | 9', 'in mine: 3 | -', 'in theirs: - | 8', 'out result: 4 | -', 'err error: - | x',
	]);
});

test('the value of a secret key is not told', () => {
	assert.deepEqual(between({in: attributesOf({password: 'a', token: 'b'})}, {in: attributesOf({password: 'c', secret: 'd'})}), ['in password: *** | ***', 'in token: *** | -', 'in secret: - | ***']);
});

test('the computers on which they ran are compared', () => {
	const ran = (change?: Partial<Computer>): Side => ({process: processOf({assignedcomputerid: change?.computerid ?? 'lab'}), computer: computerOf(change)});
	assert.deepEqual(told(ran(), ran({computerid: 'edge', name: 'edge', computertype: undefined, cpu: 'Intel', cores: 1, mem: 2, gpu: '', gpus: 0})), [
		'computer computerid: lab | edge', 'computer name: lab1 | edge', 'computer computertype: gpu | ', 'computer cpu: AMD | Intel', 'computer cores: 8 | 1', 'computer mem: 16000 | 2', 'computer gpu: NVIDIA | ', 'computer gpus: 1 | 0',
	]);
	assert.deepEqual(told({process: processOf({assignedcomputerid: 'lab'})}, {process: processOf()}), ['computer computerid: lab | -']);
	assert.deepEqual(told({process: processOf(), computer: computerOf()}, {process: processOf()}), []);
});

test('times are compared as spans, and those that are not set as none', () => {
	assert.deepEqual(between({starttime: '2026-01-01T00:00:00.999999Z', endtime: '2026-01-01T00:00:01.998000Z', retries: 2}), ['times waited: 999ms | 1s', 'times ran: 999ms | 1m01s', 'times retries: 2 | 0']);
	assert.deepEqual(between({endtime: unsetTime}), ['times ran: - | 1m01s']);
	assert.deepEqual(between({starttime: unsetTime, endtime: unsetTime}), ['times waited: - | 1s', 'times ran: - | 1m01s']);
});

test('parts come in their order', () => {
	const here = {process: processOf({assignedcomputerid: 'lab', cores: 1, retries: 1, in: attributesOf({a: '1'}), out: attributesOf({b: '1'}), err: attributesOf({c: '1'})}), computer: computerOf()};
	assert.deepEqual([...new Set(differences(here, {process: processOf()}).map(({part}) => part))], parts);
});

test('long values are cut to where they begin to differ', () => {
	const value = (here: string, there: string | undefined) => {
		const {value, other} = differences({process: processOf({in: attributesOf({key: here})})}, {process: processOf({in: there === undefined ? null : attributesOf({key: there})})}).find(({part}) => part === 'in')!;
		return [value, other];
	};

	assert.deepEqual(value('x'.repeat(4096), 'y'), ['x'.repeat(4096), 'y']);
	assert.deepEqual(value(`${'s'.repeat(4095)}A`, `${'s'.repeat(4095)}B`), [`${'s'.repeat(4095)}A`, `${'s'.repeat(4095)}B`]);
	assert.deepEqual(value('s'.repeat(4096), 's'.repeat(4097)), [`…${'s'.repeat(2048)}`, `…${'s'.repeat(2049)}`]);
	assert.deepEqual(value('x'.repeat(4097), 'y'), [`${'x'.repeat(4096)}…`, 'y']);
	assert.deepEqual(value('x'.repeat(4097), undefined), [`${'x'.repeat(4096)}…`, null]);
	const [same, end] = ['s'.repeat(5000), 'e'.repeat(5000)];
	assert.deepEqual(value(`${same}A${end}`, `${same}B`), [`…${'s'.repeat(2048)}A${'e'.repeat(2047)}…`, `…${'s'.repeat(2048)}B`]);
	assert.deepEqual(value(`${same}A`, same), [`…${'s'.repeat(2048)}A`, `…${'s'.repeat(2048)}`]);
	assert.deepEqual(value(`${'s'.repeat(2048)}A${end}`, 's'.repeat(2048)), [`${'s'.repeat(2048)}A${'e'.repeat(2047)}…`, 's'.repeat(2048)]);
	const [, other] = differences({process: processOf()}, {process: processOf({in: attributesOf({key: 'x'.repeat(5000)})})}).map(({other}) => other).slice(-2);
	assert.equal(other, `${'x'.repeat(4096)}…`);
});
