export { type CooperativeTask, runCooperatively, runSync } from './cooperative.ts';
