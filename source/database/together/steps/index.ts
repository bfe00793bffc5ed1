export {assignInSteps} from './assign.ts';
export {closeInSteps} from './close.ts';
export {submitInSteps} from './submit.ts';
