import { availableParallelism } from 'node:os';
import { type Provider, storing, withSecondPlace } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import { showLayer, showWork, type ShownWork } from '@tbuild/layers';
import { chainId, hexOf, type Digest, type Layer } from '@tbuild/oci';
import type { Snapshot } from '@tbuild/snapshot';
import pLimit from 'p-limit';
import type { OpEnvironment } from '../op-environment.ts';

export interface ImageToExtract {
  readonly chain: Digest;
  readonly layers: readonly Layer[];
  /** Opens the provider of blobs that are not in the store. */
  open(): Promise<Provider>;
}

type Environment = Pick<OpEnvironment, 'services' | 'progress'> & Pick<ShownWork, 'step'>;

/**
 * Fetches and extracts the layers of an image concurrently, each into a directory named by its diff ID, and stacks them
 * under the chain ID. A layer that depends on those below it is extracted again on top of them and named by its chain
 * ID. The work is shown as the image's step.
 */
export async function extractImage(image: ImageToExtract, env: Environment, signal: AbortSignal): Promise<Snapshot> {
  const { services, progress, step } = env;
  const done = await services.snapshots.stat(hexOf(image.chain));
  if (done !== undefined) return done;
  return showWork({ progress, now: () => services.now(), step, signal }, async () => {
    const work = { ...env, provider: storing(await image.open(), services.content), signal };
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
      const chain = image.layers.slice(0, index + 1).map(({ diffId }) => diffId);
      tops.push(alone[index] === true ? hexOf(layer.diffId) : await extractOnto(tops, chain, layer, work));
    }
    return services.snapshots.compose(hexOf(image.chain), { tops });
  });
}

interface Extraction extends Environment {
  readonly provider: Provider;
  readonly signal: AbortSignal;
}

/** Extracts a layer under its diff ID. Returns false if the layer depends on those below. */
async function extractAlone(layer: Layer, work: Extraction): Promise<boolean> {
  const { snapshots } = work.services;
  if ((await snapshots.stat(hexOf(layer.diffId))) !== undefined) return true;
  const extract = async (): Promise<boolean> => {
    await using active = await snapshots.prepare();
    const selfContained = await extractInto(active.upper, layer, work);
    if (selfContained) await active.commit(hexOf(layer.diffId));
    return selfContained;
  };
  return withSecondPlace(work.provider, layer.descriptor, extract, work.signal);
}

/** Extracts a layer on top of those below it. Returns the name of its snapshot. */
async function extractOnto(
  tops: readonly string[],
  chain: readonly Digest[],
  layer: Layer,
  work: Extraction,
): Promise<string> {
  const { snapshots } = work.services;
  const name = `onto-${hexOf(required(chainId(chain)))}`;
  if ((await snapshots.stat(name)) !== undefined) return name;
  const lowers = await Promise.all(tops.map(async (top) => required((await snapshots.stat(top))?.directories.at(-1))));
  await using active = await snapshots.prepare();
  await extractInto(active.upper, layer, work, lowers);
  await active.commit(name);
  return name;
}

async function extractInto(
  target: string,
  { descriptor, diffId }: Layer,
  work: Extraction,
  lowers?: readonly string[],
): Promise<boolean> {
  const { services, progress, step, signal, provider } = work;
  const isStored = await services.content.has(descriptor.digest, descriptor.mediaType, descriptor.size);
  const shown = showLayer(descriptor, { step: step.id, isStored, progress, now: () => services.now() });
  const extracted = await services.differ.extract(descriptor, provider, target, {
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
