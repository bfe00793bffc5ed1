import module from 'node:module';

/**
Lets Node 22.1 and newer keep compiled code between starts (Node.js, "Module compile cache"); it saves a fifth of the processor time of a start. Older versions compile each time.
@param folder the user's own: compiled code that another user could write would run as this one
*/
export function keepCompiledCode(folder: string): void {
	const {enableCompileCache} = module as unknown as {enableCompileCache?: (folder: string) => unknown};
	enableCompileCache?.(folder);
}
