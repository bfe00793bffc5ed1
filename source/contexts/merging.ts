import type {Page} from '../operations/index.ts';

type Order = {isDescending: boolean; count?: unknown; direction?: unknown; reversed?: unknown};

const keyOf = (position: string): Array<string | number> => JSON.parse(Buffer.from(position, 'base64url').toString()) as Array<string | number>;

/** Texts compare byte by byte, as in the database. */
const compareParts = (one: string | number, other: string | number): number => typeof one === 'number' && typeof other === 'number' ? one - other : Buffer.compare(Buffer.from(String(one)), Buffer.from(String(other)));

function compare(one: string, other: string): number {
	const [ours, theirs] = [keyOf(one), keyOf(other)];
	const place = ours.findIndex((part, index) => part !== theirs[index]);
	return place === -1 ? 0 : compareParts(ours[place]!, theirs[place]!);
}

/**
One page out of the same page of several cells, whose positions are keys that compare across them.
@param order `count`: rows asked for; `direction`, `reversed`: as each cell was asked
*/
export function mergePages<Row>(pages: ReadonlyArray<Page<Row>>, {isDescending, count, direction, reversed}: Order): Page<Row> {
	const sign = isDescending === (reversed === true) ? 1 : -1;
	const all = pages.flatMap(({rows, positions}) => rows.map((row, index) => ({row, position: positions[index]!})));
	all.sort((one, other) => sign * compare(one.position, other.position));
	const most = typeof count === 'number' ? count : Math.max(...pages.map(({rows}) => rows.length));
	const backwards = direction === 'before';
	const shown = backwards ? all.slice(Math.max(0, all.length - most)) : all.slice(0, most);
	const cut = shown.length < all.length;
	const looked = pages.find(page => page.looked)?.looked;
	return {
		rows: shown.map(({row}) => row),
		positions: shown.map(({position}) => position),
		more: {before: pages.some(({more}) => more.before) || (cut && backwards), after: pages.some(({more}) => more.after) || (cut && !backwards)},
		...(looked && {looked: {count: looked.count}}),
		...(pages[0]?.at !== undefined && {at: pages[0].at}),
	};
}
