export {work} from './work.ts';
export {machineClock, persist} from './waiting.ts';
export type {
	Handler, Job, Outputs, Progress, Signal, Worker, WorkOptions,
} from './types.ts';
