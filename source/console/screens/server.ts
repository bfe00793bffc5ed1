import {visible} from '../../core/text.ts';
import type {ServerView} from '../state.ts';
import {bold, dim} from '../terminal/style.ts';
import {fit} from '../terminal/width.ts';
import type {Screen} from './screen.ts';
import {whole} from './whole.ts';

const kinds = {embedded: 'the embedded database of this machine', database: 'a PostgreSQL database', server: 'a Colonies server'} as const;

/** What there is to say of a store, in pairs of a label and a text. */
const facts = ({where, delay}: ServerView): ReadonlyArray<readonly [string, string]> => [
	['context', where.context],
	['kind', kinds[where.kind]],
	['place', where.place],
	['database', where.server],
	['timescale', where.timescale ?? 'not there; plain PostgreSQL does the same'],
	['schema', String(where.schema)],
	['answers in', `${Math.round(delay)} ms`],
];

/** 8 Server: which store is open, what runs there, and how it answers. */
export const serverScreen: Screen<ServerView> = {
	name: 'server',
	digit: '8',
	title: 'Server',
	topics: [],
	of: 'store',
	async read(_, {where}) {
		const began = performance.now();
		return whole([{where: await where(), delay: performance.now() - began}]);
	},
	tabs: [],
	columns: [],
	body(state, {width}) {
		const view = state.lists.server.rows[0] as ServerView | undefined;
		return view === undefined ? [] : ['', ...facts(view).map(([label, text]) => `  ${dim(fit(label, 12))}${bold(visible(text))}`.slice(0, 4 * width))];
	},
	idOf: () => 'server',
	nameOf: ({where}) => visible(where.context),
	empty: () => ['Nothing is known of the server yet.'],
	summary: view => facts(view),
};
