import {NotFound} from '../../core/errors.ts';
import type {Id} from '../../core/types.ts';
import {noteKey, noteName} from '../../keychain/index.ts';
import {type AnyOperation, operations} from '../../operations/index.ts';
import {sendForm} from '../send-form.ts';
import type {ErrorText} from '../state.ts';
import type {Handler} from './handler.ts';
import {loadKnown} from './known.ts';
import {errorText, type Session} from './session.ts';

/** What went wrong with a change, for whoever has left meanwhile. */
export type Failure = ErrorText | undefined;

/** Does something and says how it went, to the form that describes it if there is one. */
async function attempt({dispatch}: Session, deed: () => Promise<string>, {fromForm}: {fromForm?: true} = {}): Promise<Failure> {
	try {
		dispatch({type: fromForm ? 'form-done' : 'done', text: await deed()});
	} catch (error) {
		const failure = errorText(error);
		dispatch({type: fromForm ? 'form-failed' : 'failed', error: failure});
		return failure;
	}

	return undefined;
}

/** As a handler, with what went wrong. */
type Change<Type extends Parameters<Handler<any>>[1]['type']> = (...parameters: Parameters<Handler<Type>>) => Promise<Failure>;

/** Carries out a deed. */
export const runDeed: Change<'run'> = async (session, {deed: {operation, input, as, done, fromForm}}) => attempt(session, async () => {
	const result = await session.context.run(await session.callerOf(as), operation, input);
	const {renames, rekeys, tells} = operations[operation] as AnyOperation;
	const notices: string[] = [];
	const notice = (sentence: string): void => {
		notices.push(sentence);
	};

	if (renames !== undefined) {
		await noteName(session.keychain, input[renames] as Id, input.name as string, notice);
		await loadKnown(session);
	}

	if (rekeys !== undefined) {
		await noteKey(session.keychain, result, notice);
		await loadKnown(session);
	}

	return [done ?? tells?.(result) ?? `Done: ${operation}.`, ...notices].join(' ');
}, {fromForm});

/** Takes a key out of the keychain. */
export const forgetKey: Change<'forget-key'> = async (session, {id}) => attempt(session, async () => {
	if (!await session.keychain.remove(id)) {
		throw new NotFound('The key was not in the keychain any more.');
	}

	await loadKnown(session);
	return 'Removed the key.';
});

/** Does what a form says. */
export const sendsForm: Change<'send-form'> = async (session, {purpose, values}, state) => {
	const notices: string[] = [];
	const {world, keychain, root, dispatch, openContext} = session;
	try {
		const {said, select, made} = await sendForm(purpose, values, {
			world, state, keychain, root, context: openContext,
			caller: async acting => session.callerOf(acting),
			unlock(password) {
				session.root = password;
				dispatch({type: 'root-unlocked'});
			},
			reopen(choice) {
				void session.open(choice);
			},
			notice(notice) {
				notices.push(notice);
			},
		});
		if (select) {
			// First, so that the form gives way to what it has made.
			await loadKnown(session, select);
		}

		dispatch({type: 'form-done', text: [said, ...notices].join(' '), made});
		return undefined;
	} catch (error) {
		const failure = errorText(error);
		const complete = {...failure, hint: [failure.hint, ...notices].filter(Boolean).join(' ') || undefined};
		dispatch({type: 'form-failed', error: complete});
		return complete;
	}
};
