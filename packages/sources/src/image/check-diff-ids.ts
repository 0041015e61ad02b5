import { createHash } from 'node:crypto';
import { type LocalStore, readStored } from '@tbuild/content';
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
  type Manifest,
} from '@tbuild/oci';

/**
 * Checks that the layers of an image, or of all images of an index, unpack to the diff IDs in the configuration. Steps
 * on top of the image find its layers by diff ID. Requires all blobs in the store, and reads every compressed layer.
 * @throws TbuildError DIGEST_MISMATCH if a layer does not match, SNAPSHOT if compressed data is damaged.
 */
export async function checkDiffIds(
  target: Descriptor,
  { content }: { readonly content: LocalStore },
  signal: AbortSignal,
) {
  const checked = new Set<string>();
  for (const { layer, diffId } of layersOf(target, content)) {
    const pair = `${layer.digest} ${diffId}`;
    // The store has already verified the digest of an uncompressed layer.
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

/** Yields the layers of all images. Skips attestations and other artifacts in an index. */
function* layersOf(root: Descriptor, content: LocalStore): Generator<LayerOfImage> {
  // Each once: a few indexes that name each other many times would never end.
  const targets = new Map([[root.digest, root]]);
  for (const target of targets.values()) {
    const document = parseManifest(required(readStored(content, target.digest), target));
    if (isIndex(document)) for (const child of document.manifests) targets.set(child.digest, child);
    else yield* layersOfImage(target, document, content);
  }
}

function* layersOfImage({ digest }: Descriptor, image: Manifest, content: LocalStore): Generator<LayerOfImage> {
  const { config, layers } = image;
  if (!isImage(image) || layers.some(({ mediaType }) => layerCompression(mediaType) === undefined)) return;
  const { diffIds } = parseImageConfig(required(readStored(content, config.digest), config));
  if (diffIds.length !== layers.length)
    throw mismatch(`Image ${digest} has ${diffIds.length} diff IDs, expected ${layers.length}`);
  for (const [at, layer] of layers.entries()) yield { layer, diffId: required(diffIds[at], layer) };
}

function required<T>(value: T | undefined, { digest }: Descriptor): T {
  if (value !== undefined) return value;
  throw new TbuildError('NOT_FOUND', `Blob ${digest} is not in the store`);
}

function mismatch(message: string): TbuildError {
  return new TbuildError('DIGEST_MISMATCH', message, {
    hint: 'Save the image again: the archive was damaged or changed',
  });
}
