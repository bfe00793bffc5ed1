import path from 'node:path';

/** The folder of an embedded database: the real one, or the demo's, kept apart from it. */
export const embeddedFolder = (data: string, name: 'embedded' | 'demo'): string => path.join(data, name);
