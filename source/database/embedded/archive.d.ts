/** All files and folders below a folder, as a gzipped tar archive. */
export declare function pack(folder: string): Buffer;

/** Puts what such an archive has into a folder, which is made. */
export declare function unpack(file: string, folder: string): void;
