export { abortable } from './abortable.ts';
export { type CooperativeTask, runCooperatively, runSync } from './cooperative.ts';
export { getOrMake } from './get-or-make.ts';
export { lazily } from './lazily.ts';
export { createLocks, type Locks } from './locks.ts';
