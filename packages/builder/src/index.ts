export { takeLease } from './lease.ts';
export type { Lease } from './lease.ts';
export { pruneStore } from './prune.ts';
export type { PruneOptions } from './prune.ts';
export { readStored } from './stored-document.ts';
export { runBuild } from './build.ts';
export type { BuildResult, BuildRun } from './build.ts';
export type { BuildRequest, ContextSpec, DockerfileSpec, OutputSpec } from './request.ts';
export type { Worker } from './worker.ts';
