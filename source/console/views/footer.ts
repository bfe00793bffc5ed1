import {visible} from '../../core/text.ts';
import {formatSpan} from '../../core/time.ts';
import {candidatesOf, faultOf, languageOf} from '../filtering.ts';
import {forecastText} from '../overlays/forecast.ts';
import {keymap, modesOf, whyNot} from '../keymap.ts';
import {isHeard} from '../keymap/plan.ts';
import {unreachedTexts} from '../reach.ts';
import {dataAt} from '../screens/index.ts';
import {
	currentIndex, findIn, matchText, searchOf,
} from '../searching.ts';
import type {Overlay, State} from '../state.ts';
import {bold, danger, dim, inverse, warning} from '../terminal/style.ts';
import {type EditState, drawField, fullText} from '../terminal/text-edit.ts';
import {cut, fitAnsi, widthOf} from '../terminal/width.ts';
import {fullOf} from '../typed.ts';
import {foldedText} from './detail.ts';
import {searchable} from './overlay-pages.ts';
import {spread, widthOfStyled} from './spread.ts';
import {fewLines, wrapWords} from './wrap.ts';

/** The keys that matter here, as many as fit; those that would do nothing now are dim. */
function hints(state: State): string {
	const modes = modesOf(state);
	const found = modes.flatMap(mode => keymap.filter(binding => binding.mode === mode && binding.hint && (binding.offered?.(state) ?? true) && isHeard(state, binding.chords[0]!)));
	// While something is searched, the keys that go on with it come first.
	const bindings = found.toSorted((one, other) => Number(other.action === 'search-next') - Number(one.action === 'search-next'));
	const searched = searchedText(state);
	const room = state.columns - (searched === '' ? 0 : widthOfStyled(searched) + 1);
	let line = '';
	for (const binding of bindings) {
		const {chords, hint} = binding;
		const key = chords[0] === ' ' ? 'space' : chords[0]!;
		const text = whyNot(binding, state) ? dim(`${key} ${hint}`) : `${bold(key)} ${hint}`;
		const next = line === '' ? text : `${line}  ${text}`;
		if (widthOfStyled(next) > room) {
			break;
		}

		line = next;
	}

	return searched === '' ? line : spread(line, searched, state.columns);
}

/** What is searched in the page in sight, and at which match one is; nothing where nothing is searched. */
function searchedText(state: State): string {
	const {rows, search} = searchOf(state) ? searchable(state) ?? {} : {};
	return rows && search ? `/${cut(visible(search.words), Math.floor(state.columns / 4))} ${bold(matchText(findIn(rows, search.words), search))}` : '';
}

type Said = {text: string; style: (text: string) => string};

const plain = (text: string): string => text;

