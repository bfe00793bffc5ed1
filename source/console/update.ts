import {isDeepStrictEqual} from 'node:util';
import type {Topic} from '../core/types.ts';
import {parseFilter} from '../core/filter.ts';
import {InvalidInput, toColoniesError} from '../core/errors.ts';
import {visible} from '../core/text.ts';
import {actions, chooseColony, chooseItem, closeTop, onTop, restart, showScreen, welcome} from './actions.ts';
import {confirmed, whyNoChange, whyReadOnly} from './deeds.ts';
import {checkForm, valuesOf, whyNotSend} from './forms.ts';
import {resolve} from './keymap.ts';
import {isTooSmall, visibleRows} from './layout.ts';
import {fitTop, takePage} from './lists.ts';
import {load, loadDetail, refresh, refreshAll, withList} from './loading.ts';
import {screens} from './screens/index.ts';
import {newestFirst} from './tabs.ts';
import {type ErrorText, type Message, type Overlay, type ScreenName, type State, type Step, emptied, emptiedLists} from './state.ts';
import {editText, isEditKey} from './terminal/text-edit.ts';
import type {Chord} from './terminal/keys.ts';

/** How long a notice stands, in milliseconds, when no key is pressed. */
const noticeTime = 8000;
/** The visible page is read again after this, in milliseconds, for what nobody announced. */
const rereadTime = 2000;

const quiet = (state: State): Step => [state, []];
const say = (state: State, text: string): State => ({...state, notice: {text, at: state.now}});
const sayDone = (state: State, text: string): State => ({...state, notice: {text, at: state.now, isOutcome: true}});

type Form = Extract<Overlay, {kind: 'form'}>;

function inForm(state: State, form: Form, chord: Chord): Step {
	const {key} = chord;
	const change = (changed: Partial<Form>): Step => quiet(onTop(state, () => ({...form, ...changed})));
	if (key === 'esc') {
		return quiet(form.busy ? state : closeTop(state));
	}

	if (form.busy) {
		return quiet(state);
	}

	const last = form.fields.length - 1;
	if (key === 'down' || key === 'tab' || (key === 'enter' && form.focus < last)) {
		return change({focus: form.focus === last ? 0 : form.focus + 1});
	}

	if (key === 'up' || key === 'shift-tab') {
		return change({focus: form.focus === 0 ? last : form.focus - 1});
	}

	if (key === 'enter' || key === 'ctrl-s') {
		const reason = whyNotSend(form, state);
		if (reason) {
			return change({error: {code: 'unavailable', message: reason}});
		}

		const checked = checkForm(form);
		return checked.fields.some(({error}) => error)
			? change(checked)
			: [onTop({...state, error: undefined}, () => ({...checked, busy: true, error: undefined})), [{type: 'send-form', purpose: form.purpose, values: valuesOf(form)}]];
	}

	return change({fields: form.fields.map((field, index) => index === form.focus ? {...field, edit: editText(field.edit, chord), error: undefined} : field)});
}

function inFilter(state: State, overlay: Extract<Overlay, {kind: 'filter'}>, chord: Chord): Step {
	if (chord.key === 'esc') {
		return quiet(closeTop(state));
	}

	if (chord.key === 'enter') {
		try {
			const {text: _, computertype: __, ...others} = parseFilter(overlay.edit.text);
			const [other] = Object.keys(others);
			if (other && state.screen !== 'processes') {
				throw new InvalidInput('Only words, and type: on Computers, filter this list.', {hint: 'The other terms are for processes.'});
			}
		} catch (error) {
			const {message, hint} = toColoniesError(error);
			return quiet(onTop(state, () => ({...overlay, error: hint ? `${message} ${hint}` : message})));
		}

		return restart(closeTop(state), state.screen, {tab: state.lists[state.screen].tab, filter: overlay.edit.text.trim()});
	}

	return quiet(onTop(state, () => ({...overlay, edit: editText(overlay.edit, chord), error: undefined})));
}

