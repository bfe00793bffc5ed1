export {describeCommands, describeEnvironment} from './documentation.ts';
export {ownPart} from './arguments.ts';
export {runCommand} from './run-command.ts';
export type {
	Certificate, Certificates, KeyPair, Progress, Serve, Server, Work, World,
} from './world.ts';
