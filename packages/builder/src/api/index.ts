export { build } from './build.ts';
export type { BuildAnswer, BuildOptions, StoreOptions } from './build.ts';
export { BuildError } from './build-error.ts';
export type {
  BuildSpec,
  CacheOptions,
  CacheSource,
  CacheTarget,
  ImageOptions,
  OutputOptions,
  ProvenanceOptions,
  ResourceName,
} from './build-spec.ts';
export type { CallOptions, OnEvent } from './call-program.ts';
export type { BuildResult } from '../build.ts';
export type { ErrorCode, Position, SourceRange } from '@tbuild/errors';
export { TbuildError } from '@tbuild/errors';
export type { LintWarning } from '@tbuild/dockerfile';
export type { Descriptor, Digest, Platform } from '@tbuild/oci';
export type { Outcome, PlannedStep, ProgressEvent } from '@tbuild/progress';
