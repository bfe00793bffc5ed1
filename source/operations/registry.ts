import {InvalidInput} from '../core/errors.ts';
import {suggestion} from '../core/nearest.ts';
import {quoted} from '../core/text.ts';
import type {AnyOperation, Command, Operation} from './define.ts';
import * as attention from './attention.ts';
import * as attributes from './attributes.ts';
import * as audit from './audit.ts';
import * as cells from './cells.ts';
import * as colonies from './colonies.ts';
import * as computers from './computers.ts';
import * as events from './events.ts';
import * as explanations from './explanations.ts';
import type {GivenOf, ValueOf} from './fields.ts';
import * as filters from './filters.ts';
import * as history from './history.ts';
import * as installation from './installation.ts';
import * as processChanges from './process-changes.ts';
import * as processPast from './process-past.ts';
import * as processRetention from './process-retention.ts';
import * as processes from './processes.ts';
import * as pulse from './pulse.ts';
import * as status from './status.ts';
import * as tokens from './tokens.ts';

/** Every operation by name: all that anyone can do. */
export const operations = {
	'colony.register': colonies.registerColony,
	'colony.list': colonies.listColonies,
	'colony.get': colonies.getColony,
	'colony.rename': colonies.renameColony,
	'colony.remove': colonies.removeColony,
	'colony.move': cells.moveColony,
	'cell.list': cells.listCells,
	'computer.register': computers.registerComputer,
	'computer.list': computers.listComputers,
	'computer.count': computers.countComputers,
	'computer.get': computers.getComputer,
	'computer.forecast': computers.forecastComputer,
	'computer.forecastmany': computers.forecastComputers,
	'computer.rename': computers.renameComputer,
	'computer.rekey': computers.rekeyComputer,
	'computer.approve': computers.approveComputer,
	'computer.disapprove': computers.disapproveComputer,
	'computer.remove': computers.removeComputer,
	'process.submit': processes.submitProcess,
	'process.list': processes.listProcesses,
	'process.count': processes.countProcesses,
	'process.get': processes.getProcess,
	'process.explain': explanations.explainProcess,
	'process.reasons': explanations.listReasons,
	'process.version': processes.versionOfProcess,
	'process.history': processPast.processHistory,
	'process.compare': processPast.compareProcesses,
	'process.assign': processes.assignProcess,
	'process.successful': processes.closeSuccessful,
	'process.failed': processes.closeFailed,
	'process.retry': processChanges.retryProcess,
	'process.cancel': processChanges.cancelProcess,
	'process.remove': processChanges.removeProcess,
	'process.kept': processRetention.getProcessRetention,
	'process.retention': processRetention.setProcessRetention,
	'attribute.add': attributes.addAttribute,
	'attribute.get': attributes.getAttribute,
	'attribute.list': attributes.listAttributes,
	'filter.suggest': filters.suggestFilter,
	'attention.list': attention.listAttention,
	'event.list': events.listEvents,
	'pulse.get': pulse.getPulse,
	'audit.list': audit.listAudit,
	'audit.get': audit.getAudit,
	'audit.head': audit.getHead,
	'audit.verify': audit.verifyAudit,
	'audit.present': audit.compareAudit,
	'history.get': history.getRetention,
	'history.retention': history.setRetention,
	'token.create': tokens.createToken,
	'token.list': tokens.listTokens,
	'token.revoke': tokens.revokeToken,
	'database.status': status.readStatus,
	'database.rootpassword': installation.changeRootPassword,
} as const;

export type OperationName = keyof typeof operations;

export type {AnyOperation} from './define.ts';

type Definition<Name extends OperationName> = (typeof operations)[Name];

/** Checked input of an operation. */
export type CheckedInputOf<Name extends OperationName> = Definition<Name> extends Operation<infer Input, infer _Result> ? ValueOf<Input> : never;

type Optional<Value> = {[Key in keyof Value as undefined extends Value[Key] ? Key : never]?: Value[Key]} & {[Key in keyof Value as undefined extends Value[Key] ? never : Key]: Value[Key]};

/** Input of an operation as a caller gives it; it is checked by `run`, so that what has a default may be left out. */
export type InputOf<Name extends OperationName> = Partial<Optional<CheckedInputOf<Name>>> | Record<string, unknown>;

/** Answer of an operation. */
export type ResultOf<Name extends OperationName> = Definition<Name> extends Operation<infer _Input, infer Result> ? Result : never;

/** What each operation takes and answers, for programs: fields that have a default may be left out. */
export type OperationTypes = {
	[Name in OperationName]: {
		input: Definition<Name> extends Operation<infer Input, any> ? GivenOf<Input> : never;
		result: ResultOf<Name>;
	};
};

/** An operation by a name from outside. @throws InvalidInput where there is none */
export function operationNamed(name: string): AnyOperation {
	if (!Object.hasOwn(operations, name)) {
		throw new InvalidInput(`There is no operation ${quoted(name)}.`, {hint: suggestion(name, Object.keys(operations))});
	}

	return operations[name as OperationName];
}

/** The commands of an operation: its own name, unless it says others. */
export function commandsOf(operation: AnyOperation): readonly Command[] {
	const [noun, verb] = operation.name.split('.') as [string, string];
	return operation.commands ?? [{words: [noun, verb], summary: operation.summary}];
}

/** The flag of a command that fills a field of its operation; undefined when it has none. */
export function flagOf(field: string, {fixed = {}, renamed = {}, hidden = []}: Command): string | undefined {
	if (Object.hasOwn(fixed, field) || hidden.includes(field)) {
		return undefined;
	}

	return Object.entries(renamed).find(([, target]) => target === field)?.[0] ?? (Object.hasOwn(renamed, field) ? undefined : field);
}

/** Whether nobody but root may do it. */
export const isForRoot = ({allow}: AnyOperation): boolean => allow.allowed.length === 1 && allow.allowed[0] === 'root' && allow.self.length === 0;
