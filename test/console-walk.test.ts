import assert from 'node:assert/strict';
import {test} from 'node:test';
import {renderToString} from 'ink';
import {createElement} from 'react';
import {App} from '../source/console/app.tsx';
import {visible} from '../source/core/text.ts';
import {keymap} from '../source/console/keymap.ts';
import {isTooSmall, layoutOf} from '../source/console/layout.ts';
import {
	type Effect, type Message, type Overlay, type RowValue, type ScreenName, type State,
} from '../source/console/state.ts';
import {seenOf} from '../source/console/marks.ts';
import type {Store} from '../source/console/store.ts';
import {fates} from '../source/operations/apply-plan.ts';
import type {OperationName} from '../source/operations/index.ts';
import {widthOf, withoutStyle} from '../source/console/terminal/width.ts';
import {update} from '../source/console/update.ts';
import {sideLines} from '../source/console/views/detail.ts';
import {aboveFooter, footerLines, isFooter} from '../source/console/views/footer.ts';
import {headerLines, tooSmall} from '../source/console/views/frame.ts';
import {bodyLines} from '../source/console/views/list.ts';
import {overlayLines} from '../source/console/views/overlay-pages.ts';
import {
	attributeOf, colonyOf, computerOf, Console, entryOf, explanationOf, failure, hostileTexts, idOf, keyMessage, keyOf, lineOf, pageOf, processOf, pulseView, serverOf,
} from './support/console-states.ts';
import {pulseOf} from './support/pulse.ts';

/** Random numbers from a seed, so that a walk that fails can be walked again. */
function randomFrom(seed: number) {
	let state = seed;
	// The minimal standard generator of Park and Miller.
	const next = (): number => {
		state = (state * 48_271) % 2_147_483_647;
		return state / 2_147_483_647;
	};

	const below = (limit: number): number => Math.floor(next() * limit);
	return {below, pick: <Item>(items: readonly Item[]): Item => items[below(items.length)]!, chance: (share: number): boolean => next() < share};
}

type Random = ReturnType<typeof randomFrom>;

/** A name that is plain half the time. */
const name = (random: Random, number: number): string => random.chance(0.5) ? `name-${number}` : random.pick(hostileTexts);

function attentionOf(number: number, random: Random): ReturnType<typeof lineOf> {
	const [text, says] = [random.pick(hostileTexts), `Approve ${random.pick(hostileTexts)}`];
	const id = random.chance(0.2) ? '' : idOf('process', number);
	const input = {colonyid: colonyOf(0).colonyid, processid: id, computerid: id};
	return lineOf(number, {
		text, id, name: name(random, number), noun: random.pick(['process', 'computer']), severity: random.pick(['high', 'medium', 'low']),
		fix: random.pick([{operation: 'computer.approve', input, says}, {operation: 'process.retry', input, says}, {operation: 'computer.register', input: {spec: {computertype: text, cores: 4}}, says}, {screen: 'processes', filter: `state:failed ${random.pick(hostileTexts)}`, says}, {screen: 'computers', filter: 'state:pending', says}]),
	});
}

/** A change, of whomever and whatever. */
function changeOf(number: number, random: Random): ReturnType<typeof entryOf> {
	const text = () => random.pick([null, name(random, number)]);
	return entryOf(number, {actorname: text(), name: text(), what: name(random, number), noun: random.pick(['computer', 'process', 'installation', ...hostileTexts]), subject: random.pick([idOf('process', number), ...hostileTexts]), from: text(), to: text(), sealed: random.chance(0.5)});
}

/** What verifying may say of a step. */
function verifiedOf(random: Random): unknown {
	const to = random.below(50);
	const last = random.pick([null, {number: 50, hash: idOf('seal', 1), madeat: '2026-01-01T00:00:30.000000Z'}]);
	const fault = random.pick([null, {kind: 'altered', seal: to, row: '1.1', message: random.pick(hostileTexts)}]);
	return {intact: fault === null, fault, from: 1, to: last === null ? 0 : to, more: fault === null && last !== null && random.chance(0.7), last};
}

/** Why a process waits, for whatever reason. */
function whyOf(random: Random): ReturnType<typeof explanationOf> {
	const computers = numbers(random).map(number => rowOf('computers', number, random) as ReturnType<typeof computerOf>);
	const process = processOf(random.below(80), {computertype: random.pick(hostileTexts), gpus: 2});
	return computers.length === 0
		? {...explanationOf(process), computers: [], others: [], fix: undefined, verdict: 'nobody-can', says: random.pick(hostileTexts)}
		: explanationOf(process, computers, {verdict: random.pick(['nobody-can', 'one-fix-away', 'behind', 'being-taken', 'running'])});
}

