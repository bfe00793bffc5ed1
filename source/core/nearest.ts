/** How many letters to add, leave out, replace or swap with a neighbour to make one word of another. */
export function distance(one: string, other: string): number {
	const rows = Array.from({length: one.length + 1}, (_, row) => Array.from({length: other.length + 1}, (_, column) => row === 0 ? column : (column === 0 ? row : 0)));
	for (let row = 1; row <= one.length; row++) {
		for (let column = 1; column <= other.length; column++) {
			const same = one[row - 1] === other[column - 1];
			const swapped = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
			rows[row]![column] = Math.min(
				rows[row - 1]![column]! + 1,
				rows[row]![column - 1]! + 1,
				rows[row - 1]![column - 1]! + (same ? 0 : 1),
				swapped ? rows[row - 2]![column - 2]! + 1 : Number.POSITIVE_INFINITY,
			);
		}
	}

	return rows[one.length]![other.length]!;
}

/** The candidate that was most likely meant; undefined when none is near. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
	const typed = word.toLowerCase().slice(0, 40);
	const allowed = typed.length <= 4 ? 1 : (typed.length < 8 ? 2 : 3);
	const begins = typed.length > 1 ? candidates.filter(candidate => candidate.startsWith(typed)) : [];
	const [best] = candidates.map(candidate => ({candidate, away: distance(typed, candidate)})).sort((a, b) => a.away - b.away);
	return best && best.away <= allowed ? best.candidate : begins[0];
}

/** What to say of a name that is not among those that are known, one sentence. */
export function suggestion(name: string, known: readonly string[]): string {
	const meant = nearest(name, known);
	return meant === undefined ? (known.length === 0 ? 'None is expected.' : `Known: ${known.join(', ')}.`) : `Did you mean ${meant}?`;
}
