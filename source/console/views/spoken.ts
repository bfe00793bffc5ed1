import {plural, visible} from '../../core/text.ts';
import {asksOf, attentionSlot} from '../asks.ts';
import {cursorIndex} from '../lists.ts';
import {momentText} from '../past.ts';
import {forecastText} from '../overlays/forecast.ts';
import {itemsOf} from '../palette.ts';
import {unreachedShort, untilReached} from '../reach.ts';
import {refusals} from '../refusals.ts';
import {screens} from '../screens/index.ts';
import {
	currentIndex, findIn, matchText, searchOf,
} from '../searching.ts';
import {
	type FormField, type Overlay, type Search, type State, storeClock, storeName, storeNow,
} from '../state.ts';
import {withoutStyle} from '../terminal/width.ts';
import {fullOf} from '../typed.ts';
import {footerLines, isFooter} from './footer.ts';
import {bodyLines} from './list.ts';
import {overlayLines, searchable} from './overlay-pages.ts';

/** A terminal so tall that a page stands on it whole, and so narrow that nothing stands beside anything else. */
const whole = {columns: 99, rows: 500} as const;

/** Lines as they are read out: without style and borders, and without those that say nothing. */
const plain = (lines: readonly string[]): string[] => lines.map(line => withoutStyle(line).replaceAll(/[│┌┐└┘─█]+/g, ' ').replaceAll(/\s+/g, ' ').trim()).filter(line => line !== '');

/** The row under the cursor: each column by its title. */
function rowLine(state: State): string | undefined {
	const list = state.lists[state.screen];
	const screen = screens[state.screen];
	const row = list.rows.find(each => screen.idOf(each) === list.cursor);
	if (!row) {
		return undefined;
	}

	const values = screen.columns.filter(({shown}) => shown?.(state) ?? true).map(({title, value}) => [title, value(row, storeNow(state), state).trim()] as const).filter(([, text]) => text !== '' && text !== '-');
	const gone = list.gone === list.cursor ? ' It has left this list.' : '';
	return `Row ${cursorIndex(list, screen.idOf) + 1} of ${list.rows.length}${list.more.after ? ' and more' : ''}: ${values.map(([title, text]) => `${title} ${text}`).join(', ')}.${gone}`;
}

function placeLine(state: State): string {
	const {digit, title, tabs} = screens[state.screen];
	const {tab, filter} = state.lists[state.screen];
	const parts = [`${digit} ${title}`, tabs[tab], filter === '' ? undefined : `filter ${visible(filter)}`, state.colony ? `in ${visible(state.colony.name)}` : undefined, state.past ? `as it was at ${momentText(state.past.at, {now: storeClock(state), utc: state.utc})}` : undefined, state.past !== undefined || state.readOnly !== undefined || state.reach.noChanges !== undefined ? 'read-only' : undefined];
	return `${parts.filter(part => part !== undefined).join(', ')}.`;
}

/** What a list or a page has, once it is there. */
function contentLines(state: State): string[] {
	const {rows, more} = state.lists[state.screen];
	const {body, empty} = screens[state.screen];
	if (body) {
		return plain(bodyLines({...state, ...whole}));
	}

	return rows.length === 0 ? [...empty(state)] : [`${plural(rows.length, 'row')}${more.after ? ' and more' : ''}.`, rowLine(state)].filter(line => line !== undefined);
}

const fieldLine = ({label, kind, optional, edit, error, summary}: FormField): string => [
	`${label}${kind === 'secret' ? ', not shown' : ''}${optional ? ', optional' : ''}: ${edit.text === '' ? 'empty' : (kind === 'secret' ? plural([...edit.text].length, 'character') : visible(edit.text))}.`,
	error ?? summary,
].join(' ');

/** Everything that an overlay says when it opens. */
function overlayText(overlay: Overlay, state: State): string[] {
	if (overlay.kind === 'confirm') {
		const {place, question, consequence, verb, typed} = overlay;
		const how = typed ? `Type ${visible(typed.expected)} and enter to ${verb.toLowerCase()} it; escape cancels.` : `y: ${verb}. Enter cancels.`;
		const forecast = forecastText(state, overlay);
		return [`${place}: ${question}`, ...(forecast ? [forecast] : []), ...(consequence ? [consequence] : []), how];
	}

	if (isFooter(overlay)) {
		return plain(footerLines({...state, ...whole}));
	}

	if (overlay.kind === 'form') {
		return [overlay.title, overlay.intro, fieldLine(overlay.fields[overlay.focus]!)];
	}

	return plain(overlayLines(overlay.kind === 'detail' && overlay.view === 'attributes' ? {...overlay, view: 'detail'} : overlay, {...state, ...whole}));
}

/** Whether something that the overlay on top waited for is there now. */
const hasArrived = (before: State, now: State): boolean => asksOf(now).some(({slot}) => slot !== 'status' && slot !== attentionSlot && before.answers[slot]?.result === undefined && now.answers[slot]?.result !== undefined);

/** Units of a text that are read out before and behind what was found in it. */
const around = 200;

/** At which match one is, and the text that it stands in. */
function foundLine(state: State, search: Search): string {
	const finding = findIn(searchable(state)!.rows, search.words);
	const match = finding.matches[currentIndex(finding, search)];
	return match ? `${matchText(finding, search)}: ${finding.texts[match.text]!.content.slice(Math.max(0, match.start - around), match.end + around).trim()}` : `No match for ${visible(search.words)}.`;
}

