import {refreshAll} from '../loading.ts';
import {type Action, quiet} from './action.ts';

/** How the console shows things, and the program around it. */
export const settings: Record<string, Action> = {
	pause: state => state.paused ? refreshAll({...state, paused: false}) : quiet({...state, paused: true}),
	refresh: state => refreshAll(state),
	freeze: state => quiet({...state, frozen: !state.frozen}),
	wide: state => quiet({...state, wide: !state.wide}),
	utc: state => [{...state, utc: !state.utc}, [{type: 'remember', key: 'utc', value: !state.utc}]],
	suspend: state => [state, [{type: 'suspend'}]],
	repaint: state => refreshAll(state),
	quit: state => [state, [{type: 'quit'}]],
};
