import {refreshAll} from '../loading.ts';
import {visible} from '../../core/text.ts';
import {runningPlan, whyPlanRuns} from '../plans.ts';
import {refusals} from '../refusals.ts';
import {type Action, quiet, say} from './action.ts';
import {leave} from './leaving.ts';

/** How the console shows things, and the program around it. */
export const settings: Record<string, Action> = {
	pause: state => state.paused ? refreshAll({...state, paused: false}) : quiet({...state, paused: true}),
	refresh: state => refreshAll(state),
	freeze: state => quiet({...state, frozen: !state.frozen}),
	wide: state => quiet({...state, wide: !state.wide}),
	utc: state => [{...state, utc: !state.utc}, [{type: 'remember', key: 'utc', value: !state.utc}]],
	ro: state => quiet(say(state.readOnly === undefined && runningPlan(state) ? state : {...state, readOnly: state.readOnly === 'flag' ? 'flag' : 'chosen'}, (state.readOnly === undefined ? whyPlanRuns(state) : undefined) ?? 'Nothing can be changed from here now.')),
	rw(state) {
		if (state.readOnly === 'flag') {
			return quiet(say(state, `${refusals.flag.message} ${refusals.flag.hint}`));
		}

		const place = [state.context?.name, state.colony?.name].filter(name => name !== undefined).map(name => visible(name)).join(' ');
		return quiet(say({...state, readOnly: undefined}, `Changes are allowed now${place === '' ? '' : ` in ${place}`}; each still asks first.`));
	},
	suspend: state => [state, [{type: 'suspend'}]],
	repaint: state => refreshAll(state),
	quit: state => leave(state),
};
