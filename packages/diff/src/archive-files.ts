import { readlinkSync, type Stats } from 'node:fs';
import type { CooperativeTask } from '@tbuild/concurrency';
import { FileType, lgetxattr, majorOf, minorOf } from '@tbuild/linux';
import { readOwner } from '@tbuild/snapshot';
import { CAPABILITY } from './same-entry.ts';
import { TarType, type TarEntry } from './tar/tar-entry.ts';
import { TarWriter, type ByteSink } from './tar/tar-writer.ts';

/** A file of a tree to add to an archive. */
export interface FileToArchive {
  readonly path: string;
  readonly location: string;
  readonly stats: Stats;
}

/** The member type for each file type. Sockets have none. */
export const MEMBER_TYPES: Readonly<Record<number, TarType>> = {
  [FileType.regular]: TarType.file,
  [FileType.directory]: TarType.directory,
  [FileType.link]: TarType.symlink,
  [FileType.character]: TarType.character,
  [FileType.block]: TarType.block,
  [FileType.fifo]: TarType.fifo,
};

/**
 * Adds the files of a tree to an archive in the form that BuildKit gives layers: relative names, numeric owners,
 * times cut to seconds, no extended attribute but the capability, no sockets, and hard links to the first name of a
 * file.
 */
export class FileArchive {
  readonly #tar: TarWriter;
  readonly #firstNames = new Map<string, string>();
  readonly #latest: number;

  /** Limits modification times to `latest`, in milliseconds. */
  constructor(sink: ByteSink, latest = Infinity) {
    this.#tar = new TarWriter(sink);
    this.#latest = latest;
  }

  /** Adds one file. Yields after each full buffer. */
  *add({ path, location, stats }: FileToArchive): CooperativeTask {
    const type = MEMBER_TYPES[stats.mode & FileType.mask];
    if (type === undefined) return;
    const first = this.#firstName(path, type, stats);
    const own = describe({ path, location, stats }, first === undefined ? type : TarType.link);
    const entry = { ...own, mtimeMs: Math.min(own.mtimeMs, this.#latest) };
    this.#tar.header(first === undefined ? entry : { ...entry, linkName: first });
    if (first === undefined && type === TarType.file) yield* this.#tar.body(location, stats.size);
  }

  addWhiteout(path: string): void {
    const slash = path.lastIndexOf('/') + 1;
    const name = `${path.slice(0, slash)}.wh.${path.slice(slash)}`;
    const nothing = { mode: 0, uid: 0, gid: 0, size: 0, mtimeMs: 0, linkName: '', major: 0, minor: 0 };
    this.#tar.header({ name, type: TarType.file, ...nothing });
  }

  finish(): void {
    this.#tar.finish();
  }

  /** Returns the name under which the archive already has this file. */
  #firstName(path: string, type: TarType, stats: Stats): string | undefined {
    if (type === TarType.directory || stats.nlink < 2) return undefined;
    const inode = `${stats.dev}:${stats.ino}`;
    const first = this.#firstNames.get(inode);
    if (first === undefined) this.#firstNames.set(inode, path);
    return first;
  }
}

function describe({ path, location, stats }: FileToArchive, type: TarType): TarEntry {
  const capability = lgetxattr(location, CAPABILITY);
  const owner = readOwner(location, stats);
  const device = stats.isCharacterDevice() || stats.isBlockDevice();
  return {
    name: type === TarType.directory ? `${path}/` : path,
    type,
    mode: stats.mode & 0o7777,
    uid: owner.uid,
    gid: owner.gid,
    size: type === TarType.file ? stats.size : 0,
    mtimeMs: stats.mtimeMs,
    linkName: type === TarType.symlink ? readlinkSync(location) : '',
    major: device ? majorOf(stats.rdev) : 0,
    minor: device ? minorOf(stats.rdev) : 0,
    xattrs: capability && new Map([[CAPABILITY, capability]]),
  };
}
