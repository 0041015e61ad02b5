import { createHash } from 'node:crypto';
import type { Provider } from '@tbuild/content';
import { cleanPath, openLayer, readArchive, type ArchiveMember } from '@tbuild/diff';
import type { Descriptor, Digest } from '@tbuild/oci';

/** A member of a layer with everything that its archive says about it. */
export interface LayerMember {
  readonly type: ArchiveMember['type'];
  readonly mode: number;
  readonly owner: string;
  /** In seconds since 1970. */
  readonly time: number;
  readonly link: string;
  /** The numbers of a device. */
  readonly device: string;
  /** Extended attributes as one text. */
  readonly attributes: string;
  /** In bytes. */
  readonly size: number;
  /** The digest of a file's content; empty for anything else. */
  readonly content: string;
}

/** The members of a layer in order, and the digest of its archive. */
export interface LayerListing {
  readonly diffId: Digest;
  /** By absolute path. Of members with the same path, the last. */
  readonly members: ReadonlyMap<string, LayerMember>;
}

/** Layers with more members are not listed: each takes memory. */
const MOST_MEMBERS = 2_000_000;

/**
 * Reads a whole layer.
 * @throws TbuildError NOT_FOUND, DIGEST_MISMATCH, and SNAPSHOT for a damaged archive.
 */
export async function listLayer(layer: Descriptor, from: Provider, signal: AbortSignal): Promise<LayerListing> {
  const hash = createHash('sha256');
  const members = new Map<string, LayerMember>();
  await readArchive(
    hashed(await openLayer(layer, from, signal), hash),
    (member) => {
      const path = pathOf(member.name);
      if (members.size >= MOST_MEMBERS) return undefined;
      members.set(path, memberOf(member, ''));
      if (member.type !== 'file') return undefined;
      const content = createHash('sha256');
      return {
        write: (bytes: Uint8Array) => void content.update(bytes),
        end: () => void members.set(path, memberOf(member, content.digest('hex'))),
        abort: () => {},
      };
    },
    { signal },
  );
  return { diffId: `sha256:${hash.digest('hex')}`, members };
}

/**
 * Returns the latest time in a layer, in seconds since 1970, or -Infinity for an empty one.
 * @throws as {@link listLayer}.
 */
export async function newestTime(layer: Descriptor, from: Provider, signal: AbortSignal): Promise<number> {
  let newest = -Infinity;
  const look = ({ mtimeMs }: ArchiveMember): undefined => void (newest = Math.max(newest, mtimeMs));
  await readArchive(await openLayer(layer, from, signal), look, { signal });
  return Math.floor(newest / 1000);
}

/** Returns the digest of a layer's archive without listing it. */
export async function digestLayer(layer: Descriptor, from: Provider, signal: AbortSignal): Promise<Digest> {
  const hash = createHash('sha256');
  for await (const bytes of await openLayer(layer, from, signal)) {
    signal.throwIfAborted();
    hash.update(bytes);
  }
  return `sha256:${hash.digest('hex')}`;
}

/**
 * Returns the content of some files of a layer.
 * @throws as {@link listLayer}.
 */
export async function readFiles(
  paths: ReadonlySet<string>,
  layer: Descriptor,
  { from, signal }: { readonly from: Provider; readonly signal: AbortSignal },
): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>();
  if (paths.size === 0) return found;
  await readArchive(
    await openLayer(layer, from, signal),
    ({ name, type }) => {
      const path = pathOf(name);
      if (type !== 'file' || !paths.has(path)) return undefined;
      const chunks: Uint8Array[] = [];
      return {
        write: (bytes: Uint8Array) => void chunks.push(Buffer.from(bytes)),
        end: () => void found.set(path, Buffer.concat(chunks)),
        abort: () => {},
      };
    },
    { signal },
  );
  return found;
}

async function* hashed(
  bytes: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
}

function pathOf(name: string): string {
  return `/${cleanPath(name).join('/')}`;
}

function memberOf(member: ArchiveMember, content: string): LayerMember {
  const { type, mode, uid, gid, mtimeMs, linkName: link, size, xattrs = new Map<string, Uint8Array>() } = member;
  const attributes = [...xattrs].map(([name, value]) => `${name}=${Buffer.from(value).toString('hex')}`).toSorted();
  return {
    type,
    mode: mode & 0o7777,
    owner: `${uid}:${gid}`,
    time: Math.floor(mtimeMs / 1000),
    link,
    device: type === 'special' ? `${member.tarType} ${member.major}:${member.minor}` : '',
    attributes: attributes.join(' '),
    size: type === 'file' ? size : 0,
    content,
  };
}
