export { filesFor } from './files-for.ts';
export { KINDS, kindsOf } from './kinds-of.ts';
export type { Kind } from './kinds-of.ts';
export { openProject } from './project.ts';
export type { Project } from './project.ts';
