import type { LintWarning } from '@tbuild/dockerfile';
import type { GitOp, GraphBuilder, HttpOp, ImageSource, StepId } from '@tbuild/graph';
import type { Digest, HistoryEntry, ImageConfig, Platform, RuntimeConfig } from '@tbuild/oci';

/** Which image is wanted, from where and for which platform. */
export interface ImageRequest {
  /** As written after expansion, e.g. `busybox` or `127.0.0.1:5000/app:1`; a tag or digest for a layout. */
  readonly reference: string;
  readonly source: ImageSource;
  readonly platform: Platform;
}

/** What planning needs to know of a base image; nothing of its layers is fetched for that. */
export interface ResolvedImage {
  /** Full reference with digest, e.g. `docker.io/library/busybox:latest@sha256:…`. */
  readonly reference: string;
  readonly source: ImageSource;
  readonly manifest: Digest;
  readonly config: ImageConfig;
}

/** @throws TbuildError NOT_FOUND, UNAUTHORIZED, REGISTRY or UNSUPPORTED. */
export type ResolveImage = (request: ImageRequest, signal: AbortSignal) => Promise<ResolvedImage>;

/** What `--build-context name=…` means. `files` is a context of the request, by name. */
export type NamedContext =
  | { readonly kind: 'files'; readonly context: string }
  /** Fetched by a step; `title` is what the step is called. */
  | { readonly kind: 'remote'; readonly op: GitOp | HttpOp; readonly title: string }
  | { readonly kind: 'image'; readonly reference: string }
  | { readonly kind: 'layout'; readonly path: string; readonly reference: string };

export interface PlanOptions {
  /** Stage name, in any case; the last stage when undefined. */
  readonly target?: string;
  readonly platform: Platform;
  /** The user named no platform: the image has the platform of its base, whatever that is. */
  readonly implicitPlatform?: boolean;
  /** Put the platform into the names of the steps, as builds for several platforms do. */
  readonly showPlatform?: boolean;
  /** The network of RUN steps that name none. */
  readonly network?: 'default' | 'none' | 'host';
  readonly buildPlatform: Platform;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** True for every step, or the names of the stages. */
  readonly noCache: boolean | readonly string[];
  /** By the name that the Dockerfile uses: overrides stages and images. The main context is not in here. */
  readonly contexts: Readonly<Record<string, NamedContext>>;
  readonly resolveImage: ResolveImage;
  /** Whether the ignore file leaves a path of the main context out, for a warning. */
  readonly isIgnored?: (path: string) => boolean;
  /** Told of each warning as it is found, so that it is known when planning fails afterwards. */
  readonly onWarning?: (warning: LintWarning) => void;
  /** Look at every stage, as checks do: unneeded ones have steps too, and fail the plan when they are wrong. */
  readonly allStages?: boolean;
  /** Where the steps go; several platforms share one. */
  readonly graph: GraphBuilder;
  readonly signal: AbortSignal;
}

/** An entry of the image's history and the step that makes its layer, none for an empty layer. */
export interface PlannedHistory {
  readonly createdBy: string;
  readonly step?: StepId;
}

/** A tree that an SBOM tells of beside that of the image. */
export interface ScanTarget {
  /** `context`, or the name of a stage. */
  readonly name: string;
  readonly step: StepId;
}

/** What a build will do, for one platform: plain data. */
export interface Plan {
  readonly platform: Platform;
  /** The step whose tree is the image's; undefined for an image without layers. */
  readonly target?: StepId;
  /** The base image's own layers and history, when the target stands on one. */
  readonly base?: {
    readonly step?: StepId;
    readonly history: readonly HistoryEntry[];
    readonly diffIds: readonly Digest[];
  };
  readonly config: RuntimeConfig;
  readonly author?: string;
  /** What this Dockerfile adds to the base's history, in order. */
  readonly history: readonly PlannedHistory[];
  /** What parsing and planning warn about. */
  readonly warnings: readonly LintWarning[];
  /** The broken rules that fail the build once the warnings are shown: none unless `# check=error=true`. */
  readonly violations: readonly string[];
  /** Each stage's ARGs with their values, those of the stage below first. */
  readonly declaredArgs: readonly { readonly stage: string; readonly name: string; readonly value?: string }[];
  /** What an SBOM tells of beside the image; their steps are in the graph, but the image does not need them all. */
  readonly scans: readonly ScanTarget[];
  /**
   * `NAME=value` of the proxy build arguments, in both cases. RUN processes get those that their own
   * environment does not set; no step's key counts them.
   */
  readonly proxyEnv: readonly string[];
}
