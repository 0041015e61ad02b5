import { createHash } from 'node:crypto';
import { readStored } from '@tbuild/content';
import { openLayer } from '@tbuild/diff';
import { TbuildError } from '@tbuild/errors';
import {
  isImage,
  isIndex,
  layerCompression,
  parseImageConfig,
  parseManifest,
  type Descriptor,
  type Digest,
} from '@tbuild/oci';
import type { LocalImages } from './places.ts';

/**
 * Checks that each layer of an image, or of all images of an index, unpacks to the diff ID that the configuration has for it: steps
 * that stand on the image find its layers by diff ID. All blobs are in the store. Reads every compressed layer whole.
 * @throws TbuildError DIGEST_MISMATCH when one does not, SNAPSHOT when compressed data is damaged.
 */
export async function checkDiffIds(target: Descriptor, { content }: Pick<LocalImages, 'content'>, signal: AbortSignal) {
  const checked = new Set<string>();
  for (const { layer, diffId } of layersOf(target, content)) {
    const pair = `${layer.digest} ${diffId}`;
    // The digest of an uncompressed layer has been checked already.
    if (layer.digest === diffId || checked.has(pair)) continue;
    checked.add(pair);
    const hash = createHash('sha256');
    for await (const bytes of await openLayer(layer, content, signal)) hash.update(bytes);
    const found = `sha256:${hash.digest('hex')}`;
    if (found !== diffId) throw mismatch(`Layer ${layer.digest} unpacks to ${found}, expected ${diffId}`);
  }
}

interface LayerOfImage {
  readonly layer: Descriptor;
  readonly diffId: Digest;
}

/** Attestations and other artifacts beside the images of an index have no layers of this kind. */
function* layersOf(target: Descriptor, content: LocalImages['content']): Generator<LayerOfImage> {
  const document = parseManifest(required(readStored(content, target.digest), target));
  if (isIndex(document)) {
    for (const child of document.manifests) yield* layersOf(child, content);
    return;
  }
  const { config, layers } = document;
  if (!isImage(document) || layers.some(({ mediaType }) => layerCompression(mediaType) === undefined)) return;
  const { diffIds } = parseImageConfig(required(readStored(content, config.digest), config));
  if (diffIds.length !== layers.length)
    throw mismatch(
      `Image ${target.digest} has diff IDs for ${diffIds.length} of its layers, expected ${layers.length}`,
    );
  for (const [at, layer] of layers.entries()) yield { layer, diffId: required(diffIds[at], layer) };
}

function required<T>(value: T | undefined, { digest }: Descriptor): T {
  if (value !== undefined) return value;
  throw new TbuildError('NOT_FOUND', `Blob ${digest} is not in the store`);
}

function mismatch(message: string): TbuildError {
  return new TbuildError('DIGEST_MISMATCH', message, {
    hint: 'The archive was damaged or changed: save the image again',
  });
}
