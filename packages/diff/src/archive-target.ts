import { readlinkSync } from 'node:fs';
import { errnoName, quotePath, TbuildError } from '@tbuild/errors';
import { FileType, makedev } from '@tbuild/linux';
import {
  type Attributes,
  describeFailure,
  isWhiteout,
  nameOf,
  parentOf,
  type ReadableTreeWriter,
} from '@tbuild/snapshot';
import { cleanPath } from './clean-path.ts';
import { archiveError } from './tar/archive-error.ts';
import { TarType, type TarEntry } from './tar/tar-entry.ts';
import type { MemberSink } from './tar/tar-parser.ts';
import type { UnpackGuard } from './unpack-guard.ts';

export interface ArchiveTargetOptions {
  readonly writer: ReadableTreeWriter;
  /** The directory of the tree that acts as the archive's root. */
  readonly root: string;
  /** Told of every directory. */
  readonly guard: UnpackGuard;
  /** The owner of every member, instead of the archive's owners. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /**
   * The time of parents that the archive lacks, and of existing directories that get entries and are no members, in
   * milliseconds since the epoch. Without it such parents get the time 0, and existing directories keep theirs.
   */
  readonly now?: number;
  /**
   * Called if a parent is missing or a symbolic link, or if the target of a hard link is missing. Stops the
   * extraction.
   */
  readonly onIncomplete?: () => never;
  /** Called for each device node that this process may not make. */
  readonly onSkippedDevice?: (path: string) => unknown;
}

/** The number of symbolic links that the kernel follows in one path. */
const MAX_LINKS = 40;

/** With more resolved parents than this, all are forgotten. */
export const MAX_PARENTS = 100_000;

const SETGID = 0o2000;

interface ResolvedDirectory {
  readonly path: string;
  /** The number of symbolic links on the way. */
  readonly links: number;
}

/**
 * Unpacks the members of an archive. Whatever their names and links say, nothing outside the root is touched: parents
 * are looked up element by element, and links in them are followed as if the root were `/`.
 */
export class ArchiveTarget {
  readonly #options: ArchiveTargetOptions;
  /** The resolved parents, by their path in the archive. */
  readonly #parents = new Map<string, ResolvedDirectory>();
  /** Every path visited to resolve them. A change to one of these invalidates the resolved parents. */
  readonly #visited = new Map<string, 'directory' | 'link'>();
  /** Directories that are members or were touched: nothing below changes their times. */
  readonly #timed = new Set<string>();

  constructor(options: ArchiveTargetOptions) {
    this.#options = options;
  }

  /** Unpacks a member. The returned sink takes the bytes of a file. */
  add(entry: TarEntry): MemberSink | undefined {
    return describeFailure(
      () => `unpack ${quotePath(entry.name)}`,
      () => this.#add(entry),
    );
  }

  #add(entry: TarEntry): MemberSink | undefined {
    const path = this.locate(entry.name);
    if (path === this.#options.root) return undefined;
    const staysDirectory = entry.type === TarType.directory && this.#visited.get(path) === 'directory';
    if (!staysDirectory) this.invalidate(path);
    if (!staysDirectory && entry.type === TarType.directory) this.#options.guard.addName(path);
    this.#touchParent(path, entry.type);
    if (entry.type === TarType.file) return this.#file(path, entry);
    MAKE[entry.type](entry, path, { target: this, writer: this.#options.writer });
    return undefined;
  }

  /**
   * Returns the path in the tree for a name in the archive, and makes its parents. The last element may be anything.
   */
  locate(name: string): string {
    const parts = cleanPath(name);
    const last = parts.pop();
    return last === undefined ? this.#options.root : join(this.#parent(parts).path, last);
  }

  /** Drops the resolved parents if they depend on `path`, which is about to be replaced. */
  invalidate(path: string): void {
    if (this.#visited.has(path)) this.#forgetParents();
  }

  #forgetParents(): void {
    this.#parents.clear();
    this.#visited.clear();
  }

  link(path: string, entry: TarEntry): void {
    const target = entry.linkName;
    const existing = this.locate(target);
    const stats = this.#options.writer.stat(existing)?.stats;
    if (stats === undefined) this.#options.onIncomplete?.();
    if (stats === undefined || stats.isDirectory())
      throw archiveError(`Hard link ${quotePath(path)} points to ${quotePath(target)}, expected a file`);
    this.#options.writer.link(path, existing, this.#options.now === undefined ? undefined : this.attributesOf(entry));
  }

  skipDevice(path: string): void {
    this.#options.onSkippedDevice?.(path);
  }

  attributesOf(entry: TarEntry): Attributes {
    const { uid, gid } = this.#options.owner ?? entry;
    const mtimeMs = this.#options.now === undefined ? entry.mtimeMs : Math.max(0, entry.mtimeMs);
    return { mode: entry.mode & 0o7777, uid, gid, mtimeMs, xattrs: entry.xattrs };
  }

  /** An entry that is made changes the time of its directory, unless that gets the time of its own member. */
  #touchParent(path: string, type?: TarType): void {
    const { now, root, writer } = this.#options;
    if (now === undefined) return;
    const merges = type === TarType.directory && writer.stat(path)?.stats.isDirectory() === true;
    const parent = parentOf(path);
    if (!merges && parent !== '' && !this.#timed.has(parent)) {
      writer.touch(parent, now);
      this.#timed.add(parent);
    }
    if (type === TarType.directory && path !== root) this.#timed.add(path);
  }

  #file(path: string, entry: TarEntry): MemberSink {
    const sink = this.#options.writer.open(path, this.attributesOf(entry));
    return { write: (bytes) => sink.write(bytes), end: () => sink.close(), abort: () => sink.close() };
  }

