import { readlinkSync } from 'node:fs';
import { errnoName, TbuildError } from '@tbuild/errors';
import { FileType, makedev } from '@tbuild/linux';
import { describeFailure, isWhiteout, type Attributes, type LayeredTree, type TreeWriter } from '@tbuild/snapshot';
import { cleanPath } from './clean-path.ts';
import { archiveError } from './tar/archive-error.ts';
import { TarType, type TarEntry } from './tar/tar-entry.ts';
import type { MemberSink } from './tar/tar-parser.ts';

export interface ArchiveTargetOptions {
  readonly writer: TreeWriter;
  /** What the writer writes into, as it is at each moment. */
  readonly tree: Pick<LayeredTree, 'stat'>;
  /** The directory of the tree that is the archive's root; links lead nowhere else. */
  readonly root: string;
  /** Owner of all that is unpacked, instead of the archive's. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Called instead of going on when a parent is missing, or is a link, or what a hard link names is missing. */
  readonly onIncomplete?: () => never;
  /** Is told of device nodes that may not be made here. */
  readonly onLeftOut?: (path: string) => unknown;
}

/** As many links in one path as the kernel follows. */
const MAX_LINKS = 40;

/**
 * Where the members of an archive go. Whatever their names and links say, nothing is touched outside of the root: parents are
 * looked up part by part, links in them are followed as if the root were `/`.
 */
export class ArchiveTarget {
  readonly #options: ArchiveTargetOptions;
  /** Where parents were found, by their path in the archive. */
  readonly #parents = new Map<string, string>();
  /** Every path that was looked at for that; a change to one of them makes the above void. */
  readonly #visited = new Set<string>();

  constructor(options: ArchiveTargetOptions) {
    this.#options = options;
  }

  /** Unpacks a member; a file's bytes are given to the sink returned. */
  add(entry: TarEntry): MemberSink | undefined {
    return describeFailure(`unpack ${quote(entry.name)}`, () => this.#add(entry));
  }

  #add(entry: TarEntry): MemberSink | undefined {
    const path = this.locate(entry.name);
    if (path === this.#options.root) return undefined;
    this.changed(path);
    if (entry.type === TarType.file) return this.#file(path, entry);
    MAKE[entry.type](this, path, entry, this.#options.writer);
    return undefined;
  }

  /** Where a name of the archive is in the tree; its parents exist then, its last part may be anything. */
  locate(name: string): string {
    const parts = cleanPath(name);
    const last = parts.pop();
    return last === undefined ? this.#options.root : join(this.#parent(parts), last);
  }

  /** Says that `path` of the tree is about to become something else. */
  changed(path: string): void {
    if (!this.#visited.has(path)) return;
    this.#parents.clear();
    this.#visited.clear();
  }

  link(path: string, target: string): void {
    const existing = this.locate(target);
    const stats = this.#options.tree.stat(existing)?.stats;
    if (stats === undefined) this.#options.onIncomplete?.();
    if (stats === undefined || stats.isDirectory())
      throw archiveError(`Hard link ${quote(path)} names ${quote(target)}, which is no file`);
    this.#options.writer.link(path, existing);
  }

  leftOut(path: string): void {
    this.#options.onLeftOut?.(path);
  }

  attributesOf(entry: TarEntry): Attributes {
    const { uid, gid } = this.#options.owner ?? entry;
    return { mode: entry.mode & 0o7777, uid, gid, mtimeMs: entry.mtimeMs, xattrs: entry.xattrs };
  }

  #file(path: string, entry: TarEntry): MemberSink {
    const sink = this.#options.writer.open(path, this.attributesOf(entry));
    return { write: (bytes) => sink.write(bytes), end: () => sink.close(), abort: () => sink.close() };
  }

  #parent(parts: readonly string[]): string {
    const key = parts.join('/');
    const known = this.#parents.get(key);
    if (known !== undefined) return known;
    const found = this.#walk(parts);
    this.#parents.set(key, found);
    return found;
  }

  #walk(parts: readonly string[]): string {
    const { root, tree, onIncomplete } = this.#options;
    const todo = [...parts].reverse();
    let [done, links]: [string[], number] = [[], 0];
    for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
      if (part === '..') {
        done.pop();
        continue;
      }
      const path = join(root, [...done, part].join('/'));
      const entry = tree.stat(path);
      this.#visited.add(path);
      if (entry?.stats.isSymbolicLink() === true) {
        onIncomplete?.();
        if (++links > MAX_LINKS) throw archiveError(`Path ${quote(path)} has too many links`);
        const target = readlinkSync(entry.location);
        if (target.startsWith('/')) done = [];
        todo.push(
          ...target
            .split('/')
            .filter((each) => each !== '' && each !== '.')
            .reverse(),
        );
        continue;
      }
      if (entry === undefined) this.#imply(path);
      else if (!entry.stats.isDirectory()) throw archiveError(`Path ${quote(path)} is not a directory`);
      done.push(part);
    }
    return join(root, done.join('/'));
  }

  /** A directory that the archive does not have gets nothing that could differ from one unpacking to the next. */
  #imply(path: string): void {
    this.#options.onIncomplete?.();
    const { uid, gid } = this.#options.owner ?? { uid: 0, gid: 0 };
    this.#options.writer.ensureDirectory(path, { mode: 0o755, uid, gid, mtimeMs: 0 });
  }
}

type Make = (target: ArchiveTarget, path: string, entry: TarEntry, writer: TreeWriter) => void;

const MAKE: Readonly<Record<Exclude<TarType, '0'>, Make>> = {
  [TarType.directory]: (target, path, entry, writer) => writer.directory(path, target.attributesOf(entry)),
  [TarType.symlink]: (target, path, entry, writer) => writer.symlink(path, target.attributesOf(entry), entry.linkName),
  [TarType.link]: (target, path, entry) => target.link(path, entry.linkName),
  [TarType.character]: makeSpecial(FileType.character),
  [TarType.block]: makeSpecial(FileType.block),
  [TarType.fifo]: makeSpecial(FileType.fifo),
};

/** Devices need a privilege that a user namespace does not give; as in containerd, they are left out there. */
function makeSpecial(type: number): Make {
  return (target, path, entry, writer) => {
    const device = type === FileType.fifo ? 0 : makedev(entry.major, entry.minor);
    if (isWhiteout({ mode: type, rdev: device })) return;
    try {
      writer.special(path, target.attributesOf(entry), type, device);
    } catch (error) {
      if (!(error instanceof TbuildError) || errnoName(error.cause) !== 'EPERM') throw error;
      target.leftOut(path);
    }
  };
}

function join(directory: string, path: string): string {
  return directory === '' || path === '' ? directory + path : `${directory}/${path}`;
}

function quote(path: string): string {
  return JSON.stringify(path);
}
