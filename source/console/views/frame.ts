import {plural, shortId, visible} from '../../core/text.ts';
import {formatSpan} from '../../core/time.ts';
import {limits} from '../../core/limits.ts';
import {keymap, modesOf} from '../keymap.ts';
import {visibleRows} from '../layout.ts';
import {screens} from '../screens/index.ts';
import {type State, screenNames, storeName} from '../state.ts';
import {bold, cyan, dim, green, inverse, red, yellow} from '../terminal/style.ts';
import {type EditState, drawField, emptyText} from '../terminal/text-edit.ts';
import {cut, fitAnsi, padAnsi, widthOf, withoutStyle} from '../terminal/width.ts';
import {fewLines} from './wrap.ts';

const widthOfStyled = (text: string): number => widthOf(withoutStyle(text));

/** A left and a right part in one line of exactly `width` cells; the left one gives way. */
export function spread(left: string, right: string, width: number): string {
	const room = width - widthOfStyled(right) - 1;
	return room > 0 ? `${fitAnsi(left, room)} ${right}` : fitAnsi(left, width);
}

/** `38`, `1.2k`, `~10k` for whatever is beyond what is counted. */
export function shortCount(count: number): string {
	if (count > limits.counted) {
		return '~10k';
	}

	return count >= 1000 ? `${Number((count / 1000).toFixed(1))}k` : String(count);
}

/** Whether the data is live, and if not, why and how old it is. */
function liveness(state: State): string {
	const {loadedAt, loading} = state.lists[state.screen];
	const age = loadedAt === undefined ? '' : ` ${formatSpan(state.now - loadedAt)} old`;
	if (!state.context) {
		return state.opening.error ? red('not open') : yellow('opening');
	}

	if (!state.reach.reachable) {
		return inverse(red(` AWAY${age} `));
	}

	if (state.paused) {
		return yellow(`PAUSED${age}`);
	}

	if (loadedAt === undefined) {
		return loading ? yellow('loading') : '';
	}

	// A reread that takes longer than this shows; a quick one does not flicker.
	if (state.now - loadedAt > 5000) {
		return yellow(loading ? `loading${age}` : `stale${age}`);
	}

	return green('live');
}

const clock = (at: number | undefined): string => at === undefined ? '' : new Date(at).toTimeString().slice(0, 8);

/** A shared database stands out by its capitals; a folder is shown as it is written. */
const placeName = ({kind, name}: NonNullable<State['context']>): string => visible(kind === 'embedded' || name.startsWith('/') ? name : name.toUpperCase());

function title(state: State): string {
	const {context, colony, acting} = state;
	const parts = [
		bold('colonies'),
		context ? `${placeName(context)}${colony ? ` ${bold(visible(colony.name))}` : ''}` : state.opening.text,
		...(acting ? [`as ${acting.kind} ${shortId(acting.id)}`] : (context ? ['as nobody'] : [])),
		state.readOnly ? 'RO' : 'RW',
		...(state.rootUnlocked ? [yellow('root')] : []),
		...(state.frozen ? [yellow('FROZEN')] : []),
	];
	// Whether it can be trusted stands at the right, where nothing cuts it.
	const trust = [context?.insecure ? red('UNVERIFIED') : '', liveness(state), clock(state.lists[state.screen].loadedAt), ' ? help'].filter(part => part !== '').join(' ');
	return spread(parts.filter(part => part !== '').join(dim(' | ')), trust, state.columns);
}

function tallies(state: State): string {
	const {counts, computerCounts} = state;
	if (!counts || !computerCounts) {
		return dim(state.colony ? 'counting …' : '');
	}

	const {pending, approved, disapproved} = computerCounts;
	return [
		`WAIT ${bold(shortCount(counts.waiting))}`,
		`RUN ${bold(shortCount(counts.running))}`,
		`OK ${bold(shortCount(counts.successful))}`,
		`FAIL ${counts.failed > 0 ? red(bold(shortCount(counts.failed))) : '0'}`,
		`computers ${shortCount(approved)} approved${pending > 0 ? ` ${yellow(bold(`${shortCount(pending)} pending`))}` : ''}${disapproved > 0 ? ` ${shortCount(disapproved)} disapproved` : ''}`,
	].join('   ');
}

const screenTabs = (state: State): string => screenNames.map(name => {
	const text = `${screens[name].digit} ${screens[name].title}`;
	return name === state.screen ? inverse(` ${text} `) : ` ${text} `;
}).join(' ');

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
	return more.before ? `… of ${total}` : `${list.top + 1}-${last} of ${total}`;
}

function listTabs(state: State): string {
	const {tabs} = screens[state.screen];
	const {tab, filter} = state.lists[state.screen];
	const names = tabs.map((name, index) => index === tab ? bold(`[${name}]`) : name).join(' ');
	const shown = filter === '' ? '' : cyan(`/${visible(filter)}`);
	return spread([names, shown].filter(Boolean).join('   '), range(state), state.columns);
}

/** The four rows above the body. */
export const headerLines = (state: State): string[] => [title(state), tallies(state), screenTabs(state), listTabs(state)].map(line => fitAnsi(line, state.columns));

