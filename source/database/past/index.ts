export {countComputers, getComputer, listColonies, listComputers} from './members.ts';
export {resolveMoment} from './moments.ts';
export {count as countProcesses, get as getProcess, list as listProcesses} from './processes.ts';
