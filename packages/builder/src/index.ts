export { runBuild, runBuilds } from './build.ts';
export type { BuildResult } from './build-result.ts';
export type { BuildRun } from './build-run.ts';
export type { BuildTarget } from './build-target.ts';
export { readCdiDevices } from './devices/cdi-devices.ts';
export { runShell } from './debug/run-shell.ts';
export type { ShellPlace } from './debug/run-shell.ts';
export { checkBuild, listBuildTargets, outlineBuild } from './plan/call.ts';
export type { CheckReport } from './plan/call.ts';
export { DEFAULT_NAMES } from './plan/load-dockerfile.ts';
export type { CallRun } from './plan/open-call.ts';
export type {
  BucketPlace,
  BuildRequest,
  CacheExportOptions,
  CacheExportSpec,
  CacheImportSpec,
  ContextSpec,
  Entitlement,
  ImageEdits,
  NamedContextSpec,
  SshSource,
  Ulimit,
} from './request.ts';
export type { Services } from './services.ts';
export { fetchFiles } from './session/fetch-files.ts';
export type { PolicyRule, SourcePolicy } from './source-policy/source-policy.ts';
export { track } from './track.ts';
