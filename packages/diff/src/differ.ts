import type { Provider } from '@tbuild/content';
import type { Descriptor, Digest, Layer } from '@tbuild/oci';

/** What an extracted layer needs from the layers below it. */
export interface ExtractedLayer {
  readonly diffId: Digest;
  /**
   * False when the directory is wrong without the layers below: the archive lacks a parent, whose attributes
   * and type only they know, or the target of a hard link. It must then be extracted again with `lowers`.
   */
  readonly selfContained: boolean;
}

export interface ExtractOptions {
  /** Directories of the layers below, bottom first (none: it is the lowest); undefined to extract side by side. */
  readonly lowers?: readonly string[];
  readonly signal?: AbortSignal;
  /** Called with the compressed bytes read so far. */
  readonly onProgress?: (bytes: number) => void;
}

/** Turns layer archives into directories in overlay's format and back. */
export interface Differ {
  /**
   * The archive of what `upper` changes on top of `lowers` (bottom first), written to the content store
   * uncompressed. Deterministic: the same tree gives the same bytes, in the form Docker's builder gives them.
   */
  pack(upper: string, lowers: readonly string[], signal?: AbortSignal): Promise<Layer>;
  /**
   * Extracts a layer into the empty directory `target`, compressed as its media type says. Nothing is
   * written outside `target`, whatever the archive says.
   * @throws TbuildError DIGEST_MISMATCH, SNAPSHOT.
   */
  extract(layer: Descriptor, from: Provider, target: string, options?: ExtractOptions): Promise<ExtractedLayer>;
}
