import type { CooperativeTask } from '@tbuild/concurrency';
import type { LocalStore } from '@tbuild/content';
import type { SelectedSource } from '@tbuild/context';
import { createLayerWriter, NotStreamable } from '@tbuild/diff';
import type { Digest, Layer } from '@tbuild/oci';
import { NotOutlined, type OverlayFlavour, type TreeOutline } from '@tbuild/snapshot';
import { copyFiles } from './copy-files.ts';
import type { CopyOptions, CopyTarget } from './copy-options.ts';
import { filesInLayer } from './earlier-copy.ts';

/** A copy with resolved destinations and owners. */
export interface PlacedCopy {
  readonly sources: readonly SelectedSource[];
  readonly target: CopyTarget;
  readonly options: CopyOptions;
  /** Layer directories below, bottom first. */
  readonly lowers: readonly string[];
  /** What is known of the tree below, where its layers are elsewhere. */
  readonly outline?: TreeOutline;
  readonly flavour: OverlayFlavour;
  /** Whether any later change to a file will show in its stats, so that another process can detect it. */
  readonly hasStableStat: boolean;
  readonly earlier?: LayerBefore;
}

/** The uncompressed layer of an earlier copy to the same destination, in the store. */
export interface LayerBefore {
  readonly digest: Digest;
  /** Paths of the files that changed since. */
  readonly changed: ReadonlySet<string>;
}

/**
 * Writes the layer of a copy without making its tree, in half the time and without its disk space. Returns undefined if
 * the tree is needed: files that are not in archive order, hard links, a file that is changing, a lookup that the
 * outline does not answer.
 */
export function* writeLayer(
  copy: Omit<PlacedCopy, 'hasStableStat'>,
  content: Pick<LocalStore, 'createWriter' | 'path'>,
): CooperativeTask<Layer | undefined> {
  const { sources, target, options, lowers, flavour, outline, earlier } = copy;
  const digest = earlier?.digest;
  using writer = createLayerWriter({
    content,
    lowers,
    flavour,
    outline,
    earlier: digest && { path: content.path(digest), digest },
  });
  try {
    const written = earlier && filesInLayer(earlier);
    yield* copyFiles(sources, writer, { target, options: { ...options, written } });
    writer.finish();
    return writer.commit();
  } catch (error) {
    if (error instanceof NotStreamable || error instanceof NotOutlined) return undefined;
    throw error;
  }
}
