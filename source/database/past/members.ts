import {InvalidInput, NotFound} from '../../core/errors.ts';
import {type Filter, groupsOf} from '../../core/filter-language/index.ts';
import {quoted} from '../../core/text.ts';
import {type Colony, type Computer, type ComputerState, computerStates, type Id, type Time} from '../../core/types.ts';
import type {ComputerFilter} from '../computers.ts';
import {testsOf} from '../filters.ts';
import {type Page, type PageRequest, decodePosition, readingOrder, toPage} from '../pages.ts';
import {type ColonyRow, type ComputerRow, toColony, toComputer} from '../rows.ts';
import type {Client} from '../types.ts';
import {colonyPosition} from '../colonies.ts';
import {bytesOf} from '../values.ts';

/**
The first step of each computer of the colony `$1` after the moment `$2`: it tells the state in which the computer was then; none where it was not there yet.
And the first change of its name and of its key: they tell what those were.
*/
const steps = `steps as materialized (
	select distinct on (h.subject_id) h.subject_id, h.from_state, h.detail from colonies.history h
	where h.noun = 'computer' and h.colony_id = $1 and h.at > $2 and h.what not in ('computer.rename', 'computer.rekey') order by h.subject_id, h.at, h.history_id
), names as materialized (
	select distinct on (h.subject_id) h.subject_id, h.at, h.history_id, h.detail->'before'->>'name' as name from colonies.history h
	where h.noun = 'computer' and h.colony_id = $1 and h.at > $2 and h.what = 'computer.rename' order by h.subject_id, h.at, h.history_id
), keys as materialized (
	select distinct on (h.subject_id) h.subject_id, h.at, h.history_id, colonies.bytes_of(h.detail->'before'->>'keyid') as key from colonies.history h
	where h.noun = 'computer' and h.colony_id = $1 and h.at > $2 and h.what = 'computer.rekey' order by h.subject_id, h.at, h.history_id
)`;

/**
The computers of the colony as they were, as `past` with the columns of `computers`. What never changes comes from the computer, or from the image that its removal left.
One that was removed and registered again is another one, so a removal right after the moment counts first.
*/
const past = `${steps}, past as (
	select c.colony_id, c.computer_id, coalesce(n.name, c.name) as name, c.computer_type, c.cpu, c.cores, c.mem, c.gpu, c.gpus, c.status, nullif(coalesce(k.key, c.key_id, c.computer_id), c.computer_id) as key_id
	from colonies.computers c left join names n on n.subject_id = c.computer_id left join keys k on k.subject_id = c.computer_id where c.colony_id = $1 and not exists (select from steps s where s.subject_id = c.computer_id)
	union all
	select $1, s.subject_id, coalesce(n.name, r.image->>'name', c.name), case when r.image is null then c.computer_type else coalesce(r.image->>'computertype', '') end, coalesce(r.image->>'cpu', c.cpu),
		coalesce((r.image->>'cores')::integer, c.cores), coalesce((r.image->>'mem')::bigint, c.mem), coalesce(r.image->>'gpu', c.gpu), coalesce((r.image->>'gpus')::integer, c.gpus),
		(array_position(array['pending', 'approved', 'disapproved'], s.from_state) - 1)::smallint,
		nullif(coalesce(k.key, case when r.image is null then c.key_id else colonies.bytes_of(r.image->>'keyid') end, s.subject_id), s.subject_id)
	from steps s left join colonies.computers c on c.colony_id = $1 and c.computer_id = s.subject_id
	left join lateral (
		select h.at, h.history_id, h.detail as image from colonies.history h where h.noun = 'computer' and h.colony_id = $1 and h.subject_id = s.subject_id and h.what = 'computer.remove' and h.at > $2 order by h.at, h.history_id limit 1
	) r on true
	left join names n on n.subject_id = s.subject_id and (r.at is null or (n.at, n.history_id) < (r.at, r.history_id))
	left join keys k on k.subject_id = s.subject_id and (r.at is null or (k.at, k.history_id) < (r.at, r.history_id))
	where s.from_state is not null
)`;

