export type { Inputs, KeyParts, Op, Prepared, ResultCache, Solved } from './op.ts';
export { solve } from './solve.ts';
export type { SolveOptions } from './solve.ts';
