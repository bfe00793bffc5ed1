import type {Migration} from './migration.ts';

/**
What it takes to tell lists as they were. `since`: when a process had entered the state that it leaves with this row, or a little earlier; with `at` it spans the time in which it was in that state,
so that all which were in some state at a moment are found at once, however much has happened since.
*/
export const past: Migration = {
	number: 3,
	name: 'past',
	script: `
alter table history add column since timestamptz;
create index history_by_span on history using gist (tstzrange(least(since, at), at)) where since is not null;
create index history_of_members on history (noun, colony_id, at) where noun in ('colony', 'computer');
`,
};
