import { type LocalStore, readStored } from '@tbuild/content';
import type { DockerEngine } from '@tbuild/engine';
import {
  chainId,
  isIndex,
  parseImageConfig,
  parseManifest,
  samePlatform,
  type Digest,
  type EncodedImage,
  type Platform,
} from '@tbuild/oci';
import type { EncodedExport } from '../encode/encode-export.ts';

interface Engine {
  readonly engine: DockerEngine;
  /** The images that it has. */
  readonly ids: readonly Digest[];
  readonly content: LocalStore;
}

interface Known {
  /** The stacks of layers in Docker's own store. */
  readonly chains: Set<Digest>;
  /** The layers of images in containerd's store. */
  readonly blobs: Set<Digest>;
}

/**
 * Returns the layers of a result that an engine has, as far as its images are known here: Docker's own store names them by
 * their configurations, containerd's by their manifests or indexes. Docker notices a missing layer when it unpacks the
 * image, so layers of another platform than the engine's, which it does not unpack, are never among them.
 */
export async function layersInEngine(
  { images, layers }: Pick<EncodedExport, 'images' | 'layers'>,
  { engine, ids, content }: Engine,
  signal: AbortSignal,
): Promise<ReadonlySet<Digest>> {
  const known: Known = { chains: new Set(), blobs: new Set() };
  for (const id of ids) addImage(id, content, known);
  const needed = new Set<Digest>();
  const platform = known.blobs.size === 0 ? undefined : (await engine.facts(signal)).platform;
  for (const image of images) for (const digest of missingIn(image, known, platform)) needed.add(digest);
  return new Set(layers.map(({ digest }) => digest).filter((digest) => !needed.has(digest)));
}

function addImage(id: Digest, content: LocalStore, known: Known): void {
  const bytes = readStored(content, id);
  const document: unknown = bytes === undefined ? undefined : JSON.parse(bytes.toString('utf8'));
  if (bytes === undefined || typeof document !== 'object' || document === null) return;
  if ('rootfs' in document) {
    const { diffIds } = parseImageConfig(bytes);
    for (let count = 1; count <= diffIds.length; count += 1) {
      const chain = chainId(diffIds.slice(0, count));
      if (chain !== undefined) known.chains.add(chain);
    }
    return;
  }
  const root = parseManifest(bytes);
  const manifests = isIndex(root) ? root.manifests.flatMap(({ digest }) => readStored(content, digest) ?? []) : [bytes];
  for (const manifest of manifests.map((each) => parseManifest(each)))
    if (!isIndex(manifest)) for (const layer of manifest.layers) known.blobs.add(layer.digest);
}

/** Returns the layers of an image that must be sent. */
function missingIn({ layers, config }: EncodedImage, { chains, blobs }: Known, platform?: Platform): Digest[] {
  const isUnpacked = platform !== undefined && samePlatform(parseImageConfig(config.bytes).platform, platform);
  return layers.flatMap(({ descriptor: { digest } }, at) => {
    const chain = chainId(layers.slice(0, at + 1).map(({ diffId }) => diffId));
    const isThere = (chain !== undefined && chains.has(chain)) || (isUnpacked && blobs.has(digest));
    return isThere ? [] : [digest];
  });
}
