import {Unavailable} from '../core/errors.ts';
import {quoted, shortId} from '../core/text.ts';
import type {Role} from '../core/authority.ts';
import {computerStates, type Id} from '../core/types.ts';
import type {ComputerRow} from './rows.ts';
import type {Client} from './types.ts';
import {bytesOf} from './values.ts';

/** Who an identity is to a colony, with its record where it is one of the colony's computers. */
export type Standing = {role: Role; computer?: ComputerRow};

/**
Who an identity is to a colony. With `hold`, the rows that say so stay as they are until the transaction ends, so that no disapproval or removal slips between the check and the act.
An owner who is a computer too is the owner: that row is not held, for the owner may be about to change it, and two who held it would wait for each other.
A computer is found by the id that its present key proves: mostly its own, so the other index is read only where no computer has that.
*/
export async function standingOf(client: Client, colony: Id, identity: Id, {hold}: {hold: boolean}): Promise<Standing> {
	const of = (key: string): string => `(select to_jsonb(c) || jsonb_build_object('colony_id', encode(c.colony_id, 'hex'), 'computer_id', encode(c.computer_id, 'hex'), 'key_id', encode(c.key_id, 'hex')) from (select * from colonies.computers where colony_id = $1 and ${key} and computer_id <> $1 ${hold ? 'for share' : ''}) c)`;
	const {rows} = await client.query<{owner: boolean | null; leaving: boolean | null; computer: ComputerRow | null}>(
		`select (select true from colonies.colonies where colony_id = $1 ${hold ? 'and coalesce(leaving_until < statement_timestamp(), true) for key share' : ''}) as owner,
		${hold ? '(select true from colonies.colonies where colony_id = $1 and leaving_until >= statement_timestamp())' : 'null::boolean'} as leaving, coalesce(${of('computer_id = $2 and key_id is null')}, ${of('key_id = $2')}) as computer`,
		[bytesOf(colony), bytesOf(identity)],
	);
	const {owner, leaving, computer} = rows[0]!;
	if (leaving && !owner) {
		throw new Unavailable(`The colony ${quoted(shortId(colony))} stands still for a moment, while it moves.`, {hint: 'Try it again in a moment.'});
	}

	if (owner && identity === colony) {
		return {role: 'owner'};
	}

	return computer === null ? {role: 'stranger'} : {role: computerStates[computer.status], computer};
}
