import type { AttestationSpecs } from '@tbuild/attest';
import type { Resources } from '@tbuild/executor';
import type { GitSource } from '@tbuild/frontend';
import type { BucketSpec, ObjectPlaces } from '@tbuild/object-store';
import type { LayerCompression, Platform } from '@tbuild/oci';
import type { OutputSpec, PullPolicy } from '@tbuild/spec';
import type { SourcePolicy } from './source-policy/source-policy.ts';

/** The location of a context's files. Paths are absolute. */
export type ContextSpec =
  | {
      readonly kind: 'directory';
      readonly path: string;
      /**
       * Set for fetched files: no ignore file applies, and files keep their owners. They are kept in the store, or only
       * for this build.
       */
      readonly fetched?: 'kept' | 'once';
    }
  /** A commit of a repository, given by any of its names. */
  | ({ readonly kind: 'git' } & GitSource)
  /** An archive or, as the main context, a single Dockerfile. As a named context, the file itself. */
  | { readonly kind: 'http'; readonly url: string }
  /** A tar, compressed or not, unpacked for this build. Main context only. */
  | { readonly kind: 'archive'; readonly path: string }
  /** No files: only a Dockerfile on standard input. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'image'; readonly reference: string }
  | { readonly kind: 'layout'; readonly path: string; readonly reference: string };

/** A named context may also be another target of the same build. */
export type NamedContextSpec = ContextSpec | { readonly kind: 'target'; readonly name: string };

/** The location of the Dockerfile. */
export type DockerfileSpec =
  /** Absolute path. Undefined means `Dockerfile`, `dockerfile` or `Containerfile` in the main context. */
  | { readonly kind: 'file'; readonly path?: string }
  /** Path relative to the root of a fetched or unpacked main context. Undefined means the names above. */
  | { readonly kind: 'in-context'; readonly path?: string }
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'inline'; readonly text: string; readonly name: string };

/** One `--cache-from`. References are full, paths absolute. */
export type CacheImportSpec =
  /** A cache, or an image with an inline cache. */
  | { readonly type: 'registry'; readonly reference: string; readonly insecure?: boolean }
  | ({ readonly type: 'bucket'; readonly name: string } & BucketPlace)
  | UnknownCache
  /** The name is a tag or digest in the directory's index. */
  | { readonly type: 'local'; readonly path: string; readonly name: string };

/** One `--cache-to`. */
export type CacheExportSpec =
  | ({ readonly type: 'registry'; readonly reference: string; readonly insecure?: boolean } & CacheExportOptions)
  | ({ readonly type: 'bucket'; readonly names: readonly string[]; readonly parallelism?: number } & BucketPlace &
      CacheExportOptions)
  | UnknownCache
  | ({ readonly type: 'local'; readonly path: string; readonly tag: string } & CacheExportOptions)
  /** In the configuration of the image itself. */
  | { readonly type: 'inline' };

/** Where caches are in a bucket. */
export interface BucketPlace extends ObjectPlaces {
  readonly bucket: BucketSpec;
  /** The age in milliseconds from which a blob is made young again when an export finds it. */
  readonly touchAfter?: number;
}

/** A cache of a type that tbuild does not have. The build goes on without it. */
export interface UnknownCache {
  readonly type: 'unknown';
  readonly name: string;
}

export interface CacheExportOptions {
  /** Only the steps of the image, or those of all stages. */
  readonly mode: 'min' | 'max';
  /** Whether to include the directories of cache mounts. */
  readonly mounts: boolean;
  readonly ignoreError: boolean;
  readonly compression: LayerCompression;
  readonly compressionLevel?: number;
  readonly forceCompression: boolean;
}

/** One `--ssh`: the socket of an agent, or key files. Paths are absolute. */
export interface SshSource {
  readonly paths: readonly string[];
}

/** One `--ulimit`. -1 means unlimited. */
export interface Ulimit {
  readonly name: string;
  readonly soft: number;
  readonly hard: number;
}

/** One `--allow`: a privilege that a Dockerfile gets only if the user grants it. */
export type Entitlement = 'network.host' | 'security.insecure' | 'device' | `device=${string}`;

/** Changes of the finished image that no step makes. */
export interface ImageEdits {
  readonly env: Readonly<Record<string, string>>;
  readonly unsetEnv: readonly string[];
  readonly unsetLabels: readonly string[];
  readonly omitHistory: boolean;
  /** Annotate the image with the name and the digest of its base. */
  readonly baseAnnotations: boolean;
}

/** Everything that a build depends on, as plain data. */
export interface BuildRequest {
  readonly context: ContextSpec;
  /** `--build-context`, by name. */
  readonly namedContexts: Readonly<Record<string, NamedContextSpec>>;
  readonly dockerfile: DockerfileSpec;
  readonly target?: string;
  readonly platforms: readonly Platform[];
  /** Whether no platform was requested, so that the image takes that of its base. */
  readonly implicitPlatform: boolean;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly edits: ImageEdits;
  /** Which images, files and repositories may be read, and from where. */
  readonly sourcePolicy: SourcePolicy;
  /** The path of the ignore file of the main context, instead of its own. */
  readonly ignoreFile?: string;
  /** Full references to name the result by. */
  readonly tags: readonly string[];
  readonly outputs: readonly OutputSpec[];
  /** True for all steps, or the names of stages. */
  readonly noCache: boolean | readonly string[];
  readonly pull: PullPolicy;
  /** The age in milliseconds from which results of RUN are not used. */
  readonly cacheTtl?: number;
  /** In order of priority: the first record of a step wins. */
  readonly cacheFrom: readonly CacheImportSpec[];
  readonly cacheTo: readonly CacheExportSpec[];
  readonly jobs?: number;
  /** The network of RUN steps without `--network`. `default` is isolated where the machine allows it, `pasta` always. */
  readonly network: 'default' | 'none' | 'host' | 'pasta';
  /** `--add-host`: `name:address`. */
  readonly extraHosts: readonly string[];
  /** `--ssh`, by ID. */
  readonly ssh: Readonly<Record<string, SshSource>>;
  /** The ids of secrets whose change runs the steps again that mount them. */
  readonly rebuildSecrets: readonly string[];
  /** Size of /dev/shm in RUN steps, in bytes. Defaults to 64 MiB. */
  readonly shmSize?: number;
  /** Resource limits for processes of RUN steps. */
  readonly ulimits: readonly Ulimit[];
  /** Limits for all processes of one RUN step together. */
  readonly resources?: Resources;
  /** The parent of the cgroups of RUN steps. */
  readonly cgroupParent?: string;
  readonly allow: readonly Entitlement[];
  /** Whether owners, users and groups only appear to change in RUN. No cache elsewhere gets such steps. */
  readonly fakeIds: boolean;
  /** How many bytes of a step's output are shown. Defaults to all. */
  readonly logMax?: number;
  readonly attestations?: AttestationSpecs;
  /** Whether provenance names the git repository that a local context is in. */
  readonly gitInfo: boolean;
}
