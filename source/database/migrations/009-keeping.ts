import type {Migration} from './migration.ts';

/**
How long closed processes are kept, in seconds by the state in which they ended: of a colony, and under the empty id of the installation. 0 keeps them for ever; null is not said, so that the installation's setting holds.
The history has every setting, too. What stands here alone removes nothing (database/process-retention.ts).
*/
export const keeping: Migration = {
	number: 9,
	name: 'keeping',
	script: `
create table process_retention (
	colony_id bytea primary key,
	successful bigint check (successful >= 0),
	failed bigint check (failed >= 0)
);
`,
};
