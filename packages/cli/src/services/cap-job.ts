import type { CacheLimits } from '@tbuild/gc/after-build';
import type { OverlayFlavour } from '@tbuild/snapshot';

/** What the process that caps the cache of a store is told. */
export interface CapJob {
  readonly root: string;
  readonly flavour: OverlayFlavour;
  readonly limits: CacheLimits;
}
