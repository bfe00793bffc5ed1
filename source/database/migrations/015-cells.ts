import type {Migration} from './migration.ts';

/**
Cells: an installation of several schemas, each at one place (database/cells/). Every schema has these tables.
In the first cell, `cells` lists all of them, itself as 1 (a `host` of null is the same database), and `colony_cells` says where a colony lives that is not in the first.
In each other one, `cell_of` says whose cell it is.
A colony that moves comes in through `arrivals`: copied up to a transaction of its source, and with what changes meanwhile parked in `arriving_rows`. What has left is told by `departures`.
Where the colony stood still and lived on in its source after all, it is copied again from `frozen_txid`, and what `repeats` is left out.
`moved_places` says where an event of before a move is now: rows of the source up to (`txid`, `history_id`) come after (`to_txid`, `to_row`) here.
*/
export const cells: Migration = {
	number: 15,
	name: 'cells',
	script: `
-- Until then nobody is admitted to a colony that is about to stand still; null and what is past say nothing.
alter table colonies add column leaving_until timestamptz;

create table cells (
	cell integer primary key,
	name text collate "C" not null unique,
	schema text not null,
	host text,
	port integer,
	db_user text,
	database text,
	ssl boolean,
	installation uuid,
	added_at timestamptz not null default statement_timestamp()
);

create table colony_cells (
	colony_id bytea primary key,
	cell integer not null references cells
);

create table cell_of (
	only_row boolean primary key default true check (only_row),
	installation uuid not null,
	name text not null,
	place text not null
);

create table arrivals (
	colony_id bytea primary key,
	from_cell text not null,
	began_at timestamptz not null default statement_timestamp(),
	txid bigint not null default 0,
	rows bigint not null default 0,
	head text,
	is_parked boolean not null default false,
	frozen_txid bigint,
	repeats boolean not null default false
);

create table arriving_rows (
	colony_id bytea not null,
	n integer not null,
	table_name text not null,
	rows jsonb not null,
	primary key (colony_id, n)
);

create table departures (
	colony_id bytea primary key,
	to_cell text not null,
	left_at timestamptz not null default statement_timestamp(),
	is_cleared boolean not null default false
);

create table moved_places (
	colony_id bytea not null,
	txid bigint not null,
	history_id bigint not null,
	to_txid bigint not null,
	to_row bigint not null,
	primary key (colony_id, txid, history_id)
);
`,
};
