import { copyImage } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import {
  chooseManifest,
  familiarReference,
  isIndex,
  MOST_INDEXES,
  parseManifest,
  requireImage,
  type Descriptor,
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
 * @throws TbuildError NOT_FOUND if the image does not support the platform; RegistryError.
 */
export async function pullImage(
  reference: Reference,
  local: LocalImages & Registries,
  { platform = local.platform, signal, onProgress }: PullOptions,
): Promise<Descriptor> {
  const repository = await local.openRepository(reference);
  const root = await repository.resolve(reference.digest ?? reference.tag ?? 'latest', signal);
  const target = platform === 'all' ? root : await imageFor(platform, root, { reference, repository, signal });
  await copyImage(target, { from: repository, to: local.content }, { signal, onProgress });
  local.refs.set(reference, target);
  return target;
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
