import type {Ask} from './answers.ts';
import {asksOfFilter} from './filtering.ts';
import {askDifference} from './overlays/difference.ts';
import {askWhy} from './overlays/explain.ts';
import {askEntry, askVerification} from './overlays/audit.ts';
import {askForecast, askPlanForecast} from './overlays/forecast.ts';
import {askHistory} from './overlays/process-history.ts';
import {namesAsk} from './names.ts';
import {askResult} from './overlays/result.ts';
import {screens} from './screens/index.ts';
import type {Overlay, State} from './state.ts';

type AsksOfOverlays = {[Kind in Overlay['kind']]?: (overlay: Extract<Overlay, {kind: Kind}>, state: State) => readonly Ask[]};

/** What each kind of overlay needs from the store while it is open. */
const ofOverlays: AsksOfOverlays = {confirm: askForecast, detail: askHistory, difference: askDifference, filter: asksOfFilter, entry: askEntry, verify: askVerification, plan: askPlanForecast, result: askResult};

/** Under which slot the state of the database is asked for; its clock is the one that ages are told by. */
export const statusSlot = 'status';

/** Under which slot it is asked how many lines there are on 5 Attention. */
export const attentionSlot = 'attention';

/** Under which slot it is asked how the colony did in the last hour. */
export const ratesSlot = 'rates';

/** What the lines above every screen need from the store. */
const ofHeader = ({colony, screen}: State): readonly Ask[] => [
	{slot: statusSlot, key: colony!.colonyid, operation: 'database.status', input: {colonyid: colony!.colonyid}, every: screen === 'server' ? 2000 : 60_000},
	namesAsk(colony!.colonyid),
	{slot: attentionSlot, key: colony!.colonyid, operation: 'attention.list', input: {colonyid: colony!.colonyid}, every: 15_000},
	{slot: ratesSlot, key: colony!.colonyid, operation: 'pulse.get', input: {colonyid: colony!.colonyid, span: '1h'}, every: 10_000},
];

/** What an overlay needs from the store while it is open. */
export const asksOfOverlay = (overlay: Overlay, state: State): readonly Ask[] => (ofOverlays[overlay.kind] as ((overlay: Overlay, state: State) => readonly Ask[]) | undefined)?.(overlay, state) ?? [];

/** Everything that is in sight and comes from the store, beside the rows of the list: said anew after every message. Nothing without a store and a colony. */
export function asksOf(state: State): readonly Ask[] {
	if (!state.context || !state.colony || !state.acting) {
		return [];
	}

	return [
		...ofHeader(state),
		// What is asked about the rows is about now.
		...(state.past ? [] : [...screens[state.screen].asks?.(state) ?? [], ...askWhy(state)]),
		...state.overlays.flatMap(overlay => asksOfOverlay(overlay, state)),
	];
}
