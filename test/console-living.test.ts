// Somebody presses keys at random in a real terminal, while a colony lives behind it and its database dies and comes back.
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {
	mkdtempSync, readdirSync, readFileSync, rmSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {after, describe, test} from 'node:test';
import {groupBy} from '../source/core/group-by.ts';
import {shortId} from '../source/core/text.ts';
import {openKeychain} from '../source/keychain/index.ts';
import {
	aimedMoves, anyMove, type Answered, idleMoves, isAsked, mayConfirm, maySuspend, type Move, Walker,
} from './support/console-walker.ts';
import {
	freshDatabase, noPostgres, type Server, startPostgres,
} from './support/databases.ts';
import {type Living, livingRoot, openLiving, type Written} from './support/living.ts';
import {Random} from './support/random.ts';
import {bytesOf} from './support/terminal.ts';

const program = [process.execPath, path.resolve(import.meta.dirname, '..', 'dist', 'cli.js')] as const;
const seed = Number(process.env.WALK_SEED ?? 20_261_104);
const steps = Number(process.env.WALK_STEPS ?? 10_000);

type World = {server: Server; living: Living; walker: Walker; random: Random; folder: string; /** Opens the console, with the keys that it needs. */ enter: () => Promise<void>};

const closing: Array<() => Promise<void>> = [];
after(async () => {
	for (const close of closing.reverse()) {
		await close();
	}
});

/** A living colony, and somebody at a console in front of it who has its owner's key. */
async function openWorld(words: readonly string[]): Promise<World> {
	const random = new Random(seed);
	const server = await startPostgres();
	const where = await freshDatabase(server);
	const living = await openLiving(where, random);
	const home = mkdtempSync(path.join(tmpdir(), 'colonies-walk-'));
	const folder = path.join(home, 'keys');
	const keychain = openKeychain({folder: home});
	// The walk may have taken a key away, for it was asked about it.
	const giveKeys = async (): Promise<void> => {
		for (const [name, kind, privateKey] of [['demo', 'colony', living.keys.owner], ['parked', 'computer', living.keys.computer], ['spare', 'colony', living.keys.other]] as const) {
			const {id} = await keychain.add(privateKey);
			await keychain.describe(id, {kind, name, colonyid: kind === 'colony' ? id : living.colonyid});
		}
	};

	await giveKeys();

	const {host, port, user, database} = where;
	const walker = new Walker({
		command: [...program, ...words], home, random, env: {COLONIES_DBHOST: host, COLONIES_DBPORT: String(port), COLONIES_DBUSER: user, COLONIES_DBNAME: database, COLONIES_ROOT_PASSWORD: undefined},
	});
	closing.push(async () => {
		rmSync(home, {recursive: true, force: true, maxRetries: 5});
	}, async () => server.stop(), async () => living.close(), async () => walker.close());
	return {server, living, walker, random, folder, async enter() {
		await giveKeys();
		await walker.open();
	}};
}

const isForm = (screen: string): boolean => screen.includes('ctrl-s send');

/** How many things an answer confirms: one by `y`, or by the name that is asked for; as many as a plan has when their number is typed; what a form sends. */
function confirmedBy({screen, key}: Answered): number {
	if (isForm(screen)) {
		return key === 'enter' || key === 'ctrl-s' ? 1 : 0;
	}

	// Of a plan the field stands behind the words, of a question in a row of its own.
	const [, wanted, typed] = /Type (.+?) and enter to \S+ (?:it|them), esc cancels: (?! *\n)(.*?)[ │]*$/m.exec(screen)
		?? /Type (.+?) and enter to \S+ (?:it|them), esc cancels: *> ?(.*?) *$/.exec(screen.trimEnd().replaceAll(/\s+/g, ' ')) ?? [];
	if (wanted === undefined) {
		return key === 'y' ? 1 : 0;
	}

	return key === 'enter' && typed === wanted ? (screen.includes('Plan: ') ? Number(wanted) : 1) : 0;
}

/** How many things of this kind an answer was about. */
function askedAbout({what, subject_id: subject}: Written, answered: Answered): number {
	const {screen} = answered;
	const [noun, verb] = what.split('.') as [string, string];
	const [, planned, things] = /Plan: (\w+) \d+ (\w+)/.exec(screen) ?? [];
	if (planned !== undefined) {
		return planned === verb && things!.startsWith(noun.slice(0, 7)) ? confirmedBy(answered) : 0;
	}

	const isAForm = isForm(screen);
	// A question stands under the border of the body, wrapped to the width of the terminal; a long one in a small terminal stands over the whole body.
	const lines = screen.split('\n');
	const question = isAForm ? screen : lines.slice(lines.findLastIndex(line => line.startsWith('└')) + 1).join(' ').replaceAll(/\s+/g, ' ');
	if (question.includes(`${noun} ${verb} `) || question.includes(`${noun} ${verb}?`)) {
		// An operation of the palette. What a computer takes nobody knows before.
		return question.includes(shortId(subject)) || what === 'process.assign' || !['process', 'computer', 'colony', 'attribute'].includes(noun) ? confirmedBy(answered) : 0;
	}

	const asks = new RegExp(String.raw`\b${verb} (?:an?|the) (?:\w+ )*${noun}`, 'i').test(question);
	return asks && (isAForm || what === 'colony.remove' || question.includes(subject.slice(0, 8))) ? confirmedBy(answered) : 0;
}

/** Holds what an operator has changed against what they were asked: each answer is good for what it was about, once. */
async function checkChanges({living, walker}: World, seen: Set<string>): Promise<number> {
	const used = new Map<Answered, number>();
	const changes = await living.changes();
	const transactions = groupBy(changes, ({txid}) => txid);
	for (const written of transactions.values()) {
		// What follows from a change stands in the same transaction: behind it, and of a colony, whose processes go first, before it. Of a plan many stand there together.
		const {what: asked} = written.find(({what}) => what === 'colony.remove') ?? written[0]!;
		for (const change of written.filter(({what}) => what === asked)) {
			const answers = walker.answered.filter(answered => askedAbout(change, answered) > (used.get(answered) ?? 0));
			// A plan shows some of its ids only, and is kept for those that no question names.
			const answer = answers.find(({screen}) => !screen.includes('Plan: ')) ?? answers[0];
			assert.ok(answer, `No question stood before the last of ${JSON.stringify(changes.filter(({subject_id: subject}) => subject === change.subject_id))}. With its id in sight these keys were pressed, the last one first:\n${told(walker.answered.filter(({screen}) => screen.includes(change.subject_id.slice(0, 8))))}\nand of all\n${told(walker.answered)}\nof plans\n${walker.answered.filter(({screen}) => screen.includes('Plan: ')).map(({step, key, screen}) => `${step}: ${key} at ${/Plan: [^─]*/.exec(screen)?.[0]} ${/(?:Type|y to|Looking).*/.exec(screen)?.[0]}`).join('\n')}`);
			used.set(answer, (used.get(answer) ?? 0) + 1);
			seen.add(change.what);
		}
	}

	return transactions.size;
}

const told = (answered: readonly Answered[]): string => answered.slice(-4).reverse().map(({step, key, screen}) => `${step}: ${key} at\n${screen.split('\n').slice(-12).join('\n')}`).join('\n');

function nextMoves(walker: Walker, random: Random, isGuarded: boolean): Move[] {
	if (isGuarded && isAsked(walker.screen) && random.chance(0.7)) {
		return idleMoves(random);
	}

	return random.chance(0.2) ? aimedMoves(random, walker.screen) : Array.from({length: 1 + random.below(12)}, () => anyMove(random));
}

/** Makes some moves, up to one that may confirm something: before that the screen is settled and looked at. */
async function burst(walker: Walker, random: Random, isGuarded: boolean): Promise<void> {
	if (isGuarded && isAsked(walker.screen) && random.chance(0.7)) {
		await answer(walker, random);
		return;
	}

	for (const move of nextMoves(walker, random, isGuarded)) {
		const confirms = isGuarded && mayConfirm(move);
		if (confirms || maySuspend(move)) {
			if (await walker.settle() === 'settled') {
				walker[confirms ? 'confirm' : 'make'](move);
			}

			return;
		}

		walker.make(move);
	}
}

/** Does what a question or a form asks for. */
async function answer(walker: Walker, random: Random): Promise<void> {
	const {screen} = walker;
	if (isForm(screen)) {
		if (screen.includes('Unlock root')) {
			walker.make({name: 'end ctrl-u', bytes: bytesOf('end') + bytesOf('ctrl-u')});
			walker.make({name: livingRoot, bytes: livingRoot});
			await walker.settle();
		}

		walker.confirm({name: 'ctrl-s', bytes: bytesOf('ctrl-s')});
		return;
	}

	const typed = /Type (\S+) and enter to/.exec(screen)?.[1];
	if (typed === undefined) {
		// The owner's key is what this walk lives on.
		walker.confirm(screen.includes('remove the key of demo') ? {name: 'enter', bytes: bytesOf('enter')} : {name: 'y', bytes: 'y'});
		return;
	}

	if (random.chance(0.7) && (typed === 'spare' || /^\d+$/.test(typed))) {
		walker.make({name: 'end ctrl-u', bytes: bytesOf('end') + bytesOf('ctrl-u')});
		walker.make({name: typed, bytes: typed});
		await walker.settle();
	}

	walker.confirm({name: 'enter', bytes: bytesOf('enter')});
}

/** Something that happens once this share of the steps is made. */
type Event = readonly [share: number, happen: () => Promise<void>];

/** Walks, while events happen. */
async function walk(world: World, {count, isGuarded, events}: {count: number; isGuarded: boolean; events: readonly Event[]}): Promise<void> {
	const {walker, random, living} = world;
	const ahead = [...events];
	await world.enter();
	try {
		while (walker.step < count) {
			await burst(walker, random, isGuarded);
			if (await walker.settle() !== 'settled') {
				await world.enter();
			}

			living.turn();
			if (ahead.length > 0 && walker.step >= count * ahead[0]![0]) {
				await ahead.shift()![1]();
			}
		}

		await walker.leave();
	} catch (error) {
		throw new Error(`Walked with WALK_SEED=${seed} WALK_STEPS=${steps}, at step ${walker.step}, after ${walker.trail}\n${walker.screen}\n${(error as Error).message}`, {cause: error});
	}
}

const every = (parts: number): number[] => Array.from({length: parts - 1}, (_, index) => (index + 1) / parts);

describe('keys at random in a real terminal, with a living colony behind it', {skip: noPostgres}, () => {
	test('the database dies and comes back: nothing breaks, nothing is changed without its question', async t => {
		const world = await openWorld([]);
		const {walker, living, server} = world;
		const seen = new Set<string>();
		const again = async () => {
			await walker.leave();
			await world.enter();
		};

		let isAway = false;
		const look = async () => {
			if (!isAway) {
				await checkChanges(world, seen);
				await living.tend();
				if (!walker.screen.includes(server.host.slice(0, 8)) && !walker.screen.includes('needs 60 columns')) {
					// It went to another store.
					await again();
				}
			}
		};

		const end = (how: 'kill' | 'stop') => async () => {
			isAway = true;
			await server[how]();
		};

		const start = async () => {
			await server.start();
			isAway = false;
			// By itself: nobody presses anything.
			walker.make({name: 'room', sizes: [[120, 36]]});
			await walker.until(screen => screen.length === 36 && screen[2]!.includes('1 Pulse') && !screen[0]!.includes('AWAY'));
			await look();
		};

		const events: Event[] = [...every(40).map((share): Event => [share, look]), [0.31, end('kill')], [0.35, start], [0.45, again], [0.61, end('stop')], [0.65, start], [0.8, again]];
		await walk(world, {count: steps, isGuarded: true, events: events.sort(([one], [other]) => one - other)});
		const changes = await checkChanges(world, seen);
		t.diagnostic(`${walker.step} steps, ${walker.answered.length} confirming keys, ${changes} changes: ${[...seen].sort().join(', ')}`);
		t.diagnostic(JSON.stringify(await living.counts()));
		assert.ok(steps < 10_000 || seen.size >= 4, `Only these were changed: ${[...seen].join(', ')}`);
	});

	test('read-only: nothing is changed at all', async () => {
		const world = await openWorld(['--read-only']);
		const {living, folder} = world;
		const keys = () => readdirSync(folder).sort().map(name => `${name} ${createHash('sha256').update(readFileSync(path.join(folder, name))).digest('hex')}`);
		const before = keys();
		await walk(world, {count: Math.ceil(steps / 6), isGuarded: false, events: []});
		assert.deepEqual(await living.changes(), []);
		assert.deepEqual(keys(), before);
	});
});
