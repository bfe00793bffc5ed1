import type {Handler} from './handler.ts';
import {errorText} from './session.ts';

/** Finds out which contexts are kept. */
export const listContexts: Handler<'list-contexts'> = async ({world, dispatch}) => {
	try {
		dispatch({type: 'contexts', contexts: await world.contexts.list()});
	} catch (error) {
		dispatch({type: 'failed', error: errorText(error)});
	}
};

/** Makes a context current and opens it. */
export const useContext: Handler<'use-context'> = async (session, {name}) => {
	try {
		await session.world.contexts.use(name);
	} catch (error) {
		session.dispatch({type: 'failed', error: errorText(error)});
		return;
	}

	await session.open({});
};
