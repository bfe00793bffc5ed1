import {NotAllowed, toColoniesError, Unauthenticated} from '../../core/errors.ts';
import type {Keychain} from '../../keychain/index.ts';
import {type Caller, type Context, type ContextChoice, guarded} from '../../operations/index.ts';
import {refusals} from '../refusals.ts';
import {readView} from '../sorting.ts';
import {
	type Acting, type ErrorText, type Message, type ReadOnly, screenNames, type State,
} from '../state.ts';
import type {World} from '../world.ts';
import {GatheredNews} from './gathered-news.ts';

export type Dispatch = (message: Message) => void;

export const errorText = (error: unknown): ErrorText => {
	const {code, message, hint} = toColoniesError(error);
	return {code, message, hint};
};

/** Milliseconds until an opening that failed is tried again; it doubles up to the last. */
const firstPause = 500;
const longestPause = 5000;
/** Between two openings of a server whose certificate is not trusted. */
const trustPauseMs = 5000;

const openingText = ({demo, host}: ContextChoice): string => demo ? 'Opening the demo and waking its computers …' : (host === undefined ? 'Opening the database …' : 'Connecting to the server …');

/** The store that is open and what one acts with there: what must not stand in the state, which is the context, the keys and the root password. */
export class Session {
	/** What the console was handed. */
	readonly world: World; // eslint-disable-line @typescript-eslint/parameter-properties -- Node strips types only

	readonly dispatch: Dispatch; // eslint-disable-line @typescript-eslint/parameter-properties -- as above
	keychain: Keychain;
	root: string | undefined;
	/** Which store is open, as it was asked for. */
	choice: ContextChoice;
	/** Why changes are refused, as the state that came with the last effect says. */
	readOnly: ReadOnly | undefined;
	isClosed = false;
	#context: Context | undefined;
	/** The same, without the check whether changes are refused. */
	#bare: Context | undefined;
	#closeContext: () => Promise<void> = async () => undefined;
	#retryTimer: NodeJS.Timeout | undefined;
	#trustTimer: NodeJS.Timeout | undefined;
	#openings = 0;
	/** Ends hearing whether the store answers, and what has changed in it. */
	#stopReaching: () => void = () => undefined;
	#stopWatching: () => void = () => undefined;
	#watchings = 0;

	constructor(world: World, dispatch: Dispatch) {
		this.world = world;
		this.dispatch = dispatch;
		this.keychain = world.keychain;
		this.choice = world.choice;
	}

	/** The store that is open. @throws Unauthenticated where none is */
	get context(): Context {
		if (!this.#context) {
			throw new Unauthenticated('The database is not open yet.');
		}

		return this.#context;
	}

