import type {Id, Process} from '../../core/types.ts';
import {statusOf} from '../../core/states.ts';
import {type ClosedRow, movedFrom} from '../closing.ts';
import {complete} from '../processes.ts';
import {microsecondsBetween} from '../spans.ts';
import type {Database} from '../types.ts';
import {bytesOf, inColony, withId} from '../values.ts';
import {
	admitting, type Answered, type Call, type CallRow, freshOf, noting, perSlot, type Slot, statementOf, timeText,
} from './calls.ts';

export type CloseCall = Call & {processid: Id};

/** In a statement of its own: the next one then sees what was written to the processes until they were locked. */
const lock = `select from (select i.id from unnest($2::bytea[]) as i(id) order by i.id) i cross join lateral (
	select from colonies.live p where ${inColony('$1')} and p.status + 0 = 1 and ${withId('i.id')} for update skip locked
) p`;

const ran = microsecondsBetween('g.start_time', 'statement_timestamp()');

/** As `close` does, for calls of several. Only what the statement before has locked is closed: a row of which somebody else holds a lock, or has had one since, is for the path that waits. */
const textOf = perSlot(slot => `with ${admitting({slot, first: 4, columns: ['process_id bytea'], owner: false})}, mine as materialized (
		select a.n, x.row from allowed a cross join lateral (select p.ctid as row from colonies.live p
		where ${inColony('$1')} and p.status + 0 = 1 and p.assigned_computer_id || ''::bytea = a.signer and (p.deadline is null or p.deadline > statement_timestamp()) and p.xmax::text::bigint = txid_current() % 4294967296 and ${withId('a.process_id')}) x
	), gone as (
		delete from colonies.live p using mine m where p.ctid = m.row returning p.*, m.n
	), ${movedFrom('$2', 'null')}, told as (
		select g.*, ${ran} as ran from gone g
	), ${noting({
		actor: 'x.assigned_computer_id', what: '$3', states: ['\'running\'', 'case $2::smallint when 2 then \'successful\' else \'failed\' end'],
		detail: `jsonb_build_object('computer', encode(x.assigned_computer_id, 'hex'), 'start', ${timeText('x.start_time')}, 'retries', x.retries, 'type', x.computer_type, 'run', x.ran)`,
	}, 'told')}
	select ${freshOf(slot)} as fresh, m.*, m.end_time as entered_at from input i left join gone g on g.n = i.n left join moved m on m.process_id = g.process_id order by i.n`);

type Row = CallRow & ({process_id: null} | ClosedRow);

/** Closes processes that run on the callers, in one colony, each for itself, in one transaction. */
export async function closeTogether(database: Database, {colony, to}: {colony: Id; to: 'successful' | 'failed'}, slot: Slot, calls: readonly CloseCall[]): Promise<Array<Answered<Process>>> {
	const ids = calls.map(({processid}) => bytesOf(processid));
	const [, answer] = await database.flight([
		{name: 'colonies_lock', text: lock, values: [bytesOf(colony), ids]},
		statementOf('close', slot, {text: textOf(slot), before: [bytesOf(colony), statusOf(to), `process.${to}`], calls, lists: [ids]}),
	]);
	return (answer!.rows as Row[]).map(row => row.process_id === null ? {isAlone: true, isSpent: row.fresh === true} : {isAlone: false, result: complete(row)});
}
