import type { Digest, HistoryEntry } from '@tbuild/oci';
import { compareConfigs, type ConfigDifference } from './compare-configs.ts';
import { compareLayers, type FileDifference } from './compare-layers.ts';
import { isDamage } from './is-damage.ts';
import type { ReadImage } from './read-image.ts';
import { digestLayer, listLayer, type LayerListing } from './read-layer.ts';

/** How two images compare. */
export interface ImageComparison {
  /** Whether both have the same ID, and layers that are what their configurations say. */
  readonly equal: boolean;
  readonly first: ImageSummary;
  readonly second: ImageSummary;
  /** By position. */
  readonly layers: readonly LayerComparison[];
  readonly config: readonly ConfigDifference[];
  /** Whether the configurations have equal values, but other bytes. */
  readonly isConfigFormOnly: boolean;
}

export interface ImageSummary {
  readonly name: string;
  readonly id: Digest;
  readonly manifest: Digest;
}

export interface LayerComparison {
  /** From 0. */
  readonly at: number;
  /** The instruction that made it, by the history. */
  readonly createdBy?: string;
  /** The digests of the uncompressed layers; undefined for an image with fewer layers. */
  readonly first?: Digest;
  readonly second?: Digest;
  readonly equal: boolean;
  readonly files: readonly FileDifference[];
  /** Why the layer could not be compared, or cannot be trusted. */
  readonly problem?: string;
}

/**
 * Compares two images: their configurations, and file by file the layers that differ. Reads every layer, so that one that
 * is not what its configuration says is found.
 * @throws TbuildError for blobs that are missing.
 */
export async function compareImages(
  first: ReadImage,
  second: ReadImage,
  signal: AbortSignal,
): Promise<ImageComparison> {
  const count = Math.max(first.manifest.layers.length, second.manifest.layers.length);
  const names = [layerNames(first), layerNames(second)];
  const layers: LayerComparison[] = [];
  for (let at = 0; at < count; at += 1) {
    const createdBy = names[0]?.[at] ?? names[1]?.[at];
    layers.push({ at, createdBy, ...(await compareAt(at, [first, second], signal)) });
  }
  const config = compareConfigs(first.configBytes, second.configBytes);
  const isSame = first.id === second.id;
  return {
    equal: isSame && layers.every(({ equal }) => equal),
    first: summaryOf(first),
    second: summaryOf(second),
    layers,
    config,
    isConfigFormOnly: !isSame && config.length === 0 && layers.every(({ equal }) => equal),
  };
}

function summaryOf({ name, id, descriptor }: ReadImage): ImageSummary {
  return { name, id, manifest: descriptor.digest };
}

/** Returns what made each layer. */
function layerNames({ config }: ReadImage): readonly (string | undefined)[] {
  const isLayer = ({ empty_layer }: HistoryEntry): boolean => empty_layer !== true;
  return config.history.filter(isLayer).map((entry) => entry.created_by);
}

type Compared = Omit<LayerComparison, 'at' | 'createdBy'>;

async function compareAt(at: number, images: readonly [ReadImage, ReadImage], signal: AbortSignal): Promise<Compared> {
  const [first, second] = [images[0].config.diffIds[at], images[1].config.diffIds[at]];
  const ids = { ...(first === undefined ? {} : { first }), ...(second === undefined ? {} : { second }) };
  if (first !== undefined && first === second) {
    const problem = (await problemOf(at, images[0], signal)) ?? (await problemOf(at, images[1], signal));
    return { ...ids, equal: problem === undefined, files: [], ...(problem === undefined ? {} : { problem }) };
  }
  const opened = await Promise.all(images.map((image) => openAt(at, image, signal)));
  const problem = opened.map((one) => one.problem).find((one) => one !== undefined);
  const [before, after] = opened.map(({ layer }) => layer);
  if (before === undefined || after === undefined) return { ...ids, equal: false, files: [], problem };
  const files = await compareLayers(before, after, signal);
  const form = files.length === 0 ? 'The layers have the same files, in another order or form' : undefined;
  return { ...ids, equal: false, files, problem: problem ?? form };
}

/** Returns why a layer is not what its configuration says, reading all of it. */
async function problemOf(at: number, image: ReadImage, signal: AbortSignal): Promise<string | undefined> {
  const descriptor = image.manifest.layers[at];
  if (descriptor === undefined) return `${image.name} has no layer ${at + 1}, but its configuration lists it`;
  try {
    return mismatch(at, image, await digestLayer(descriptor, image.content, signal));
  } catch (error) {
    return damage(at, image, error);
  }
}

interface Opened {
  readonly layer?: { descriptor: ReadImage['descriptor']; content: ReadImage['content']; listing: LayerListing };
  readonly problem?: string;
}

async function openAt(at: number, image: ReadImage, signal: AbortSignal): Promise<Opened> {
  const descriptor = image.manifest.layers[at];
  if (descriptor === undefined) return { problem: `${image.name} has no layer ${at + 1}` };
  try {
    const listing = await listLayer(descriptor, image.content, signal);
    return { layer: { descriptor, content: image.content, listing }, problem: mismatch(at, image, listing.diffId) };
  } catch (error) {
    return { problem: damage(at, image, error) };
  }
}

function mismatch(at: number, { config, name }: ReadImage, found: Digest): string | undefined {
  const expected = config.diffIds[at];
  if (expected === found) return undefined;
  return `Layer ${at + 1} of ${name} is ${found}, but its configuration says ${expected ?? 'nothing'}`;
}

function damage(at: number, { name }: ReadImage, error: unknown): string {
  if (!isDamage(error)) throw error;
  return `Layer ${at + 1} of ${name} is damaged: ${error.message}`;
}
