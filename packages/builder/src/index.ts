export { runBuild } from './build.ts';
export type { BuildResult } from './build-result.ts';
export type { BuildRun } from './build-run.ts';
export { checkBuild, listBuildTargets, outlineBuild } from './plan/call.ts';
export type { CheckReport, DockerfileSource } from './plan/call.ts';
export type {
  BuildRequest,
  CacheExportOptions,
  CacheExportSpec,
  CacheImportSpec,
  ContextSpec,
  DockerfileSpec,
  Entitlement,
  SshSource,
  Ulimit,
} from './request.ts';
export type { Services } from './services.ts';
export { track } from './track.ts';