/** What the operator should know now: that the database is away, what went wrong, or what was done. */
function message(state: State): Said {
	const {error, notice, reach, busy, lists, screen} = state;
	const at = dataAt(state);
	const failure = error ?? lists[screen].error;
	const full = fullOf(state);
	if (full) {
		return {text: full, style: danger};
	}

	if (!reach.reachable && state.context) {
		const texts = unreachedTexts(state, at === undefined ? '; there is no data yet' : `; the data is ${formatSpan(state.now - at)} old`).map(text => visible(text));
		return {text: texts.find(text => wrapWords(text, state.columns).length <= 2) ?? texts.at(-1)!, style: danger};
	}

	if (failure) {
		return {text: `✗ ${visible([failure.message, failure.hint].filter(Boolean).join(' '))}${error ? ' (esc clears)' : ''}`, style: danger};
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
type SearchOverlay = Extract<Overlay, {kind: 'search'}>;

/** Rows of one style out of a sentence, wrapped and never cut. */
const paragraph = (text: string, columns: number, style: (text: string) => string): string[] => text === '' ? [] : wrapWords(text, columns).map(line => style(line));

/** A question whose confirming word is typed: it names the word, and the field has a row of its own. */
function typedQuestion({place, question: what, consequence = '', verb, typed}: Confirm, {columns, notice}: State): string[] {
	const {edit} = typed!;
	const wrong = fullText(edit) ?? notice?.text;
	return [
		...paragraph(`${place}: ${what}`, columns, line => bold(warning(line))),
		...paragraph(consequence, columns, plain),
		...(wrong === undefined ? [] : paragraph(visible(wrong), columns, danger)),
		...paragraph(`Type ${visible(typed!.expected)} and enter to ${verb.toLowerCase().replace(/ it$/, '')} it, esc cancels:`, columns, line => bold(line)),
		lineWithField('> ', edit, columns),
	];
}

/** The rows of a question. Where all of it fits into two rows it has two: what the change would do beside it, what it means beside the keys. */
function question(overlay: Confirm, state: State): string[] {
	const {place, question: what, consequence = '', verb, typed} = overlay;
	const {columns} = state;
	if (typed) {
		return typedQuestion(overlay, state);
	}

	const asked = `${place}: ${what}`;
	const forecast = forecastText(state, overlay) ?? '';
	const keys = `${inverse(' Cancel ')} enter   ${bold('y')} ${verb}`;
	const isShort = widthOf(asked) + (forecast === '' ? 0 : widthOf(forecast) + 1) <= columns && widthOfStyled(keys) + widthOf(consequence) + 3 <= columns;
	return isShort
		? [spread(bold(warning(asked)), bold(forecast), columns), spread(keys, dim(consequence), columns)]
		: [...paragraph(asked, columns, line => bold(warning(line))), ...paragraph(forecast, columns, bold), ...paragraph(consequence, columns, plain), keys];
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
	const candidates = wrong ? undefined : candidateLine(overlay, state);
	return [lineWithField('/', edit, state.columns), ...(candidates ? [candidates] : paragraph(visible(wrong ?? help), state.columns, wrong ? danger : dim))];
}

const sortLines = (_: Extract<Overlay, {kind: 'sort'}>, {notice, columns}: State): string[] => [
	...paragraph('Sort by: press the letter of a column, again for the other way', columns, line => bold(warning(line))),
	...(notice ? paragraph(visible(notice.text), columns, plain) : paragraph('backspace: the order of the store · esc leaves it as it is', columns, dim)),
];

function momentLines({edit, error}: Extract<Overlay, {kind: 'moment'}>, state: State): string[] {
	const help = `-5m, 14:05, 14:05:30, 2026-03-01, 2026-03-01 14:05 (${state.utc ? 'UTC' : 'times of this time zone'}) · enter shows the list as it was, ${state.past ? 'empty comes back to now, ' : ''}esc leaves`;
	const said = error ?? fullText(edit);
	return [lineWithField('as it was at ', edit, state.columns), ...paragraph(visible(said ?? help), state.columns, said ? danger : dim)];
}

/** What is found of the words that are typed, in the page below. */
function foundText({from}: SearchOverlay, state: State): {text: string; isNothing?: boolean} {
	const {rows, search} = searchable(state) ?? {};
	if (!rows || !search) {
		return {text: 'Search this page · enter keeps it, esc goes back'};
	}

	const finding = findIn(rows, search.words);
	const current = finding.matches[currentIndex(finding, search)];
	return current
		? {text: `${matchText(finding, search)}${current.row < from.scroll ? ', wrapped' : ''} · enter keeps it, esc goes back`}
		: {text: ['No match', foldedText(state.overlays.at(-2))].filter(Boolean).join('; '), isNothing: true};
}

function searchLines(overlay: SearchOverlay, state: State): string[] {
	const full = fullText(overlay.edit);
	const {text, isNothing = false} = foundText(overlay, state);
	return [lineWithField('/', overlay.edit, state.columns), ...paragraph(full ?? text, state.columns, full !== undefined || isNothing ? danger : dim)];
}

/** Whether to leave what would be lost. */
function leaveLines({to, question: what, consequence}: Extract<Overlay, {kind: 'leave'}>, {columns}: State): string[] {
	const keys = `${inverse(' Cancel ')} enter   ${bold('y')} ${to === 'quit' ? 'Quit' : 'Discard'}`;
	const asked = paragraph(what, columns, line => bold(warning(line)));
	return widthOfStyled(keys) + widthOf(consequence) + 3 <= columns
		? [...asked, spread(keys, dim(consequence), columns)]
		: [...asked, ...paragraph(consequence, columns, plain), keys];
}

type Footers = {[Kind in Overlay['kind']]?: (overlay: Extract<Overlay, {kind: Kind}>, state: State) => string[]};

/** The rows of the overlays that stand at the bottom of the screen: two, or as many as their texts take. */
const footers: Footers = {confirm: question, sort: sortLines, filter: filterLines, moment: momentLines, leave: leaveLines, search: searchLines};

/** Whether an overlay stands in the footer, and leaves the body as it is. */
export const isFooter = ({kind}: Overlay): boolean => kind in footers;

/** The rows at the bottom: keys and what happened, or a question. Two at least; one that takes more stands over the last rows of the body. */
export function footerLines(state: State): string[] {
	const top = state.overlays.at(-1);
	const draw = top && footers[top.kind] as ((overlay: Overlay, state: State) => string[]) | undefined;
	return (draw ? draw(top, state) : messageLines(state)).map(line => fitAnsi(line, state.columns));
}

/** The rows above a footer that is taller than its two rows: the last ones go, but for the border below. */
export function aboveFooter(lines: readonly string[], footer: readonly string[]): string[] {
	const left = Math.max(0, lines.length - Math.max(0, footer.length - 2));
	return left === lines.length || left === 0 ? lines.slice(0, left) : [...lines.slice(0, left - 1), lines.at(-1)!];
}
