import {type AnyOperation, commandsOf, operations} from '../operations/registry.ts';
import type {CommandEntry} from './command.ts';
import {auditCommands} from './audit-commands.ts';
import {operationCellCommands, ownCellCommands} from './cell-commands.ts';
import {completionCommands} from './completion/index.ts';
import {contextCommands} from './context-commands.ts';
import {workCommands} from './computer-work.ts';
import {databaseCommands} from './database-commands.ts';
import {keychainCommands} from './keychain-commands.ts';
import {operationCommand} from './operation-command.ts';
import {serverCommands} from './server-command.ts';

const fromOperations = (Object.values(operations) as AnyOperation[]).flatMap(operation => commandsOf(operation).map(command => operationCommand(operation, command)));

/** Every command, a noun's together, in the order in which help shows them. */
export const commands: readonly CommandEntry[] = (() => {
	const all = [...fromOperations.map(entry => [...auditCommands, ...operationCellCommands].find(({words}) => words.join(' ') === entry.words.join(' ')) ?? entry), ...workCommands, ...databaseCommands, ...ownCellCommands, ...serverCommands, ...contextCommands, ...keychainCommands, ...completionCommands(() => commands)];
	const nouns = [...new Set(all.map(({words: [noun]}) => noun))];
	return nouns.flatMap(noun => all.filter(({words}) => words[0] === noun));
})();

/** The nouns, in that order. */
export const nouns: readonly string[] = [...new Set(commands.map(({words: [noun]}) => noun))];

/** The command of a noun and a verb; undefined when there is none. */
export const findCommand = (noun: string | undefined, verb: string | undefined): CommandEntry | undefined => commands.find(({words}) => words[0] === noun && words[1] === verb);
