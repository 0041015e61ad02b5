import type { ResultId, Step } from '@tbuild/graph';
import { hexOf } from '@tbuild/oci';
import type { ActiveSnapshot } from '@tbuild/snapshot';
import { isFull, type StoreLayout } from '@tbuild/store';
import type { BuildObserver } from '../../build-observer.ts';

/** What keeping the tree of a failed step uses. */
export interface KeepPorts {
  readonly store: Pick<StoreLayout, 'root'>;
  /** Receives the trees of failed steps, which are not kept without it. */
  readonly observer?: Pick<BuildObserver, 'failed'>;
}

/** Keeps the tree of a failed step under a result that no record names. The tree of a step that filled the disk is freed. */
export async function keepFailedTree(
  active: ActiveSnapshot,
  { step, tree }: { readonly step: Step; readonly tree: ResultId },
  { store, observer }: KeepPorts,
): Promise<void> {
  if (observer === undefined || isFull(store)) return;
  try {
    await active.commit(hexOf(tree));
    observer.failed({ step: step.id, tree });
  } catch {
    // The failure of the step is the error to report.
  }
}
