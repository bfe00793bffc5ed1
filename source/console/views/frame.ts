import {plural, shortId, visible} from '../../core/text.ts';
import {
	formatClock, formatSeconds, formatSpan, milliseconds,
} from '../../core/time.ts';
import type {Time} from '../../core/types.ts';
import {limits} from '../../core/limits.ts';
import {visibleRows} from '../layout.ts';
import {momentText, stepText} from '../past.ts';
import {answerIn} from '../asking.ts';
import {attentionSlot, ratesSlot} from '../asks.ts';
import {marksOf} from '../marks.ts';
import {progressText} from '../plans.ts';
import {unreachedTitle} from '../reach.ts';
import {dataAt, screens} from '../screens/index.ts';
import {orderText} from '../sorting.ts';
import {type State, screenNames, storeClock, storeName} from '../state.ts';
import {accent, bold, danger, dim, inverse, success, warning} from '../terminal/style.ts';
import {fitAnsi} from '../terminal/width.ts';
import {barLine, formatCount, placeBuckets, valuesOf} from './chart.ts';
import {spread, widthOfStyled} from './spread.ts';

/** `38`, `1.2k`, `~10k` for whatever is beyond what is counted. */
export function shortCount(count: number): string {
	if (count > limits.counted) {
		return '~10k';
	}

	return count >= 1000 ? `${Number((count / 1000).toFixed(1))}k` : String(count);
}

/** Of when the rows are that are shown, and what is being read in their place. */
function pastness(state: State, at: Time): string {
	const {at: shown, loading} = state.lists[state.screen];
	const clock = {now: storeClock(state), utc: state.utc};
	const step = dim(` ±${stepText(state.step)}`);
	if (shown === at) {
		return `${inverse(warning(` AS OF ${momentText(at, clock)} `))}${step}`;
	}

	const before = shown === undefined ? '' : `AS OF ${momentText(shown, clock)}, `;
	return `${inverse(warning(` ${before}${loading ? 'reading' : 'NOT READ'} ${momentText(at, clock)} `))}${step}`;
}

/** Whether the data is live, and if not, why and how old it is. */
function liveness(state: State): string {
	const {loading} = state.lists[state.screen];
	const loadedAt = dataAt(state);
	const age = loadedAt === undefined ? '' : ` ${formatSpan(state.now - loadedAt)} old`;
	if (!state.context) {
		return state.opening.error ? danger('not open') : warning('opening');
	}

	if (!state.reach.reachable) {
		return inverse(danger(` ${unreachedTitle(state)}${age === '' ? ', no data' : age} `));
	}

	if (state.past) {
		return pastness(state, state.past.at);
	}

	if (state.paused) {
		return warning(`PAUSED${age}`);
	}

	if (loadedAt === undefined) {
		return loading ? warning('loading') : '';
	}

	// A reread that takes longer than this shows; a quick one does not flicker.
	if (state.now - loadedAt > 5000) {
		return warning(loading ? `loading${age}` : `stale${age}`);
	}

	return success('live');
}

const clock = (at: number | undefined, {utc}: State): string => at === undefined ? '' : formatClock(at, utc);

/** A shared database stands out by its capitals; a folder is shown as it is written. */
const placeName = ({kind, name}: NonNullable<State['context']>): string => visible(kind === 'embedded' || name.startsWith('/') ? name : name.toUpperCase());

/** How far the plan is that goes on out of sight, or that it has ended. */
function planText({plan}: State): string {
	return plan ? warning(bold(plan.stage === 'ended' ? 'plan ended' : `plan ${progressText(plan)}${plan.waits ? ' waits' : ''}`)) : '';
}

function title(state: State): string {
	const {context, colony, acting} = state;
	const parts = [
		context ? `${placeName(context)}${colony ? ` ${bold(visible(colony.name))}` : ''}` : state.opening.text,
		...(acting ? [`as ${acting.kind} ${shortId(acting.id)}`] : (context ? ['as nobody'] : [])),
		state.readOnly === undefined && state.reach.noChanges === undefined && !state.past ? (context?.isLocal === false ? warning('RW') : 'RW') : accent('RO'),
		...(state.rootUnlocked ? [warning('root')] : []),
		...(state.frozen ? [warning('FROZEN')] : []),
	];
	const joined = (texts: readonly string[], by: string): string => texts.filter(text => text !== '').join(by);
	// Whether it can be trusted stands at the right, where nothing cuts it. As whom one acts is seen before what is only pleasant to see.
	const trust = [context?.insecure ? danger('UNVERIFIED') : '', planText(state), liveness(state)];
	const at = state.past ? '' : clock(dataAt(state), state);
	const left = joined(parts, dim(' | '));
	const ways = [
		[joined([bold('colonies'), left], dim(' | ')), joined([...trust, at, ' ? help'], ' ')],
		[left, joined([...trust, at, ' ? help'], ' ')],
		[left, joined([...trust, at], ' ')],
		[left, joined(trust, ' ')],
	] as const;
	const [most, right] = ways.find(([one, other]) => widthOfStyled(one) + widthOfStyled(other) < state.columns) ?? ways[3];
	return spread(most, right, state.columns);
}

