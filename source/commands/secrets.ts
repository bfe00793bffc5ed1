import {InvalidInput, Unauthenticated} from '../core/errors.ts';
import {askSecret} from './ask.ts';
import type {StandardInput} from './standard-input.ts';
import type {World} from './world.ts';

/** The environment variable of a secret: `COLONIES_ROOT_PASSWORD` for the label "Root password". */
export const variableOf = (label: string): string => `COLONIES_${label.toUpperCase().replaceAll(' ', '_')}`;

/** What a secret is asked for with, and where it may stand instead. */
type Secret = {flag: string; label: string};

/** A secret that was given: as a flag, or in the environment; undefined when it was not. */
export const givenSecret = ({env}: Pick<World, 'env'>, {label}: Pick<Secret, 'label'>, typed: string | undefined): string | undefined => {
	const kept = env[variableOf(label)];
	return typed ?? (kept === '' ? undefined : kept);
};

const isAttended = (input: StandardInput, {stderr}: World): boolean => input.isTerminal && stderr.isTTY === true;

const missing = ({flag, label}: Secret) => new Unauthenticated(`The ${label.toLowerCase()} is missing.`, {hint: `Give it in the environment variable ${variableOf(label)}, with --${flag}, or run this on a terminal, which asks for it.`});

/**
A secret that a command needs: from its flag, the environment, or whoever sits at the terminal.
@throws Unauthenticated when there is neither; ColoniesError `cancelled`
*/
export async function requireSecret(world: World, input: StandardInput, secret: Secret, typed: string | undefined): Promise<string> {
	const given = givenSecret(world, secret, typed);
	if (given !== undefined) {
		return given;
	}

	if (!isAttended(input, world)) {
		throw missing(secret);
	}

	const answer = await askSecret(input, world, secret.label);
	if (answer === '') {
		throw missing(secret);
	}

	return answer;
}

/**
The same for a secret that is new: whoever types it types it twice.
@throws InvalidInput when the two differ
*/
export async function requireNewSecret(world: World, input: StandardInput, secret: Secret, typed: string | undefined): Promise<string> {
	const isTyped = givenSecret(world, secret, typed) === undefined;
	const answer = await requireSecret(world, input, secret, typed);
	if (isTyped && await askSecret(input, world, `${secret.label} again`) !== answer) {
		throw new InvalidInput('The two differ; nothing was changed.', {hint: 'Type the same twice.'});
	}

	return answer;
}

export const rootPassword: Secret = {flag: 'rootpassword', label: 'Root password'};
