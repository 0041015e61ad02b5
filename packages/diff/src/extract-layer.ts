import { createHash } from 'node:crypto';
import { runCooperatively } from '@tbuild/concurrency';
import { hasCode, prefixed } from '@tbuild/errors';
import type { Descriptor, Digest } from '@tbuild/oci';
import type { OverlayFlavour } from '@tbuild/snapshot';
import type { Compression } from './decompress.ts';
import type { ExtractedLayer, ExtractOptions } from './differ.ts';
import { LayerTarget } from './layer-target.ts';
import { checkLayer, decompressLayer } from './open-layer.ts';
import { TarParser } from './tar/tar-parser.ts';
import { UnpackGuard, type UnpackLimits } from './unpack-guard.ts';

export interface LayerToExtract extends ExtractOptions {
  readonly layer: Descriptor;
  /** An empty directory. */
  readonly target: string;
  readonly flavour: OverlayFlavour;
  readonly limits?: UnpackLimits;
}

/** Implements {@link Differ.extract}. */
export async function extractLayer(options: LayerToExtract): Promise<ExtractedLayer> {
  const { layer, from, signal } = options;
  checkLayer(layer);
  const guard = new UnpackGuard(options.limits);
  const target = new LayerTarget({ ...options, guard });
  const parser = new TarParser((entry) => {
    guard.addEntry();
    return target.add(entry);
  });
  const hash = createHash('sha256');
  let compression: Compression = 'uncompressed';
  try {
    const opened = await decompressLayer(counted(await from.read(layer, signal), options.onProgress));
    ({ compression } = opened);
    for await (const bytes of opened.bytes) {
      signal?.throwIfAborted();
      guard.addBytes(bytes.length);
      if (compression !== 'uncompressed') hash.update(bytes);
      if (target.isComplete) await runCooperatively(target.runWhileComplete(parser.parse(bytes)), signal);
    }
    if (target.isComplete) {
      parser.finish();
      target.finish();
    }
  } catch (error) {
    throw hasCode(error, 'SNAPSHOT') ? prefixed(error, `Could not extract layer ${layer.digest}`) : error;
  } finally {
    parser.abort();
  }
  // The provider has already verified an uncompressed layer, whose digest is its diff ID.
  const diffId: Digest = compression === 'uncompressed' ? layer.digest : `sha256:${hash.digest('hex')}`;
  return { diffId, compression, selfContained: target.isComplete };
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  onProgress?: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void> {
  let total = 0;
  for await (const bytes of source) {
    total += bytes.length;
    onProgress?.(total);
    yield bytes;
  }
}
