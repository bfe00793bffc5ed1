export {work} from './work.ts';
export {openTracing, type Tracing} from './tracing.ts';
export {machineClock, persist} from './waiting.ts';
export type {
	Handler, Job, Outputs, Progress, Signal, Span, Tracer, Worker, WorkOptions,
} from './types.ts';
