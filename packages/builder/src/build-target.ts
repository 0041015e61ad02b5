import type { BuildRun } from './build-run.ts';
import type { BuildRequest } from './request.ts';

/** One of the targets of a build. */
export interface BuildTarget extends Pick<BuildRun, 'readSecret'> {
  /** Tells the targets of one build apart. Steps are shown with it. */
  readonly name: string;
  /** The name of its build. */
  readonly ref: string;
  readonly request: BuildRequest;
  /** Whether other targets only build on this one, so that it makes no image. */
  readonly isLink: boolean;
  /** Equal for targets with the same secrets, which may share the steps that use these. */
  readonly secretScope: string;
}