/** `y` alone confirms, or the typed name; enter is the default, and that is Cancel. */
function inConfirm(state: State, overlay: Extract<Overlay, {kind: 'confirm'}>, chord: Chord): Step {
	const {typed} = overlay;
	const cancel = (): Step => quiet(say(closeTop(state), 'Cancelled; nothing was changed.'));
	const reason = 'operation' in overlay.deed ? whyNoChange(state) : whyReadOnly(state);
	const go = (): Step => reason
		? quiet(say(closeTop(state), reason))
		: [{...closeTop(state), busy: state.busy + 1, error: undefined}, [confirmed(overlay)]];
	if (chord.key === 'esc' || chord.key === 'ctrl-c') {
		return cancel();
	}

	if (!typed) {
		return chord.key === 'y' ? go() : (['enter', 'n', 'q'].includes(chord.key) ? cancel() : quiet(state));
	}

	if (chord.key === 'enter') {
		return typed.edit.text === typed.expected ? go() : quiet(say(state, 'The name does not fit; esc cancels.'));
	}

	return isEditKey(chord) ? quiet(onTop(state, () => ({...overlay, typed: {...typed, edit: editText(typed.edit, chord)}}))) : quiet(state);
}

function pressed(before: State, chord: Chord): Step {
	const state = before.notice ? {...before, notice: undefined} : before;
	if (isTooSmall(state)) {
		// Nobody acts on what cannot be seen.
		const action = {q: 'quit', 'ctrl-c': 'quit', 'ctrl-z': 'suspend'}[chord.key];
		return action ? actions[action]!(state, undefined) : quiet(state);
	}

	const top = state.overlays.at(-1);
	// In a text field every key is text, but for the way out.
	if (top?.kind === 'form') {
		return chord.key === 'ctrl-c' ? [state, [{type: 'quit'}]] : inForm(state, top, chord);
	}

	if (top?.kind === 'filter') {
		return chord.key === 'ctrl-c' ? quiet(closeTop(state)) : inFilter(state, top, chord);
	}

	if (top?.kind === 'confirm') {
		return inConfirm(state, top, chord);
	}

	if (top?.kind === 'menu') {
		const item = top.items.find(({key}) => key === chord.key);
		if (item) {
			return chooseItem(state, item);
		}
	}

	const binding = resolve(state, chord.key);
	const reason = binding?.disabled?.(state);
	if (reason) {
		return quiet(say(state, reason));
	}

	return binding ? actions[binding.action]!(state, binding.value) : quiet(state);
}

function ticked(before: State, now: number): Step {
	const state = {...before, now, notice: before.notice && now - before.notice.at < noticeTime ? before.notice : undefined};
	if (state.context && state.reach.reachable && !state.knownLoaded && state.opening.error) {
		return [{...state, opening: {text: state.opening.text}}, [{type: 'load-known'}]];
	}

	// Without a colony nobody tells what changes: the keys of one may come in another process.
	if (state.context && state.reach.reachable && state.knownLoaded && !state.colony && !state.paused && now - (state.lists.colonies.loadedAt ?? now) >= rereadTime) {
		return [state, [{type: 'load-known'}]];
	}

	const {loadedAt, loading} = state.lists[state.screen];
	return state.paused || !state.context || !state.reach.reachable || loading || (loadedAt !== undefined && now - loadedAt < rereadTime) ? quiet(state) : refreshAll(state);
}

function resized(state: State, columns: number, rows: number): Step {
	const next = {...state, columns, rows};
	const fitted = (screen: ScreenName) => fitTop(state.lists[screen], {idOf: screens[screen].idOf, height: visibleRows(next)});
	return quiet({...next, lists: {processes: fitted('processes'), computers: fitted('computers'), colonies: fitted('colonies'), keys: fitted('keys')}});
}

