import {
	type AnyOperation, fieldsOn, listRoute, type Route, splitRoute,
} from '../operations/index.ts';
import {everyRoute} from './routes.ts';

const names = (list: readonly string[]): string => list.map(name => `\`${name}\``).join(' ');

const queryOf = (operation: AnyOperation, route: Route): string[] => [
	...Object.keys(fieldsOn(operation, route).query),
	...(operation.many?.by === 'count' && route === listRoute(operation) ? ['count'] : []),
];

function bodyOf(operation: AnyOperation, route: Route): string {
	const one = names(Object.keys(fieldsOn(operation, route).body));
	if (operation.many?.by !== 'list' || route !== listRoute(operation)) {
		return one;
	}

	return route === operation.route ? `${one}, or a list of these` : `a list of: ${one}`;
}

/** Every operation with its address, as a table in Markdown: what is in the query, and in the JSON body. */
export function describeRoutes(): string {
	const rows = everyRoute.map(({name, operation, route}) => {
		const {method, path} = splitRoute(route);
		return `| \`${name}\` | \`${method} ${path}\` | ${names(queryOf(operation, route))} | ${bodyOf(operation, route)} |`;
	});
	return `| Operation | Method and path | Query | Body |\n|---|---|---|---|\n${rows.join('\n')}`;
}