/** The keys that matter here, as many as fit; those that would do nothing now are dim. */
function hints(state: State): string {
	const modes = modesOf(state);
	const bindings = modes.flatMap(mode => keymap.filter(binding => binding.mode === mode && binding.hint));
	let line = '';
	for (const {chords, hint, disabled} of bindings) {
		const key = chords[0] === ' ' ? 'space' : chords[0]!;
		const text = disabled?.(state) ? dim(`${key} ${hint}`) : `${bold(key)} ${hint}`;
		const next = line === '' ? text : `${line}  ${text}`;
		if (widthOfStyled(next) > state.columns) {
			break;
		}

		line = next;
	}

	return line;
}

type Said = {text: string; style: (text: string) => string};

const plain = (text: string): string => text;

/** What the operator should know now: that the database is away, what went wrong, or what was done. */
function message(state: State): Said {
	const {error, notice, reach, busy, lists, screen} = state;
	const failure = error ?? lists[screen].error;
	if (!reach.reachable && state.context) {
		const at = lists[screen].loadedAt;
		const age = at === undefined ? '' : `; the data is ${formatSpan(state.now - at)} old`;
		return {text: `The ${storeName(state)} is away for ${formatSpan(state.now - reach.since)}${age}. Changes are refused until it is back.`, style: red};
	}

	if (failure) {
		return {text: `✗ ${visible([failure.message, failure.hint].filter(Boolean).join(' '))}${error ? ' (esc clears)' : ''}`, style: red};
	}

	return {text: notice ? visible(notice.text) : (busy > 0 ? 'working …' : ''), style: plain};
}

/** The keys and what there is to say; what takes more than a row has both. */
function messageLines(state: State): string[] {
	const {text, style} = message(state);
	const lines = fewLines(text, state.columns, 2);
	return (lines.length > 1 ? lines : [hints(state), ...lines]).map((line, index, all) => index === 0 && all.length > lines.length ? line : style(line));
}

/** The two rows at the bottom: keys or a question, and what happened. */
export function footerLines(state: State): string[] {
	const top = state.overlays.at(-1);
	const lines = top?.kind === 'confirm' ? question(top, state) : (top?.kind === 'filter' ? filterLines(state) : messageLines(state));
	return lines.map(line => fitAnsi(line, state.columns));
}

type Confirm = Extract<State['overlays'][number], {kind: 'confirm'}>;

function question({place, question: what, consequence, verb, typed}: Confirm, {columns, notice}: State): string[] {
	// What it is about stays in sight; where it is stands in the first row too.
	const asked = `${cut(place, Math.max(8, columns - widthOf(what) - 2))}: ${what}`;
	if (typed) {
		return [
			notice ? red(notice.text) : `${bold(yellow(asked))} ${consequence ?? ''}`,
			lineWithField(`Type ${bold(cut(visible(typed.expected), Math.floor(columns / 3)))} and enter to ${verb.toLowerCase()} it, esc cancels: `, typed.edit, columns),
		];
	}

	return [bold(yellow(asked)), spread(`${inverse(' Cancel ')} enter   ${bold('y')} ${verb}`, dim(cut(consequence ?? '', Math.max(0, columns - 28))), columns)];
}

const lineWithField = (before: string, edit: EditState, columns: number): string => before + drawField(edit, {width: Math.max(8, columns - widthOfStyled(before))});

function filterLines(state: State): string[] {
	const top = state.overlays.at(-1)!;
	const shown = lineWithField('/', top.kind === 'filter' ? top.edit : emptyText, state.columns);
	const help = state.screen === 'processes' ? 'words, type:gpu, computer:ID, age>5m, age<1h, key=value · enter applies, esc leaves' : 'words · enter applies, esc leaves';
	return [shown, top.kind === 'filter' && top.error ? red(top.error) : dim(help)];
}

/** A box of exactly this size around lines, its title in the upper border. */
export function box(heading: string, lines: readonly string[], {width, height}: {width: number; height: number}): string[] {
	const inner = Math.max(0, width - 2);
	const cutHeading = fitAnsi(heading, Math.min(widthOfStyled(heading), Math.max(0, inner - 1)));
	const rule = '─'.repeat(Math.max(0, inner - (cutHeading === '' ? 0 : widthOfStyled(cutHeading) + 1)));
	const top = `${dim('┌')}${cutHeading === '' ? '' : ` ${cutHeading}`}${dim(`${rule}┐`)}`;
	const rows = Array.from({length: Math.max(0, height - 2)}, (_, index) => `${dim('│')}${padAnsi(fitAnsi(lines[index] ?? '', inner), inner)}${dim('│')}`);
	return [top, ...rows, dim(`└${'─'.repeat(inner)}┘`)];
}

/** What stands on a terminal that is too small. */
export const tooSmall = (state: State): string[] => [`colonies needs ${plural(60, 'column')} and 15 rows;`, `this terminal has ${state.columns} and ${state.rows}.`, 'Make it larger, or press q.'];

export {layoutOf} from '../layout.ts';
