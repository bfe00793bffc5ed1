export {type AssignCall, assignTogether, type Kind} from './assign.ts';
export type {Answered, Call, Slot} from './calls.ts';
export {type CloseCall, closeTogether} from './close.ts';
export {type SubmitCall, submitTogether} from './submit.ts';
