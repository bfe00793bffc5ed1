export {describeCommands} from './documentation.ts';
export {runCommand} from './run-command.ts';
export type {
	Certificate, Certificates, KeyPair, Serve, Server, World,
} from './world.ts';
