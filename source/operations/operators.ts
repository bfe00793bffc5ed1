import * as cells from './cells.ts';
import * as colonies from './colonies.ts';
import * as computers from './computers.ts';
import type {AnyOperation} from './define.ts';
import * as history from './history.ts';
import * as installation from './installation.ts';
import * as processChanges from './process-changes.ts';
import * as processRetention from './process-retention.ts';
import * as tokens from './tokens.ts';

/** Every operator's change: what is kept in the history with the request that was signed. */
export const operatorsChanges: readonly AnyOperation[] = [colonies, cells, computers, processChanges, processRetention, installation, history, tokens]
	.flatMap(noun => Object.values(noun) as AnyOperation[])
	.filter(({operator}) => operator === true);

/** What else stands in the history: what computers and members do, and what happens by itself. */
export const otherChanges: readonly string[] = ['process.submit', 'process.assign', 'process.successful', 'process.failed', 'process.requeue', 'process.expire', 'attribute.add', 'database.firstrootpassword', 'database.resetroot', 'history.drop', 'process.drop', 'cell.add', 'colony.arrive'];
