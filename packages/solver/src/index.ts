export type { Anticipation, Inputs, KeyParts, Miss, Op, ResultCache, Solved } from './op.ts';
export { openSolver } from './solve.ts';
