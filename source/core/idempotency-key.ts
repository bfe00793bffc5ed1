import {InvalidInput} from './errors.ts';
import {limits} from './limits.ts';
import {quoted} from './text.ts';

/** An idempotency key, which travels as a header. @param what its name, as it begins the sentence @throws InvalidInput */
export function checkIdempotencyKey(key: unknown, what: string): string {
	if (typeof key !== 'string' || key.length > limits.idempotencyKey || !/^[!-~](?:[ -~]*[!-~])?$/.test(key)) {
		throw new InvalidInput(`${what} must be 1 to ${limits.idempotencyKey} printable ASCII characters, not ${quoted(key)}.`, {hint: 'A UUID is one.'});
	}

	return key;
}