function rowOf(screen: ScreenName, number: number, random: Random): RowValue {
	const text = name(random, number);
	switch (screen) {
		case 'processes': {
			return processOf(number, {status: random.pick([0, 1, 2, 3]), computertype: text, deadline: '2026-01-01T00:00:30.000000Z', retries: random.below(1_000_000), mem: random.below(1_073_741_824)});
		}

		case 'computers': {
			return computerOf(number, {name: text, cpu: random.pick(hostileTexts), gpu: random.pick(hostileTexts), computertype: random.pick([undefined, ...hostileTexts]), status: random.pick([0, 1, 2]), cores: random.below(1_000_000)});
		}

		case 'colonies': {
			return colonyOf(number, {name: text});
		}

		case 'attention': {
			return attentionOf(number, random);
		}

		case 'keys': {
			return keyOf(number, random.chance(0.3) ? {label: undefined, damaged: true, note: random.pick(hostileTexts)} : {label: {kind: 'computer', name: text, colonyid: colonyOf(0).colonyid}});
		}

		case 'audit': {
			return changeOf(number, random);
		}

		case 'pulse': {
			return pulseView;
		}

		case 'server': {
			return serverOf({context: text, place: random.pick(hostileTexts), server: random.pick(hostileTexts)});
		}
	}
}

const numbers = (random: Random): number[] => Array.from({length: random.pick([0, 1, 3, 10, 60])}, () => random.below(80)).filter((number, index, all) => all.indexOf(number) === index);

function detailOf(id: string, random: Random): Extract<Message, {type: 'detailed'}> {
	const process = processOf(0, {processid: id, status: random.pick([0, 1, 2, 3])});
	const attributes = Array.from({length: random.pick([0, 1, 4])}, (_, index) => attributeOf(process, `${random.pick(['key', 'password', ...hostileTexts])}${index}`, random.pick(hostileTexts), random.pick([0, 1, 2])));
	return {type: 'detailed', process: {...process, in: attributes.filter(({attributetype}) => attributetype === 0), out: attributes.filter(({attributetype}) => attributetype === 1), err: null}};
}

/** What each operation that is asked for what is in sight may answer, with hostile texts wherever they come from outside. */
const answers: Partial<Record<OperationName, (random: Random, state: State) => unknown>> = {
	'computer.get': random => rowOf('computers', 0, random),
	'process.history': random => pageOf(Array.from({length: random.below(5)}, (_, index) => ({
		at: `2026-01-01T00:00:0${index}.000000Z`, what: random.pick(['process.submit', 'process.assign', 'process.requeue', 'process.failed', 'process.retry', random.pick(hostileTexts)]), from: random.pick(['running', null]), to: random.pick(['waiting', 'running', 'failed', null]),
		actor: random.pick(['system', ...hostileTexts]), actorname: random.pick([null, ...hostileTexts]), computerid: null, computername: random.pick([null, ...hostileTexts]), starttime: null, endtime: null, why: null,
		attributes: random.chance(0.5) ? [attributeOf(processOf(0), random.pick(hostileTexts), random.pick(hostileTexts), 1)] : null,
	})) as never, {before: random.chance(0.5), after: false}),
	'process.compare': random => Array.from({length: random.below(4)}, () => ({part: random.pick(['process', 'in', 'times']), name: random.pick(hostileTexts), value: random.pick([null, ...hostileTexts]), other: random.pick([null, ...hostileTexts])})),
	'filter.suggest': random => [{value: random.pick(hostileTexts), summary: random.pick(hostileTexts)}, {value: 'gpu', summary: ''}],
	'process.explain': whyOf,
	'process.reasons': (random, state) => (state.lists.processes.rows as ReadonlyArray<ReturnType<typeof processOf>>).filter(() => random.chance(0.9)).map(({processid}) => ({processid, verdict: random.pick(['nobody-can', 'behind']), says: random.pick(hostileTexts), behind: 3, more: false})),
	'computer.forecast': random => ({computerid: idOf('computer', 1), name: random.pick(hostileTexts), change: random.pick(['approve', 'remove']), fitting: 3, runnable: random.below(20_000), stranded: random.below(20_000), requeued: random.below(20_000)}),
	'computer.forecastmany': random => ({computers: random.below(100), change: random.pick(['approve', 'remove']), fitting: 3, runnable: random.below(20_000), stranded: random.below(20_000), requeued: random.below(20_000)}),
	'attention.list': random => pageOf(numbers(random).map(number => attentionOf(number, random))),
	'audit.head': random => ({number: 3, hash: idOf('seal', 3), madeat: '2026-01-01T00:00:30.000000Z', upto: '9.9', rows: random.below(100), unsealed: random.pick([null, '2026-01-01T00:00:30.000000Z'])}),
	'audit.verify': verifiedOf,
	'audit.get': random => ({...changeOf(1, random), request: random.pick([null, ...hostileTexts, JSON.stringify({base: random.pick(hostileTexts), body: '{}'}), JSON.stringify({operation: random.pick(hostileTexts)})]), signature: random.pick([null, 'ab'.repeat(65)]), detail: random.pick([null, {text: random.pick(hostileTexts)}, random.pick(hostileTexts)]), seal: null}),
	'computer.list': random => pageOf(numbers(random).map(number => rowOf('computers', number, random))),
	'pulse.get': (random, {pulse: {by}}) => pulseOf({
		by, buckets: random.pick([1, 60, 72, 84, 90, 96, 120]), step: random.pick([10, 60, 900, 21_600]), keys: random.pick([[], hostileTexts.slice(0, 20), ['gpu', '']]), name: random.pick([undefined, ...hostileTexts]),
		others: random.pick([0, 12]), value: () => random.pick([null, 0, 0.0005, 3, 1e12]), to: Date.UTC(2026, 0, 1) + random.below(1e6),
	}),
	'database.status': () => ({clock: '2026-01-01T00:00:30.000000Z', started: null, bytes: 1e9, sizes: [{table: 'processes', bytes: 5000}], connections: null, most: 100, oldest: 3, readonly: null, listening: true, prepared: true, lag: null}),
};

