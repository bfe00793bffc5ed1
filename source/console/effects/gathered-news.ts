import {performance} from 'node:perf_hooks';

/** Milliseconds between two tellings: at least, and at most. */
const [shortest, longest] = [100, 1000];

/** The share of this thread's time that keeping up with changes may take. */
const share = 0.1;

/**
News as the console hears of it: the first at once, and what comes after gathered. A screen that is read and drawn for each of a thousand changes a second takes a core, and nobody can read it:
the more time it takes to keep up, the longer the next ones are gathered, a second at most.
*/
export class GatheredNews {
	readonly #tell: (topics: ReadonlySet<string>) => void;
	readonly #topics = new Set<string>();
	#timer: NodeJS.Timeout | undefined;
	#since = performance.eventLoopUtilization();

	constructor(tell: (topics: ReadonlySet<string>) => void) {
		this.#tell = tell;
	}

	hear(topics: ReadonlySet<string>): void {
		for (const topic of topics) {
			this.#topics.add(topic);
		}

		if (this.#timer === undefined) {
			this.#flush();
		}
	}

	/** Forgets what was not told. */
	close(): void {
		clearTimeout(this.#timer);
		this.#topics.clear();
	}

	#flush(): void {
		const topics = new Set(this.#topics);
		this.#topics.clear();
		if (topics.size > 0) {
			this.#tell(topics);
		}

		const {active} = performance.eventLoopUtilization(this.#since);
		this.#since = performance.eventLoopUtilization();
		this.#timer = topics.size === 0
			? undefined
			: setTimeout(() => {
				this.#timer = undefined;
				this.#flush();
			}, Math.min(longest, Math.max(shortest, active / share)));
	}
}
