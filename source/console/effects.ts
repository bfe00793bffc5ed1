import {NotFound, toColoniesError, Unauthenticated} from '../core/errors.ts';
import {parseFilter} from '../core/filter.ts';
import type {Id, ProcessState} from '../core/types.ts';
import type {KeyEntry, Keychain} from '../keychain/index.ts';
import type {Caller, Context, ContextChoice, Page} from '../operations/index.ts';
import {sendForm} from './send-form.ts';
import type {Acting, Effect, ErrorText, KnownColony, Message, PageQuery, RowValue, ScreenName, State} from './state.ts';
import {tabState} from './tabs.ts';
import type {World} from './world.ts';

/** What the terminal does for an effect. */
export type Outside = {copy: (text: string) => void; suspend: () => void; quit: () => void};

type Dispatch = (message: Message) => void;

export const errorText = (error: unknown): ErrorText => {
	const {code, message, hint} = toColoniesError(error);
	return {code, message, hint};
};

/** Milliseconds until an opening that failed is tried again; it doubles up to the last. */
const firstPause = 500;
const longestPause = 5000;

/** How long the cursor must rest before what it is on is read, in milliseconds. */
const rest = 120;

/** Carries out what `update` asks for; everything that comes of it goes back as a message. It holds what must not stand in the state: the context, the keys, the root password. */
export class Effects {
	readonly #world: World;
	readonly #dispatch: Dispatch;
	readonly #outside: Outside;
	#context: Context | undefined;
	#keychain: Keychain;
	#root: string | undefined;
	#closeContext: () => Promise<void> = async () => undefined;
	#detailTimer: NodeJS.Timeout | undefined;
	#detailId: Id | undefined;
	#retryTimer: NodeJS.Timeout | undefined;
	#counting = false;
	#countAgain: State | undefined;
	#openings = 0;
	#closed = false;
	/** Ends hearing whether the store answers, and what has changed in it. */
	#stopReaching: () => void = () => undefined;
	#stopWatching: () => void = () => undefined;
	#watchings = 0;
	/** Changes under way: they are finished before the store is let go. */
	readonly #changes = new Set<Promise<void>>();
	#lastFailure: ErrorText | undefined;

	constructor(world: World, dispatch: Dispatch, outside: Outside) {
		this.#world = world;
		this.#dispatch = dispatch;
		this.#outside = outside;
		this.#keychain = world.keychain;
	}

	/** Begins to carry out an effect; `state` is the one that came with it. Never throws. */
	run(effect: Effect, state: State): void {
		const done = this.#carryOut(effect, state);
		if (['run', 'forget-key', 'send-form'].includes(effect.type)) {
			this.#lastFailure = undefined;
			this.#changes.add(done);
			void done.finally(() => {
				this.#changes.delete(done);
			});
		}
	}

