import type { GitOp, HttpOp } from '@tbuild/graph';
import { canonicalJson, type Digest } from '@tbuild/oci';

/** What a source on another machine was when this build read it. */
export interface ResolvedSource {
  /** The commit of a repository. */
  readonly commit?: string;
  /** The full name of the branch or tag that the commit came from. */
  readonly ref?: string;
  /** The content of a URL. */
  readonly digest?: Digest;
  /** `Last-Modified` of a URL, in milliseconds since 1970. */
  readonly modified?: number;
}

/** The sources that a build has read, by what fetches them. */
export interface ResolvedSources {
  add(op: GitOp | HttpOp, source: ResolvedSource): void;
  get(op: GitOp | HttpOp): ResolvedSource | undefined;
}

export function createResolvedSources(): ResolvedSources {
  const known = new Map<string, ResolvedSource>();
  return {
    add: (op, source) => void known.set(canonicalJson(op), source),
    get: (op) => known.get(canonicalJson(op)),
  };
}
