import type {Role} from '../core/authority.ts';
import {type Id, computerStates} from '../core/types.ts';
import type {Client} from './types.ts';

/**
Who an identity is to a colony. With `hold`, the rows that say so stay as they are until the transaction ends, so that no disapproval or removal slips between the check and the act.
*/
export async function roleOf(client: Client, colony: Id, identity: Id, {hold}: {hold: boolean}): Promise<Role> {
	const {rows} = await client.query<{owner: boolean | null; status: number | null}>(
		`select (select true from colonies where colony_id = $1 ${hold ? 'for key share' : ''}) as owner,
		(select status from computers where colony_id = $1 and computer_id = $2 ${hold ? 'for share' : ''}) as status`,
		[colony, identity],
	);
	const {owner, status} = rows[0]!;
	if (owner && identity === colony) {
		return 'owner';
	}

	return status === null ? 'stranger' : computerStates[status]!;
}
