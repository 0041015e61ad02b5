export type { Anticipation, Inputs, KeyParts, Loaded, Miss, Op, Prepared, ResultCache, Solved } from './op.ts';
export { openSolver } from './solve.ts';
export type { SolveOptions, Solver } from './solve.ts';
