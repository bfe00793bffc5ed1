import type {Migration} from './migration.ts';

/**
What the transaction numbers of the history are counted from (database/numbering.ts): each is the number that the server gave the transaction, plus the base.
Servers count on their own. In a copy of the database on another server the base is raised, so that new rows come after the old ones.
Rows up to `sealed` are sealed: no row is written there any more. It lies beside the base, for each write looks at both.
*/
export const base: Migration = {
	number: 8,
	name: 'base',
	script: `
create table txid_base (
	only_row boolean primary key default true check (only_row),
	base bigint not null default 0,
	sealed bigint not null
) with (fillfactor = 50);
insert into txid_base (sealed) select coalesce((select to_txid from seals order by number desc limit 1), 0);
`,
};
