/** One numbered step of the schema. Never changed once released; a later one mends it. */
export type Migration = {
	number: number;
	name: string;
	/** Statements separated by semicolons, run in one transaction with `search_path` at the schema. */
	script: string;
};
