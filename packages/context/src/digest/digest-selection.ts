import { createHash } from 'node:crypto';
import type { CooperativeTask } from '@tbuild/concurrency';
import { lgetxattr } from '@tbuild/linux';
import type { Digest } from '@tbuild/oci';
import type { SelectedSource } from '../select/selection.ts';
import { readLink } from '../tree/changed-file.ts';
import type { TreeEntry } from '../tree/file-tree.ts';
import { type FileType, typeOf } from '../tree/file-type.ts';
import { type FileHasher, isLargeFile } from './file-hasher.ts';

export interface DigestOptions {
  readonly hasher: FileHasher;
  /** `keep` for trees of steps. `root` for contexts, whose files lose owner and capabilities. */
  readonly owner: 'keep' | 'root';
  /** For a mount: counts the attributes of a selected directory, except of the root, and not its name. */
  readonly shown?: boolean;
  /** Leaves out permission bits, for a copy that sets all of them. */
  readonly anyMode?: boolean;
}

/**
 * Computes the digest of everything that a copy of the selection carries over: names, types, permission bits, owners,
 * capabilities, link targets and bytes. Leaves out times, and the attributes of a selected directory itself, unless it is for a
 * mount. A socket of a context counts as the empty file that a copy makes of it; those of trees are left out.
 *
 * @throws TbuildError CONTEXT when a file cannot be read.
 */
export function* digestSelection(sources: readonly SelectedSource[], options: DigestOptions): CooperativeTask<Digest> {
  const hash = createHash('sha256');
  let [pending, count] = ['', 0];
  for (const { name, entry, files } of sources) {
    if (isLargeFile(entry)) yield* options.hasher.readLarge(entry);
    const isWhole = typeOf(entry.stats) !== 'directory' || (options.shown === true && entry.path !== '');
    pending += `source\0${options.shown === true ? '' : name}\0${isWhole ? describe('', entry, options) : 'directory\0'}`;
    for (const file of files) {
      if (++count % FILES_A_PIECE === 0) yield;
      if (isLargeFile(file.entry)) yield* options.hasher.readLarge(file.entry);
      if (options.owner === 'keep' && typeOf(file.entry.stats) === 'socket') continue;
      pending += describe(file.implied ? `${file.relative}/.` : file.relative, file.entry, options);
      if (pending.length < FLUSH_AT) continue;
      hash.update(pending);
      pending = '';
    }
  }
  return `sha256:${hash.update(pending).digest('hex')}`;
}

const FILES_A_PIECE = 64;
const FLUSH_AT = 1 << 16;

/** Returns one record of zero-terminated fields. The type determines their number. */
function describe(name: string, entry: TreeEntry, options: DigestOptions): string {
  const { mode, uid, gid } = entry.stats;
  const type = typeOf(entry.stats);
  const owner = options.owner === 'keep' ? `${uid}:${gid}` : '0:0';
  const access = options.anyMode === true ? '' : (mode & 0o7777).toString(8);
  return `${type === 'socket' ? 'file' : type}\0${name}\0${access}:${owner}\0${CONTENT[type](entry, options)}`;
}

const CONTENT: Record<FileType, (entry: TreeEntry, options: DigestOptions) => string> = {
  file: (entry, options) => `${options.hasher.digest(entry)}${capabilityOf(entry, options)}\0`,
  directory: () => '',
  symlink: (entry) => `${readLink(entry)}\0`,
  fifo: () => '',
  socket: () => `${EMPTY}\0`,
  character: (entry) => `${entry.stats.rdev}\0`,
  block: (entry) => `${entry.stats.rdev}\0`,
};

/** The digest of no bytes. */
const EMPTY = `sha256:${createHash('sha256').digest('hex')}`;

function capabilityOf(entry: TreeEntry, options: DigestOptions): string {
  const value = options.owner === 'keep' ? lgetxattr(entry.location, 'security.capability') : undefined;
  return value === undefined ? '' : `:${value.toString('hex')}`;
}
