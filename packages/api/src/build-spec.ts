/**
 * What to build, as plain data: the options of the command line by their names, and read as those are. Paths are
 * relative to the working directory. Only the context is needed.
 */
export interface BuildSpec {
  /** A directory, the URL of a git repository or of an archive. */
  readonly context: string;
  /** A path or URL, or the text itself; `Dockerfile` in the context unless given. */
  readonly dockerfile?: string | { readonly text: string };
  /** Other contexts by name: a path, a git repository, a URL, `docker-image://REF`, `oci-layout://DIR[:TAG]`. */
  readonly contexts?: Readonly<Record<string, string>>;
  /** The stage to build instead of the last one. */
  readonly target?: string;
  /** Such as `linux/arm64`; several make an index. */
  readonly platforms?: readonly string[];
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** By name, which may say where they belong: `index:org.example.name`. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Names for the image. */
  readonly tags?: readonly string[];
  /** Where the result goes; into the store unless given. */
  readonly outputs?: readonly (OutputOptions | string)[];
  /** To the registries of its names. */
  readonly push?: boolean;
  /** Into Docker, or Podman where no Docker runs. */
  readonly load?: boolean;
  /** True for all steps, or the names of stages. */
  readonly noCache?: boolean | readonly string[];
  /** Ask registries again for tags that were resolved before. */
  readonly pull?: boolean;
  readonly cacheFrom?: readonly (CacheSource | string)[];
  readonly cacheTo?: readonly (CacheTarget | string)[];
  /** How many steps may run at once; as many as the graph allows unless given. */
  readonly jobs?: number;
  /** The network of RUN steps; `pasta` is isolated by passt. */
  readonly network?: 'default' | 'none' | 'host' | 'pasta';
  /** Lines for /etc/hosts of RUN steps, `NAME:ADDRESS`. */
  readonly extraHosts?: readonly string[];
  /** For RUN --mount=type=ssh, by id: the user's agent (true), its socket, or keys. */
  readonly ssh?: Readonly<Record<string, true | string | readonly string[]>>;
  /** The size of /dev/shm in RUN steps: bytes, or with a unit, `128m`. */
  readonly shmSize?: number | string;
  /** Limits of the processes of RUN steps by name; a number is both limits. */
  readonly ulimits?: Readonly<Record<string, number | { readonly soft: number; readonly hard: number }>>;
  /** What each RUN step may use, by the names of `--resource`. */
  readonly resources?: Readonly<Partial<Record<ResourceName, number | string>>>;
  /** The control group under which RUN steps get their own. */
  readonly cgroupParent?: string;
  /** What the Dockerfile and the outputs may do more. */
  readonly allow?: readonly ('network.host' | 'security.insecure' | 'buildx.local.delete')[];
  /** Tell with the image how it was built: true, or options as `--provenance` has them. */
  readonly provenance?: boolean | ProvenanceOptions;
  /** Tell with the image which packages it has: true, or options as `--sbom` has them. */
  readonly sbom?: boolean | { readonly generator: string; readonly [parameter: string]: string };
  /** The build fails when it takes longer, such as `10m`. */
  readonly timeout?: string;
}

/** What a RUN step uses of the machine; sizes are bytes, or have a unit. */
export type ResourceName =
  | 'memory'
  | 'memory-swap'
  | 'cpus'
  | 'cpu-shares'
  | 'cpu-period'
  | 'cpu-quota'
  | 'cpuset-cpus'
  | 'cpuset-mems'
  | 'pids';

/** One output; the options are those of `--output`. */
export type OutputOptions =
  | ({
      readonly type: 'image' | 'registry';
      readonly push?: boolean;
      readonly store?: boolean;
      readonly 'push-by-digest'?: boolean;
      readonly 'registry.insecure'?: boolean;
      readonly 'name-canonical'?: boolean;
      readonly 'dangling-name-prefix'?: string;
      readonly 'dangling-name-empty-only'?: boolean;
    } & ImageOptions)
  /** An archive; without `dest` the image is loaded into an engine. */
  | ({ readonly type: 'docker'; readonly dest?: string; readonly context?: string } & ImageOptions)
  /** An archive, or a directory unless `tar`. */
  | ({ readonly type: 'oci'; readonly dest: string; readonly tar?: boolean } & ImageOptions)
  | {
      readonly type: 'tar' | 'local';
      readonly dest: string;
      readonly mode?: 'copy' | 'delete';
      readonly 'platform-split'?: boolean;
      readonly 'attestation-prefix'?: string;
    }
  | { readonly type: 'cacheonly' };

/** How an output that is an image is written down. */
export interface ImageOptions {
  /** Instead of the tags. */
  readonly name?: string | readonly string[];
  readonly compression?: 'uncompressed' | 'gzip' | 'zstd';
  readonly 'compression-level'?: number;
  readonly 'force-compression'?: boolean;
  readonly 'oci-mediatypes'?: boolean;
  readonly 'oci-artifact'?: boolean;
  readonly 'rewrite-timestamp'?: boolean;
  readonly [annotation: `annotation${string}`]: string;
}

/** A cache to take steps from; the options are those of `--cache-from`. */
export type CacheSource =
  | { readonly type: 'registry'; readonly ref: string }
  | { readonly type: 'local'; readonly src: string; readonly tag?: string; readonly digest?: string };

/** A cache to save the steps in; the options are those of `--cache-to`. */
export type CacheTarget =
  | ({ readonly type: 'registry'; readonly ref: string } & CacheOptions)
  | ({ readonly type: 'local'; readonly dest: string; readonly tag?: string } & CacheOptions)
  | { readonly type: 'inline' };

/** How a cache is saved. */
export interface CacheOptions {
  readonly mode?: 'min' | 'max';
  readonly mounts?: boolean;
  readonly 'ignore-error'?: boolean;
  readonly compression?: 'uncompressed' | 'gzip' | 'zstd';
  readonly 'compression-level'?: number;
  readonly 'force-compression'?: boolean;
}

/** The options of `--provenance`. */
export interface ProvenanceOptions {
  readonly mode?: 'min' | 'max';
  readonly version?: 'v0.2' | 'v1';
  readonly 'builder-id'?: string;
  readonly filename?: string;
  readonly reproducible?: boolean;
  readonly 'inline-only'?: boolean;
}
