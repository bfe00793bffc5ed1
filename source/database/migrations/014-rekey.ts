import type {Migration} from './migration.ts';

/** The id that a computer's present key proves, where it is not the computer's own. One key of a colony is one computer's, and never its owner's. */
export const rekey: Migration = {
	number: 14,
	name: 'rekey',
	script: `
alter table computers add column key_id bytea
	check (key_id is null or (octet_length(key_id) = 32 and key_id <> computer_id and key_id <> colony_id and computer_id <> colony_id));
create unique index computers_by_key on computers (colony_id, key_id) where key_id is not null;
`,
};
