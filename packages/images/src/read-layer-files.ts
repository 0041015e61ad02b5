import { createHash } from 'node:crypto';
import type { Provider } from '@tbuild/content';
import { cleanPath, openLayer, readArchive, type ArchiveMember } from '@tbuild/diff';
import type { Descriptor } from '@tbuild/oci';

/** A file as a layer describes it, without times. */
export interface LayerFile {
  readonly type: ArchiveMember['type'];
  /** In bytes. 0 for anything but a regular file. */
  readonly size: number;
  /** Equal for files of the same type, mode, owner, link target and content. */
  readonly identity: string;
}

/** Files by absolute path. */
export type LayerFiles = Map<string, LayerFile>;

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

/** Where layers are read, and until when. */
export interface LayerReading {
  readonly content: Provider;
  readonly signal: AbortSignal;
}

/** Applies a layer to the files of the layers below. */
export async function applyLayer(
  files: LayerFiles,
  layer: Descriptor,
  { content, signal }: LayerReading,
): Promise<void> {
  const own = new Set<string>();
  const hidden: string[] = [];
  const add = (path: string, file: LayerFile): void => {
    if (file.type !== 'directory') removeBelow(files, path);
    files.set(path, file);
    own.add(path);
  };
  await readArchive(
    await openLayer(layer, content, signal),
    (member) => {
      const path = pathOf(member.name);
      const name = path.slice(path.lastIndexOf('/') + 1);
      const directory = path.slice(0, path.length - name.length - 1);
      if (name === OPAQUE) hidden.push(...[...files.keys()].filter((known) => known.startsWith(`${directory}/`)));
      else if (name.startsWith(WHITEOUT)) hidden.push(`${directory}/${name.slice(WHITEOUT.length)}`);
      else if (path === '') return undefined;
      else if (member.type === 'link') add(path, files.get(pathOf(member.linkName)) ?? fileOf(member, ''));
      else if (member.type !== 'file') add(path, fileOf(member, ''));
      else return hashing((digest) => add(path, fileOf(member, digest)));
      return undefined;
    },
    { signal },
  );
  // A whiteout hides files of lower layers, never those of its own layer, regardless of the order of entries.
  for (const path of hidden) {
    if (!own.has(path)) files.delete(path);
    for (const known of files.keys()) if (known.startsWith(`${path}/`) && !own.has(known)) files.delete(known);
  }
}

function removeBelow(files: LayerFiles, path: string): void {
  if (files.get(path)?.type !== 'directory') return;
  for (const known of files.keys()) if (known.startsWith(`${path}/`)) files.delete(known);
}

/** Returns an absolute path; empty for the root. */
function pathOf(name: string): string {
  return cleanPath(name)
    .map((part) => `/${part}`)
    .join('');
}

function fileOf({ type, mode, uid, gid, size, linkName }: ArchiveMember, digest: string): LayerFile {
  return {
    type,
    size: type === 'file' ? size : 0,
    identity: [type, mode & 0o7777, uid, gid, linkName, digest].join(' '),
  };
}

function hashing(done: (digest: string) => void) {
  const hash = createHash('sha256');
  return {
    write: (bytes: Uint8Array) => void hash.update(bytes),
    end: () => done(hash.digest('hex')),
    abort: () => {},
  };
}
