import {
	type ComputerAnswer, type Explanation, conditionText, obstacles,
} from '../../core/explanation.ts';
import {type ConditionName, conditions} from '../../core/matching.ts';
import {plural, visible} from '../../core/text.ts';
import {formatAge} from '../../core/time.ts';
import {computerStates, type Id, type Process} from '../../core/types.ts';
import type {Ask} from '../answers.ts';
import {layoutOf} from '../layout.ts';
import {selectedRow} from '../screens/index.ts';
import {type Overlay, type State, storeNow} from '../state.ts';
import {bold, danger, dim, success, warning} from '../terminal/style.ts';
import {fit} from '../terminal/width.ts';
import {type Row, rowsOf} from '../views/rows.ts';
import {wordPieces} from '../views/wrap.ts';
import {explanationOf, verdictStyle, whySlot} from '../why.ts';

type Explain = Extract<Overlay, {kind: 'explain'}>;

/** The process whose waiting is in sight: the one that is open, or else the one under the cursor beside the side pane. */
function subjectOf(state: State): Id | undefined {
	const open = state.overlays.findLast(({kind}) => kind === 'explain' || kind === 'detail');
	if (open?.kind === 'explain') {
		return open.id;
	}

	if (open?.kind === 'detail') {
		return open.process?.status === 0 ? open.id : undefined;
	}

	const row = state.screen === 'processes' && layoutOf(state).side > 0 ? selectedRow(state) as Process | undefined : undefined;
	return row?.status === 0 ? row.processid : undefined;
}

/** Asks why what is in sight waits. */
export function askWhy(state: State): readonly Ask[] {
	const id = subjectOf(state);
	return id === undefined
		? []
		: [{
			slot: whySlot, key: id, operation: 'process.explain', input: {colonyid: state.colony!.colonyid, processid: id, count: 100},
			topics: ['processes', 'computers'], rests: state.overlays.length === 0,
		}];
}

type Column = {title: string; width: number; text: (computer: ComputerAnswer, now: number) => string; style?: (text: string, computer: ComputerAnswer) => string};

const stateColours = [warning, success, danger] as const;

const first: readonly Column[] = [
	{title: 'NAME', width: 16, text: ({name}) => visible(name)},
	{title: 'STATE', width: 11, text: ({status}) => computerStates[status], style: (text, {status}) => stateColours[status](text)},
	{title: 'SEEN', width: 6, text: ({lastseen}, now) => formatAge(lastseen, now)},
];

const widths: Partial<Record<ConditionName, number>> = {target: 9, type: 14, cores: 9, mem: 15, gpus: 8};

const conditionColumns = conditions.filter(({name}) => name !== 'approved').map(({name}): Column => {
	const answerOf = (computer: ComputerAnswer) => computer.conditions.find(answer => answer.name === name)!;
	return {title: name.toUpperCase(), width: widths[name] ?? 9, text: computer => visible(conditionText(answerOf(computer))), style: (text, computer) => answerOf(computer).ok ? dim(text) : danger(text)};
});

const mayRun: Column = {title: 'RUN', width: 3, text: ({mayrun, conditions: all}) => mayrun ? 'yes' : (all.every(({name, ok}) => ok || name === 'approved') ? 'fix' : 'no'), style: (text, {mayrun}) => mayrun ? success(text) : text};

/** A column for each condition where there is room for them; else what keeps each computer, in words. */
function columnsFor(width: number): readonly Column[] {
	const all = [...first, ...conditionColumns, mayRun];
	const taken = (columns: readonly Column[]) => columns.reduce((sum, column) => sum + column.width + 1, 0);
	return taken(all) <= width
		? all
		: [...first, {title: 'WHAT KEEPS IT', width: Math.max(8, width - taken(first)), text: computer => computer.mayrun ? 'may run it' : visible(obstacles(computer))}];
}

const othersLines = ({others}: Explanation): string[] => others.map(({unmet, count}) => `${plural(count, 'computer')} ${unmet.length === 0 ? 'may run it' : `cannot for ${unmet.join(', ')}`}`);

function linesOf(explanation: Explanation, state: State, width: number): Row[] {
	const columns = columnsFor(width);
	const style = verdictStyle(explanation.verdict);
	const {fix} = explanation;
	return [
		...rowsOf(wordPieces(visible(explanation.says), width), {style: line => style(bold(line))}),
		...(fix ? ['', ...rowsOf(wordPieces(visible(`${fix.says}: this is what helps.`), width - 3), {first: `${bold('F')}  `})] : []),
		'',
		...(explanation.computers.length === 0
			? [dim('The colony has no computers: 3 n registers one.')]
			: [
				dim(columns.map(({title, width}) => fit(title, width)).join(' ')),
				...explanation.computers.map(computer => columns.map(column => {
					const text = fit(column.text(computer, storeNow(state)), column.width);
					return column.style ? column.style(text, computer) : text;
				}).join(' ')),
				'',
				...othersLines(explanation).flatMap(line => rowsOf(wordPieces(line, width), {style: dim})),
			]),
	];
}

/** All lines of an explanation. */
export function explainLines({id}: Explain, state: State): Row[] {
	const {result, error} = explanationOf(state, id);
	const width = state.columns - 4;
	if (result) {
		return linesOf(result, state, width);
	}

	return error ? rowsOf(wordPieces(visible(error.message), width), {style: danger}) : ['Asking why …'];
}

export const explainTitle = ({id}: Explain): string => `${id.slice(0, 8)} why it waits`;
