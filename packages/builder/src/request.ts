import type { AttestationSpecs } from '@tbuild/attest';
import type { Resources } from '@tbuild/executor';
import type { GitSource } from '@tbuild/frontend';
import type { LayerCompression, Platform } from '@tbuild/oci';
import type { OutputSpec } from '@tbuild/spec';

/** Where a context's files are. Paths are absolute. */
export type ContextSpec =
  | {
      readonly kind: 'directory';
      readonly path: string;
      /**
       * Not the user's own, but fetched: no ignore file counts, and files keep their owners. It is kept in
       * the store, or there for one build only.
       */
      readonly fetched?: 'kept' | 'once';
    }
  /** A commit of a repository; the ref may be any name of it. */
  | ({ readonly kind: 'git' } & GitSource)
  /** An archive or, as main context, a Dockerfile alone. Other named contexts show the file as it is. */
  | { readonly kind: 'http'; readonly url: string }
  /** A tar, compressed or not, unpacked for this build only. Main context only. */
  | { readonly kind: 'archive'; readonly path: string }
  /** No files at all: a Dockerfile on standard input alone. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'image'; readonly reference: string }
  | { readonly kind: 'layout'; readonly path: string; readonly reference: string };

/** Where the Dockerfile's text is. */
export type DockerfileSpec =
  /** Absolute path; undefined means `Dockerfile`, then `dockerfile`, in the main context. */
  | { readonly kind: 'file'; readonly path?: string }
  /** In a main context that is fetched or unpacked: relative to its root. */
  | { readonly kind: 'in-context'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'inline'; readonly text: string; readonly name: string };

/** One `--cache-from`. References are full, paths absolute. */
export type CacheImportSpec =
  /** A cache, or an image with an inline one. */
  | { readonly type: 'registry'; readonly reference: string }
  /** The name is a tag or digest in the directory's index. */
  | { readonly type: 'local'; readonly path: string; readonly name: string };

/** One `--cache-to`. */
export type CacheExportSpec =
  | ({ readonly type: 'registry'; readonly reference: string } & CacheExportOptions)
  | ({ readonly type: 'local'; readonly path: string; readonly tag: string } & CacheExportOptions)
  /** In the configuration of the image itself. */
  | { readonly type: 'inline' };

export interface CacheExportOptions {
  /** The steps of the image itself, or those of all stages too. */
  readonly mode: 'min' | 'max';
  /** The directories of cache mounts too. */
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

/** One `--ulimit`; -1 is no limit. */
export interface Ulimit {
  readonly name: string;
  readonly soft: number;
  readonly hard: number;
}

/** One `--allow`: what a Dockerfile may only do when the one who builds it agrees. */
export type Entitlement = 'network.host' | 'security.insecure';

/** Everything a build depends on, as plain data. */
export interface BuildRequest {
  readonly context: ContextSpec;
  /** `--build-context`, by name. */
  readonly namedContexts: Readonly<Record<string, ContextSpec>>;
  readonly dockerfile: DockerfileSpec;
  readonly target?: string;
  readonly platforms: readonly Platform[];
  /** Whether nobody asked for a platform, so that the image takes that of its base. */
  readonly implicitPlatform: boolean;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Full references to name the result by. */
  readonly tags: readonly string[];
  readonly outputs: readonly OutputSpec[];
  /** True for all steps, or the names of stages. */
  readonly noCache: boolean | readonly string[];
  /** Ask the registry again for tags that were resolved before. */
  readonly pull: boolean;
  /** In order: of several records of one step the first counts. */
  readonly cacheFrom: readonly CacheImportSpec[];
  readonly cacheTo: readonly CacheExportSpec[];
  readonly jobs?: number;
  /** The network of RUN steps that name none; `pasta` isolates the default one. */
  readonly network: 'default' | 'none' | 'host' | 'pasta';
  /** `--add-host`: `name:address`. */
  readonly extraHosts: readonly string[];
  /** `--ssh`, by id. */
  readonly ssh: Readonly<Record<string, SshSource>>;
  /** The size of /dev/shm in RUN steps, in bytes; 64 MiB when undefined. */
  readonly shmSize?: number;
  /** Limits of the processes of RUN steps. */
  readonly ulimits: readonly Ulimit[];
  /** What all processes of one RUN step may use together. */
  readonly resources?: Resources;
  /** The control group under which RUN steps get theirs. */
  readonly cgroupParent?: string;
  readonly allow: readonly Entitlement[];
  readonly attestations?: AttestationSpecs;
}
