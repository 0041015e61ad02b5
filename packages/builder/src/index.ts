export { compareImages, compareTopLayer } from './images/compare-images.ts';
export type { FileChange } from './images/compare-images.ts';
export { imageSize, layerSize } from './images/layer-size.ts';
export { loadArchive } from './images/load-archive.ts';
export type { LoadedImage } from './images/load-archive.ts';
export { mergeImages, pushMerged } from './images/merge-images.ts';
export type { MergedImages, MergeOptions } from './images/merge-images.ts';
export { pullImage } from './images/pull-image.ts';
export type { PullOptions } from './images/pull-image.ts';
export { readRemote, readRemoteImages } from './images/read-remote.ts';
export type { RemoteDocument, RemoteImage } from './images/read-remote.ts';
export { findImage, listImages, readImage } from './images/stored-images.ts';
export type { FoundImage, ListedImage, StoredImage } from './images/stored-images.ts';
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
