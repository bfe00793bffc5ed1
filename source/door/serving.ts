import type {Serve, World} from '../commands/index.ts';
import {
	type Folders, ownCertificate, readCertificate, type Warn,
} from '../keychain/index.ts';
import {version} from './version.ts';

/** Loaded when a server starts and not before. */
const serve: Serve = async options => {
	const {listen} = await import('../server/index.ts');
	return listen({...options, version});
};

/** What the commands need to serve: the server itself, and its certificate. */
export const serving = ({config}: Folders, warn: Warn): Pick<World, 'serve' | 'certificate'> => ({
	serve,
	certificate: {own: async () => ownCertificate({folder: config, warn}), read: readCertificate},
});
