export {Broker, type Caller, type Notice} from './broker.ts';
export type {
	Context, Contexts, ContextChoice, Where,
} from './context.ts';
export type {Call, Command, Operation} from './define.ts';
export {
	colonySpec, computerSpec, type Field, type Fields, processSpec,
} from './fields.ts';
export {complaintAbout, parseInput} from './parse.ts';
export {
	type AnyOperation, commandsOf, type InputOf, type OperationName, operations, type ResultOf,
} from './registry.ts';
export type {Page} from '../database/index.ts';
