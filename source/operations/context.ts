import type {Topic} from '../core/types.ts';
import type {Reachability} from '../database/index.ts';
import type {Caller, Notice} from './broker.ts';
import type {InputOf, OperationName, ResultOf} from './registry.ts';

/** Where the data lives, for people: never with a password. */
export type Where = {
	context: string;
	kind: Context['kind'];
	place: string;
	server: string;
	timescale: string | undefined;
	schema: number;
};

/** What a face is handed: the operations on one store, wherever it is. The faces cannot tell the kinds apart, but for showing them. */
export type Context = {
	readonly kind: 'embedded' | 'database' | 'server';
	/** The name that the operator gave it, or its kind. */
	readonly name: string;
	/** The only way in. `notice` hears warnings, one sentence each. @throws ColoniesError */
	run<Name extends OperationName>(caller: Caller, name: Name, input: InputOf<Name>, notice?: Notice): Promise<ResultOf<Name>>;
	/** Tells which topics have changed, whoever changed them; after a gap it tells all. */
	watch(hear: (topics: ReadonlySet<Topic>) => void): () => void;
	/** Tells at once, and at every turn, whether the store answers. */
	watchReachability(tell: (state: Reachability) => void): () => void;
	where(): Promise<Where>;
	close(): Promise<void>;
};

/** Which store is meant: what the flags and the environment say; what they leave open comes from the settings. */
export type ContextChoice = {
	dbhost?: string;
	dbport?: number;
	dbuser?: string;
	dbpassword?: string;
	dbname?: string;
	dbssl?: boolean;
	/** A connection string, from `DATABASE_URL`. */
	url?: string;
	/** Opens the demo's own embedded database. */
	demo?: boolean;
};

/** How contexts are opened, made and dropped; the door hands it to the faces. */
export type Contexts = {
	/**
	Opens the store that is meant. `attended`: for as long as an operator stays; one that does not answer now is opened all the same and tried again, and deadlines are seen to meanwhile.
	@throws ColoniesError
	*/
	open(choice: ContextChoice, options?: {attended?: boolean}): Promise<Context>;
	/** Makes the schema, saves the context and makes it current. `rootpassword` is kept when it is the first. */
	create(choice: ContextChoice, notice: Notice, rootpassword?: string): Promise<Where>;
	/** Finds out what is meant, for the question; `drop` then drops that very schema with all in it and forgets the context. */
	prepareDrop(choice: ContextChoice): Promise<{what: string; drop(notice: Notice): Promise<void>}>;
};