	/** Changes by lists, for a plan that was begun while changes were allowed: it goes on while the operator looks at the past, and through another connection to the same store. @throws ColoniesError where changes are refused now */
	planContext(): Pick<Context, 'runMany'> {
		const refusal = this.readOnly && refusals[this.readOnly];
		if (refusal) {
			throw new NotAllowed(`${refusal.message} Nothing was changed.`, {hint: refusal.hint});
		}

		return {runMany: async (caller, name, inputs, options) => this.#bare!.runMany(caller, name, inputs, options)};
	}

	get openContext(): Context | undefined {
		return this.#context;
	}

	/** The caller that acts for the operator. @throws Unauthenticated when the key is not there */
	async callerOf(acting: Acting | undefined): Promise<Caller> {
		if (acting?.kind === 'root') {
			if (this.root === undefined) {
				throw new Unauthenticated('Root is locked.', {hint: 'Press u on 4 Colonies and give the root password.'});
			}

			return {root: this.root};
		}

		if (!acting) {
			throw new Unauthenticated('The keychain holds no key for this colony.', {hint: 'Add one on 6 Keys.'});
		}

		return {identity: await this.keychain.identity(acting.id)};
	}

	/** Opens a store in place of the one there is; one that does not open is tried again until it does. */
	async open(choice: ContextChoice, pause = firstPause, opening = ++this.#openings): Promise<void> {
		if (pause === firstPause) {
			this.dispatch({type: 'opening', text: openingText(choice)});
		}

		try {
			await this.#letGo();
			const {context, keychain, root, close} = choice.demo ? await this.#openDemo() : await this.#openReal(choice);
			if (this.isClosed || opening !== this.#openings) {
				await close();
				return;
			}

			this.choice = choice;
			this.keychain = keychain;
			this.root = root;
			await this.#install(context, close);
		} catch (error) {
			if (this.isClosed || opening !== this.#openings) {
				return;
			}

			this.dispatch({type: 'not-opened', error: errorText(error)});
			this.#retryTimer = setTimeout(() => {
				void this.open(choice, Math.min(pause * 2, longestPause), opening);
			}, pause);
		}
	}

	/** Watches what the operator works in: a server tells a member of a colony about that colony alone. The one before is let go when this one is there, so that nothing is missed between. */
	async watch({context: opened, colony, acting}: State): Promise<void> {
		const turn = ++this.#watchings;
		const context = this.#context;
		const caller = acting && await this.callerOf(acting).catch(() => undefined);
		if (turn !== this.#watchings || this.isClosed) {
			return;
		}

		const stopBefore = this.#stopWatching;
		this.#stopWatching = () => undefined;
		if (opened && context) {
			const news = new GatheredNews(topics => {
				// What is heard of a store that another one has replaced means nothing.
				if (this.#context === context && !this.isClosed) {
					this.dispatch({type: 'changed', topics});
				}
			});
			const stop = context.watch(topics => {
				news.hear(topics);
			}, caller && colony && {caller, colonyid: colony.colonyid});
			this.#stopWatching = () => {
				stop();
				news.close();
			};
		}

		stopBefore();
	}

	/** Lets go of the store for good. */
	async close(): Promise<void> {
		clearTimeout(this.#retryTimer);
		await this.#letGo();
	}

	/** Closes the store there is, and hears no more of it. */
	async #letGo(): Promise<void> {
		this.#watchings++;
		this.#stopWatching();
		this.#stopReaching();
		clearTimeout(this.#trustTimer);
		const close = this.#closeContext;
		this.#closeContext = async () => undefined;
		await close();
	}

	async #openReal(choice: ContextChoice) {
		const context = await this.world.contexts.open(choice, {attended: true});
		return {context, keychain: this.world.keychain, root: undefined, close: async () => context.close()};
	}

	async #openDemo() {
		const {context, keychain, root, stop} = await this.world.openDemo();
		return {context, keychain, root, async close() {
			await stop();
			await context.close();
		}};
	}

	/** How the lists were shown last. */
	async #views(): Promise<State['views']> {
		const read = await Promise.all(screenNames.map(async name => [name, readView(await this.world.settings.get(`view:${name}`).catch(() => undefined))] as const));
		return Object.fromEntries(read.filter(([, view]) => view !== undefined));
	}

	/** Opens a server anew as long as it is not trusted: the context that is kept may name another certificate by now. The screen stays as it is. */
	#trustAnew(context: Context): void {
		const isOver = () => this.isClosed || this.#context !== context;
		this.#trustTimer = setTimeout(async () => {
			const fresh = await this.world.contexts.open(this.choice).catch(() => undefined);
			// Another one may have been made current meanwhile: that is for the operator to open.
			const isSame = fresh?.kind === context.kind && fresh.name === context.name;
			if (fresh && isSame && !isOver()) {
				await this.#letGo();
				await this.#install(fresh, async () => fresh.close(), {stays: true});
				return;
			}

			await fresh?.close();
			if (!isOver()) {
				this.#trustAnew(context);
			}
		}, trustPauseMs);
	}

	/** `stays`: it is the store that was open before, so the colony that is worked in stays. */
	async #install(context: Context, close: () => Promise<void>, {stays = false} = {}): Promise<void> {
		this.#closeContext = close;
		this.#bare = context;
		this.#context = guarded(context, () => this.readOnly && refusals[this.readOnly]);
		await this.#greet(this.#context, stays);
	}

	async #greet(context: Context, stays: boolean): Promise<void> {
		// What is heard of a store that another one has replaced means nothing.
		const hear = (message: Message): void => {
			if (this.#context === context && !this.isClosed) {
				this.dispatch(message);
			}
		};

		this.#stopReaching = context.watchReachability(reach => {
			hear({type: 'reached', ...reach});
			clearTimeout(this.#trustTimer);
			if (reach.barrier === 'untrusted' && context.kind === 'server') {
				this.#trustAnew(context);
			}
		});
		const remembered = stays ? undefined : await this.world.settings.get(`colony:${context.name}`).catch(() => undefined);
		hear({type: 'settings', utc: await this.world.settings.get('utc').catch(() => false) === true, views: await this.#views()});
		const where = await context.where().catch(() => undefined);
		hear({type: 'opened', context: {kind: context.kind, name: context.name, place: where?.place ?? '', isLocal: context.isLocal, choice: {...this.choice, dbpassword: undefined, url: undefined}, ...(context.insecure && {insecure: true})}, remembered: typeof remembered === 'string' ? remembered : undefined});
		if (this.root !== undefined) {
			hear({type: 'root-unlocked'});
		}
	}
}
