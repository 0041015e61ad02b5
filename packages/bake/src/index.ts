export { evaluateBake } from './evaluate-bake.ts';
export type { BakeFiles, BakeInput } from './evaluate-bake.ts';
export { OVERRIDE_KEYS } from './definition/overrides.ts';
export type { Resolved } from './definition/resolve.ts';
export type { TargetAttributes } from './definition/target.ts';
export { listTargets, listVariables } from './list.ts';
export { printDefinition } from './print.ts';
export { specOf } from './to-spec.ts';
export type { BakeFile } from './source.ts';