/** What the world outside may answer. */
function answerTo(effect: Effect, state: State, random: Random): Message | undefined {
	const error = failure(random.pick(hostileTexts), random.pick(['unavailable', 'not-found', 'internal'] as const));
	const fails = random.chance(0.1);
	switch (effect.type) {
		case 'load': {
			const {screen, sequence} = effect;
			const page = pageOf(numbers(random).map(number => rowOf(screen, number, random)), {before: random.chance(0.3), after: random.chance(0.3)});
			return fails ? {type: 'not-loaded', screen, sequence, error} : {type: 'loaded', screen, sequence, page, at: state.now};
		}

		case 'load-known': {
			const colonies = numbers(random).slice(0, 4).map(number => rowOf('colonies', number % 3, random) as ReturnType<typeof colonyOf>);
			return fails ? {type: 'not-known', error} : {type: 'known', colonies: random.chance(0.8) ? [colonyOf(0), ...colonies.filter(({colonyid}) => colonyid !== colonyOf(0).colonyid)] : colonies, select: effect.select};
		}

		case 'count': {
			const count = () => random.below(20_000);
			return {type: 'counted', colonyid: state.colony?.colonyid ?? '', counts: {waiting: count(), running: count(), successful: count(), failed: count()}, computers: {pending: count(), approved: count(), disapproved: count()}};
		}

		case 'load-detail': {
			return fails ? {type: 'not-detailed', id: effect.id, error} : detailOf(effect.id, random);
		}

		case 'run':
		case 'forget-key': {
			return fails ? {type: 'failed', error} : {type: 'done', text: `Done with ${random.pick(hostileTexts)}`};
		}

		case 'send-form': {
			return random.chance(0.5) ? {type: 'form-failed', error} : {type: 'form-done', text: random.pick(hostileTexts)};
		}

		case 'open': {
			return random.chance(0.3) ? {type: 'not-opened', error} : {type: 'opened', context: {kind: random.pick(['embedded', 'database', 'server']), name: random.pick(['embedded', '/tmp/socket', ...hostileTexts]), place: random.pick(hostileTexts)}};
		}

		case 'ask': {
			const {ask: {slot, operation}, sequence} = effect;
			const answer = answers[operation];
			return fails || answer === undefined ? {type: 'not-asked', slot, sequence, error} : {type: 'asked', slot, sequence, result: answer(random, state), began: state.now, at: state.now};
		}

		case 'mark-all': {
			const seen = numbers(random).map(number => seenOf(effect.screen, rowOf(effect.screen, number, random)));
			return fails ? {type: 'not-marked', number: effect.number, error} : {type: 'marked', number: effect.number, seen, ended: random.pick([undefined, 'all', 'most'])};
		}

		case 'make-plan': {
			const {number, name, colonyid, seen} = effect;
			const leftOut = seen.slice(0, 2).map(({id, label}) => ({id, label, reason: random.pick(hostileTexts)}));
			return fails ? {type: 'not-planned', number, error} : {type: 'planned', number, plan: {name, colonyid, entries: seen.slice(random.below(4)), leftOut, more: random.chance(0.2)}};
		}

		case 'apply-plan': {
			const {number, plan} = effect;
			const reported = plan.entries.map(({id, label}) => ({id, label, fate: random.pick(fates), reason: random.pick([undefined, ...hostileTexts])}));
			return random.chance(0.3) ? {type: 'plan-went', number, reported: reported.slice(0, 3), waits: random.pick(hostileTexts)} : {type: 'plan-ended', number};
		}

		case 'stop-marking':
		case 'plan-rate':
		case 'stop-plan':
		case 'list-contexts': {
			return {type: 'contexts', contexts: [{name: random.pick(hostileTexts), kind: 'server', where: random.pick(hostileTexts), current: true}]};
		}

		case 'use-context':
		case 'copy':
		case 'remember':
		case 'watch':
		case 'suspend':
		case 'quit': {
			return undefined;
		}
	}
}

