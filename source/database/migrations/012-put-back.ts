import type {Migration} from './migration.ts';

/**
What was put back to waiting is found by an index that nothing else can stand in for. With the statistics of an empty table the one of all that waits was taken for it,
and a claim went through all that is dead in front.
*/
export const putBack: Migration = {
	number: 12,
	name: 'put-back',
	script: `
drop index live_put_back;
create index live_put_back on live ((demand_id + 0), submission_time, process_id) where status = 0 and returned_at is not null;
`,
};
