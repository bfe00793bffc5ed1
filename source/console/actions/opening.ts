import type {Process} from '../../core/types.ts';
import {openForm} from '../forms.ts';
import {selectedProcess} from '../keymap/reasons.ts';
import {layoutOf} from '../layout.ts';
import {loadDetail} from '../loading.ts';
import {screens, selectedRow} from '../screens/index.ts';
import {closeTop, onTop, over} from '../stack.ts';
import type {FormPurpose, Overlay, State, Step} from '../state.ts';
import {textOf} from '../terminal/text-edit.ts';
import {attributesOf} from '../views/attributes.ts';
import {detailRows} from '../views/detail.ts';
import {scrollEnd, scrollPage} from '../views/overlay-pages.ts';
import {type Action, quiet, say, scrolled} from './action.ts';

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
	const chosen = {...top, view: 'detail' as const, chosen: attributes[index]!.attributeid};
	const place = detailRows(chosen, state, state.columns - 4).places.get(chosen.chosen) ?? 0;
	const height = layoutOf(state).body - 2;
	const scroll = place < chosen.scroll || place >= chosen.scroll + height ? Math.max(0, place - Math.floor(height / 3)) : chosen.scroll;
	return quiet(onTop(state, () => ({...chosen, scroll: Math.min(scroll, scrollEnd(chosen, state))})));
}

/** Shows the chosen attribute whole, or folded and masked again. */
function openAttribute(state: State): Step {
	const top = state.overlays.at(-1);
	if (top?.kind !== 'detail' || top.chosen === undefined) {
		return quiet(say(state, 'No attribute is chosen: tab chooses the next one.'));
	}

	const {opened = [], chosen} = top;
	return quiet(onTop(state, () => ({...top, opened: opened.includes(chosen) ? opened.filter(id => id !== chosen) : [...opened, chosen]})));
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
	view: (state, view) => quiet(onTop(state, overlay => overlay.kind === 'detail' ? {...overlay, view: view as Detail['view'], scroll: 0} : overlay)),
	reveal: state => quiet(onTop(state, overlay => overlay.kind === 'detail' ? {...overlay, revealed: !overlay.revealed} : overlay)),
	difference: state => quiet(over(state, {kind: 'difference', id: selectedProcess(state)!.processid, scroll: 0})),
	'choose-attribute': chooseAttribute,
	'open-attribute': openAttribute,
	scroll,
	close: state => quiet(closeTop(state)),
	form: (state, purpose) => quiet(over(state, openForm(purpose as FormPurpose, state))),
	'copy-id': state => [state, [{type: 'copy', text: openId(state) ?? aboutSelected(state), what: 'the id'}]],
	'copy-json': state => [state, [{type: 'copy', text: JSON.stringify(openId(state) === undefined ? selectedRow(state) : selectedProcess(state), undefined, 4), what: 'the JSON'}]],
	help: state => state.overlays.at(-1)?.kind === 'help' ? quiet(closeTop(state)) : quiet(over(state, {kind: 'help', scroll: 0})),
};