const keys = [...keymap.flatMap(({chords}) => chords), ...'jjjjkkyyAVRXxnni1234567890', 'enter', 'esc', 'backspace', 'ctrl-u', 'ctrl-s', 'ctrl-c', 'alt-x', 'f9', 'é', '漢', '👩‍👩‍👧', 'left', 'right', 'home', 'end'];

/** Something that happens by itself, or a key. */
function happening(random: Random, state: State): Message {
	const choice = random.below(100);
	if (choice < 80) {
		return random.chance(0.03) ? {type: 'key', key: 'paste', text: random.pick(hostileTexts)} : keyMessage(random.pick(keys));
	}

	if (choice < 84) {
		return {type: 'resized', columns: random.pick([20, 60, 61, 80, 99, 100, 120, 250]), rows: random.pick([5, 15, 16, 24, 36, 60])};
	}

	if (choice < 90) {
		return {type: 'ticked', now: state.now + random.pick([1000, 9000, 90_000])};
	}

	if (choice < 94) {
		return {type: 'changed', topics: new Set(['processes', 'computers', 'colonies', 'attributes'].filter(() => random.chance(0.5)))};
	}

	return choice < 98 ? {type: 'reached', reachable: random.chance(0.6), since: state.now} : random.pick<Message>([{type: 'noticed', text: random.pick(hostileTexts)}, {type: 'root-unlocked'}, {type: 'failed', error: failure(random.pick(hostileTexts))}]);
}

const pageIn = (overlays: readonly Overlay[]): Overlay | undefined => overlays.findLast(overlay => !isFooter(overlay));

function bodyOf(state: State): string[] {
	const page = pageIn(state.overlays);
	// Forms are laid out by Ink.
	if (page && page.kind !== 'form') {
		return overlayLines(page.kind === 'detail' && page.view === 'attributes' ? {...page, view: 'detail'} : page, state);
	}

	const side = layoutOf(state).side > 0 ? sideLines(state) : [];
	return bodyLines(state).map((line, index) => line + (side[index] ?? ''));
}

function frameOf(state: State): string[] {
	if (isTooSmall(state)) {
		return tooSmall(state);
	}

	const footer = footerLines(state);
	return [...headerLines(state).slice(0, Math.max(0, state.rows - footer.length)), ...aboveFooter(bodyOf(state), footer), ...footer];
}

/** Draws the state with the very components. */
const rendered = (state: State): string[] => renderToString(createElement(App, {store: {get: () => state, subscribe: () => () => undefined} as unknown as Store}), {columns: state.columns}).split('\n');

function check(lines: readonly string[], {columns, rows}: Pick<State, 'columns' | 'rows'>, isWhole = true): void {
	assert.ok(isWhole ? lines.length === rows : lines.length <= rows, `${lines.length} lines in ${rows} rows`);
	for (const line of lines) {
		const bare = withoutStyle(line);
		assert.equal(bare, visible(bare), 'something that a terminal could obey');
		assert.ok(widthOf(bare) <= columns, `${widthOf(bare)} cells in ${columns} columns: ${bare}`);
	}
}

const sizes = [[60, 15], [80, 24], [120, 36]] as const;

for (const seed of [1, 2]) {
	test(`two thousand steps, and every frame fits and is plain (seed ${seed})`, () => {
		const random = randomFrom(seed);
		const console = new Console();
		let pending: Effect[] = [{type: 'open'}];
		let drawn = 0;
		for (let step = 0; step < 2000; step++) {
			const isAnswer = pending.length > 0 && random.chance(0.5);
			const answered = isAnswer ? pending.splice(random.below(pending.length), 1)[0]! : undefined;
			const message = answered ? answerTo(answered, console.state, random) : happening(random, console.state);
			if (!message) {
				continue;
			}

			try {
				pending = [...pending, ...console.tell(message)].slice(-30);
				const [columns, rows] = sizes[step % sizes.length]!;
				const [sized] = update(console.state, {type: 'resized', columns, rows});
				check(frameOf(sized), sized);

				const page = pageIn(console.state.overlays);
				if (step % 50 === 0 || ((page?.kind === 'form' || (page?.kind === 'detail' && page.view === 'attributes')) && drawn++ % 10 === 0)) {
					check(rendered(console.state), console.state, false);
				}
			} catch (error) {
				throw new Error(`at step ${step}, after ${JSON.stringify(message).slice(0, 300)} on ${console.state.screen} with ${console.state.overlays.map(({kind}) => kind).join(' ')}`, {cause: error});
			}
		}
	});
}
