export * as attention from './attention.ts';
export * as attributes from './attributes.ts';
export * as audit from './audit.ts';
export {type Standing, standingOf} from './authority.ts';
export {ClaimCursors} from './claim-cursors.ts';
export {claim} from './claims.ts';
export * as cells from './cells/index.ts';
export * as closedDrops from './closed-drops.ts';
export {makePieces} from './pieces.ts';
export {distributeSchema, type Engine, findEngine, refuseWorker} from './citus.ts';
export * as colonies from './colonies.ts';
export * as computerChanges from './computer-changes.ts';
export * as computers from './computers.ts';
export {copyInstallation, type Copied, type Tell} from './copy.ts';
export {readDemands, removeUnusedDemands, waitingDemands} from './demands.ts';
export * as explain from './explain.ts';
export {endOfHistory, eventsAfter, placeText, readPlace, type Event, type Place} from './events.ts';
export {forecast, forecastMany} from './forecast.ts';
export type {Author, Change, Done} from './history.ts';
export {demandsOf, record} from './history.ts';
export * as idempotency from './idempotency.ts';
export * as installation from './installation.ts';
export {
	dropSchema, migrate, newestSchema, refuseEncoding, refuseForeign, refuseNewer, schemaVersion,
} from './migrate.ts';
export {
	clearNonces, requestLife, slotOf, spendNonce, type Spent,
} from './nonces.ts';
export {continueNumbers, NumbersBehind} from './numbering.ts';
export type {Page, PageRequest} from './pages.ts';
export * as past from './past/index.ts';
export * as present from './present.ts';
export * as processChanges from './process-changes.ts';
export * as processes from './processes.ts';
export * as processRetention from './process-retention.ts';
export * as processLists from './process-lists.ts';
export * as pulse from './pulse.ts';
export {forgetOldPulse, rollPulse} from './pulse-rolling.ts';
export * as processSteps from './process-steps.ts';
export type {Step} from './process-steps.ts';
export {expire} from './requeue.ts';
export * as retention from './retention.ts';
export {type ComputerRow, keyOf} from './rows.ts';
export {defaultSchema} from './schema.ts';
export * as seals from './seals.ts';
export {keepSeen, type Sighting} from './seen.ts';
export * as suggestions from './suggestions.ts';
export * as statistics from './statistics.ts';
export {type DatabaseStatus, databaseStatus, writtenTo} from './status.ts';
export {isConnectionLoss, isRetryable, sqlstateOf} from './sqlstate.ts';
export * as together from './together/index.ts';
export * as tokens from './tokens.ts';
export type {MetricsToken} from './tokens.ts';
export * as toldDrops from './told-drops.ts';
export {vacuumLive} from './vacuum.ts';
export type {
	Client, Database, Load, NoChanges, Reachability,
} from './types.ts';
