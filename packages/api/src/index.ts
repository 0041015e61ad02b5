export { bake } from './bake.ts';
export type { BakeAnswer } from './bake.ts';
export { build, check } from './build.ts';
export type { BuildAnswer, BuildOptions } from './build.ts';
export { BuildError } from './build-error.ts';
export type {
  BakeDefinition,
  BakeTarget,
  BuildSettings,
  BuildSpec,
  CacheOptions,
  CacheSource,
  CacheTarget,
  ImageOptions,
  Isolation,
  NetworkMode,
  PullPolicy,
  OutputOptions,
  Permission,
  ProvenanceOptions,
  ResourceName,
  SbomOptions,
} from '@tbuild/spec';
export type { OnEvent, StoreOptions } from './call-program.ts';
export { diskUsage, images, prune, removeImage } from './store.ts';
export type { ImageInfo } from './store.ts';
export type { BuildResult, Pruned, PruneOptions, UsedSpace } from './answers.ts';
export type { ErrorCode, Position, SourceRange } from '@tbuild/errors';
export { TbuildError } from '@tbuild/errors';
export type { LintWarning } from '@tbuild/dockerfile';
export type { Descriptor, Digest, Platform } from '@tbuild/oci';
export type { Outcome, PlannedStep, ProgressEvent } from '@tbuild/progress';