function changed(state: State, topics: ReadonlySet<string>): Step {
	// What changes before the store is open is read then.
	if (state.paused || !state.context) {
		return quiet(state);
	}

	const has = (topic: Topic) => topics.has(topic);
	let [next, effects]: Step = screens[state.screen].topics.some(topic => has(topic)) ? refresh(state) : quiet(state);
	if (has('colonies')) {
		effects = [...effects, {type: 'load-known'}];
	}

	if (state.colony && (has('processes') || has('computers'))) {
		effects = [...effects, {type: 'count'}];
	}

	return [next, has('processes') || has('attributes') ? [...effects, ...loadDetail(next, {soon: true})] : effects];
}

/** Nothing of the colony is left on the screen. */
function leaveColony(state: State): State {
	const {processes, computers} = state.lists;
	return {...state, colony: undefined, acting: undefined, side: undefined, counts: undefined, computerCounts: undefined, overlays: [], lists: {...state.lists, processes: emptied(processes), computers: emptied(computers)}};
}

/** What is offered first where no colony is open to anybody. */
function withoutColony(state: State): Step {
	if (state.known.length === 0 && state.context?.kind === 'embedded') {
		return quiet(welcome(state));
	}

	// Whoever looks at the keys has chosen to; the other lists are empty without a colony.
	return state.screen === 'keys' ? quiet(state) : showScreen(state, 'colonies');
}

function known(state: State, colonies: State['known'], select: string | undefined): Step {
	const next = {...state, known: colonies, knownLoaded: true, opening: {text: state.opening.text}};
	const at = (id: string | undefined) => colonies.find(({colonyid}) => colonyid === id);
	const colony = at(select) ?? at(state.colony?.colonyid) ?? (state.colony === undefined ? colonies.find(({as}) => as.some(({kind}) => kind !== 'root')) : undefined);
	if (state.colony !== undefined && !colony) {
		const left = leaveColony(next);
		return load(state.notice?.isOutcome ? left : say(left, `The colony ${visible(state.colony.name)} is gone, or the key that opened it.`), 'colonies');
	}

	const [listed, effects] = load(next, 'colonies');
	if (colony && colony.colonyid !== state.colony?.colonyid) {
		const [chosen, more] = refreshAll(chooseColony(listed, colony));
		return [chosen, [...effects, ...more]];
	}

	if (!colony && !state.knownLoaded) {
		return chain(withoutColony(listed), effects);
	}

	// A key may have come or gone.
	const acting = colony?.as.find(({id}) => id === state.acting?.id) ?? colony?.as.find(({kind}) => kind !== 'root');
	return [{...listed, colony, acting}, effects];
}

/** The colonies could not be read. Before the first time that is all there is to say; later the list says it where the database is away. */
function notKnown(state: State, error: ErrorText): Step {
	if (!state.knownLoaded) {
		return quiet({...state, opening: {...state.opening, error}});
	}

	return quiet(error.code === 'unavailable' ? state : {...state, error});
}

function loaded(state: State, {screen, sequence, page, at}: Extract<Message, {type: 'loaded'}>): Step {
	const list = state.lists[screen];
	if (sequence !== list.sequence) {
		return quiet(state);
	}

	const {cursor, going} = list;
	if (going && cursor !== undefined && !page.rows.some(row => screens[screen].idOf(row) === cursor)) {
		// The operator has turned back meanwhile: the row under the cursor is in the window that is shown.
		return load(state, screen);
	}

	const taken = takePage(list, page, {idOf: screens[screen].idOf, height: visibleRows(state), at, frozen: state.frozen, pinsFirst: !newestFirst(state, screen)});
	const next = withList(state, screen, taken);
	const moved = screen === 'processes' && screen === state.screen && state.side?.processid !== taken.cursor ? loadDetail(next) : [];
	const [again, effects] = list.stale ? load(next, screen) : quiet(next);
	return [again, [...effects, ...moved]];
}

/** Whether the same is to be watched: the store, the colony, and as whom. */
const watchesSame = (one: State, other: State): boolean => one.context === other.context && one.colony?.colonyid === other.colony?.colonyid && one.acting?.id === other.acting?.id;

