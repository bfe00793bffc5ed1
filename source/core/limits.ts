/** The bounds that input is checked against. One place, so that the commands, the forms and the server refuse the same. */
export const limits = {
	/** Characters in the name of a colony or computer, in a computer type, in a cpu or gpu text. */
	name: 200,
	/** Characters in the key of an attribute. */
	key: 200,
	/** Characters of a name in DNS, and of a path of a file. */
	host: 253,
	path: 4096,
	/** Characters of a secret. */
	secret: 1000,
	/** Characters that a root password has at least where it is typed; a shorter one that is given in another way is warned of (domain.md, "Who may do what"). */
	rootPasswordLength: 8,
	/** Bytes of UTF-8 in the value of one attribute: 1 MiB. */
	value: 1_048_576,
	/** Attributes that go into a process, and as many that come out of one attempt. */
	attributes: 1000,
	/** Bytes of UTF-8 in all of them together, 32 MiB either way: an attempt must fit into its history. */
	values: 33_554_432,
	/** Computers a process may name. */
	targets: 1000,
	/** Cores or gpus. */
	units: 1_000_000,
	/** MB of memory: a pebibyte. */
	mem: 1_073_741_824,
	/** Seconds: ten years. */
	timeout: 315_360_000,
	retries: 1_000_000,
	/** Rows of one page. */
	count: 1000,
	/** How far rows are counted; beyond it a count is shown as about that many. */
	counted: 10_000,
	/** Rows in which a filter is looked for at once, where no index has what it asks. */
	looked: 20_000,
	/** The same for filters that look into the texts of attributes. */
	lookedInto: 5000,
	/** Values that are suggested for a field of a filter. */
	suggested: 20,
	/** Attempts past their deadline that are ended in one transaction. */
	expired: 50,
	/** Submissions, assignments or closings in one call. */
	batch: 1000,
	/** Processes or computers that an operator changes in one call: the history keeps the whole request that was signed with each of them. */
	changed: 100,
	/** Closed processes that are removed in one call and still leave an image each in the history; of more it keeps their count and a hash of their ids. */
	imaged: 10,
	/** Rows of one plan. */
	planned: 10_000,
	/** Seconds that an assign may wait for work. */
	wait: 60,
	/** Characters of an idempotency key. */
	idempotencyKey: 200,
	/** Bytes of the body of one request: 1 MiB. */
	body: 1_048_576,
	/** Levels of lists and objects in each other in one input; the deepest that is known has 4. */
	depth: 16,
	/** Days that the history is kept: a hundred years. */
	days: 36_500,
	/** Events of one page. */
	events: 1000,
	/** Types or computers of which Pulse tells apart from the others. */
	pulseRows: 20,
	/** Processes whose reasons to wait are asked for at once. */
	reasons: 200,
	/** How far the processes before another one are counted for a list. */
	before: 1000,
	/** Seconds without a sign of a computer after which it counts as silent. */
	silence: 600,
	/** Colonies that metrics tell apart. */
	measured: 1000,
	/** Lines of one kind that ask for attention. */
	attention: 10,
} as const;
