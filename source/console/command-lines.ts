import {commandLineOf, type InputOf, type OperationName, shellWord, storeWords} from '../operations/index.ts';
import {asksOfOverlay} from './asks.ts';
import {visibleRows} from './layout.ts';
import {screens} from './screens/index.ts';
import type {Acting, Overlay, State} from './state.ts';

/** A command that does the same, and what that is. */
export type CommandLine = {about: string; text: string};

const lineOf = (state: State, operation: OperationName, input: Record<string, unknown>, acting: Acting | undefined): string => commandLineOf(operation, input, {
	signer: acting?.kind === 'root' ? undefined : acting?.id, root: acting?.kind === 'root', choice: state.context?.choice,
});

const asTable = (line: string): string => `${line} --output table`;

const storeFlagsOf = ({context}: State): string => context?.choice === undefined ? '' : storeWords(context.choice).map(word => ` ${word}`).join('');

/** What a screen reads its rows with: the very call, which is heard and not made. */
function readingOf(state: State): {operation: OperationName; input: Record<string, unknown>} | undefined {
	const {more, positions, top} = state.lists[state.screen];
	const position = more.before ? positions[top] : undefined;
	let heard: {operation: OperationName; input: Record<string, unknown>} | undefined;
	const never = async <Result>(): Promise<Result> => new Promise<Result>(() => {
		// Nobody waits for it.
	});
	void screens[state.screen].read({count: visibleRows(state), ...(position === undefined ? {} : {position, direction: 'from' as const})}, {
		state,
		async run<Name extends OperationName>(operation: Name, input: InputOf<Name>) {
			heard ??= {operation, input};
			return never();
		},
		runAsRoot: never,
		where: never,
		keys: never,
	}).catch(() => undefined);
	return heard;
}

/** The commands of the screens that read no operation: what is on this machine, and what is asked of the store as such. */
const others: Readonly<Record<string, (state: State) => CommandLine[]>> = {
	colonies: state => state.rootUnlocked
		? [{about: 'All colonies', text: asTable(commandLineOf('colony.list', {filter: state.lists.colonies.filter, at: state.past?.at}, {root: true, choice: state.context?.choice}))}]
		: [{about: 'The keys of colonies and computers', text: asTable('colonies keychain ls')}],
	server: state => [
		{about: 'The store', text: `colonies database where${storeFlagsOf(state)}`},
		...(state.colony ? [{about: 'Its clock, sizes and connections', text: lineOf(state, 'database.status', {colonyid: state.colony.colonyid}, state.acting)}] : []),
	],
	keys: ({lists: {keys}}) => [{about: 'The keys in the keychain', text: asTable(`colonies keychain ls${keys.filter === '' ? '' : ` --filter=${shellWord(keys.filter)}`}`)}],
};

function ofScreen(state: State): CommandLine[] {
	const {title} = screens[state.screen];
	const other = others[state.screen]?.(state);
	if (other) {
		return other;
	}

	const reading = screens[state.screen].of === 'colony' && !state.colony ? undefined : readingOf(state);
	const asks = state.colony ? screens[state.screen].asks?.(state) ?? [] : [];
	const [first] = reading ? [reading] : asks;
	return first ? [{about: title, text: asTable(lineOf(state, first.operation, first.input, state.acting))}] : [];
}

function ofOverlay(overlay: Overlay, state: State): CommandLine[] | undefined {
	if (overlay.kind === 'detail') {
		const input = {colonyid: state.colony?.colonyid, processid: overlay.id};
		return overlay.view === 'attributes'
			? [{about: 'The attributes of the process', text: asTable(lineOf(state, 'attribute.list', input, state.acting))}]
			: [
				{about: 'The process', text: lineOf(state, 'process.get', {...input, at: state.past?.at}, state.acting)},
				...(overlay.view === 'detail' ? [{about: 'What happened to it', text: asTable(lineOf(state, 'process.history', {...input, count: 1000}, state.acting))}] : []),
			];
	}

	if (overlay.kind === 'confirm') {
		const {deed, question} = overlay;
		return [{about: question, text: 'forgetKey' in deed ? `colonies keychain remove --id ${deed.forgetKey}` : lineOf(state, deed.operation, deed.input, deed.as)}];
	}

	if (overlay.kind === 'difference') {
		return [{about: 'What differs from the last success', text: asTable(lineOf(state, 'process.compare', {colonyid: state.colony?.colonyid, processid: overlay.id}, state.acting))}];
	}

	if (overlay.kind === 'explain') {
		return [{about: 'Why it waits', text: lineOf(state, 'process.explain', {colonyid: state.colony?.colonyid, processid: overlay.id}, state.acting)}];
	}

	const asks = overlay.kind === 'filter' ? [] : asksOfOverlay(overlay, state);
	return asks.length === 0 ? undefined : asks.map(({operation, input}) => ({about: operation, text: lineOf(state, operation, input, state.acting)}));
}

/** The commands that do what is in sight, or what is asked about; none where no command does the same. */
export function commandLinesOf(state: State): CommandLine[] {
	for (const overlay of [...state.overlays].reverse()) {
		const lines = ofOverlay(overlay, state);
		if (lines) {
			return lines;
		}
	}

	return ofScreen(state);
}
