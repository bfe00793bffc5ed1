import {useContext, useEffect, useSyncExternalStore} from 'react';
import {Box, Text, useStdin} from 'ink';
import {Form} from './components/form.tsx';
import {Painted, ScreenContext} from './components/painted.tsx';
import {ShortTable} from './components/short-table.tsx';
import {isTooSmall, layoutOf} from './layout.ts';
import type {Overlay, State} from './state.ts';
import type {Store} from './store.ts';
import {listenToKeys} from './terminal/keys.ts';
import {
	detailTitle, inspectorPaint, inspectorRoom, inspectorRows, sideLines,
} from './views/detail.ts';
import {aboveFooter, footerLines, isFooter} from './views/footer.ts';
import {headerLines, tooSmall} from './views/frame.ts';
import {bodyLines} from './views/list.ts';
import {overlayLines} from './views/overlay-pages.ts';
import {positionText} from './views/page.ts';

/** The one place where input enters: every key becomes a message. */
function useKeys(store: Store): void {
	const {stdin} = useStdin();
	useEffect(() => listenToKeys(stdin, store.press), [stdin, store]);
}

/** The overlay that takes the body; questions and the filter stand in the footer instead. */
const pageOf = (overlays: readonly Overlay[]): Overlay | undefined => overlays.findLast(overlay => !isFooter(overlay));

type Below = {readonly state: State; /** What stands at the bottom, over the last rows of the body where it is tall. */ readonly footer: readonly string[]};

/** Rows that are left of the body. */
const heightOf = ({state, footer}: Below): number => aboveFooter(Array.from({length: layoutOf(state).body}, () => ''), footer).length;

function Inspector({overlay, state, footer}: Below & {readonly overlay: Extract<Overlay, {kind: 'detail'}>}) {
	const body = heightOf({state, footer});
	const room = inspectorRoom(state);
	const all = inspectorRows(overlay);
	const first = Math.min(overlay.scroll, Math.max(0, all.length - room));
	const rows = all.slice(first, first + room);
	const paint = inspectorPaint(overlay, {first, room});
	return (
		<Box flexDirection='column' width={state.columns} height={body} overflow='hidden'>
			<Text bold wrap='truncate'>{` ${detailTitle(overlay)}${positionText(all.length, first, room)}`}</Text>
			{rows.length === 0
				? <Text> {overlay.error?.message ?? (overlay.process ? 'No attributes found' : 'Loading …')}</Text>
				: <ShortTable columns={['TYPE', 'KEY', 'VALUE']} rows={rows} width={state.columns} paint={paint}/>}
		</Box>
	);
}

function Body({state, footer}: Below) {
	const {header, list, side} = layoutOf(state);
	const screen = useContext(ScreenContext);
	const page = pageOf(state.overlays);
	if (page?.kind === 'form' || (page?.kind === 'detail' && page.view === 'attributes')) {
		// The header takes no room of Ink's where it is painted.
		return (
			<Box marginTop={screen ? header : 0} height={heightOf({state, footer})} flexShrink={0}>
				{page.kind === 'form' ? <Form form={page} width={state.columns} height={heightOf({state, footer})}/> : <Inspector overlay={page} state={state} footer={footer}/>}
			</Box>
		);
	}

	if (page) {
		return <Painted reserve={false} top={header} left={0} width={state.columns} lines={aboveFooter(overlayLines(page, state), footer)}/>;
	}

	return (
		<Box>
			<Painted reserve={false} top={header} left={0} width={list} lines={aboveFooter(bodyLines(state), footer)}/>
			{side > 0 && <Painted reserve={false} top={header} left={list} width={side} lines={aboveFooter(sideLines(state), footer)}/>}
		</Box>
	);
}

/** The console. What it shows is a function of the state alone. */
export function App({store}: {readonly store: Store}) {
	const state = useSyncExternalStore(store.subscribe, store.get);
	useKeys(store);
	if (isTooSmall(state)) {
		return <Painted reserve={false} top={0} left={0} width={state.columns} lines={tooSmall(state).slice(0, state.rows)}/>;
	}

	const footer = footerLines(state);
	return (
		<Box flexDirection='column' width={state.columns}>
			<Painted reserve={false} top={0} left={0} width={state.columns} lines={headerLines(state).slice(0, Math.max(0, state.rows - footer.length))}/>
			<Body state={state} footer={footer}/>
			<Painted reserve={false} top={Math.max(0, state.rows - footer.length)} left={0} width={state.columns} lines={footer}/>
		</Box>
	);
}
