export {describeCommands} from './documentation.ts';
export {runCommand} from './run-command.ts';
export type {World} from './world.ts';
