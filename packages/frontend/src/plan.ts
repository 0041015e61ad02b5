import type { LintWarning } from '@tbuild/dockerfile';
import type { SourceRange } from '@tbuild/errors';
import type { GitOp, GraphBuilder, HttpOp, ImageSource, StepId } from '@tbuild/graph';
import type { Digest, HistoryEntry, ImageConfig, Platform, RuntimeConfig } from '@tbuild/oci';

/** A request for an image: its name, origin and platform. */
export interface ImageRequest {
  /** As written after expansion, e.g. `busybox` or `127.0.0.1:5000/app:1`; a tag or digest for a layout. */
  readonly reference: string;
  readonly source: AskedSource;
  readonly platform: Platform;
}

/** Where to look for an image: also in an engine of the user, from which it comes into the store. */
export type AskedSource = ImageSource | { readonly kind: 'engine'; readonly engine: EngineKind };

/** The engines by the names of their transports. */
export type EngineKind = 'docker-daemon' | 'containers-storage';

/** The parts of a base image that planning needs. They take none of its layers. */
export interface ResolvedImage {
  /** The full reference with digest, e.g. `docker.io/library/busybox:latest@sha256:…`. */
  readonly reference: string;
  readonly source: ImageSource;
  readonly manifest: Digest;
  readonly config: ImageConfig;
}

/** @throws TbuildError NOT_FOUND, UNAUTHORIZED, REGISTRY or UNSUPPORTED. */
export type ResolveImage = (request: ImageRequest, signal: AbortSignal) => Promise<ResolvedImage>;

/**
 * The value of `--build-context name=…`. `files` names a context of the request; `target` is another target of the same
 * graph, with its plan for each platform.
 */
export type NamedContext =
  | { readonly kind: 'files'; readonly context: string }
  /** Fetched by a step with the name `title`. */
  | { readonly kind: 'remote'; readonly op: GitOp | HttpOp; readonly title: string }
  | { readonly kind: 'image'; readonly reference: string }
  | { readonly kind: 'layout'; readonly path: string; readonly reference: string }
  | { readonly kind: 'target'; readonly name: string; readonly plans: readonly Plan[] };

export interface PlanOptions {
  /** The name of a stage in any case; the last stage when undefined. */
  readonly target?: string;
  readonly platform: Platform;
  /** True if the user named no platform: the image takes the platform of its base. */
  readonly implicitPlatform?: boolean;
  /** Puts the platform into the names of the steps, as in builds for several platforms. */
  readonly showPlatform?: boolean;
  /** The network of RUN steps without `--network`. */
  readonly network?: 'default' | 'none' | 'host';
  readonly buildPlatform: Platform;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** True for every step, or the names of stages. */
  readonly noCache: boolean | readonly string[];
  /** Overrides stages and images, by their name in the Dockerfile. Does not hold the main context. */
  readonly contexts: Readonly<Record<string, NamedContext>>;
  readonly resolveImage: ResolveImage;
  /** Returns whether the ignore file excludes a path of the main context, for a warning. */
  readonly isIgnored?: (path: string) => boolean;
  /** Called for each warning at once, even if planning fails afterwards. */
  readonly onWarning?: (warning: LintWarning) => void;
  /** Plans every stage, as checks do: unneeded stages have steps too, and their errors fail the plan. */
  readonly allStages?: boolean;
  /** Receives the steps. Several platforms share it. */
  readonly graph: GraphBuilder;
  readonly signal: AbortSignal;
}

/** An entry of the image's history and the step of its layer; no step for an empty layer. */
export interface PlannedHistory {
  readonly createdBy: string;
  readonly step?: StepId;
}

/** A secret or an agent that a RUN asks for. */
export interface DeclaredMount {
  readonly type: 'secret' | 'ssh';
  readonly name: string;
  readonly required: boolean;
  readonly location: SourceRange;
}

/** A tree that an SBOM describes besides that of the image. */
export interface ScanTarget {
  /** `context`, or the name of a stage. */
  readonly name: string;
  readonly step: StepId;
}

/** The plan of a build for one platform, as plain data. */
export interface Plan {
  readonly platform: Platform;
  /** The step with the image's tree; undefined for an image without layers. */
  readonly target?: StepId;
  /** The base image's layers and history, if the target has a base image. */
  readonly base?: {
    readonly step?: StepId;
    readonly history: readonly HistoryEntry[];
    readonly diffIds: readonly Digest[];
  };
  readonly config: RuntimeConfig;
  readonly author?: string;
  /** The entries that this Dockerfile adds to the base's history, in order. */
  readonly history: readonly PlannedHistory[];
  /** The warnings of parsing and planning. */
  readonly warnings: readonly LintWarning[];
  /** The broken rules that fail the build after the warnings are shown; empty unless `# check=error=true`. */
  readonly violations: readonly string[];
  /** The ARGs of each stage with their values, after those of its base stage. */
  readonly declaredArgs: readonly { readonly stage: string; readonly name: string; readonly value?: string }[];
  /** The secrets and agents of each stage, in the order of its RUN steps. */
  readonly declaredMounts: readonly ({ readonly stage: string } & DeclaredMount)[];
  /** The trees that an SBOM describes besides the image. Their steps are in the graph, but the image may not need them. */
  readonly scans: readonly ScanTarget[];
  /**
   * `NAME=value` of the proxy build arguments, in both cases. RUN processes get those that their own environment does
   * not set. They are in no step's key.
   */
  readonly proxyEnv: readonly string[];
}
