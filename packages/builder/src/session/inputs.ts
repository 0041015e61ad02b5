import type { LoadedDockerfile } from '../plan/load-dockerfile.ts';
import type { BuildRequest } from '../request.ts';
import type { Contexts } from './contexts.ts';
import type { ResolvedSources } from './resolved-sources.ts';

/** The inputs of a build, on this machine. */
export interface BuildInputs {
  /** The name of the build. */
  readonly ref: string;
  /** The request, with a directory as its main context and a number as SOURCE_DATE_EPOCH. */
  readonly request: BuildRequest;
  /** The request as given, before anything was fetched. */
  readonly given: BuildRequest;
  /** Whether the caller asked for the provenance of each image. */
  readonly withProvenance: boolean;
  readonly loaded: LoadedDockerfile;
  readonly contexts: Contexts;
  /** The sources on other machines that were read so far. */
  readonly sources: ResolvedSources;
  /** When the build started, in milliseconds since the epoch. */
  readonly startedAt: number;
  /** `SOURCE_DATE_EPOCH` in milliseconds. */
  readonly epoch?: number;
}