  /** Continues from the longest part of the path that is resolved, so that each directory is looked up once. */
  #parent(parts: readonly string[]): ResolvedDirectory {
    // Not later: a path is remembered only together with all that was visited on its way.
    if (this.#parents.size > MAX_PARENTS) this.#forgetParents();
    const unresolved: string[] = [];
    let key = parts.join('/');
    let found = this.#parents.get(key);
    for (; found === undefined && key !== ''; found = this.#parents.get(key)) {
      unresolved.push(key);
      key = parentOf(key);
    }
    found ??= { path: this.#options.root, links: 0 };
    for (const each of unresolved.reverse()) {
      found = this.#enter(found, nameOf(each));
      this.#parents.set(each, found);
    }
    return found;
  }

  /** Resolves one name in a directory; follows it if it is a link. */
  #enter(from: ResolvedDirectory, name: string): ResolvedDirectory {
    const { root, writer, onIncomplete } = this.#options;
    let { path: directory, links } = from;
    const todo = [name];
    for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
      if (part === '..') {
        if (directory !== root) directory = parentOf(directory);
        continue;
      }
      const path = join(directory, part);
      const entry = writer.stat(path);
      if (entry?.stats.isSymbolicLink() === true) {
        this.#visited.set(path, 'link');
        onIncomplete?.();
        if (++links > MAX_LINKS) throw archiveError(`Path ${quotePath(path)} contains too many symbolic links`);
        const target = readlinkSync(entry.location);
        if (target.startsWith('/')) directory = root;
        todo.push(...partsOf(target).reverse());
        continue;
      }
      this.#visited.set(path, 'directory');
      if (entry === undefined) this.#imply(path);
      else if (!entry.stats.isDirectory()) throw archiveError(`Path ${quotePath(path)} is not a directory`);
      directory = path;
    }
    return { path: directory, links };
  }

  /**
   * Makes a parent that the archive lacks. It belongs to root, whoever owns the members. In ADD it inherits the setgid
   * bit, but not the group.
   */
  #imply(path: string): void {
    this.#options.onIncomplete?.();
    const { now, writer } = this.#options;
    this.#options.guard.addName(path);
    this.#touchParent(path);
    const inherited = now === undefined ? 0 : (writer.stat(parentOf(path))?.stats.mode ?? 0) & SETGID;
    writer.ensureDirectory(path, { mode: 0o755 | inherited, uid: 0, gid: 0, mtimeMs: now ?? 0 });
  }
}

/** Makes the entry of an archive at a path. */
type Make = (entry: TarEntry, path: string, into: Into) => void;

interface Into {
  readonly target: ArchiveTarget;
  readonly writer: ReadableTreeWriter;
}

const MAKE: Readonly<Record<Exclude<TarType, '0'>, Make>> = {
  [TarType.directory]: (entry, path, { target, writer }) => writer.directory(path, target.attributesOf(entry)),
  [TarType.symlink]: (entry, path, { target, writer }) =>
    writer.symlink(path, target.attributesOf(entry), entry.linkName),
  [TarType.link]: (entry, path, { target }) => target.link(path, entry),
  [TarType.character]: makeSpecial(FileType.character),
  [TarType.block]: makeSpecial(FileType.block),
  [TarType.fifo]: makeSpecial(FileType.fifo),
};

/** Making devices takes a privilege that a user namespace does not have. As in containerd, they are skipped there. */
function makeSpecial(type: number): Make {
  return (entry, path, { target, writer }) => {
    const device = type === FileType.fifo ? 0 : makedev(entry.major, entry.minor);
    if (isWhiteout({ mode: type, rdev: device })) return;
    try {
      writer.special(path, target.attributesOf(entry), { type, device });
    } catch (error) {
      if (!(error instanceof TbuildError) || errnoName(error.cause) !== 'EPERM') throw error;
      target.skipDevice(path);
    }
  };
}

function join(directory: string, path: string): string {
  return directory === '' || path === '' ? directory + path : `${directory}/${path}`;
}

/** Returns the elements of a link's target, including `..`. */
function partsOf(target: string): string[] {
  return target.split('/').filter((each) => each !== '' && each !== '.');
}
