import {currentPassphrase, newPassphrase} from '../keychain/index.ts';
import {variableOfFlag} from '../operations/flags.ts';
import {storeFlags} from './command.ts';
import {rootPassword, variableOf} from './secrets.ts';

/** An environment variable, with what it does: a sentence without its period. */
export type Variable = readonly [name: string, summary: string];

const {demo: _, ...placeFlags} = storeFlags;

/** The variables that say which store is meant: one for each flag of a store. */
export const storeVariables: readonly Variable[] = [
	...Object.keys(placeFlags).map((name): Variable => [variableOfFlag(name), `Default of --${name}`]),
	['DATABASE_URL', 'Database as a URL, postgresql://user:password@host:5432/database; COLONIES_DBHOST, COLONIES_DBPORT, COLONIES_DBUSER and COLONIES_DBNAME take precedence'],
];

/** The variables of the program itself. */
export const ownVariables: readonly Variable[] = [
	['COLONIES_HOME', 'Folder of keys, settings and the embedded database, in place of the system\'s folders'],
	[variableOf(rootPassword.label), 'Root password; --rootpassword takes precedence'],
	['COLONIES_NEW_ROOT_PASSWORD', 'New root password for database rootpassword'],
	['COLONIES_TARGET_PASSWORD', 'Password of the target database of database copy; --topassword takes precedence'],
	[currentPassphrase.text, 'Passphrase of encrypted keys'],
	[currentPassphrase.descriptor, 'Number of an open file descriptor whose first line is that passphrase'],
	[newPassphrase.text, 'New passphrase for keychain passwd'],
	[newPassphrase.descriptor, 'Number of an open file descriptor whose first line is the new passphrase'],
	['COLONIES_TRUSTPROXY', 'Default of --trustproxy of server start'],
	['COLONIES_ORIGIN', 'Default of --origin of server start'],
];

/** Variables of the system and of other programs that this one respects. */
export const systemVariables: readonly Variable[] = [
	['NO_COLOR', 'When set, the console uses no colors'],
	['INK_SCREEN_READER', 'When true, the console speaks line by line, as with --screen-reader'],
	['TERM', 'When dumb, the console prints one snapshot and exits'],
	['LC_ALL, LC_CTYPE, LANG', 'The first one set is the locale; unless it names UTF-8, the console and messages use ASCII only'],
	['SHELL', 'Shell that completion install installs for, unless --shell is given'],
	['XDG_CONFIG_HOME, XDG_DATA_HOME', 'Base folders of settings and data on Linux, and of completion scripts'],
	['XDG_CACHE_HOME, LOCALAPPDATA', 'Base folders of what can be made again, on Linux and Windows'],
	['XDG_RUNTIME_DIR', 'Folder of the embedded database\'s sockets'],
	['ZDOTDIR', 'Folder of .zshrc, which completion install checks'],
	['BASH_COMPLETION_USER_DIR', 'Folder where bash-completion looks for scripts of its user'],
];

/** The variables that a program finds which `computer work` runs. */
export const programVariables: readonly Variable[] = [
	['COLONIES_IN_KEY', 'The in attribute "key" of the process: in capitals, with _ for what is not a letter or digit'],
	['COLONIES_PROCESSID, COLONIES_COLONYID, COLONIES_COMPUTERID', 'Ids of the process, its colony, and the computer that runs it'],
	['TRACEPARENT', 'W3C trace context of the process, when it carries one'],
];
