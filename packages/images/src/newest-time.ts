import { isCache, readCache } from '@tbuild/cache';
import { isIndex } from '@tbuild/oci';
import type { PlacedDocument } from './image-place.ts';
import { readRemoteImages } from './read-remote.ts';

/**
 * Returns when the newest image of a document was created, or the newest step of a cache ran, in milliseconds since the
 * epoch; undefined if the document does not tell.
 * @throws RegistryError; TbuildError for documents that cannot be read.
 */
export async function newestTime(placed: PlacedDocument, signal: AbortSignal): Promise<number | undefined> {
  const times = await timesOf(placed, signal);
  return times.length === 0 ? undefined : Math.max(...times);
}

async function timesOf(placed: PlacedDocument, signal: AbortSignal): Promise<readonly number[]> {
  const { root, document, provider } = placed;
  if (!isIndex(document) && isCache(document))
    return (await readCache(provider, root, signal)).steps.map(({ record }) => record.createdAt);
  const images = await readRemoteImages(placed, signal);
  const created = images.map(({ config }): unknown => Object(config).created);
  return created.flatMap((text) => (typeof text === 'string' ? Date.parse(text) : [])).filter(Number.isFinite);
}
