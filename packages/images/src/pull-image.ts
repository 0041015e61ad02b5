import { copyImage } from '@tbuild/content';
import { UnpackGuard } from '@tbuild/diff';
import { TbuildError } from '@tbuild/errors';
import {
  chooseManifest,
  familiarReference,
  isIndex,
  MOST_INDEXES,
  parseManifest,
  requireImage,
  type Descriptor,
  type Digest,
  type Platform,
  type Reference,
} from '@tbuild/oci';
import type { Repository } from '@tbuild/registry';
import type { LocalImages, Registries } from './places.ts';

export interface PullOptions {
  /** Defaults to the platform of this machine. `all` keeps the whole index. */
  readonly platform?: Platform | 'all';
  readonly signal: AbortSignal;
  readonly onProgress?: (blob: Descriptor, bytes: number) => void;
}

/**
 * Pulls an image into the store and names it. Returns what the name now points to.
 * @throws TbuildError NOT_FOUND if the image does not support the platform; RegistryError; SNAPSHOT if it takes more than
 * the limits allow.
 */
export async function pullImage(
  reference: Reference,
  local: LocalImages & Registries,
  { platform = local.platform, signal, onProgress }: PullOptions,
): Promise<Descriptor> {
  const repository = await local.openRepository(reference);
  const root = await repository.resolve(reference.digest ?? reference.tag ?? 'latest', signal);
  const target = platform === 'all' ? root : await imageFor(platform, root, { reference, repository, signal });
  const count = countDownloads(
    new UnpackGuard(local.unpackLimits, `image ${JSON.stringify(familiarReference(reference))}`),
  );
  const progress = (blob: Descriptor, bytes: number): void => {
    count(blob, bytes);
    onProgress?.(blob, bytes);
  };
  await copyImage(target, { from: repository, to: local.content }, { signal, onProgress: progress });
  local.refs.set([{ reference, target }]);
  return target;
}

/** Counts what is downloaded, which unlike a blob that is there begins with no bytes. */
function countDownloads(guard: UnpackGuard): NonNullable<PullOptions['onProgress']> {
  const counted = new Map<Digest, number>();
  return ({ digest }, bytes) => {
    const before = counted.get(digest);
    if (before !== undefined) guard.addBytes(Math.max(0, bytes - before));
    if (before !== undefined || bytes === 0) counted.set(digest, bytes);
  };
}

interface Named {
  readonly reference: Reference;
  readonly repository: Repository;
  readonly signal: AbortSignal;
}

async function imageFor(
  platform: Platform,
  root: Descriptor,
  { reference, repository, signal }: Named,
): Promise<Descriptor> {
  const name = familiarReference(reference);
  let { mediaType, digest, size } = root;
  for (let depth = 0; depth <= MOST_INDEXES; depth += 1) {
    const document = parseManifest(await repository.readManifest({ mediaType, digest, size }, signal), mediaType);
    if (!isIndex(document)) {
      requireImage(document, name);
      return { mediaType, digest, size };
    }
    ({ mediaType, digest, size } = chooseManifest(document, name, platform));
  }
  throw new TbuildError('REGISTRY', `Image ${JSON.stringify(name)} has too many nested indexes`);
}
