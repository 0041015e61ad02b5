import type { Provider } from '@tbuild/content';
import type { Descriptor, Digest, Layer } from '@tbuild/oci';
import type { Compression } from './decompress.ts';

/** An extracted layer, and whether it stands alone. */
export interface ExtractedLayer {
  readonly diffId: Digest;
  /** What the bytes are compressed with, whatever the media type says. */
  readonly compression: Compression;
  /**
   * False if the directory is wrong without the layers below: the archive lacks a parent, whose attributes and type
   * only they have, or the target of a hard link. Extract it again with `lowers`.
   */
  readonly selfContained: boolean;
}

export interface ExtractOptions {
  /** Has the layer's bytes. */
  readonly from: Provider;
  /**
   * The directories of the layers below, bottom first (empty for the lowest layer). Undefined to extract layers side
   * by side.
   */
  readonly lowers?: readonly string[];
  readonly signal?: AbortSignal;
  /** Receives the number of compressed bytes read so far. */
  readonly onProgress?: (bytes: number) => void;
}

/** Converts between layer archives and directories in overlay's format. */
export interface Differ {
  /**
   * Packs the changes of `upper` on top of `lowers` (bottom first) into an uncompressed archive in the content store.
   * The same tree always gives the same bytes, in the form that BuildKit gives them.
   */
  pack(upper: string, lowers: readonly string[], signal?: AbortSignal): Promise<Layer>;
  /**
   * Extracts a layer into the empty directory `target`, decompressed as its first bytes say. Writes nothing outside
   * `target`, whatever the archive says.
   * @throws TbuildError DIGEST_MISMATCH, SNAPSHOT.
   */
  extract(layer: Descriptor, target: string, options: ExtractOptions): Promise<ExtractedLayer>;
}
