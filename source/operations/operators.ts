import * as attributes from './attributes.ts';
import * as colonies from './colonies.ts';
import * as computers from './computers.ts';
import type {Operation} from './define.ts';
import * as history from './history.ts';
import * as installation from './installation.ts';
import * as processes from './processes.ts';

/** Every operator's change: what is kept in the history with the request that was signed. */
export const operatorsChanges: ReadonlyArray<Operation<any, any>> = [colonies, computers, processes, attributes, installation, history]
	.flatMap(noun => Object.values(noun) as Array<Operation<any, any>>)
	.filter(({operator}) => operator === true);

/** What else stands in the history: what computers and members do, and what happens by itself. */
export const otherChanges: readonly string[] = ['process.submit', 'process.assign', 'process.successful', 'process.failed', 'process.requeue', 'process.expire', 'attribute.add', 'database.firstrootpassword', 'history.drop'];
