import type {Topic} from '../core/types.ts';
import type {OperationName, ResultOf} from '../operations/index.ts';
import type {Answer, Ask} from './answers.ts';
import type {Effect, State, Step} from './state.ts';

/** Milliseconds after which what is in sight is asked again, for what nobody announced. */
const askAgain = 2000;
/** Milliseconds between two asks of one slot, however much changes. */
const shortestPause = 1000;

/** What is known of something that is asked for: the result of the operation for this very key, once it is there. */
export type Known<Result> = Pick<Answer, 'loading' | 'error' | 'at'> & {result?: Result};

/** The answer in a slot, if it is about this key. */
export function answerIn<Name extends OperationName>(state: State, slot: string, key: string, _: Name): Known<ResultOf<Name>> {
	const answer = state.answers[slot];
	return answer?.key === key ? answer as Known<ResultOf<Name>> : {loading: true};
}

const begin = (state: State, ask: Ask): Step => {
	const before = state.answers[ask.slot];
	const sequence = (before?.sequence ?? 0) + 1;
	const kept = before?.key === ask.key ? {result: before.result, at: before.at, error: before.error} : {};
	const answer: Answer = {...kept, key: ask.key, sequence, loading: true, stale: false, askedAt: state.now};
	return [{...state, answers: {...state.answers, [ask.slot]: answer}}, [{type: 'ask', ask, sequence}]];
};

/** Asks for those of these for which `when` holds; what nobody has in sight any more is forgotten. */
function askFor(state: State, asks: readonly Ask[], when: (ask: Ask, answer: Answer | undefined) => boolean): Step {
	let next = state;
	const effects: Effect[] = [];
	for (const ask of asks) {
		if (when(ask, next.answers[ask.slot])) {
			const [asked, more] = begin(next, ask);
			next = asked;
			effects.push(...more);
		}
	}

	return [next, effects];
}

/** Asks for what has come into sight, or is about something else now. */
export const askNew = (state: State, asks: readonly Ask[]): Step => askFor(state, asks, ({key}, answer) => answer?.key !== key);

/** Asks again for what is in sight when its time has come. */
export const askDue = (state: State, asks: readonly Ask[]): Step => askFor(state, asks, ({every = askAgain}, answer) => answer !== undefined && !answer.loading && (answer.stale || state.now - answer.askedAt >= every));

/** Asks again for what is in sight now, whatever its time. */
export function askAll(state: State, asks: readonly Ask[]): Step {
	return askFor(markStale(state, asks), asks, (_, answer) => !answer?.loading);
}

function markStale(state: State, asks: readonly Ask[]): State {
	const loading = asks.filter(({slot}) => state.answers[slot]?.loading);
	return loading.length === 0 ? state : {...state, answers: {...state.answers, ...Object.fromEntries(loading.map(({slot}) => [slot, {...state.answers[slot]!, stale: true}]))}};
}

/** Asks again for what these topics are about: at once where it was quiet, else at the next tick. */
export function askChanged(state: State, asks: readonly Ask[], topics: ReadonlySet<string>): Step {
	const about = asks.filter(({topics: own = []}: Ask) => own.some((topic: Topic) => topics.has(topic)));
	const ready = about.filter(({slot}) => !state.answers[slot]?.loading && state.now - (state.answers[slot]?.askedAt ?? 0) >= shortestPause);
	const rest = about.filter(ask => !ready.includes(ask) && state.answers[ask.slot] !== undefined);
	const noted = rest.length === 0 ? state : {...state, answers: {...state.answers, ...Object.fromEntries(rest.map(({slot}) => [slot, {...state.answers[slot]!, stale: true}]))}};
	return askFor(noted, ready, () => true);
}

/** Takes an answer, unless a newer one is awaited. */
export function takeAnswer(state: State, slot: string, sequence: number, change: Partial<Answer>): State {
	const answer = state.answers[slot];
	return answer?.sequence === sequence ? {...state, answers: {...state.answers, [slot]: {...answer, loading: false, error: undefined, ...change}}} : state;
}
