import type {ErrorCode} from '../core/errors.ts';
import type {Topic} from '../core/types.ts';
import type {OperationName} from '../operations/index.ts';

export type ErrorText = {code: ErrorCode; message: string; hint?: string};

/**
Something that is in sight and that the store is asked for. What is in sight says so anew after every message (asks.ts); the answer is kept under its slot.
*/
export type Ask = {
	/** One answer stands under each: `explain`, `pulse`. */
	slot: string;
	/** What it is about, the id of a process say: for another key it is asked anew, and the answer before means nothing. */
	key: string;
	operation: OperationName;
	input: Record<string, unknown>;
	/** What must change for it to be asked again at once; without any it is asked again only by its time. */
	topics?: readonly Topic[];
	/** Milliseconds after which it is asked again anyway; 2 s unless given. */
	every?: number;
	/** Whether the cursor must rest on it for a moment first. */
	rests?: boolean;
};

/** What came of an ask. `result` stays while it is asked again. */
export type Answer = {
	key: string;
	sequence: number;
	loading: boolean;
	/** Something changed while it was asked, or just after: it is asked again at the next tick. */
	stale: boolean;
	/** Milliseconds since 1970. */
	askedAt: number;
	result?: unknown;
	/** Milliseconds since 1970 of the result. */
	at?: number;
	error?: ErrorText;
};
