import {ColoniesError, toColoniesError} from '../core/errors.ts';

/** Does the same for each of a list. What is thrown says which of them is meant, where there are several. @throws ColoniesError */
export function numbered<Item, Result>(items: readonly Item[], work: (item: Item) => Result): Result[] {
	return items.map((item, index) => {
		try {
			return work(item);
		} catch (error) {
			const {code, message, hint} = toColoniesError(error);
			throw items.length === 1 ? error : new ColoniesError(code, `Of the ${items.length}, number ${index + 1}: ${message}`, {hint, cause: error});
		}
	});
}