	/** Lets go of the store. Changes under way are finished first. @returns what went wrong with one of them after the operator had left */
	async close(): Promise<ErrorText | undefined> {
		this.#closed = true;
		clearTimeout(this.#detailTimer);
		clearTimeout(this.#retryTimer);
		const awaited = this.#changes.size > 0;
		await Promise.allSettled(this.#changes);
		await this.#letGo();
		return awaited ? this.#lastFailure : undefined;
	}

	/** The caller that acts for the operator. @throws Unauthenticated when the key is not there */
	async callerOf(acting: Acting | undefined): Promise<Caller> {
		if (acting?.kind === 'root') {
			if (this.#root === undefined) {
				throw new Unauthenticated('Root is locked.', {hint: 'Press u on 4 Colonies and give the root password.'});
			}

			return {root: this.#root};
		}

		if (!acting) {
			throw new Unauthenticated('The keychain holds no key for this colony.', {hint: 'Add one on 6 Keys.'});
		}

		return {identity: await this.#keychain.identity(acting.id)};
	}

	async #carryOut(effect: Effect, state: State): Promise<void> {
		switch (effect.type) {
			case 'open': {
				return this.open(effect.demo ? {demo: true} : this.#world.choice);
			}

			case 'load': {
				return this.#load(effect, state);
			}

			case 'load-known': {
				return this.#loadKnown(effect.select);
			}

			case 'watch': {
				return this.#watch(state);
			}

			case 'count': {
				return this.#count(state);
			}

			case 'load-detail': {
				// For the same id a wait under way stands: under steady news it would never end otherwise.
				if (effect.soon && this.#detailTimer && this.#detailId === effect.id) {
					return;
				}

				clearTimeout(this.#detailTimer);
				this.#detailId = effect.id;
				this.#detailTimer = setTimeout(() => {
					this.#detailTimer = undefined;
					void this.#loadDetail(effect.id, state);
				}, effect.soon ? rest : 0);
				return;
			}

			case 'run': {
				const {operation, input, as, done} = effect.deed;
				return this.#attempt(async () => {
					await this.#needContext().run(await this.callerOf(as), operation, input);
					return done;
				});
			}

			case 'forget-key': {
				return this.#attempt(async () => {
					if (!await this.#keychain.remove(effect.id)) {
						throw new NotFound('The key was not in the keychain any more.');
					}

					await this.#loadKnown();
					return 'Removed the key.';
				});
			}

			case 'send-form': {
				return this.#sendForm(effect, state);
			}

			case 'copy': {
				this.#outside.copy(effect.text);
				this.#dispatch({type: 'noticed', text: `Copied ${effect.what} to the clipboard, where the terminal allows it.`});
				return;
			}

			case 'remember': {
				// A view setting that cannot be kept is no reason to disturb anybody.
				await this.#world.settings.set(effect.key, effect.value).catch(() => undefined);
				return;
			}

			case 'suspend': {
				this.#outside.suspend();
				return;
			}

			case 'quit': {
				this.#outside.quit();
			}
		}
	}

