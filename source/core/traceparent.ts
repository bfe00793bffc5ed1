/** `version-traceid-parentid-flags` in lowercase hex; later versions may have more behind it (W3C Trace Context §3.2). */
const grammar = /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-.*)?$/;

/** A span's place in a trace. `flags`: 1 where it is sampled. */
export type TraceContext = {traceId: string; spanId: string; traceFlags: number};

/**
Reads a `traceparent` (W3C Trace Context §3.2). Of a version later than 00 the fields of 00 are read (§4.3).
@returns undefined where it is not one
*/
export function readTraceparent(text: string): TraceContext | undefined {
	const [, version, traceId, spanId, flags, more] = grammar.exec(text) ?? [];
	if (version === undefined || (version === '00' && more !== undefined)) {
		return undefined;
	}

	// Of the flags of later versions only the first is known.
	const traceFlags = Number.parseInt(flags!, 16);
	return {traceId: traceId!, spanId: spanId!, traceFlags: version === '00' ? traceFlags : traceFlags % 2};
}

/** A span as a `traceparent` of version 00. */
export const writeTraceparent = ({traceId, spanId, traceFlags}: TraceContext): string => `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
