import type {Overlay, State} from './state.ts';

/** Puts an overlay on top. */
export const over = (state: State, overlay: Overlay): State => ({...state, overlays: [...state.overlays, overlay]});

/** Changes the overlay on top. */
export const onTop = (state: State, change: (overlay: Overlay) => Overlay): State => ({...state, overlays: [...state.overlays.slice(0, -1), change(state.overlays.at(-1)!)]});

/** Takes the overlay on top away. */
export const closeTop = (state: State): State => ({...state, overlays: state.overlays.slice(0, -1)});
