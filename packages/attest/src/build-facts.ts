import type { GitOp, Graph, HttpOp, StepId } from '@tbuild/graph';
import type { Descriptor, Digest, Platform } from '@tbuild/oci';

/** The part of a build request that provenance records. */
export interface AskedBuild {
  readonly context: AskedContext;
  readonly namedContexts: Readonly<Record<string, AskedContext>>;
  readonly target?: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly noCache: boolean | readonly string[];
}

/** The location of a context. */
export type AskedContext =
  | ({ readonly kind: 'git' } & GitSource)
  | { readonly kind: 'http'; readonly url: string }
  | { readonly kind: 'image'; readonly reference: string }
  | { readonly kind: 'layout'; readonly path: string; readonly reference: string }
  | { readonly kind: 'directory' | 'archive' | 'empty' };

export interface GitSource {
  readonly url: string;
  readonly ref?: string;
  readonly subdirectory?: string;
  readonly checksum?: string;
}

/** What a git repository or URL was when the build read it. */
export interface ResolvedSource {
  readonly commit?: string;
  readonly digest?: Digest;
}

/** The facts that provenance records about the build of one image. */
export interface BuildFacts {
  /** The request as given, before anything was fetched. */
  readonly request: AskedBuild;
  /** The Dockerfile. */
  readonly loaded: { readonly name: string; readonly text: string };
  /** The steps that the image needs. */
  readonly graph: Graph;
  /** The step with the image's tree. */
  readonly target?: StepId;
  /** What fetched the main context, if it was on another machine. */
  readonly contextOp?: GitOp | HttpOp;
  resolvedSource(op: GitOp | HttpOp): ResolvedSource | undefined;
  /** The layers of a step's tree, bottom first; undefined if the build made none. */
  layersOf(step: StepId): readonly Descriptor[] | undefined;
  /** `source` and `revision` of the repository that a local context is in. */
  readonly vcs?: Readonly<Record<string, string>>;
  /** Differs in every build. */
  readonly invocationId: string;
  /** Platform of this machine. */
  readonly builderPlatform: Platform;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly finishedAt: number;
}
