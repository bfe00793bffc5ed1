import {goesInSteps} from '../citus.ts';
import type {Database} from '../types.ts';
import {assignTogether as assignAtOnce} from './assign.ts';
import {closeTogether as closeAtOnce} from './close.ts';
import {assignInSteps, closeInSteps, submitInSteps} from './steps/index.ts';
import {submitTogether as submitAtOnce} from './submit.ts';

export {goInSteps} from '../citus.ts';
export type {AssignCall, Kind} from './assign.ts';
export type {Answered, Call, Slot} from './calls.ts';
export type {CloseCall} from './close.ts';
export type {SubmitCall} from './submit.ts';

/** Carries out a group by the way that the database can go: in one statement, or in steps where Citus is. */
const either = <Rest extends unknown[], Result>(atOnce: (database: Database, ...rest: Rest) => Promise<Result>, inSteps: (database: Database, ...rest: Rest) => Promise<Result>) =>
	async (database: Database, ...rest: Rest): Promise<Result> => await goesInSteps(database) ? inSteps(database, ...rest) : atOnce(database, ...rest);

export const assignTogether = either(assignAtOnce, assignInSteps);
export const closeTogether = either(closeAtOnce, closeInSteps);
export const submitTogether = either(submitAtOnce, submitInSteps);
