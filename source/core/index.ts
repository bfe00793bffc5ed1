export * from './authority.ts';
export * from './errors.ts';
export * from './limits.ts';
export * from './matching.ts';
export * from './states.ts';
export * from './text.ts';
export * from './time.ts';
export * from './types.ts';
