import {initial} from './001-initial.ts';
import {servers} from './002-servers.ts';
import {past} from './003-past.ts';
import {attention} from './004-attention.ts';
import {audit} from './005-audit.ts';
import {pulse} from './006-pulse.ts';
import {liveAndClosed} from './007-live-and-closed.ts';
import {base} from './008-base.ts';
import {keeping} from './009-keeping.ts';
import {compactHistory} from './010-compact-history.ts';
import {compressedClosed} from './011-compressed-closed.ts';
import {putBack} from './012-put-back.ts';
import {monitoring} from './013-monitoring.ts';
import {rekey} from './014-rekey.ts';
import {cells} from './015-cells.ts';
import type {Migration} from './migration.ts';

/** Every migration in order; the number of the last is the version of the schema. */
export const migrations: readonly Migration[] = [
	initial, servers, past, attention, audit, pulse, liveAndClosed, base, keeping, compactHistory, compressedClosed, putBack, monitoring, rekey, cells,
];
