import {visible} from '../../core/text.ts';
import {formatSpan} from '../../core/time.ts';
import {candidatesOf, faultOf, languageOf} from '../filtering.ts';
import {forecastText} from '../overlays/forecast.ts';
import {keymap, modesOf} from '../keymap.ts';
import {isHeard} from '../keymap/plan.ts';
import {type Overlay, type State, storeName} from '../state.ts';
import {bold, dim, inverse, red, yellow} from '../terminal/style.ts';
import {type EditState, drawField, fullText} from '../terminal/text-edit.ts';
import {cut, fitAnsi, widthOf} from '../terminal/width.ts';
import {fullOf} from '../typed.ts';
import {spread, widthOfStyled} from './spread.ts';
import {fewLines} from './wrap.ts';

/** The keys that matter here, as many as fit; those that would do nothing now are dim. */
function hints(state: State): string {
	const modes = modesOf(state);
	const bindings = modes.flatMap(mode => keymap.filter(binding => binding.mode === mode && binding.hint && (binding.offered?.(state) ?? true) && isHeard(state, binding.chords[0]!)));
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
	const full = fullOf(state);
	if (full) {
		return {text: full, style: red};
	}

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

type Confirm = Extract<Overlay, {kind: 'confirm'}>;
type FilterOverlay = Extract<Overlay, {kind: 'filter'}>;

/** The two rows of a question. What the change would do stands beside it where there is room, else before what it means. */
function question(overlay: Confirm, state: State): string[] {
	const {place, question: what, consequence = '', verb, typed} = overlay;
	const {columns, notice} = state;
	// What it is about stays in sight; where it is stands in the first row too, and gives way.
	const before = columns - widthOf(what) - 2;
	const asked = before < 4 ? what : `${cut(place, before)}: ${what}`;
	if (typed) {
		return [
			notice ? red(visible(notice.text)) : `${bold(yellow(asked))} ${consequence}`,
			lineWithField(`Type ${bold(cut(visible(typed.expected), Math.floor(columns / 3)))} and enter to ${verb.toLowerCase().replace(/ it$/, '')} it, esc cancels: `, typed.edit, columns),
		];
	}

	const forecast = forecastText(state, overlay);
	const room = columns - widthOf(asked) - 2;
	const beside = forecast && [forecast.long, forecast.short].find(text => widthOf(text) <= room);
	const roomBelow = Math.max(0, columns - 28);
	const foretold = forecast && beside === undefined ? (widthOf(forecast.long) <= roomBelow ? forecast.long : `${forecast.short}.`) : '';
	const below = [foretold, consequence].filter(text => text !== '').join(' ');
	return [
		beside === undefined ? bold(yellow(asked)) : spread(bold(yellow(asked)), bold(beside), columns),
		spread(`${inverse(' Cancel ')} enter   ${bold('y')} ${verb}`, dim(cut(below, roomBelow)), columns),
	];
}

const lineWithField = (before: string, edit: EditState, columns: number): string => before + drawField(edit, {width: Math.max(8, columns - widthOfStyled(before))});

/** The candidates at the cursor, from the first that fits beside the one that is put in, with what that one means. */
function candidateLine(overlay: FilterOverlay, state: State): string | undefined {
	const {candidates = []} = candidatesOf(overlay, state) ?? {};
	if (candidates.length === 0) {
		return undefined;
	}

	const chosen = overlay.completing?.index;
	const shown = candidates.slice(chosen === undefined ? 0 : Math.max(0, chosen - 2));
	const labels = shown.map(candidate => candidate === candidates[chosen ?? -1] ? inverse(visible(candidate.text)) : visible(candidate.text));
	const about = candidates[chosen ?? 0]!.summary;
	const list = `${dim('tab')} ${labels.join('  ')}`;
	return about === '' ? list : spread(list, dim(cut(visible(about), Math.floor(state.columns / 2))), state.columns);
}

function filterLines(overlay: FilterOverlay, state: State): string[] {
	const {edit, error} = overlay;
	const wrong = error ?? fullText(edit) ?? faultOf(overlay, state, {isTyping: true})?.message;
	const help = `${languageOf(state.screen) ? 'words and terms, tab completes' : 'words'} · enter applies, esc leaves, up recalls`;
	return [lineWithField('/', edit, state.columns), wrong ? red(visible(wrong)) : candidateLine(overlay, state) ?? dim(help)];
}

const sortLines = (_: Extract<Overlay, {kind: 'sort'}>, {notice}: State): string[] => [bold(yellow('Sort by: press the letter of a column, again for the other way')), notice ? visible(notice.text) : dim('backspace: the order of the store · esc leaves it as it is')];

function momentLines({edit, error}: Extract<Overlay, {kind: 'moment'}>, state: State): string[] {
	const help = `-5m, 14:05, 14:05:30, 2026-03-01, 2026-03-01 14:05 (${state.utc ? 'UTC' : 'times of this time zone'}) · enter shows the list as it was, ${state.past ? 'empty comes back to now, ' : ''}esc leaves`;
	const said = error ?? fullText(edit);
	return [lineWithField('as it was at ', edit, state.columns), said ? red(said) : dim(help)];
}

type Footers = {[Kind in Overlay['kind']]?: (overlay: Extract<Overlay, {kind: Kind}>, state: State) => string[]};

/** The two rows of the overlays that stand at the bottom of the screen. */
const footers: Footers = {confirm: question, sort: sortLines, filter: filterLines, moment: momentLines};

/** Whether an overlay stands in the footer, and leaves the body as it is. */
export const isFooter = ({kind}: Overlay): boolean => kind in footers;

/** The two rows at the bottom: keys or a question, and what happened. */
export function footerLines(state: State): string[] {
	const top = state.overlays.at(-1);
	const draw = top && footers[top.kind] as ((overlay: Overlay, state: State) => string[]) | undefined;
	return (draw ? draw(top, state) : messageLines(state)).map(line => fitAnsi(line, state.columns));
}
