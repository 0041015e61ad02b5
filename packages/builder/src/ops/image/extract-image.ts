import { availableParallelism } from 'node:os';
import { type LocalStore, type Provider, storing, withSecondPlace } from '@tbuild/content';
import type { Differ } from '@tbuild/diff';
import { TbuildError } from '@tbuild/errors';
import { showLayer, showWork, type ShownWork } from '@tbuild/layers';
import { chainId, hexOf, type Digest, type Layer } from '@tbuild/oci';
import type { Progress } from '@tbuild/progress';
import type { Snapshot, Snapshotter } from '@tbuild/snapshot';
import pLimit from 'p-limit';

export interface ImageToExtract extends Pick<ShownWork, 'step'> {
  readonly chain: Digest;
  readonly layers: readonly Layer[];
  /** Opens the provider of blobs that are not in the store. */
  open(): Promise<Provider>;
}

/** What extracting an image uses. */
export interface ExtractPorts {
  readonly content: LocalStore;
  readonly snapshots: Snapshotter;
  readonly differ: Differ;
  readonly progress: Progress;
  now(): number;
}

/**
 * Fetches and extracts the layers of an image concurrently, each into a directory named by its diff ID, and stacks them
 * under the chain ID. A layer that depends on those below it is extracted again on top of them and named by its chain
 * ID. The work is shown as the image's step.
 */
export async function extractImage(image: ImageToExtract, ports: ExtractPorts, signal: AbortSignal): Promise<Snapshot> {
  const { snapshots, progress, now } = ports;
  const { step } = image;
  const done = await snapshots.stat(hexOf(image.chain));
  if (done !== undefined) return done;
  return showWork({ progress, now, step, signal }, async () => {
    const work = { ...ports, step, provider: storing(await image.open(), ports.content), signal };
    const limit = pLimit(availableParallelism());
    // A layer that occurs several times in an image is extracted once.
    const extracting = new Map<Digest, Promise<boolean>>();
    for (const layer of image.layers)
      if (!extracting.has(layer.diffId))
        extracting.set(
          layer.diffId,
          limit(() => extractAlone(layer, work)),
        );
    const alone = await Promise.all(image.layers.map(({ diffId }) => extracting.get(diffId)));
    const tops: string[] = [];
    for (const [index, layer] of image.layers.entries()) {
      const layers = image.layers.slice(0, index + 1);
      tops.push(alone[index] === true ? hexOf(layer.diffId) : await extractOnto(tops, layers, work));
    }
    return snapshots.compose(hexOf(image.chain), { tops });
  });
}

interface Extraction extends ExtractPorts, Pick<ShownWork, 'step'> {
  readonly provider: Provider;
  readonly signal: AbortSignal;
}

/** Extracts a layer under its diff ID. Returns false if the layer depends on those below. */
async function extractAlone(layer: Layer, work: Extraction): Promise<boolean> {
  const { snapshots, provider, signal } = work;
  if ((await snapshots.stat(hexOf(layer.diffId))) !== undefined) return true;
  const extract = async (): Promise<boolean> => {
    await using active = await snapshots.prepare();
    const selfContained = await extractInto({ target: active.upper }, layer, work);
    if (selfContained) await active.commit(hexOf(layer.diffId));
    return selfContained;
  };
  return withSecondPlace({ from: provider, digest: layer.descriptor.digest, signal }, extract);
}

/** Extracts the last of the layers on top of those below it, `tops`. Returns the name of its snapshot. */
async function extractOnto(tops: readonly string[], layers: readonly Layer[], work: Extraction): Promise<string> {
  const { snapshots } = work;
  const name = `onto-${hexOf(required(chainId(layers.map(({ diffId }) => diffId))))}`;
  if ((await snapshots.stat(name)) !== undefined) return name;
  const lowers = await Promise.all(tops.map(async (top) => required((await snapshots.stat(top))?.directories.at(-1))));
  await using active = await snapshots.prepare();
  await extractInto({ target: active.upper, lowers }, required(layers.at(-1)), work);
  await active.commit(name);
  return name;
}

async function extractInto(
  { target, lowers }: { readonly target: string; readonly lowers?: readonly string[] },
  { descriptor, diffId }: Layer,
  { content, differ, progress, now, step, signal, provider }: Extraction,
): Promise<boolean> {
  const isStored = await content.has(descriptor);
  const shown = showLayer(descriptor, { step: step.id, isStored, progress, now });
  const extracted = await differ.extract(descriptor, target, {
    from: provider,
    lowers,
    signal,
    onProgress: shown.onExtracted,
  });
  shown.done();
  if (extracted.diffId === diffId) return extracted.selfContained;
  throw new TbuildError(
    'DIGEST_MISMATCH',
    `Layer ${descriptor.digest} unpacks to ${extracted.diffId}, expected ${diffId}`,
  );
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('Expected a layer of the image');
  return value;
}
