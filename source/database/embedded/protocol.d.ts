/** What is used of a PGlite, so that any version of it can be handed in. */
export type Instance = {
	execProtocolStream(message: Uint8Array, options: {syncToFs: boolean}): Promise<Array<{name: string}>>;
	exec(script: string): Promise<unknown>;
	onNotification(hear: (channel: string, payload: string) => void): () => void;
	close(): Promise<void>;
};

/** Rows as text: one value a column, null for null. */
export type Answer = {
	columns: Array<{name: string; oid: number}>;
	rows: Array<Array<string | null>>;
	rowCount: number;
};

export type Fault = {
	message: string;
	code?: string;
	detail?: string;
	constraint?: string;
	table?: string;
	column?: string;
	position?: string;
	stack?: string;
};

/** One of several statements that are run together, and the name that it is prepared under. */
export type Leg = {name: string; text: string; values: Array<string | null>};

export declare function ask(instance: Instance, text: string, values: Array<string | null>): Promise<Answer>;
export declare function askTogether(instance: Instance, legs: readonly Leg[]): Promise<Answer[]>;
export declare function faultOf(error: unknown): Fault;
