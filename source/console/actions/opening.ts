import type {Process} from '../../core/types.ts';
import {openForm} from '../forms.ts';
import {selectedProcess} from '../keymap/reasons.ts';
import {layoutOf} from '../layout.ts';
import {loadDetail} from '../loading.ts';
import {screens, selectedRow} from '../screens/index.ts';
import {searchOf} from '../searching.ts';
import {closeTop, onTop, over} from '../stack.ts';
import type {FormPurpose, Overlay, State, Step} from '../state.ts';
import {textOf} from '../terminal/text-edit.ts';
import {attributesOf} from '../views/attributes.ts';
import {chosenLine} from '../views/detail.ts';
import {scrollEnd, scrollPage} from '../views/overlay-pages.ts';
import {
	type Action, quiet, say, scrolled,
} from './action.ts';
import {dropSearch, seekAgain} from './searching.ts';

type Detail = Extract<Overlay, {kind: 'detail'}>;

/** Id of the process that is open over the list. */
function openId({overlays}: State): string | undefined {
	const top = overlays.at(-1);
	return top?.kind === 'detail' ? top.id : undefined;
}

/** Id of what the row under the cursor is about. */
function aboutSelected(state: State): string {
	const {aboutOf, idOf} = screens[state.screen];
	return (aboutOf ?? idOf)(selectedRow(state)!);
}

function scroll(state: State, value: string | undefined): Step {
	return quiet(onTop(state, overlay => 'scroll' in overlay ? {...overlay, scroll: scrolled(overlay.scroll, value, {end: scrollEnd(overlay, state), page: scrollPage(overlay, state)})} : overlay));
}

/** Chooses an attribute of the open process, and brings it into sight. */
function chooseAttribute(state: State, by: string | undefined): Step {
	const top = state.overlays.at(-1);
	const attributes = top?.kind === 'detail' && top.process ? attributesOf(top.process) : [];
	if (top?.kind !== 'detail' || attributes.length === 0) {
		return quiet(say(state, 'It has no attributes.'));
	}

	const before = attributes.findIndex(({attributeid}) => attributeid === top.chosen);
	const index = before === -1 ? (by === '1' ? 0 : attributes.length - 1) : (before + Number(by) + attributes.length) % attributes.length;
	return quiet(showChosen(state, {...top, view: 'detail', chosen: attributes[index]!.attributeid}));
}

/** Brings the chosen attribute of the open process into sight. */
function showChosen(state: State, detail: Detail): State {
	const place = chosenLine(detail, state);
	const height = layoutOf(state).body - 2;
	const scroll = place < detail.scroll || place >= detail.scroll + height ? Math.max(0, place - Math.floor(height / 3)) : detail.scroll;
	return onTop(state, () => ({...detail, scroll: Math.min(scroll, scrollEnd(detail, state))}));
}

/** Shows the chosen attribute whole, or folded and masked again; the table has no room for that. */
function openAttribute(state: State): Step {
	const top = state.overlays.at(-1);
	if (top?.kind !== 'detail' || top.chosen === undefined) {
		return quiet(say(state, 'No attribute is chosen: tab chooses the next one.'));
	}

	const {opened = [], chosen, view} = top;
	const changed = {...top, opened: opened.includes(chosen) ? opened.filter(id => id !== chosen) : [...opened, chosen]};
	return quiet(view === 'attributes' ? showChosen(state, {...changed, view: 'detail'}) : onTop(state, () => changed));
}

/** Opens, scrolls and closes what stands over a screen, and copies what it shows. */
export const opening: Record<string, Action> = {
	filter: state => quiet(over(state, {kind: 'filter', edit: textOf(state.lists[state.screen].filter)})),
	open(state, view) {
		const process = selectedRow(state) as Process;
		const known = state.side?.processid === process.processid ? state.side : undefined;
		const next = over(state, {kind: 'detail', id: process.processid, view: view as Detail['view'], process: known, scroll: 0, revealed: false});
		return [next, loadDetail(next)];
	},
	view: (state, view) => quiet(seekAgain(onTop(state, overlay => overlay.kind === 'detail' ? {...overlay, view: view as Detail['view'], scroll: 0} : overlay))),
	reveal: state => quiet(onTop(state, overlay => overlay.kind === 'detail' ? {...overlay, revealed: !overlay.revealed} : overlay)),
	difference: state => quiet(over(state, {kind: 'difference', id: selectedProcess(state)!.processid, scroll: 0})),
	'choose-attribute': chooseAttribute,
	'open-attribute': openAttribute,
	scroll,
	close: state => quiet(searchOf(state) ? dropSearch(state) : closeTop(state)),
	form: (state, purpose) => quiet(over(state, openForm(purpose as FormPurpose, state))),
	'copy-id': state => [state, [{type: 'copy', text: openId(state) ?? aboutSelected(state), what: 'the id'}]],
	'copy-json': state => [state, [{type: 'copy', text: JSON.stringify(openId(state) === undefined ? selectedRow(state) : selectedProcess(state), undefined, 4), what: 'the JSON'}]],
	help: state => state.overlays.at(-1)?.kind === 'help' ? quiet(closeTop(state)) : quiet(over(state, {kind: 'help', scroll: 0})),
};
