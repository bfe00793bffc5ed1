import {limits} from './limits.ts';
import {type Condition, type ConditionName, type Worker, conditions, meets} from './matching.ts';
import {shortId} from './text.ts';
import {type Computer, type ComputerStatus, type Demand, type Id, type ProcessState, type Time, computerStates} from './types.ts';

/** What can be done about something: an operation with its input, to be asked about first; `says` names it for people, `Approve lab2`. */
export type Fix = {operation: string; input: Record<string, unknown>; says: string};

/** How one condition stands between a computer and a process: what the computer has, and what the process asks. */
export type ConditionAnswer = {name: ConditionName; ok: boolean; has: string | number; asks: string | number};

/** A computer beside what a process asks. */
export type ComputerAnswer = {
	computerid: Id;
	name: string;
	status: ComputerStatus;
	lastseen?: Time;
	mayrun: boolean;
	conditions: ConditionAnswer[];
};

/** The computer on which a process is nearest to the front. `silent`: it has not been seen at work for `limits.silence`, or never. */
export type Front = {computerid: Id; name: string; lastseen?: Time; silent: boolean};

/** Why a process waits; of one that does not wait, its state. */
export type Verdict = 'nobody-can' | 'one-fix-away' | 'behind' | 'being-taken' | Exclude<ProcessState, 'waiting'>;
export const verdicts = ['nobody-can', 'one-fix-away', 'behind', 'being-taken', 'running', 'successful', 'failed'] as const satisfies readonly Verdict[];

/** The same in short, for a list. `behind`: how many go before it; at least so many where `more`. */
export type Reason = {processid: Id; verdict: Verdict; says: string; behind?: number; more?: boolean; fix?: Fix};

/** The whole answer. `others`: how many computers of the colony fail which conditions, all computers together, those that may run it under none. */
export type Explanation = Reason & {
	state: ProcessState;
	front?: Front;
	computers: ComputerAnswer[];
	others: Array<{unmet: ConditionName[]; count: number}>;
};

function sides(condition: Condition, computer: Worker, demand: Demand): Pick<ConditionAnswer, 'has' | 'asks'> {
	switch (condition.kind) {
		case 'approved': {
			return {has: computerStates[computer.status], asks: 'approved'};
		}

		case 'named-or-none': {
			const {targetcomputerids: [first, ...more]} = demand;
			return {has: computer.computerid, asks: first === undefined ? '' : (more.length === 0 ? first : `one of ${more.length + 1}`)};
		}

		case 'equal-or-empty': {
			return {has: computer.computertype ?? '', asks: demand.computertype};
		}

		case 'at-least': {
			return {has: computer[condition.field], asks: demand[condition.field]};
		}
	}
}

/** A computer of the colony beside what a process asks, condition by condition: the rule of core/matching.ts, shown. */
export function compare(computer: Computer, demand: Demand): ComputerAnswer {
	const answers = conditions.map((condition): ConditionAnswer => ({name: condition.name, ok: meets(condition, computer, demand), ...sides(condition, computer, demand)}));
	const {computerid, name, status, lastseen} = computer;
	return {
		computerid, name, status, ...(lastseen === undefined ? {} : {lastseen}), mayrun: answers.every(({ok}) => ok), conditions: answers,
	};
}

/** How a condition stands in a few characters: `ok`, `0<1`, `cpu≠gpu`, `pending`, `not named`. */
export function conditionText({name, ok, has, asks}: ConditionAnswer): string {
	if (ok) {
		return 'ok';
	}

	if (name === 'approved') {
		return String(has);
	}

	return name === 'target' ? 'not named' : `${has}${name === 'type' ? '≠' : '<'}${asks}`;
}

/** What keeps a computer from a process, on one line: `gpus 0<1, mem 8000<16000`. */
export const obstacles = ({conditions}: Pick<ComputerAnswer, 'conditions'>): string => conditions.filter(({ok}) => !ok).map(answer => answer.name === 'approved' || answer.name === 'target' ? conditionText(answer) : `${answer.name} ${conditionText(answer)}`).join(', ');

/** A count that went no further than a limit: `31`, `~10k` for more than that. */
export const roughly = (count: number, more: boolean): string => more ? `~${count >= 1000 ? `${Math.floor(count / 1000)}k` : count}` : String(count);

/** What a process asks of a computer, for people: `gpu, 4 cores, 1000 MB, 1 gpu`. */
export function asked({computertype, cores, mem, gpus, targetcomputerids}: Demand): string {
	const [first, ...more] = targetcomputerids;
	return [
		computertype,
		cores > 0 ? `${cores} ${cores === 1 ? 'core' : 'cores'}` : '',
		mem > 0 ? `${mem} MB` : '',
		gpus > 0 ? `${gpus} ${gpus === 1 ? 'gpu' : 'gpus'}` : '',
		first === undefined ? '' : `on ${more.length === 0 ? shortId(first) : `one of ${more.length + 1} computers`}`,
	].filter(text => text !== '').join(', ') || 'anything';
}

/** Letting a computer in. */
export const approval = (colonyid: Id, {computerid, name}: {computerid: Id; name: string}): Fix => ({operation: 'computer.approve', input: {colonyid, computerid}, says: `Approve ${name}`});

/** A new computer that could run it; undefined where it is for computers that it names. */
export function registration(colonyid: Id, demand: Demand): Fix | undefined {
	if (demand.targetcomputerids.length > 0) {
		return undefined;
	}

	const {computertype, cores, mem, gpus} = demand;
	return {
		operation: 'computer.register', input: {colonyid, spec: {
			computertype, cores, mem, gpus,
		}}, says: `Register a computer with ${asked(demand)}`,
	};
}

const shortWords: Partial<Record<Verdict, string>> = {'nobody-can': 'nobody can', 'one-fix-away': '1 fix away', 'being-taken': 'being taken'};

/** A verdict in a few words, for a column: `nobody can`, `1 fix away`, `behind 31`, `being taken`, or the state. */
export const inShort = (verdict: Verdict, behind = 0, more = false): string => verdict === 'behind' ? `behind ${roughly(behind, more)}` : shortWords[verdict] ?? verdict;

/** The minutes after which a computer counts as silent. */
export const silentMinutes = limits.silence / 60;
