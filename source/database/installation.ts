import type {Client} from './types.ts';

/** The kept hash of the root password, or undefined on a fresh database. */
export async function rootPasswordHash(client: Client): Promise<string | undefined> {
	const {rows} = await client.query<{root_password: string}>('select root_password from colonies.installation');
	return rows[0]?.root_password;
}

/** Keeps the first root password of this installation; false when one is kept already. */
export async function keepFirstRootPassword(client: Client, hash: string): Promise<boolean> {
	const {rowCount} = await client.query('insert into colonies.installation (root_password) values ($1) on conflict do nothing', [hash]);
	return rowCount === 1;
}

/** Forgets the kept hash, so that the next one given on this machine is the first. False when there was none. */
export async function forgetRootPassword(client: Client): Promise<boolean> {
	const {rowCount} = await client.query('delete from colonies.installation');
	return rowCount === 1;
}

/** Replaces the kept hash. */
export async function changeRootPassword(client: Client, hash: string): Promise<void> {
	await client.query('update colonies.installation set root_password = $1', [hash]);
}