	/** Opens a store in place of the one there is; one that does not open is tried again until it does. */
	async open(choice: ContextChoice, pause = firstPause, opening = ++this.#openings): Promise<void> {
		if (pause === firstPause) {
			this.#dispatch({type: 'opening', text: openingText(choice)});
		}

		try {
			await this.#letGo();
			const {context, keychain, root, close} = choice.demo ? await this.#openDemo() : await this.#openReal(choice);
			if (this.#closed || opening !== this.#openings) {
				await close();
				return;
			}

			this.#context = context;
			this.#keychain = keychain;
			this.#root = root;
			this.#closeContext = close;
			await this.#greet(context, root);
		} catch (error) {
			if (this.#closed || opening !== this.#openings) {
				return;
			}

			this.#dispatch({type: 'not-opened', error: errorText(error)});
			this.#retryTimer = setTimeout(() => {
				void this.open(choice, Math.min(pause * 2, longestPause), opening);
			}, pause);
		}
	}

	/** Closes the store there is, and hears no more of it. */
	async #letGo(): Promise<void> {
		this.#watchings++;
		this.#stopWatching();
		this.#stopReaching();
		const close = this.#closeContext;
		this.#closeContext = async () => undefined;
		await close();
	}

	async #openReal(choice: ContextChoice) {
		const context = await this.#world.contexts.open(choice, {attended: true});
		return {context, keychain: this.#world.keychain, root: undefined, close: async () => context.close()};
	}

	async #openDemo() {
		const {context, keychain, root, stop} = await this.#world.openDemo();
		return {context, keychain, root, async close() {
			await stop();
			await context.close();
		}};
	}

	async #greet(context: Context, root: string | undefined): Promise<void> {
		// What is heard of a store that another one has replaced means nothing.
		const hear = (message: Message): void => {
			if (this.#context === context && !this.#closed) {
				this.#dispatch(message);
			}
		};

		this.#stopReaching = context.watchReachability(({reachable, since}) => {
			hear({type: 'reached', reachable, since});
		});
		const remembered = await this.#world.settings.get(`colony:${context.name}`).catch(() => undefined);
		const where = await context.where().catch(() => undefined);
		hear({type: 'opened', context: {kind: context.kind, name: context.name, place: where?.place ?? '', ...(context.insecure && {insecure: true})}, remembered: typeof remembered === 'string' ? remembered : undefined});
		if (root !== undefined) {
			hear({type: 'root-unlocked'});
		}
	}

	/** Watches what the operator works in: a server tells a member of a colony about that colony alone. The one before is let go when this one is there, so that nothing is missed between. */
	async #watch({context: opened, colony, acting}: State): Promise<void> {
		const turn = ++this.#watchings;
		const context = this.#context;
		const caller = acting && await this.callerOf(acting).catch(() => undefined);
		if (turn !== this.#watchings || this.#closed) {
			return;
		}

		const stopBefore = this.#stopWatching;
		this.#stopWatching = () => undefined;
		if (opened && context) {
			this.#stopWatching = context.watch(topics => {
				// What is heard of a store that another one has replaced means nothing.
				if (this.#context === context && !this.#closed) {
					this.#dispatch({type: 'changed', topics});
				}
			}, caller && colony && {caller, colonyid: colony.colonyid});
		}

		stopBefore();
	}

	#needContext(): Context {
		if (!this.#context) {
			throw new Unauthenticated('The database is not open yet.');
		}

		return this.#context;
	}

	/** Does something and says how it went. */
	async #attempt(deed: () => Promise<string>): Promise<void> {
		try {
			this.#dispatch({type: 'done', text: await deed()});
		} catch (error) {
			this.#lastFailure = errorText(error);
			this.#dispatch({type: 'failed', error: this.#lastFailure});
		}
	}

	async #load({screen, sequence, query}: Extract<Effect, {type: 'load'}>, state: State): Promise<void> {
		try {
			const page = await this.#page(screen, query, state);
			this.#dispatch({type: 'loaded', screen, sequence, page, at: Date.now()});
		} catch (error) {
			this.#dispatch({type: 'not-loaded', screen, sequence, error: errorText(error)});
		}
	}

	async #page(screen: ScreenName, query: PageQuery, state: State): Promise<Page<RowValue>> {
		const {filter: text} = state.lists[screen];
		if (screen === 'keys') {
			return whole((await this.#keychain.list()).filter((key: KeyEntry) => contains(text, key.id, key.label?.name)));
		}

		if (screen === 'colonies') {
			return whole(state.known.filter(({colonyid, name}) => contains(text, colonyid, name)));
		}

		const {colonyid} = (state.colony!);
		const {computertype, text: words, ...rest} = parseFilter(text);
		const caller = await this.callerOf(state.acting);
		return screen === 'computers'
			? this.#needContext().run(caller, 'computer.list', {colonyid, computertype, text: words, ...query})
			: this.#needContext().run(caller, 'process.list', {colonyid, state: tabState(state), computertype, text: words, ...rest, ...query, attributes: false});
	}

	async #loadKnown(select?: Id): Promise<void> {
		try {
			this.#dispatch({type: 'known', colonies: await this.#known(), select});
		} catch (error) {
			this.#dispatch({type: 'not-known', error: errorText(error)});
		}
	}

	/** The colonies that the keychain's keys, or root, give a way into. */
	async #known(): Promise<KnownColony[]> {
		const context = this.#needContext();
		const found = new Map<Id, KnownColony>();
		const add = (colony: {colonyid: Id; name: string}, acting: Acting) => {
			const known = found.get(colony.colonyid) ?? {...colony, as: []};
			found.set(colony.colonyid, {...known, as: [...known.as, acting]});
		};

		const look = async ({id, label}: KeyEntry): Promise<void> => {
			const colonyid = label?.colonyid ?? id;
			try {
				const colony = await context.run({identity: await this.#keychain.identity(id)}, 'colony.get', {colonyid});
				add(colony, {kind: id === colonyid ? 'owner' : 'computer', id, name: label?.name ?? colony.name});
			} catch (error) {
				// A key of another store, of a computer that is not approved, or one that is gone meanwhile, opens nothing here.
				if (!['not-allowed', 'not-found', 'unauthenticated', 'damaged'].includes(toColoniesError(error).code)) {
					throw error;
				}
			}
		};

		// A few at a time: a keychain may hold the keys of a whole fleet.
		const keys = (await this.#keychain.list()).filter(({damaged}) => !damaged);
		const next = keys[Symbol.iterator]();
		await Promise.all(Array.from({length: 8}, async () => {
			for (const key of next) {
				await look(key); // eslint-disable-line no-await-in-loop
			}
		}));
		if (this.#root !== undefined) {
			const {rows} = await context.run({root: this.#root}, 'colony.list', {count: 1000});
			for (const colony of rows) {
				add(colony, {kind: 'root', id: 'root', name: 'root'});
			}
		}

		const rank = {owner: 0, computer: 1, root: 2};
		return [...found.values()]
			.map(colony => ({...colony, as: [...colony.as].sort((a, b) => rank[a.kind] - rank[b.kind] || a.id.localeCompare(b.id))}))
			.sort((a, b) => a.name.localeCompare(b.name) || a.colonyid.localeCompare(b.colonyid));
	}

	/** One count at a time, however often it is asked for. */
	async #count(state: State): Promise<void> {
		if (this.#counting) {
			this.#countAgain = state;
			return;
		}

		this.#counting = true;
		try {
			const input = {colonyid: state.colony!.colonyid};
			const caller = await this.callerOf(state.acting);
			const context = this.#needContext();
			const [counts, computers] = await Promise.all([context.run(caller, 'process.count', input), context.run(caller, 'computer.count', input)]);
			this.#dispatch({type: 'counted', ...input, counts, computers});
		} catch {
			// The list on the screen says what is wrong; counts come again with the next change.
		}

		this.#counting = false;
		const again = this.#countAgain;
		this.#countAgain = undefined;
		if (again) {
			void this.#count(again);
		}
	}

	async #loadDetail(id: Id, state: State): Promise<void> {
		try {
			const process = await this.#needContext().run(await this.callerOf(state.acting), 'process.get', {colonyid: state.colony!.colonyid, processid: id});
			this.#dispatch({type: 'detailed', process});
		} catch (error) {
			this.#dispatch({type: 'not-detailed', id, error: errorText(error)});
		}
	}

	async #sendForm({purpose, values}: Extract<Effect, {type: 'send-form'}>, state: State): Promise<void> {
		const notices: string[] = [];
		try {
			const text = await sendForm(purpose, values, {
				world: this.#world, state, keychain: this.#keychain, context: this.#context,
				root: this.#root,
				caller: async acting => this.callerOf(acting),
				unlock: password => {
					this.#root = password;
					this.#dispatch({type: 'root-unlocked'});
				},
				reopen: choice => {
					void this.open(choice);
				},
				notice(notice) {
					notices.push(notice);
				},
			});
			if (text.select) {
				// First, so that the form gives way to what it has made.
				await this.#loadKnown(text.select);
			}

			this.#dispatch({type: 'form-done', text: [text.said, ...notices].join(' ')});
		} catch (error) {
			const failure = errorText(error);
			this.#lastFailure = {...failure, hint: [failure.hint, ...notices].filter(Boolean).join(' ') || undefined};
			this.#dispatch({type: 'form-failed', error: this.#lastFailure});
		}
	}
}

const openingText = ({demo, host}: ContextChoice): string => demo ? 'Opening the demo and waking its computers …' : (host === undefined ? 'Opening the database …' : 'Connecting to the server …');

const contains = (text: string, id: string, name = ''): boolean => id.startsWith(text) || name.toLowerCase().includes(text.toLowerCase());

const whole = <Row>(rows: Row[]): Page<Row> => ({rows, positions: rows.map(() => ''), more: {before: false, after: false}});
