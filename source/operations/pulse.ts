import {member} from '../core/authority.ts';
import {InvalidInput} from '../core/errors.ts';
import {
	levelFor, type Pulse, pulseLimits, pulseStepNames, pulseSteps, type PulseTotals, stepFor,
} from '../core/pulse.ts';
import {limits} from '../core/limits.ts';
import {parseSpan} from '../core/spans.ts';
import {sparkline} from '../core/sparkline.ts';
import {shortId} from '../core/text.ts';
import {formatSeconds, formatSpan, formatTime} from '../core/time.ts';
import {pulse} from '../database/index.ts';
import {type Column, defineOperation, type Layout} from './define.ts';
import {
	choice, identity, line, optional, otherwise, span,
} from './fields.ts';

type Line = PulseTotals & {of: string; done: string};

const seconds = (value: number | null): string => value === null ? '-' : formatSeconds(value);

const columns: ReadonlyArray<Column<Line>> = [
	'of',
	'submitted',
	'assigned',
	'successful',
	'failed',
	'requeued',
	['wait p50', ({waitp50}) => seconds(waitp50)],
	['wait p95', ({waitp95}) => seconds(waitp95)],
	['run p50', ({runp50}) => seconds(runp50)],
	['run p95', ({runp95}) => seconds(runp95)],
	['done', ({done}) => done],
];

/** As many characters as a line of a table has room for beside its numbers. */
const sparkWidth = 30;

type Part = Pick<Pulse, 'totals' | 'series'>;

const done = ({series}: Part): number[] => series.successful.map((value, index) => value + series.failed[index]!);

/** A line for each type or computer and one for all, or one for each bucket. */
function linesOf(answer: Pulse): Line[] {
	const {by, from, step, series, rows, others} = answer;
	if (by === 'none') {
		return [...series.submitted.keys()].map(index => ({
			of: new Date(Date.parse(from) + (index * step * 1000)).toISOString().replace('.000Z', 'Z'),
			...Object.fromEntries(Object.entries(series).map(([name, values]) => [name, values[index]])) as PulseTotals,
			done: sparkline(done(answer).slice(index, index + 1), 1, Math.max(...done(answer))),
		}));
	}

	const lines: Array<[of: string, part: Part]> = [
		...rows.map((row): [string, Part] => [by === 'type' ? row.key || '(any)' : row.name ?? shortId(row.key), row]),
		...(others ? [[`${others.keys} others`, others] as [string, Part]] : []),
		['all', answer],
	];
	return lines.map(([of, part]) => ({of, ...part.totals, done: sparkline(done(part), sparkWidth)}));
}

function layoutOf(answer: Pulse): Layout {
	const {totals, now, from, step, waiting, running} = answer;
	const rate = (count: number): number => Math.round(count * 3_600_000 / (Date.parse(now) - Date.parse(from)));
	return {
		lines: [
			`${formatTime(from, true)} to ${formatTime(now, true)}, steps of ${formatSpan(step * 1000)}`,
			`waiting ${waiting.at(-1)} now, running ${running.at(-1)}; done ${rate(totals.successful)}/h, failed ${rate(totals.failed)}/h; wait p50 ${seconds(totals.waitp50)}, p95 ${seconds(totals.waitp95)}; run p50 ${seconds(totals.runp50)}, p95 ${seconds(totals.runp95)}`,
		],
		rows: linesOf(answer),
		columns,
	};
}

export const getPulse = defineOperation({
	name: 'pulse.get',
	summary: 'Show how a colony does: what was submitted, assigned, closed and requeued in a span of time, and how long it waited and ran.',
	input: {
		colonyid: identity('Colony'),
		span: otherwise(span('Span', 'How far back: 15m, 1h, 6h, 24h, 7d, 30d or any other up to a year', {least: pulseLimits.shortest, most: pulseLimits.longest}), '1h'),
		by: otherwise(choice('By', 'Whether rows are by the type that processes ask for or by computer', ['none', 'type', 'computer']), 'none'),
		computertype: optional(line('Type', 'Only processes that ask for this computer type', {shortest: 0})),
		step: optional(choice('Step', 'How long a stretch of time has a number of its own; some hundred of them unless given', pulseStepNames)),
	},
	route: 'GET /colonies/{colonyid}/pulse',
	allow: member,
	colony: ({colonyid}) => colonyid,
	changes: [],
	layout: layoutOf,
	records: linesOf,
	commands: [{words: ['pulse', 'show'], summary: 'Show how a colony does over a span of time, as a table with --output table.'}],
	async handle({client, input}): Promise<Pulse> {
		const span = parseSpan(input.span);
		const {colonyid, by, computertype, step = stepFor(span)} = input;
		if (by === 'computer' && computertype !== undefined) {
			throw new InvalidInput('By computer, types are not counted apart.', {hint: 'Leave out the type, or take --by type.'});
		}

		return pulse.read(client, {
			colony: colonyid, by, computertype, span, step: pulseSteps[step], level: levelFor(span, step), most: limits.pulseRows, counted: limits.counted,
		});
	},
});
