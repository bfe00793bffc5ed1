import {lasting, withOutputs} from './007-live-and-closed.ts';
import type {Migration} from './migration.ts';

/**
Tokens that may read the metrics: the SHA-256 of each, never the token. And the trace context that a process was submitted with (W3C Trace Context), null for most.
*/
export const monitoring: Migration = {
	number: 13,
	name: 'monitoring',
	script: `
create table tokens (
	name text primary key,
	hash bytea not null unique check (octet_length(hash) = 32),
	created_at timestamptz not null default statement_timestamp(),
	created_by text not null,
	used_at timestamptz
);

alter table live add column traceparent text;
alter table closed add column traceparent text;
create or replace view processes as
select ${lasting}, demand_id, status, entered_at, null::timestamptz as end_time, returned_at, case when status = 1 then ${withOutputs} else attributes end as attributes, traceparent from live l
union all
select ${lasting}, null, status, end_time, greatest(end_time), null, attributes, traceparent from closed;
`,
};
