import type { Descriptor } from '@tbuild/oci';
import { RegistryError } from './registry-error.ts';
import { ask, type Remote } from './remote.ts';
import { bytesFrom, rangeFrom, resumed } from './resumed.ts';

/** Downloads a blob without verifying it, see {@link resumed}. */
export function download(
  remote: Remote,
  target: Descriptor,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { clock } = remote;
  return resumed((offset) => open(remote, { target, offset, signal }), { clock, signal, size: target.size });
}

interface BlobPart {
  readonly target: Descriptor;
  readonly offset: number;
  readonly signal?: AbortSignal;
}

/** A layer that must not be redistributed is only at its descriptor's URLs. No credentials are sent there. */
async function open(remote: Remote, part: BlobPart): Promise<AsyncIterable<Uint8Array>> {
  const { target } = part;
  const elsewhere = (target.urls ?? [])
    .filter((url) => /^https?:\/\//i.test(url) && URL.canParse(url))
    .map((url) => new URL(url));
  for (const place of [`blobs/${target.digest}`, ...elsewhere]) {
    try {
      return await openAt(place, remote, part);
    } catch (error) {
      if (place === (elsewhere.at(-1) ?? place) || !(error instanceof RegistryError) || error.code !== 'NOT_FOUND')
        throw error;
    }
  }
  throw new Error('A blob has at least one location');
}

async function openAt(
  place: string | URL,
  remote: Remote,
  { target, offset, signal }: BlobPart,
): Promise<AsyncIterable<Uint8Array>> {
  const response = await ask(remote, {
    method: 'GET',
    target: place,
    headers: rangeFrom(offset),
    accept: offset === 0 ? [200] : [200, 206],
    subject: `blob ${target.digest} of ${remote.name}`,
    signal,
  });
  if (typeof place === 'string') remote.blobs.add(target.digest);
  return bytesFrom(response, offset);
}