/** What is found, once the words are typed, and at each step from match to match. While they are typed they alone are heard. */
function searchChanges(before: State, now: State): string[] {
	const [old, search] = [searchOf(before), searchOf(now)];
	const wasTyped = before.overlays.at(-1)?.kind === 'search';
	if (now.overlays.at(-1)?.kind === 'search' || (old === search && !wasTyped) || (!old && !search && !wasTyped)) {
		return [];
	}

	return [search ? foundLine(now, search) : 'Search dropped.'];
}

function overlayChanges(before: State, now: State): string[] {
	const [old, top] = [before.overlays.at(-1), now.overlays.at(-1)];
	if (top === undefined) {
		return old === undefined ? [] : [placeLine(now), rowLine(now)].filter(line => line !== undefined);
	}

	if (old?.kind !== top.kind || before.overlays.length !== now.overlays.length) {
		return overlayText(top, now);
	}

	if (top.kind === 'form' && old.kind === 'form') {
		return [
			...(top.error && top.error !== old.error ? [[top.error.message, top.error.hint].filter(Boolean).join(' ')] : []),
			...(top.focus !== old.focus || top.fields[top.focus]!.error !== old.fields[top.focus]!.error ? [fieldLine(top.fields[top.focus]!)] : []),
			...(top.busy && !old.busy ? ['Working …'] : []),
		];
	}

	if (top.kind === 'menu' && old.kind === 'menu') {
		const {key, label, summary = '', disabled} = top.items[top.cursor]!;
		return top.cursor === old.cursor ? [] : [`${key} ${label}. ${disabled ?? summary}`];
	}

	if (top.kind === 'palette' && old.kind === 'palette') {
		const item = itemsOf(top, now)[top.cursor];
		return top.cursor === old.cursor && top.edit.text === old.edit.text ? [] : [item ? `${item.name}. ${item.disabled ?? item.summary}` : 'Nothing is called so.'];
	}

	if (top.kind === 'filter' && old.kind === 'filter' && top.edit !== old.edit && (top.completing !== old.completing || top.recalled !== old.recalled)) {
		return [visible(top.edit.text)];
	}

	const isOther = top.kind === 'detail' && old.kind === 'detail' && (top.view !== old.view || top.revealed !== old.revealed || (top.process !== undefined && old.process === undefined));
	return isOther || hasArrived(before, now) ? overlayText(top, now) : [];
}

function listChanges(before: State, now: State): string[] {
	const [old, list] = [before.lists[before.screen], now.lists[now.screen]];
	if (before.screen !== now.screen || before.colony?.colonyid !== now.colony?.colonyid || old.tab !== list.tab || old.filter !== list.filter || before.past !== now.past) {
		return [placeLine(now), ...(list.loadedAt === undefined ? [] : contentLines(now))];
	}

	if ((old.loadedAt === undefined && list.loadedAt !== undefined) || old.at !== list.at) {
		return contentLines(now);
	}

	const line = old.cursor === list.cursor && old.gone === list.gone ? undefined : rowLine(now);
	return line === undefined ? [] : [line];
}

/** That the store answers again, or why it cannot be worked with. */
const reachLine = (state: State): string => state.reach.reachable ? `The ${storeName(state)} answers again.` : [`${unreachedShort(state)}. Changes are refused ${untilReached(state)}.`, state.reach.reason, state.reach.hint].filter(Boolean).join(' ');

function outcomeChanges(before: State, now: State): string[] {
	const error = now.error ?? now.lists[now.screen].error ?? now.opening.error;
	const old = before.error ?? before.lists[before.screen].error ?? before.opening.error;
	const full = fullOf(now);
	return [
		...(full === undefined || full === fullOf(before) ? [] : [full]),
		...(now.opening.text !== before.opening.text && !now.context ? [now.opening.text] : []),
		...(now.reach.reachable === before.reach.reachable && now.reach.barrier === before.reach.barrier ? [] : [reachLine(now)]),
		...(now.reach.noChanges === before.reach.noChanges ? [] : [now.reach.noChanges ? refusals[now.reach.noChanges].message : 'The database takes changes again.']),
		...(error && error.message !== old?.message ? [`Error: ${[error.message, error.hint].filter(Boolean).join(' ')}`] : []),
		...(now.notice && now.notice.text !== before.notice?.text ? [now.notice.text] : []),
	].map(text => visible(text));
}

/**
What is read out when the console has changed: where one is, the row under the cursor, what was opened, what is asked, what was done or went wrong.
What only grows older is not; and rows that come and go are not, but for the one under the cursor.
*/
export function spoken(before: State, now: State): string[] {
	// The page below the words that were typed was read out when it was opened.
	const isBack = before.overlays.at(-1)?.kind === 'search' && before.overlays.length > now.overlays.length;
	const lines = before === now ? [] : [...outcomeChanges(before, now), ...(isBack ? [] : overlayChanges(before, now)), ...searchChanges(before, now), ...(now.overlays.length === 0 && before.overlays.length === 0 ? listChanges(before, now) : [])];
	return lines.filter((line, index) => lines.indexOf(line) === index);
}
