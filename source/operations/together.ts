import type {Id} from '../core/types.ts';
import type {
	ClaimCursors, ComputerRow, Database, together,
} from '../database/index.ts';
import type {Move} from './moves.ts';

/** One call of a group: who it is by, what was asked, and the computer as it was last known, where it is one. */
export type Joined<Input> = together.Call & {input: Input; computer: ComputerRow | undefined};

/** What came of it: the result, or undefined where there was nothing to assign; the kinds of work that wait since; and the step that a process took. */
export type JoinedResult<Result> = {result: Result | undefined; work?: readonly number[]; move?: Move};

/** How concurrent calls of an operation about one colony, by any signers, share a statement. */
export type Together<Input = any, Result = any> = {
	/** What they have in common, besides; undefined for one that goes alone. */
	kindOf: (call: Joined<Input>) => string | undefined;
	/** Whether they differ by what the computer is that calls, which is looked up before. */
	byComputer?: boolean;
	/** How much text its values are, in UTF-16 units; a few hundred more make no difference. */
	sizeOf?: (input: Input) => number;
	/** What no two of a group may share, besides the nonce and the key. */
	subject?: (input: Input) => Id;
	carryOut: (calls: ReadonlyArray<Joined<Input>>, context: {database: Database; cursors: ClaimCursors; colony: Id; slot: together.Slot}) => Promise<Array<together.Answered<JoinedResult<Result>>>>;
};
