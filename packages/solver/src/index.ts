export type { Inputs, KeyParts, Loaded, Op, Prepared, ResultCache, Solved } from './op.ts';
export { solve } from './solve.ts';
export type { SolveOptions } from './solve.ts';
