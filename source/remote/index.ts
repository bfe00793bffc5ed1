export type {Address, Trust} from './address.ts';
export {openRemote, type RemoteOptions} from './context.ts';
export {NoAnswer} from './failures.ts';
