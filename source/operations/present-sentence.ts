import {plural} from '../core/text.ts';
import type {Compared} from './present.ts';

/** That the present is as the history says, in one sentence: how much was compared, and of how much nothing is known any more. */
export function presentSentence({colonies, computers, processes, attributes, unknown}: Compared['compared']): string {
	const counts = [plural(colonies, 'colony'), plural(computers, 'computer'), plural(processes, 'process'), plural(attributes, 'attribute')];
	const known = `${counts.slice(0, -1).join(', ')} and ${counts.at(-1)!} are as the history says.`;
	return unknown === 0 ? known : `${known} Of ${unknown} of these, retention has dropped what it said.`;
}