function tallies(state: State): string {
	const {counts, computerCounts} = state;
	if (!counts || !computerCounts) {
		return dim(state.colony ? (state.reach.reachable ? 'counting …' : 'not counted yet') : '');
	}

	const {pending, approved, disapproved} = computerCounts;
	const computers = `computers ${shortCount(approved)} approved${pending > 0 ? ` ${warning(bold(`${shortCount(pending)} pending`))}` : ''}${disapproved > 0 ? ` ${shortCount(disapproved)} disapproved` : ''}`;
	// What is only pleasant to see goes first.
	const ways = [{trend: 20, waits: true}, {trend: 10, waits: true}, {trend: 0, waits: true}, {trend: 0, waits: false}].map(({trend: width, waits}) => [
		`WAIT ${bold(shortCount(counts.waiting))}${trend(state, width)}`,
		`RUN ${bold(shortCount(counts.running))}`,
		...outcomes(state, counts, waits),
		computers,
	].join('  '));
	return ways.find(way => widthOfStyled(way) <= state.columns) ?? ways.at(-1)!;
}

/** How the colony did in the last hour, once that is known; nothing where it is shown as it was. */
const lastHour = (state: State) => state.past ? undefined : answerIn(state, ratesSlot, state.colony?.colonyid ?? '', 'pulse.get').result;

/** How many waited in the course of the last hour, in so many cells. */
function trend(state: State, width: number): string {
	const waiting = lastHour(state)?.waiting;
	return waiting?.some(count => count > 0) && width > 0 ? ` ${warning(barLine(valuesOf(waiting, placeBuckets(waiting.length, width, 0), 'highest'), 1))}` : '';
}

/** What came of processes: an hour's worth of it and how long they waited; until that is known, how many there are. */
function outcomes(state: State, counts: NonNullable<State['counts']>, isLong: boolean): string[] {
	const pulse = lastHour(state);
	if (!pulse) {
		return [`OK ${bold(shortCount(counts.successful))}`, `FAIL ${counts.failed > 0 ? danger(bold(shortCount(counts.failed))) : '0'}`];
	}

	const {successful, failed, waitp50, waitp95} = pulse.totals;
	const hours = (milliseconds(pulse.now)! - milliseconds(pulse.from)!) / 3_600_000;
	const rate = (count: number): string => formatCount(Math.round(count / hours));
	const wait = !isLong || waitp50 === null || waitp95 === null ? [] : [`wait p50 ${bold(formatSeconds(waitp50))} p95 ${bold(formatSeconds(waitp95))}`];
	return [`OK/h ${bold(rate(successful))}`, `FAIL/h ${failed > 0 ? danger(bold(rate(failed))) : '0'}`, ...wait];
}

/** How many lines there are on 5 Attention, beside its title. */
function attentionCount(state: State): string {
	const count = answerIn(state, attentionSlot, state.colony?.colonyid ?? '', 'attention.list').result?.rows.length ?? 0;
	return count === 0 ? '' : warning(bold(` (${count})`));
}

/** All screens by their digits; where there is no room, only the one that is shown by its title. */
function screenTabs(state: State): string {
	const draw = (isShort: boolean): string => screenNames.map(name => {
		const {digit, title} = screens[name];
		const count = name === 'attention' ? attentionCount(state) : '';
		return name === state.screen ? inverse(` ${digit} ${title}${count} `) : ` ${isShort ? `${digit}${count.replace(' ', '')}` : `${digit} ${title}${count}`} `;
	}).join(isShort ? '' : ' ');
	const full = draw(false);
	return widthOfStyled(full) <= state.columns ? full : draw(true);
}

/** Which rows are on the screen, `1-22 of 57`; `~` and `+` where they were not all counted. */
function range(state: State): string {
	const list = state.lists[state.screen];
	if (list.rows.length === 0) {
		return list.loading && list.loadedAt === undefined ? 'loading …' : '';
	}

	const last = Math.min(list.rows.length, list.top + visibleRows(state));
	const {more, rows, filter, tab} = list;
	const counted = state.screen === 'processes' && filter === '' && tab > 0 ? state.counts?.[screens.processes.tabs[tab] as 'waiting'] : undefined;
	const total = counted !== undefined && counted >= rows.length ? shortCount(counted) : `${rows.length}${more.after || more.before ? '+' : ''}`;
	const found = list.looked === undefined ? '' : ` in ${shortCount(list.looked)} looked through`;
	return `${more.before ? `… of ${total}` : `${list.top + 1}-${last} of ${total}`}${found}`;
}

/** How many are marked, and whether more are being marked. */
function markedText(state: State): string {
	const {size} = marksOf(state, state.screen);
	const isMarking = state.marking?.screen === state.screen;
	return size === 0 && !isMarking ? '' : warning(bold(isMarking ? `* marking, ${size} so far …` : `* ${size} marked${state.range?.screen === state.screen ? ' (range)' : ''}`));
}

function listTabs(state: State): string {
	const {tabs} = screens[state.screen];
	const {tab, filter} = state.lists[state.screen];
	const names = tabs.map((name, index) => index === tab ? bold(`[${name}]`) : name).join(' ');
	const shown = filter === '' ? '' : accent(`/${visible(filter)}`);
	const {body, note} = screens[state.screen];
	// What is marked is what actions are about: it stands where nothing cuts it.
	return spread([names, shown].filter(Boolean).join('   '), [markedText(state), note?.(state) ?? (body ? '' : range(state)), body ? '' : orderText(state)].filter(Boolean).join(' | '), state.columns);
}

/** The four rows above the body. */
export const headerLines = (state: State): string[] => [title(state), tallies(state), screenTabs(state), listTabs(state)].map(line => fitAnsi(line, state.columns));

/** What stands on a terminal that is too small. */
export function tooSmall(state: State): string[] {
	const top = state.overlays.at(-1);
	return top?.kind === 'leave' && top.to === 'quit' ? [top.question, 'y quits, esc stays.'] : needed(state);
}

const needed = (state: State): string[] => [`colonies needs ${plural(60, 'column')} and 15 rows;`, `this terminal has ${state.columns} and ${state.rows}.`, 'Make it larger, or press q.'];
