import type * as Api from '@opentelemetry/api';
import {InvalidInput} from '../core/errors.ts';
import {readTraceparent, writeTraceparent} from '../core/traceparent.ts';
import type {Process} from '../core/types.ts';
import type {Progress, Span, Tracer} from './types.ts';

/** Not a literal in the `import`, so that no bundler looks for a package that only those have who trace. */
const apiPackage: string = '@opentelemetry/api'; // eslint-disable-line @typescript-eslint/no-inferrable-types -- as a literal it would be bundled

/** `traceparent` of a span; undefined for one that records nothing and has no ids. */
function traceparentOf(api: typeof Api, span: Span): string | undefined {
	const context = span.spanContext();
	return api.isSpanContextValid(context) ? writeTraceparent(context) : undefined;
}

/** The span of one attempt. `run` calls the handler within it, so that its own spans become children; `end` closes it by the outcome. */
export type AttemptSpan = {
	traceparent: string | undefined;
	run<Result>(handler: () => Result): Result;
	end(progress: {state: Exclude<Progress['state'], 'started'>; reason?: string}): void;
};

/** Makes spans of submissions and attempts, named as the semantic conventions of OpenTelemetry for messaging say. */
export class Tracing {
	readonly #tracer: Tracer;
	readonly #api: typeof Api;

	constructor(tracer: Tracer, api: typeof Api) {
		this.#tracer = tracer;
		this.#api = api;
	}

	/** Sends within a span of its own, a child of the active one. `send` is given the `traceparent` to submit with; undefined where the tracer records nothing. */
	async submit<Result>({colonyid, count}: {colonyid: string; count: number}, send: (traceparent: string | undefined) => Promise<Result>): Promise<Result> {
		const {SpanKind, SpanStatusCode} = this.#api;
		const span = this.#tracer.startSpan(`send ${colonyid}`, {
			kind: SpanKind.PRODUCER,
			attributes: {
				'messaging.system': 'colonies', 'messaging.operation.type': 'send', 'messaging.operation.name': 'process.submit', 'messaging.destination.name': colonyid, ...(count === 1 ? {} : {'messaging.batch.message_count': count}),
			},
		});
		try {
			return await send(traceparentOf(this.#api, span));
		} catch (error) {
			span.setStatus({code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error)});
			throw error;
		} finally {
			span.end();
		}
	}

	/** Begins the span of an attempt, a child of the span that submitted the process. */
	begin({processid, targetcolonyid, traceparent, retries}: Process): AttemptSpan {
		const {context, SpanKind, SpanStatusCode, ROOT_CONTEXT, trace} = this.#api;
		const submitted = traceparent === undefined ? undefined : readTraceparent(traceparent);
		const parent = submitted === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, {...submitted, isRemote: true});
		const span = this.#tracer.startSpan(`process ${targetcolonyid}`, {
			kind: SpanKind.CONSUMER,
			attributes: {
				'messaging.system': 'colonies', 'messaging.operation.type': 'process', 'messaging.operation.name': 'process.assign', 'messaging.destination.name': targetcolonyid, 'messaging.message.id': processid, 'colonies.process.retries': retries,
			},
		}, parent);
		return {
			traceparent: traceparentOf(this.#api, span) ?? traceparent,
			run: handler => context.with(trace.setSpan(parent, span as Api.Span), handler),
			end({state, reason}) {
				span.setStatus(state === 'successful' ? {code: SpanStatusCode.OK} : {code: SpanStatusCode.ERROR, message: reason ?? state});
				span.end();
			},
		};
	}
}

/** Loads what tracing needs. @throws InvalidInput where `@opentelemetry/api` is not installed */
export async function openTracing(tracer: Tracer): Promise<Tracing> {
	let api: typeof Api;
	try {
		api = await import(apiPackage) as typeof Api;
	} catch (error) {
		throw new InvalidInput('tracer is given, but the package @opentelemetry/api cannot be loaded.', {hint: 'Install it: npm install @opentelemetry/api', cause: error});
	}

	return new Tracing(tracer, api);
}
