import {type ProcessState, processStates} from '../core/types.ts';
import type {ScreenName, State} from './state.ts';

/** The state that the tab of the Processes screen shows; undefined for all of them. */
export const tabState = (state: State): ProcessState | undefined => processStates[state.lists.processes.tab - 1];

/** Whether new rows come in at the head of a list: of changes, of all processes, and of closed ones. */
export const newestFirst = (state: State, screen: ScreenName): boolean => screen === 'audit' || (screen === 'processes' && !['waiting', 'running'].includes(tabState(state) ?? ''));
