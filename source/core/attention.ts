import type {Fix} from './explanation.ts';
import type {Id, Time} from './types.ts';

export const attentionKinds = ['deadline', 'nobody', 'silent', 'spent', 'pending', 'slow', 'last-try'] as const;
export type AttentionKind = (typeof attentionKinds)[number];

/** The most severe first. */
export const severities = ['high', 'medium', 'low'] as const;
export type Severity = (typeof severities)[number];

/** A list to open: a screen of the console, and a filter on it. */
export type Look = {screen: 'processes' | 'computers'; filter: string; says: string};

/** Something that an operator should look at. It is there as long as its reason is. */
export type AttentionLine = {
	kind: AttentionKind;
	severity: Severity;
	text: string;
	/** When it began. */
	since: Time;
	/** What it is about; of a line that stands for the rest of its kind, no id. */
	noun: 'process' | 'computer';
	id: Id | '';
	name: string;
	/** How many it stands for, counted to a limit; 1 where it is about one thing. */
	count: number;
	fix: Fix | Look;
};

/** The most severe first, and of those the newest; what stands for the rest of a kind comes last. */
export const byUrgency = (one: AttentionLine, other: AttentionLine): number =>
	severities.indexOf(one.severity) - severities.indexOf(other.severity) || Number(one.id === '') - Number(other.id === '') || (one.since === other.since ? 0 : (one.since < other.since ? 1 : -1));
