import { copyImage } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import {
  familiarReference,
  formatPlatform,
  isIndex,
  isIndexType,
  parseManifest,
  selectPlatform,
  type Descriptor,
  type Platform,
  type Reference,
} from '@tbuild/oci';
import type { Worker } from '../worker.ts';

export interface PullOptions {
  /** The machine's own unless given; `all` keeps the whole index. */
  readonly platform?: Platform | 'all';
  readonly signal: AbortSignal;
  readonly onProgress?: (blob: Descriptor, bytes: number) => void;
}

/**
 * Fetches an image into the store, whole, and gives it its name. Returns what the name now stands for.
 * @throws TbuildError NOT_FOUND when it has no variant for the platform; RegistryError.
 */
export async function pullImage(
  reference: Reference,
  worker: Worker,
  { platform = worker.platform, signal, onProgress }: PullOptions,
): Promise<Descriptor> {
  const repository = await worker.openRepository(reference);
  const root = await repository.resolve(reference.digest ?? reference.tag ?? 'latest', signal);
  const target =
    platform === 'all' || !isIndexType(root.mediaType)
      ? root
      : choose(await repository.readManifest(root, signal), reference, platform);
  await copyImage(repository, worker.content, target, { signal, onProgress });
  worker.refs.set(reference, target);
  return target;
}

function choose(index: Uint8Array, reference: Reference, platform: Platform): Descriptor {
  const document = parseManifest(index);
  const manifests = isIndex(document) ? document.manifests : [];
  const chosen = selectPlatform(manifests, (manifest) => manifest.platform, platform);
  if (chosen !== undefined) return { mediaType: chosen.mediaType, digest: chosen.digest, size: chosen.size };
  const offered = manifests.flatMap((manifest) =>
    manifest.platform === undefined || manifest.platform.os === 'unknown' ? [] : [formatPlatform(manifest.platform)],
  );
  throw new TbuildError(
    'NOT_FOUND',
    `Image ${JSON.stringify(familiarReference(reference))} has no variant for ${formatPlatform(platform)}`,
    {
      hint: `It has ${offered.join(', ')}`,
    },
  );
}
