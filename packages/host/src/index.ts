export { createOutside } from './outside.ts';
export type { Outside } from './outside.ts';
