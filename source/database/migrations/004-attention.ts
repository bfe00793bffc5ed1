import type {Migration} from './migration.ts';

/** What asks for attention is found by itself: processes that failed at their deadline, and those that run their last try. Both are few, and nothing else is written to these indexes. */
export const attention: Migration = {
	number: 4,
	name: 'attention',
	script: `
create index processes_spent on processes (colony_id, end_time, process_id) where status = 3 and end_time >= deadline;
create index processes_last_try on processes (colony_id, start_time, process_id) where status = 1 and max_retries > 0 and retries >= max_retries;
`,
};
