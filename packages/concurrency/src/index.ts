export { abortable } from './abortable.ts';
export { type CooperativeTask, runCooperatively, runSync } from './cooperative.ts';
export { getOrMake } from './get-or-make.ts';
export { createLocks, type Locks } from './locks.ts';
