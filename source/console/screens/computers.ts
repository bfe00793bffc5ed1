import {shortId, visible} from '../../core/text.ts';
import {formatAge, milliseconds} from '../../core/time.ts';
import {type Computer, computerStates} from '../../core/types.ts';
import {storeNow} from '../state.ts';
import {danger, dim, success, warning} from '../terminal/style.ts';
import type {Screen} from './screen.ts';

const marks = ['?', '✓', '✗'] as const;
const colours = [warning, success, danger] as const;

export const computersScreen: Screen<Computer> = {
	name: 'computers',
	digit: '3',
	title: 'Computers',
	topics: ['computers'],
	past: true,
	of: 'colony',
	async read(query, {state, run}) {
		return run('computer.list', {colonyid: state.colony!.colonyid, filter: state.lists.computers.filter, ...query, at: state.past?.at});
	},
	tabs: [],
	columns: [
		{title: 'NAME', width: 14, grows: true, yields: 0, value: ({name}) => visible(name)},
		{title: 'STATE', width: 13, yields: 0, value: ({status}) => `${marks[status]} ${computerStates[status]}`, style: (text, {status}) => colours[status](text)},
		{title: 'SEEN', width: 6, align: 'right', yields: 2, value: ({lastseen}, now) => formatAge(lastseen, now), sort: ({lastseen}, now) => now - (lastseen === undefined ? 0 : milliseconds(lastseen) ?? 0)},
		{title: 'ID', width: 10, yields: 3, value: ({computerid}) => shortId(computerid)},
		{title: 'TYPE', width: 12, yields: 1, value: ({computertype}) => computertype ? visible(computertype) : 'any', style: (text, {computertype}) => computertype ? text : dim(text)},
		{title: 'CORES', width: 5, align: 'right', yields: 2, value: ({cores}) => String(cores), sort: ({cores}) => cores},
		{title: 'MEM MB', width: 9, align: 'right', yields: 4, value: ({mem}) => String(mem), sort: ({mem}) => mem},
		{title: 'GPUS', width: 4, align: 'right', yields: 5, value: ({gpus}) => String(gpus), sort: ({gpus}) => gpus},
		{title: 'CPU', width: 24, yields: 6, value: ({cpu}) => visible(cpu)},
	],
	idOf: ({computerid}) => computerid,
	nameOf: ({name}) => visible(name),
	empty(state) {
		if (!state.colony) {
			return ['No colony is selected.', 'Press 4 to choose one, or to register the first.'];
		}

		return state.lists.computers.filter === ''
			? ['No computers found', 'Press n to register one; it waits for your approval then.']
			: [`No computer matches /${visible(state.lists.computers.filter)}`, 'Press esc to clear the filter.'];
	},
	summary: (computer, state) => [
		['state', computerStates[computer.status]],
		['last seen', computer.lastseen === undefined ? (state.past ? 'not kept' : 'never') : `${formatAge(computer.lastseen, storeNow(state))} ago`],
		['id', computer.computerid],
		...(computer.keyid === undefined ? [] : [['key', computer.keyid] as const]),
		['type', computer.computertype ?? 'any'],
		['cpu', computer.cpu || '-'],
		['cores', String(computer.cores)],
		['memory', `${computer.mem} MB`],
		['gpu', computer.gpu || '-'],
		['gpus', String(computer.gpus)],
	],
};
