import { readlinkSync, type Stats } from 'node:fs';
import type { CooperativeTask } from '@tbuild/concurrency';
import { FileType, lgetxattr, majorOf, minorOf } from '@tbuild/linux';
import { readOwner } from '@tbuild/snapshot';
import { CAPABILITY } from './same-entry.ts';
import { TarType, type TarEntry } from './tar/tar-entry.ts';
import { TarWriter, type ByteSink } from './tar/tar-writer.ts';

/** A file of a tree on its way into an archive. */
export interface FileToArchive {
  readonly path: string;
  readonly location: string;
  readonly stats: Stats;
}

/** What a member is for a file of each type; there is none for sockets. */
export const MEMBER_TYPES: Readonly<Record<number, TarType>> = {
  [FileType.regular]: TarType.file,
  [FileType.directory]: TarType.directory,
  [FileType.link]: TarType.symlink,
  [FileType.character]: TarType.character,
  [FileType.block]: TarType.block,
  [FileType.fifo]: TarType.fifo,
};

/**
 * Puts the files of a tree into an archive in the form that Docker's builder gives layers: names relative,
 * numeric owners, times cut to seconds, of attributes the capability alone, sockets left out, later
 * names of a file as links to its first.
 */
export class FileArchive {
  readonly #tar: TarWriter;
  readonly #firstNames = new Map<string, string>();
  readonly #latest: number;

  /** No file is newer than `latest`, in milliseconds. */
  constructor(sink: ByteSink, latest = Infinity) {
    this.#tar = new TarWriter(sink);
    this.#latest = latest;
  }

  /** Adds one file; yields after every buffer full of its bytes. */
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

  /** The name under which the archive has this file already. */
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
