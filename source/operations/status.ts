import {anyMember} from '../core/authority.ts';
import {formatSpan} from '../core/time.ts';
import {type DatabaseStatus, databaseStatus} from '../database/index.ts';
import {type Column, defineOperation} from './define.ts';
import {identity} from './fields.ts';

const mebibytes = (bytes: number | null): string => bytes === null ? '-' : `${(bytes / 1_048_576).toFixed(1)} MiB`;

const sizeOf = (name: string): Column<DatabaseStatus> => [name, ({sizes}) => mebibytes(sizes.find(({table}) => table === name)?.bytes ?? null)];

const changesOf = ({readonly, lag}: DatabaseStatus): string =>
	readonly === null ? 'taken' : `none: ${readonly}${lag === null ? '' : `, ${formatSpan(lag * 1000)} behind`}`;

const columns: ReadonlyArray<Column<DatabaseStatus>> = [
	'clock',
	'started',
	['size', ({bytes}) => mebibytes(bytes)],
	sizeOf('live'),
	sizeOf('closed'),
	sizeOf('history'),
	['connections', ({connections, most}) => `${connections ?? '-'} of ${most}`],
	['changes', changesOf],
	['listening', ({listening}) => listening ? 'yes' : 'no'],
];

export const readStatus = defineOperation({
	name: 'database.status',
	summary: 'Show how it stands with the database: its clock, sizes and connections.',
	input: {colonyid: identity('Colony')},
	route: 'GET /colonies/{colonyid}/database',
	allow: anyMember,
	colony: ({colonyid}) => colonyid,
	changes: [],
	columns,
	handle: async ({client, load}) => databaseStatus(client, load()),
});
