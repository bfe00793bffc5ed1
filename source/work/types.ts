import type {Process} from '../core/types.ts';

/** The AbortSignal of whatever the program is compiled for: Node or a browser; without either, what is needed of it. */
export type Signal = typeof globalThis extends {AbortSignal: {prototype: infer Known}}
	? Known
	: {
		readonly aborted: boolean;
		readonly reason: any;
		addEventListener(type: 'abort', listener: () => void, options?: {once?: boolean}): void;
		removeEventListener(type: 'abort', listener: () => void): void;
		throwIfAborted(): void;
	};

/** A process that was assigned to this computer, for whoever does the work. */
export type Job = {
	readonly process: Process;
	/** The values of the in attributes by their keys. */
	readonly in: Readonly<Record<string, string>>;
	/** The trace that the work belongs to (W3C Trace Context): of the span of this attempt where there is a tracer, else as it was submitted; undefined for none. */
	readonly traceparent: string | undefined;
	/** Aborted when the result is of no use any more: the deadline has passed, or the process was taken back; and when the computer is stopped a second time. */
	readonly signal: Signal;
	/** Writes an out attribute, up to 1 MiB; the same key again replaces the value. Rejects when it is refused, or when the process is no longer this computer's. */
	out(key: string, value: string): Promise<void>;
	/** The same for an err attribute. */
	err(key: string, value: string): Promise<void>;
};

/** What is used of a span of OpenTelemetry. */
export type Span = {
	spanContext(): {traceId: string; spanId: string; traceFlags: number};
	setStatus(status: {code: number; message?: string}): unknown;
	end(): void;
};

/** What is used of a tracer of OpenTelemetry: `trace.getTracer(…)` of `@opentelemetry/api`, which must be installed beside it. */
export type Tracer = {
	startSpan(name: string, options?: {kind?: number; attributes?: Record<string, string | number>}, context?: any): Span;
};

/** What came of a job, as out attributes. What is undefined is left out. */
export type Outputs = Readonly<Record<string, string | number | bigint | boolean | undefined>>;

/** Does the work. What it returns is written as out attributes, and the process is successful; what it throws is written as the err attribute `error`, and the process failed. */
export type Handler = (job: Job) => Promise<Outputs | void> | Outputs | void;

/**
How it goes with a process. `gone`: it was no longer this computer's when the work was done, and nobody knows of the work. `span`: milliseconds since it was started here.
`reason`: why it failed or is gone, one sentence.
*/
export type Progress = {
	readonly process: Process;
	readonly state: 'started' | 'successful' | 'failed' | 'gone';
	readonly span: number;
	readonly reason?: string;
};

export type WorkOptions = {
	/** How many processes at once, 1 to 1000; 1 unless given. */
	concurrency?: number;
	/** Seconds that one request for work waits at the server, 1 to 60; 25 unless given. */
	wait?: number;
	/** Stops the computer, as `stop` does. */
	signal?: Signal;
	/** Stops it on SIGTERM and SIGINT, and on SIGHUP where standard error is a terminal; the second one aborts what runs. */
	handleSignals?: boolean;
	/** Hears what is out of the ordinary, one sentence each; standard error unless given. */
	notice?: (sentence: string) => void;
	/** Hears when a process is started and what became of it. */
	report?: (progress: Progress) => void;
};

/** A computer at work. */
export type Worker = {
	/** Resolves when it was stopped and all that ran is done. Rejects when it can never work: an id that is none, say. */
	readonly done: Promise<void>;
	/** How many processes run now. */
	readonly running: number;
	/** Whether it was stopped. */
	readonly stopping: boolean;
	/** Asks for no more work and waits for what runs. Called again it aborts what runs, and waits ten seconds at most for handlers that go on all the same. */
	stop(): Promise<void>;
};
