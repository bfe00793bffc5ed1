import {InvalidInput, toColoniesError, Unauthenticated} from '../core/errors.ts';
import {limits} from '../core/limits.ts';
import type {Caller} from '../operations/broker.ts';
import {isShort, isWithoutRoot, shortWarning} from '../operations/root-password.ts';
import {askSecret} from './ask.ts';
import {say} from './output.ts';
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

/** Whether there is somebody to ask. */
export const isAttended = (input: StandardInput, {stderr}: World): boolean => input.isTerminal && stderr.isTTY === true;

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
	if (isTyped) {
		await confirmSecret(world, input, secret, answer);
	} else if (isShort(answer)) {
		await say(world, shortWarning);
	}

	return answer;
}

/** Asks again for a secret that was typed and is new. @throws InvalidInput when the two differ, or it is too short */
async function confirmSecret(world: World, input: StandardInput, {label}: Secret, typed: string): Promise<void> {
	if (isShort(typed)) {
		throw new InvalidInput(`The ${label.toLowerCase()} has fewer than ${limits.rootPasswordLength} characters; nothing was changed.`, {hint: 'This password can remove every colony: choose a longer one.'});
	}

	if (await askSecret(input, world, `${label} again`) !== typed) {
		throw new InvalidInput('The two differ; nothing was changed.', {hint: 'Type the same twice.'});
	}
}

export const rootPassword: Secret = {flag: 'rootpassword', label: 'Root password'};

/** Root, by the password that was given or is typed. One that was typed once does not become the first one of an installation. @throws Unauthenticated, ColoniesError `cancelled` */
export async function rootCaller(world: World, input: StandardInput, typed: string | undefined): Promise<Extract<Caller, {root: string}>> {
	const root = await requireSecret(world, input, rootPassword, typed);
	return givenSecret(world, rootPassword, typed) === undefined ? {root, mustBeKept: true} : {root};
}

/** Does something as root, and where no root password is set yet, once more with the one that was typed, when it is typed again. @throws ColoniesError */
export async function withFirstRoot<Who extends Caller, Result>(world: World, input: StandardInput, caller: Who, work: (caller: Who) => Promise<Result>): Promise<Result> {
	try {
		return await work(caller);
	} catch (error) {
		if (!('root' in caller) || caller.mustBeKept !== true || !isWithoutRoot(toColoniesError(error))) {
			throw error;
		}

		await say(world, 'There is no root password yet; this one becomes it.');
		await confirmSecret(world, input, rootPassword, caller.root);
		return work({...caller, mustBeKept: false});
	}
}
