import {findEngine} from '../citus.ts';
import type {Database} from '../types.ts';
import {assignTogether as assignAtOnce} from './assign.ts';
import {closeTogether as closeAtOnce} from './close.ts';
import {assignInSteps, closeInSteps, submitInSteps} from './steps/index.ts';
import {submitTogether as submitAtOnce} from './submit.ts';

export type {AssignCall, Kind} from './assign.ts';
export type {Answered, Call, Slot} from './calls.ts';
export type {CloseCall} from './close.ts';
export type {SubmitCall} from './submit.ts';

const stepping = new WeakSet<Database>();

/** Has the groups of a database go in steps whatever is behind it, so that this way is tested and measured without Citus. */
export function goInSteps(database: Database): void {
	stepping.add(database);
}

/** Carries out a group by the way that the database can go: in one statement, or in steps where Citus is. */
const either = <Rest extends unknown[], Result>(atOnce: (database: Database, ...rest: Rest) => Promise<Result>, inSteps: (database: Database, ...rest: Rest) => Promise<Result>) =>
	async (database: Database, ...rest: Rest): Promise<Result> => stepping.has(database) || await findEngine(database) === 'citus' ? inSteps(database, ...rest) : atOnce(database, ...rest);

export const assignTogether = either(assignAtOnce, assignInSteps);
export const closeTogether = either(closeAtOnce, closeInSteps);
export const submitTogether = either(submitAtOnce, submitInSteps);