/**
The one way in which anything changes on the screen: a state and a message give the next state, and what is to be done outside. Pure.
*/
export function update(state: State, message: Message): Step {
	const [next, effects] = nextStep(state, message);
	return [next, watchesSame(state, next) ? effects : [...effects, {type: 'watch'}]];
}

function nextStep(state: State, message: Message): Step {
	switch (message.type) {
		case 'key': {
			return pressed(state, message);
		}

		case 'resized': {
			return resized(state, message.columns, message.rows);
		}

		case 'ticked': {
			return ticked(state, message.now);
		}

		case 'opening': {
			return quiet({...state, context: undefined, opening: {text: message.text}, colony: undefined, acting: undefined, known: [], knownLoaded: false, rootUnlocked: false, lists: emptiedLists(state.lists), counts: undefined, computerCounts: undefined, side: undefined, overlays: [], screen: 'processes', error: undefined});
		}

		case 'opened': {
			return [{...state, context: message.context, opening: {text: state.opening.text}}, [{type: 'load-known', select: message.remembered}]];
		}

		case 'not-opened': {
			return quiet({...state, opening: {...state.opening, error: message.error}});
		}

		case 'reached': {
			const next = {...state, reach: {reachable: message.reachable, since: message.since}};
			return message.reachable && !state.reach.reachable && state.context ? chain(refreshAll(next), [{type: 'load-known'}]) : quiet(next);
		}

		case 'changed': {
			return changed(state, message.topics);
		}

		case 'known': {
			return known(state, message.colonies, message.select);
		}

		case 'not-known': {
			return notKnown(state, message.error);
		}

		case 'loaded': {
			return loaded(state, message);
		}

		case 'not-loaded': {
			return message.sequence === state.lists[message.screen].sequence ? quiet(withList(state, message.screen, {loading: false, going: undefined, stale: false, error: message.error})) : quiet(state);
		}

		case 'counted': {
			return quiet(message.colonyid === state.colony?.colonyid ? {...state, counts: message.counts, computerCounts: message.computers} : state);
		}

		default: {
			return answered(state, message);
		}
	}
}

const chain = ([state, effects]: Step, more: Step[1]): Step => [state, [...effects, ...more]];

/** What came of something that was asked for. */
function answered(state: State, message: Message): Step {
	switch (message.type) {
		case 'detailed': {
			const open = state.overlays.find(overlay => overlay.kind === 'detail');
			const known = [open?.kind === 'detail' ? open.process : undefined, state.side].find(each => each?.processid === message.process.processid);
			// What has not changed stays the very object, for which its lines are made already.
			const process = isDeepStrictEqual(message.process, known) ? known! : message.process;
			const overlays = state.overlays.map(overlay => overlay.kind === 'detail' && overlay.id === process.processid ? {...overlay, process, error: undefined} : overlay);
			return quiet({...state, overlays, side: process.processid === state.lists.processes.cursor ? process : state.side});
		}

		case 'not-detailed': {
			return quiet({...state, overlays: state.overlays.map(overlay => overlay.kind === 'detail' && overlay.id === message.id ? {...overlay, error: message.error} : overlay)});
		}

		case 'done': {
			return refreshAll(sayDone({...state, busy: Math.max(0, state.busy - 1)}, message.text));
		}

		case 'failed': {
			return refreshAll({...state, busy: Math.max(0, state.busy - 1), error: message.error});
		}

		case 'noticed': {
			return quiet(say(state, message.text));
		}

		case 'form-done': {
			const closed = {...state, overlays: state.overlays.filter(({kind}) => kind !== 'form')};
			return refreshAll(sayDone(closed, message.text));
		}

		case 'form-failed': {
			return quiet({...state, overlays: state.overlays.map(overlay => overlay.kind === 'form' ? {...overlay, busy: false, error: message.error} : overlay)});
		}

		case 'root-unlocked': {
			return [{...state, rootUnlocked: true}, [{type: 'load-known'}]];
		}

		default: {
			return quiet(state);
		}
	}
}
