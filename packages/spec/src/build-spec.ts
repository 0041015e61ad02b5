import type { CacheSource, CacheTarget } from './cache-options.ts';
import type { OutputOptions } from './output-options.ts';

/**
 * What to build, as plain data that survives JSON. The command line, programs and build files each produce one. Every
 * field is an option of `tbuild build` and means the same. Paths are relative to the working directory. Where an option
 * takes a list of settings (`type=oci,dest=app.tar`), a field takes that text or an object. Only the context is needed.
 */
export interface BuildSpec {
  /** A directory, or the URL of a git repository or an archive. On the command line, `-` is standard input. */
  readonly context: string;
  /** A path or URL, or the text itself. Defaults to `Dockerfile` in the context. On the command line, `-` is standard input. */
  readonly dockerfile?: string | { readonly text: string };
  /** The ignore file to use instead of the one beside the Dockerfile or in the context. */
  readonly ignoreFile?: string;
  /** A source policy of BuildKit: a JSON file that allows, denies and converts the sources of the build. */
  readonly sourcePolicy?: string;
  /**
   * Other contexts by name: a path, a git repository, a URL, `docker-image://REF`, `oci-layout://DIR[:TAG]`, or an image of an
   * engine, `docker-daemon://REF` or `containers-storage://REF`.
   */
  readonly contexts?: Readonly<Record<string, string>>;
  /** The stage to build instead of the last one. */
  readonly target?: string;
  /** Platforms such as `linux/arm64`; several make an index. */
  readonly platforms?: readonly string[];
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** Annotations by name. The name may say where they belong: `index:org.example.name`. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Annotate the image with the name and the digest of its base. */
  readonly baseAnnotations?: boolean;
  /** Variables that are added to the finished image; steps do not see them. */
  readonly env?: Readonly<Record<string, string>>;
  /** Variables and labels that are removed from the finished image, also those of its base. */
  readonly unsetEnv?: readonly string[];
  readonly unsetLabels?: readonly string[];
  /** Leave the history out of the image. */
  readonly omitHistory?: boolean;
  /** Names for the image. */
  readonly tags?: readonly string[];
  /** Where the result goes. Defaults to the store. */
  readonly outputs?: readonly (OutputOptions | string)[];
  /** Lower the times of files in new layers to `SOURCE_DATE_EPOCH` in all outputs that are images. */
  readonly rewriteTimestamp?: boolean;
  /** Push to the registries of the image's names. */
  readonly push?: boolean;
  /** Load into Docker, or into Podman where no Docker runs. */
  readonly load?: boolean;
  /** Ignore the cache: true for all steps, or the names of stages. */
  readonly noCache?: boolean | readonly string[];
  /** Run the RUN steps again that ran longer ago, such as `168h`. */
  readonly cacheTtl?: string;
  /** When to ask registries for base images. Defaults to `newer`; true means `always`. */
  readonly pull?: boolean | PullPolicy;
  readonly cacheFrom?: readonly (CacheSource | string)[];
  readonly cacheTo?: readonly (CacheTarget | string)[];
  /** How many steps may run at once. Defaults to as many as the graph allows. */
  readonly jobs?: number;
  /** The network of RUN steps. `default` is isolated where the machine allows it, `pasta` always. */
  readonly network?: NetworkMode;
  /** Lines for /etc/hosts of RUN steps, `NAME:ADDRESS`. */
  readonly extraHosts?: readonly string[];
  /** For RUN --mount=type=ssh, by id: the user's agent (true), its socket, or key files. */
  readonly ssh?: Readonly<Record<string, true | string | readonly string[]>>;
  /** The ids of secrets whose change runs the steps again that mount them. */
  readonly rebuildSecrets?: readonly string[];
  /** The size of /dev/shm in RUN steps: bytes, or a size with a unit such as `128m`. */
  readonly shmSize?: number | string;
  /** Limits of the processes of RUN steps by name: both limits, or `SOFT:HARD`; -1 is no limit. */
  readonly ulimits?: Readonly<Record<string, number | string | { readonly soft: number; readonly hard: number }>>;
  /** What each RUN step may use, by the names of `--resource`. */
  readonly resources?: Readonly<Partial<Record<ResourceName, number | string>>>;
  /** The control group under which RUN steps get their own. */
  readonly cgroupParent?: string;
  /** What the Dockerfile and the outputs may do that is refused otherwise. */
  readonly allow?: readonly Permission[];
  /** Let changes of owners, users and groups in RUN succeed without effect, where only one id is available. */
  readonly fakeIds?: boolean;
  /** Attest how the image was built: true, or the options of `--provenance`. */
  readonly provenance?: boolean | string | ProvenanceOptions;
  /** Attest which packages the image holds: true, or the options of `--sbom`. */
  readonly sbom?: boolean | string | SbomOptions;
  /** How much of the output of each step is shown: bytes, or a size such as `2m`. The end of a failed step always is. */
  readonly logMax?: number | string;
  /** The build fails when it takes longer than this, such as `10m`. */
  readonly timeout?: string;
}

