import type { CooperativeTask } from '@tbuild/concurrency';
import type { LocalStore } from '@tbuild/content';
import type { SelectedSource } from '@tbuild/context';
import { createLayerWriter, NotStreamable } from '@tbuild/diff';
import type { Digest, Layer } from '@tbuild/oci';
import type { OverlayFlavour } from '@tbuild/snapshot';
import { copyFiles } from './copy-files.ts';
import type { CopyOptions, CopyTarget } from './copy-options.ts';
import { filesInLayer } from './earlier-copy.ts';

/** A copy whose places and owners are settled. */
export interface PlacedCopy {
  readonly sources: readonly SelectedSource[];
  readonly target: CopyTarget;
  readonly options: CopyOptions;
  /** What it lies on, bottom first. */
  readonly lowers: readonly string[];
  readonly flavour: OverlayFlavour;
  /** Whether a file that changed since it was keyed has other stats, so that everyone can tell. */
  readonly hasStableStat: boolean;
  readonly earlier?: LayerBefore;
}

/** The uncompressed layer of an earlier copy to the same place, in the store. */
export interface LayerBefore {
  readonly digest: Digest;
  /** Paths of the files that are not as they were then. */
  readonly changed: ReadonlySet<string>;
}

/**
 * Writes the layer of a copy without making its tree, which takes half the time and no place. Undefined when it has to be
 * the tree: files that do not come in the order of an archive, hard links, a file that is changing.
 */
export function* writeLayer(
  copy: Omit<PlacedCopy, 'hasStableStat'>,
  content: Pick<LocalStore, 'createWriter' | 'path'>,
): CooperativeTask<Layer | undefined> {
  const { sources, target, options, lowers, flavour, earlier } = copy;
  const digest = earlier?.digest;
  using writer = createLayerWriter({
    content,
    lowers,
    flavour,
    earlier: digest && { path: content.path(digest), digest },
  });
  try {
    const written = earlier && filesInLayer(earlier);
    yield* copyFiles(sources, writer, writer, target, { ...options, written });
    writer.finish();
    return writer.commit();
  } catch (error) {
    if (error instanceof NotStreamable) return undefined;
    throw error;
  }
}
