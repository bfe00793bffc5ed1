import type {Migration} from './migration.ts';

/** Operators' changes, and what happened to the installation itself: not what followed from one of them (docs/audit.md). */
const changes = 'what <> \'process.requeue\' and what <> \'attribute.add\' and ((request is not null and (actor <> \'root\' or noun not in (\'computer\', \'process\'))) or (noun = \'installation\' and actor <> \'system\'))';

/** What finds them, by who, what and where. */
export const indexesOfChanges = `
create index history_of_changes on history (at, history_id) where ${changes};
create index history_of_changes_by_colony on history (colony_id, at, history_id) where ${changes};
create index history_of_changes_by_what on history (what, at, history_id) where ${changes};
create index history_of_changes_by_colony_and_what on history (colony_id, what, at, history_id) where ${changes};
create index history_of_changes_by_actor on history (actor, at, history_id) where ${changes};
create index history_of_changes_by_actor_and_what on history (actor, what, at, history_id) where ${changes};`;

/**
Seals of the history, how long it is kept, and what finds its rows by who, what and when.
A seal is never changed, but for `entries`, which go when retention has dropped the rows that they are about.
*/
export const audit: Migration = {
	number: 5,
	name: 'audit',
	script: `
create table seals (
	number bigint primary key,
	predecessor bytea not null,
	hash bytea not null unique,
	to_txid bigint not null,
	to_row bigint not null,
	rows integer not null,
	oldest timestamptz not null,
	newest timestamptz not null,
	content bytea not null,
	made_at timestamptz not null,
	entries bytea
);
alter table seals alter column entries set storage external;
create index seals_by_place on seals (to_txid, to_row);
create index seals_with_entries on seals (number) where entries is not null;

create function refuse_change_of_seal() returns trigger language plpgsql as $body$
begin
	if new.entries is not null or (new.number, new.predecessor, new.hash, new.to_txid, new.to_row, new.rows, new.oldest, new.newest, new.content, new.made_at)
		is distinct from (old.number, old.predecessor, old.hash, old.to_txid, old.to_row, old.rows, old.oldest, old.newest, old.content, old.made_at) then
		raise exception 'A seal is never changed.' using errcode = 'integrity_constraint_violation';
	end if;
	return new;
end
$body$;
create trigger seals_are_never_changed before update on seals for each row execute function refuse_change_of_seal();

create table retention (
	only_row boolean primary key default true check (only_row),
	days integer check (days > 0),
	compress_after integer check (compress_after > 0),
	dropped_before timestamptz
);

${indexesOfChanges}
create index history_by_actor on history (actor, at, history_id);
create index history_by_signature on history (signature, txid) where signature is not null;
create index history_of_names on history (subject_id, at) where what in ('colony.register', 'colony.remove', 'computer.register', 'computer.remove');
drop index history_by_subject;
create index history_by_subject on history (subject_id, at, history_id);
drop index history_by_colony;
create index history_by_colony on history (colony_id, at, history_id);
`,
};
