import type {Migration} from './migration.ts';

const slots = [0, 1, 2, 3];

/**
What many servers on one database need between them: nonces that were spent, keys of requests that may come twice, and when computers were last seen.
The nonces of a minute lie together, in one of four small tables in turn, so that those of a minute long gone go at a stroke.
*/
export const servers: Migration = {
	number: 2,
	name: 'servers',
	script: `
${slots.map(slot => `create table nonces_${slot} (
	nonce text collate "C" not null,
	signer text collate "C" not null,
	created bigint not null,
	primary key (nonce, signer, created)
);`).join('\n')}

create table idempotency_keys (
	signer text collate "C" not null,
	key text collate "C" not null,
	fingerprint text collate "C" not null,
	subjects text[] not null,
	kept_at timestamptz not null default statement_timestamp(),
	primary key (signer, key)
);
create index idempotency_keys_by_age on idempotency_keys (kept_at);

create table seen (
	colony_id text collate "C" not null,
	computer_id text collate "C" not null,
	seen_at timestamptz not null,
	primary key (colony_id, computer_id)
);

create index history_by_colony_and_transaction on history (colony_id, txid, history_id);
`,
};
