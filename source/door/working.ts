import type {Work} from '../commands/index.ts';

/** Lets a computer work. Loaded when one does and not before. */
export const work: Work = async ({command, env, ...options}) => {
	const [{work}, {programHandler}] = await Promise.all([import('../work/work.ts'), import('../work/program.ts')]);
	const worker = work({...options, handler: programHandler({command, env, notice: options.notice}), handleSignals: true});
	await worker.done;
};
