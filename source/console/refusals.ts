import type {Refusal} from '../operations/index.ts';
import type {NoChanges} from '../core/reachability.ts';
import type {ReadOnly} from './state.ts';

/** What is said where nothing may be changed, and what lifts it. */
export const refusals: Readonly<Record<ReadOnly | NoChanges, NonNullable<Refusal>>> = {
	standby: {message: 'The database takes no changes: it is a standby.', hint: 'Connect to the primary, or promote this one: that is noticed within seconds.'},
	'read-only': {message: 'The database takes no changes: it is set to be read-only.', hint: 'As soon as it takes them again, so does the console.'},
	flag: {message: 'The console is read-only.', hint: 'It was started with --read-only; start it without to change things.'},
	chosen: {message: 'The console is read-only.', hint: 'Press i and w, or type :rw, to change things.'},
	past: {message: 'The lists are shown as they were; what was cannot be changed.', hint: 'Press esc on the list to come back to now.'},
	elsewhere: {message: 'The console is read-only, for this store is not on this machine.', hint: 'Press i and w, or type :rw, to change things.'},
};
