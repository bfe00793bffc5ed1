export {
	type AttributePlace, attributePlaces, attributeSummaries, type FilterField, type FilterList, filterLists, type FilterTable, filterTables, type Operator, operatorSigns, type ValueKind,
} from './fields.ts';
export {
	complaintAboutFilter, type Fault, type Filter, type FilterTerm, longestFilter, parseFilter, printFilter, readFilter,
} from './terms.ts';
export {
	type Candidate, completeFilter, type Completion, putCandidate, suggestedCandidate, type Wanted,
} from './complete.ts';
export {groupsOf, lowered, passes} from './match.ts';
