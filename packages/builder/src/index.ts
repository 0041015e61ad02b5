export { pruneStore } from './prune.ts';
export type { Pruned, PruneOptions } from './prune.ts';
export { usedSpace } from './store-usage.ts';
export type { UsedSpace } from './store-usage.ts';
export { sweepLeftovers } from './sweep-leftovers.ts';
export { runBuild } from './build.ts';
export type { BuildResult } from './build.ts';
export type { BuildRun } from './build-run.ts';
export { checkBuild, listBuildTargets, outlineBuild } from './call.ts';
export type { CheckReport, DockerfileSource } from './call.ts';
export type {
  BuildRequest,
  CacheExportOptions,
  CacheExportSpec,
  CacheImportSpec,
  ContextSpec,
  DockerfileSpec,
  Entitlement,
  OutputSpec,
  SshSource,
  Ulimit,
} from './request.ts';
export type { Worker } from './worker.ts';
export { track } from './track.ts';
