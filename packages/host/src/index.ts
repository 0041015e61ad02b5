export { createOutside } from './outside.ts';
export type { Outside, OutsideOptions, OutsidePlace, OutsideResult } from './outside.ts';
