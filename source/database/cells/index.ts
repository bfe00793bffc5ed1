export {
	addCell, type Cell, cellOf, type CellPlace, coloniesByCell, elsewhere, firstCell, installationId, joinInstallation, type Membership, membership, presence, reserve, setCellOf, sizeOf,
} from './directory.ts';
export {
	arrive, clearDeparted, clearLeft, copyColony, type Copying, type End, forgetArrival, type Move, switchColony,
} from './moving.ts';
