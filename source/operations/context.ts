import type {SessionTarget} from '../core/database-hosts.ts';
import type {ColoniesError} from '../core/errors.ts';
import type {Id, Topic} from '../core/types.ts';
import type {Copied, NoChanges, Reachability} from '../database/index.ts';
import type {Broker, Caller, Notice, RunOptions} from './broker.ts';
import type {InputOf, OperationName, ResultOf} from './registry.ts';

/** Where the data lives, for people: never with a password. */
export type Where = {
	context: string;
	kind: Context['kind'];
	place: string;
	server: string;
	timescale: string | undefined;
	schema: number;
	/** Why it takes no changes; left out where it takes them. */
	readonly?: NoChanges;
	/** How many cells there are, where there are several. */
	cells?: number;
};

/** What a face is handed: the operations on one store, wherever it is. The faces cannot tell the kinds apart, but for showing them. */
export type Context = {
	readonly kind: 'embedded' | 'database' | 'server';
	/** The name that the operator gave it, or its kind. */
	readonly name: string;
	/** Whether it is on this machine. A console opens what is elsewhere read-only, until the operator says otherwise. */
	readonly isLocal: boolean;
	/** Whether whatever answers is trusted, with nobody's certificate checked; a face warns of it. */
	readonly insecure?: boolean;
	/** The only way in. @throws ColoniesError */
	run<Name extends OperationName>(caller: Caller, name: Name, input: InputOf<Name>, options?: RunOptions): Promise<ResultOf<Name>>;
	/** The same for many calls of one operation about one colony, with an answer for each; see Broker.runMany. @throws ColoniesError when all were refused */
	runMany<Name extends OperationName>(caller: Caller, name: Name, inputs: ReadonlyArray<InputOf<Name>>, options?: RunOptions): Promise<Array<{result: ResultOf<Name>} | ColoniesError>>;
	/**
	Tells which topics have changed, whoever changed them; after a gap it tells all.
	`as`: who watches, and which colony; a server tells nobody anything else, a store at hand does not ask.
	*/
	watch(hear: (topics: ReadonlySet<Topic>) => void, as?: {caller: Caller; colonyid: Id}): () => void;
	/** Tells at once, and at every turn, whether the store answers. */
	watchReachability(tell: (state: Reachability) => void): () => void;
	where(): Promise<Where>;
	close(): Promise<void>;
};

/** What a server asks of a store besides its operations. */
export type Served = Pick<Broker, 'follow' | 'hearCommitted' | 'isRootRemembered' | 'nameOfMetricsToken' | 'statistics' | 'verifyRoot'>;

/** A context whose broker runs in this process, so that a server can serve it. */
export type HostedContext = Context & {readonly broker: Served};

/** Which store is meant: what the flags and the environment say; what they leave open comes from the settings. */
export type ContextChoice = {
	dbhost?: string;
	dbport?: number;
	dbuser?: string;
	dbpassword?: string;
	dbname?: string;
	/** Schema of the database; `colonies` unless given. */
	dbschema?: string;
	dbssl?: boolean;
	/** Connections to the database at most, besides one that listens. */
	dbpool?: number;
	/** Which of several hosts; `read-write` unless given. */
	dbtarget?: SessionTarget;
	/** `HOST[:PORT]` on which notifications are heard, past a pooler. */
	dblisten?: string;
	/** Prepared statements for hot operations; on unless given. */
	dbprepare?: 'on' | 'off';
	/** A connection string, from `DATABASE_URL`. */
	url?: string;
	/** Opens the demo's own embedded database. */
	demo?: boolean;
	/** A Colonies server. */
	host?: string;
	port?: number;
	/** File with the certificate (PEM) of the authority that the server's is checked against, in place of the system's. */
	tlsca?: string;
	/** SHA-256 of the server's certificate, 64 hex digits with or without colons: that one is trusted and no other. */
	fingerprint?: string;
	/** Trusts whatever answers. */
	insecure?: boolean;
};

/** A context that can be worked in, for people: never with a password. `where`: host, port and what else tells it apart, or the folder. */
export type KnownContext = {name: string; kind: Context['kind']; where: string; /** Whether it is the one that is meant when nothing else is said. */ current: boolean};

/** A copy of a whole store. `from` and `to`: where each lives, never with a password. `context`: a name to work in the copy by; undefined where it has none. */
export type CopiedStore = Copied & {from: string; to: string; schema: number; context?: string};

/** How contexts are opened, made, kept and dropped; the door hands it to the faces. */
export type Contexts = {
	/**
	Opens the store that is meant. `attended`: for as long as an operator stays; one that does not answer now is opened all the same and tried again, and deadlines are seen to meanwhile.
	@throws ColoniesError
	*/
	open(choice: ContextChoice, options?: {attended?: boolean}): Promise<Context>;
	/** Makes the schema, saves the context and makes it current. `rootpassword` is kept when it is the first. `cells`: how many there are to be, in this database; `citus`: each is a schema that Citus places. */
	create(choice: ContextChoice, notice: Notice, options?: {rootpassword?: string | undefined; cells?: number | undefined; citus?: boolean | undefined}): Promise<Where>;
	/** Adds a cell that lies in another database to the installation that is meant without flags. Its password is saved with it on this machine. @throws ColoniesError */
	addCell(choice: ContextChoice, name: string | undefined, notice: Notice): Promise<void>;
	/**
	Copies everything from one database to another that is empty, of whichever kind: of one moment, all or nothing. The current context stays.
	@param to `place`: a context's name, `postgresql://…` or a folder; `password`: of the user there, where the place does not say it
	@returns what was copied, and from where to where
	@throws InvalidInput when the choice or the place is a server or both are the same; Conflict for a target that is not empty; `in-use` when others have an embedded one open
	*/
	copy(choice: ContextChoice, to: {place: string; password: string | undefined}, options?: {tell?: (done: number, total: number) => void; signal?: AbortSignal}): Promise<CopiedStore>;
	/** Finds out what is meant, for the question; `drop` then drops that very schema with all in it and forgets the context. */
	prepareDrop(choice: ContextChoice): Promise<{what: string; drop(notice: Notice): Promise<void>}>;
	/**
	Opens a database or the embedded store to be served, for as long as it is open: deadlines are seen to. The root password is kept on a fresh database.
	@throws Unauthenticated when another root password is kept; InvalidInput when the choice is a server
	*/
	openHosted(choice: ContextChoice, options: {rootpassword: string; /** It was typed only once, and does not become the first one. */ mustBeKept?: boolean; notice: Notice}): Promise<HostedContext>;
	/** Forgets the root password, for whoever has the database itself. @returns whether there was one. @throws InvalidInput when the choice is a server; `in-use` when others have the embedded store open */
	resetRoot(choice: ContextChoice): Promise<boolean>;
	/** Keeps a server or a database under a name, in place of what had it. It is not asked whether it answers. @throws InvalidInput */
	save(name: string, choice: ContextChoice, notice: Notice): Promise<void>;
	/** The contexts that are kept; the embedded store is always among them, first. */
	list(): Promise<KnownContext[]>;
	/** Makes a context, or `embedded`, the current one. @throws NotFound */
	use(name: string): Promise<void>;
	/** Forgets a context; when it was the current one, that is the embedded store from then on. @throws NotFound; InvalidInput for `embedded` */
	forget(name: string): Promise<void>;
};
