import {inShort} from '../../core/explanation.ts';
import {shortId, visible} from '../../core/text.ts';
import {formatSpan, formatTime, milliseconds} from '../../core/time.ts';
import {type Process, processStates} from '../../core/types.ts';
import {accent, danger, dim, success, warning} from '../terminal/style.ts';
import {namesOf} from '../names.ts';
import {storeNow} from '../state.ts';
import {tabState} from '../tabs.ts';
import {
	askReasons, reasonOf, reasons, verdictStyle, whyPairs,
} from '../why.ts';
import type {Column, Screen} from './screen.ts';

const marks = ['·', '▸', '✓', '✗'] as const;
const colours = [warning, accent, success, danger] as const;

/** Milliseconds from a wire time to now, as a span; `-` where it is not set. */
const since = (time: string, now: number): string => {
	const at = milliseconds(time);
	return at === undefined ? '-' : formatSpan(now - at);
};

const between = (from: string, to: string): string => {
	const [start, end] = [milliseconds(from), milliseconds(to)];
	return start === undefined || end === undefined ? '-' : formatSpan(end - start);
};

const memory = (mem: number): string => mem >= 1024 ? `${Number((mem / 1024).toFixed(mem >= 10_240 ? 0 : 1))}G` : `${mem}M`;

/** When the deadline is, from now. */
function deadline({deadline, status}: Process, now: number): string {
	const at = milliseconds(deadline);
	if (at === undefined || status !== 1) {
		return '-';
	}

	return at >= now ? `in ${formatSpan(at - now)}` : `${formatSpan(now - at)} ago`;
}

/** How long it has been in its state: waiting since its submission, running since its start; a closed one, how long it ran. */
function lasted(process: Process, now: number): string {
	switch (process.status) {
		case 0: {
			return since(process.submissiontime, now);
		}

		case 1: {
			return since(process.starttime, now);
		}

		default: {
			return between(process.starttime, process.endtime);
		}
	}
}

/** The same in milliseconds; what never ran comes first. */
function lastedTime({status, submissiontime, starttime, endtime}: Process, now: number): number {
	const from = milliseconds(status === 0 ? submissiontime : starttime);
	return from === undefined ? -1 : (status > 1 ? milliseconds(endtime) ?? now : now) - from;
}

/** Colours of the reasons in short. */
const whyStyles: Record<string, (text: string) => string> = Object.fromEntries((['nobody-can', 'one-fix-away', 'being-taken'] as const).map(verdict => [inShort(verdict), verdictStyle(verdict)]));

const columns: ReadonlyArray<Column<Process>> = [
	{title: 'ID', width: 9, yields: 0, value: ({processid}) => processid.slice(0, 8)},
	{
		title: 'STATE', width: 12, yields: 1, value: ({status}) => `${marks[status]} ${processStates[status]}`,
		style: (text, {status}) => colours[status](text), shown: state => tabState(state) === undefined,
	},
	{title: 'TYPE', width: 12, yields: 0, grows: true, value: ({computertype}) => computertype === '' ? 'any' : visible(computertype), style: (text, {computertype}) => computertype === '' ? dim(text) : text},
	{title: 'TIME', width: 7, align: 'right', yields: 0, value: lasted, sort: lastedTime, stored: state => ['waiting', 'running'].includes(tabState(state) ?? '') ? 'descending' : undefined},
	{title: 'ENDED', width: 11, align: 'right', yields: 4, value: ({endtime}, now) => endtime.startsWith('0001') ? '-' : `${since(endtime, now)} ago`, sort: ({endtime}, now) => now - (milliseconds(endtime) ?? Infinity), stored: state => ['successful', 'failed'].includes(tabState(state) ?? '') ? 'ascending' : undefined, shown: state => !['waiting', 'running'].includes(tabState(state) ?? '')},
	{title: 'DEADLINE', width: 10, align: 'right', yields: 5, value: deadline, sort: ({deadline, status}) => status === 1 ? milliseconds(deadline) ?? Infinity : Infinity, style: (text, {status}) => status === 1 && text.endsWith('ago') ? danger(text) : text, shown: state => ['running', undefined].includes(tabState(state))},
	{title: 'CORES', width: 5, align: 'right', yields: 6, value: ({cores}) => String(cores), sort: ({cores}) => cores},
	{title: 'MEM', width: 5, align: 'right', yields: 7, value: ({mem}) => memory(mem), sort: ({mem}) => mem},
	{title: 'GPU', width: 3, align: 'right', yields: 8, value: ({gpus}) => String(gpus), sort: ({gpus}) => gpus},
	{title: 'TRY', width: 5, align: 'right', yields: 3, value: ({retries, maxretries}) => `${retries}/${maxretries}`, sort: ({retries}) => retries},
	{title: 'WHY', width: 11, yields: 1, value: (process, _, state) => visible(reasonOf(state, process)?.says ?? '…'), style: text => (whyStyles[text.trimEnd()] ?? dim)(text), shown: state => tabState(state) === 'waiting' && !state.past},
	{title: 'COMPUTER', width: 10, yields: 2, value: ({assignedcomputerid}, _, state) => assignedcomputerid === '' ? '-' : namesOf(state)(assignedcomputerid), shown: state => tabState(state) !== 'waiting'},
];

export const processesScreen: Screen<Process> = {
	name: 'processes',
	digit: '2',
	title: 'Processes',
	topics: ['processes'],
	past: true,
	of: 'colony',
	async read(query, {state, run}) {
		return run('process.list', {colonyid: state.colony!.colonyid, state: tabState(state), filter: state.lists.processes.filter, ...query, attributes: false, at: state.past?.at});
	},
	asks: state => tabState(state) === 'waiting' ? askReasons(state) : [],
	beside: reasons,
	tabs: ['all', ...processStates],
	columns,
	idOf: ({processid}) => processid,
	nameOf: ({processid}) => shortId(processid),
	empty(state) {
		if (!state.colony) {
			return ['No colony is selected.', 'Press 4 to choose one, or to register the first.'];
		}

		const list = state.lists.processes;
		if (list.filter !== '') {
			return [
				`No process matches /${visible(list.filter)}`,
				...(list.looked === undefined ? [] : [`among the ${list.looked.toLocaleString('en')} that were looked through: narrow it with state:, type:, computer: or age.`]),
				'Press esc to clear the filter.',
			];
		}

		const name = tabState(state);
		return [`No ${name === undefined ? '' : `${name} `}processes found`, 'Press n to submit one.'];
	},
	summary(process, state) {
		const now = storeNow(state);
		const time = (at: string) => formatTime(at, state.utc);
		return [
			['state', `${processStates[process.status]} ${lasted(process, now)}`],
			...whyPairs(state, process),
			['type', process.computertype === '' ? 'any' : process.computertype],
			['asks for', `${process.cores} cores  ${memory(process.mem)}  ${process.gpus} gpus`],
			['only on', process.targetcomputerids.length === 0 ? 'any computer' : process.targetcomputerids.map(id => namesOf(state)(id)).join(' ')],
			['computer', process.assignedcomputerid === '' ? '-' : `${namesOf(state)(process.assignedcomputerid)} ${process.assignedcomputerid}`],
			['submitted', time(process.submissiontime)],
			['started', time(process.starttime)],
			['ended', time(process.endtime)],
			['deadline', process.deadline.startsWith('0001') ? (process.timeout > 0 ? `${process.timeout}s after its start` : 'none') : time(process.deadline)],
			['retries', `${process.retries} of ${process.maxretries}`],
		];
	},
};
