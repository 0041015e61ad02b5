import type { Step, StepId } from '@tbuild/graph';
import type { LayerPreparation, StepResults } from '@tbuild/layers';
import type { Progress } from '@tbuild/progress';
import type { Contexts } from '../session/contexts.ts';
import type { BuildRequest } from '../request.ts';
import type { Services } from '../services.ts';

/** What the ops of one build share. */
export interface OpEnvironment extends Pick<
  BuildRequest,
  'cacheFrom' | 'extraHosts' | 'network' | 'ssh' | 'shmSize' | 'ulimits' | 'resources' | 'cgroupParent'
> {
  readonly services: Services;
  readonly results: StepResults;
  readonly contexts: Contexts;
  readonly progress: Progress;
  /** Proxy variables for RUN that are in no key. */
  readonly proxyEnv: readonly string[];
  /** The value of a `--secret`, undefined when there is none of that id. */
  readSecret(id: string): Buffer | undefined;
  /** Cache mounts that `--no-cache` emptied already, by directory. */
  readonly discardedCaches: Set<string>;
  /** Fills the empty directory of a cache mount with what an imported cache has for it, if anything. */
  importMount(key: string, directory: string): Promise<void>;
  /** `SOURCE_DATE_EPOCH` in milliseconds: the time of everything that COPY, ADD and WORKDIR write. */
  readonly epoch?: number;
  /**
   * The time of what the Dockerfile alone says (directories of WORKDIR, inline files): that of the
   * Dockerfile, so that the same input gives the same bytes.
   */
  readonly dockerfileTime: number;
  /** Steps whose layers the image will need: packed while later steps run. */
  readonly imageSteps: ReadonlySet<StepId>;
  /** Those of them on which nothing stands, and of which nobody asked for the tree: the layer is enough. */
  readonly leafSteps: ReadonlySet<StepId>;
  /** Gets layers of the image ready for where it goes. */
  readonly preparation: LayerPreparation;
}

/** Of an op that is under way: it is to give up once the signal says so. */
export interface Underway {
  readonly signal: AbortSignal;
}

/** A step together with what its op shares with the others. */
export interface StepContext extends OpEnvironment {
  readonly step: Step;
}