/** How to build, as opposed to what: the result is the same with other settings. */
export interface BuildSettings {
  /** The store's directory. Defaults to the one that the command line uses. */
  readonly root?: string;
  /** How RUN steps are isolated. */
  readonly isolation?: Isolation;
  /** Registries that may be spoken to without TLS, or with a certificate that nobody trusts. */
  readonly insecureRegistries?: readonly string[];
  /** Where to look for images first: `HOST` for those of Docker Hub, `REGISTRY=MIRROR`. */
  readonly registryMirrors?: readonly string[];
  /** Look for images that have mirrors nowhere else. */
  readonly mirrorsOnly?: boolean;
  /** Files with certificates of authorities (PEM) that connections and RUN steps trust; no image or key has them. */
  readonly ca?: readonly string[];
  /** Where CDI specifications of devices are. Defaults to `/etc/cdi`, `/var/run/cdi` and `/etc/buildkit/cdi`. */
  readonly cdiSpecDirs?: readonly string[];
  /** Certificates of registries by their `HOST[:PORT]`: files in PEM. */
  readonly registryCertificates?: Readonly<Record<string, CertificateFiles>>;
  /** What unpacking a layer or an archive may take: `size=500gb,entries=20m,free=1gb`. */
  readonly unpackLimits?: string;
  /** Ask again where a server sends fewer bytes a second, for longer than a time: `1kib/30s` by default, `0` for never. */
  readonly minDownloadRate?: string;
  /** Give up on a server that is silent for so long: `2m` by default. */
  readonly serverTimeout?: string;
}

/** Files in PEM: certificates that are trusted for a registry, and the client's own with its key. */
export interface CertificateFiles {
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
}

/**
 * When to ask the registry of a base image: `newer` whether the tag changed, and it uses the known image if there is no
 * answer; `missing` only for an unknown image; `never`; `always`, also for images that were built, loaded or pulled here.
 */
export type PullPolicy = 'newer' | 'missing' | 'never' | 'always';

export type NetworkMode = 'default' | 'none' | 'host' | 'pasta';

export type Isolation = 'auto' | 'namespace' | 'oci' | 'chroot';

/** What a user may allow: the last one to outputs, the others to RUN steps. */
export type Permission = 'network.host' | 'security.insecure' | 'device' | `device=${string}` | 'buildx.local.delete';

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

/** The options of `--provenance`. */
export interface ProvenanceOptions {
  readonly mode?: 'min' | 'max';
  readonly version?: 'v0.2' | 'v1';
  readonly 'builder-id'?: string;
  readonly filename?: string;
  readonly reproducible?: boolean;
  readonly 'inline-only'?: boolean;
}

/** The options of `--sbom`: the image of a scanner, and parameters for it. */
export interface SbomOptions {
  readonly generator: string;
  readonly [parameter: string]: string;
}