/** A page of a colony's computers as they were. When they had been seen is not kept, and left out. */
export async function listComputers(client: Client, colony: Id, filter: ComputerFilter, page: PageRequest & {at: Time}): Promise<Page<Computer>> {
	const {comparison, order} = readingOrder(page, false);
	const values: unknown[] = [bytesOf(colony), page.at, page.count + 1];
	const where: string[] = ['true'];
	const given = (value: unknown) => `$${values.push(value)}`;
	if (page.position !== undefined) {
		const [status, name, id] = decodePosition(page.position, ['state', 'name', 'id']);
		where.push(`(status, name, computer_id) ${comparison} (${given(status)}::smallint, ${given(name)}, ${given(bytesOf(String(id)))})`);
	}

	if (filter.state !== undefined) {
		where.push(`status = ${given(computerStates.indexOf(filter.state))}::smallint`);
	}

	if (filter.computertype !== undefined) {
		where.push(`computer_type = ${given(filter.computertype)}`);
	}

	if (filter.only !== undefined) {
		where.push(`computer_id = ${given(bytesOf(filter.only))}`);
	}

	if (filter.text !== undefined) {
		const text = `lower(${given(filter.text)} collate "C")`;
		where.push(`(position(${text} in lower(name)) > 0 or left(encode(computer_id, 'hex'), length(${text})) = ${text})`);
	}

	if (filter.filter?.some(({field}) => field === 'seen')) {
		throw new InvalidInput('When computers had been seen is not kept for the past.', {hint: 'Leave seen out of the filter, or ask for the present list.'});
	}

	where.push(...testsOf('computers', groupsOf(filter.filter ?? []), given));
	const {rows} = await client.query<ComputerRow>(`with ${past} select * from past c where ${where.join(' and ')} order by status ${order}, name collate "C" ${order}, computer_id ${order} limit $3`, values);
	return {...toPage(rows.map(row => toComputer(row)), page, computer => [computer.status, computer.name, computer.computerid]), at: page.at};
}

/** How many computers were in each state, counted to `limit` and no further. */
export async function countComputers(client: Client, colony: Id, {at, limit}: {at: Time; limit: number}): Promise<Record<ComputerState, number>> {
	const {rows} = await client.query<{status: number; count: number}>(`with ${past} select status, least(count(*), $3)::int as count from past group by status`, [bytesOf(colony), at, limit + 1]);
	const counts = new Map(rows.map(row => [row.status, row.count]));
	return Object.fromEntries(computerStates.map((state, status) => [state, counts.get(status) ?? 0])) as Record<ComputerState, number>;
}

/** @throws NotFound when the colony had no such computer then */
export async function getComputer(client: Client, colony: Id, computer: Id, at: Time): Promise<Computer> {
	const {rows} = await client.query<ComputerRow>(`with ${past} select * from past where computer_id = $3`, [bytesOf(colony), at, bytesOf(computer)]);
	if (!rows[0]) {
		throw new NotFound(`There was no computer ${quoted(computer)} in this colony at ${at}.`, {hint: 'It was registered later, or had been removed.'});
	}

	return toComputer(rows[0]);
}

/** A page of all colonies that pass a filter, as they were, by name. */
export async function listColonies(client: Client, filter: Filter | undefined, page: PageRequest & {at: Time}): Promise<Page<Colony>> {
	const {comparison, order} = readingOrder(page, false);
	const values: unknown[] = [page.at, page.count + 1, ...(page.position === undefined ? [] : colonyPosition(page.position))];
	const where = ['true', ...(page.position === undefined ? [] : [`(name, colony_id) ${comparison} ($3, $4)`]), ...testsOf('colonies', groupsOf(filter ?? []), value => `$${values.push(value)}`)];
	const {rows} = await client.query<ColonyRow>(
		`with steps as materialized (
			select distinct on (h.subject_id) h.subject_id, h.what, h.at, h.history_id, h.detail from colonies.history h where h.noun = 'colony' and h.what <> 'colony.rename' and h.at > $1 order by h.subject_id, h.at, h.history_id
		), names as materialized (
			select distinct on (h.subject_id) h.subject_id, h.at, h.history_id, h.detail->'before'->>'name' as name from colonies.history h where h.noun = 'colony' and h.what = 'colony.rename' and h.at > $1 order by h.subject_id, h.at, h.history_id
		), past as (
			select c.colony_id, coalesce(n.name, c.name) as name from colonies.colonies c left join names n on n.subject_id = c.colony_id where not exists (select from steps s where s.subject_id = c.colony_id)
			union all select s.subject_id, coalesce(n.name, s.detail->>'name') from steps s left join names n on n.subject_id = s.subject_id and (n.at, n.history_id) < (s.at, s.history_id) where s.what = 'colony.remove'
		)
		select * from past c where ${where.join(' and ')} order by name collate "C" ${order}, colony_id ${order} limit $2`,
		values,
	);
	return {...toPage(rows.map(row => toColony(row)), page, colony => [colony.name, colony.colonyid]), at: page.at};
}
