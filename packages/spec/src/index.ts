export type { BakeDefinition, BakeTarget } from './bake-definition.ts';
export type {
  BuildSettings,
  BuildSpec,
  CertificateFiles,
  Isolation,
  NetworkMode,
  Permission,
  ProvenanceOptions,
  PullPolicy,
  ResourceName,
  SbomOptions,
} from './build-spec.ts';
export type { CacheOptions, CacheSource, CacheTarget } from './cache-options.ts';
export type { Annotation, ImageFormat, StoredNames } from './image-format.ts';
export type { ImageOptions, OutputOptions } from './output-options.ts';
export type { OutputSpec } from './output-spec.ts';
