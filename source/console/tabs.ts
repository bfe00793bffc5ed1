import type {ProcessState} from '../core/types.ts';
import {processStates} from '../core/types.ts';
import type {State} from './state.ts';

/** The state that the tab of the Processes screen shows; undefined for all of them. */
export const tabState = (state: State): ProcessState | undefined => processStates[state.lists.processes.tab - 1];
