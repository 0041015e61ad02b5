import type { Step, StepId } from '@tbuild/graph';
import type { LayerPreparation, StepResults } from '@tbuild/layers';
import type { Progress } from '@tbuild/progress';
import type { BuildRequest } from '../request.ts';
import type { Services } from '../services.ts';
import type { Contexts } from '../session/contexts.ts';
import type { ResolvedSources } from '../session/resolved-sources.ts';

/** What the ops of a build share. */
export interface OpEnvironment extends Pick<
  BuildRequest,
  'cacheFrom' | 'extraHosts' | 'network' | 'ssh' | 'shmSize' | 'ulimits' | 'resources' | 'cgroupParent'
> {
  readonly services: Services;
  readonly results: StepResults;
  readonly contexts: Contexts;
  readonly sources: ResolvedSources;
  readonly progress: Progress;
  /** Proxy variables for RUN, which are not part of a key. */
  readonly proxyEnv: readonly string[];
  /** Returns the value of a `--secret`, or undefined for an unknown ID. */
  readSecret(id: string): Buffer | undefined;
  /** Directories of cache mounts that `--no-cache` has already emptied in this build. */
  readonly discardedCaches: Set<string>;
  /** Fills the empty directory of a cache mount from an imported cache, if one has it. */
  importMount(key: string, directory: string): Promise<void>;
  /** `SOURCE_DATE_EPOCH` in milliseconds: the time of everything that COPY, ADD and WORKDIR write. */
  readonly epoch?: number;
  /**
   * The Dockerfile's time, which directories of WORKDIR and heredocs get, so that the same input gives the same bytes.
   */
  readonly dockerfileTime: number;
  /** Steps whose layers are part of an image. They are packed while later steps run. */
  readonly imageSteps: ReadonlySet<StepId>;
  /** Image steps without dependent steps, of which only the layer is needed. */
  readonly leafSteps: ReadonlySet<StepId>;
  /** Prepares layers of the image for the outputs. */
  readonly preparation: LayerPreparation;
}

/** An op's run, which must abort when the signal does. */
export interface Underway {
  readonly signal: AbortSignal;
}

/** A step together with what its op shares with the others. */
export interface StepContext extends OpEnvironment {
  readonly step: Step;
}
