export {
	Broker, type Caller, type Notice, type RunOptions, type Statistics,
} from './broker.ts';
export {type CommandLineOptions, commandLineOf, shellWord, storeWords} from './command-line.ts';
export type {
	Context, Contexts, ContextChoice, CopiedStore, HostedContext, KnownContext, Served, Where,
} from './context.ts';
export type {
	Across, Call, Command, Operation, Route,
} from './define.ts';
export {
	colonySpec, computerSpec, type Field, type Fields, fromText, type JsonSchema, objectJson, processSpec,
} from './fields.ts';
export type {Committed, Move} from './moves.ts';
export {
	checkFlags, flagType, readChoice, storeFlags, type Typed, variableOfFlag,
} from './flags.ts';
export {
	complaintAbout, parseAll, parseInput, parseList,
} from './parse.ts';
export {isShort, isWithoutRoot, keptNotice, shortWarning} from './root-password.ts';
export type {Network} from './networks.ts';
export {refuseDepth} from './unknown.ts';
export {patiently} from './patiently.ts';
export {
	type AnyOperation, commandsOf, isForRoot, type InputOf, type OperationName, operationNamed, operations, type OperationTypes, type ResultOf,
} from './registry.ts';
export {
	type Decoded, decodeRequest, encodeCall, encodeCalls, fieldsOn, listRoute, mostOf, splitRoute, type Received, type WireRequest,
} from './wire.ts';
export {newestSchema} from '../database/index.ts';
export type {Event, Page, Step} from '../database/index.ts';
export type {CellHead, Head, Heads} from './audit.ts';
export {type CellState, livesThere, type Moved} from './cells.ts';
export {keptRequest} from './authorise.ts';
export type {audit} from '../database/index.ts';
export type {Deviation} from './compare-present.ts';
export type {Compared} from './present.ts';
export {presentSentence} from './present-sentence.ts';
export type {Fault, Verified} from './verify.ts';
export {guarded, isReading, type Refusal} from './read-only.ts';
