import {
  closeSync,
  constants,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  rmSync,
  type Stats,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { type CooperativeTask, runSync } from '@tbuild/concurrency';
import { errnoName, TbuildError } from '@tbuild/errors';
import { copyFileBytes, createHoleWriter, FileType, mknod } from '@tbuild/linux';
import { applyAttributes, applyFileAttributes, applyLinkAttributes, readAttributes, setTime } from './attributes.ts';
import { openCommittedTree } from './committed-tree.ts';
import { parentOf, type LayeredEntry, type LayeredTree } from './layered-entry.ts';
import { isOpaque, isWhiteout, makeOpaque, makeWhiteout } from './overlay-format.ts';
import { doing, doingTask } from './snapshot-error.ts';
import type { OverlayFlavour } from './snapshotter.ts';
import type { Attributes, FileBytes, FileSink, TreeWriter, WrittenFile } from './tree-writer.ts';
import { writeBytes } from './write-bytes.ts';

export interface TreeWriterOptions {
  /** Absolute path of the directory that takes the changes. */
  readonly upper: string;
  /** Bottom first. `unknown`: a layer that stands alone, in which every removal leaves a whiteout. */
  readonly lowers: readonly string[] | 'unknown';
  readonly flavour: OverlayFlavour;
}

/** A {@link TreeWriter} on layer directories in overlay's format. One writer at a time for an `upper`. */
export function createTreeWriter(options: TreeWriterOptions): TreeWriter {
  return new OverlayWriter(options);
}

/** What a directory of `upper` stands on: nothing, directories that may hold entries, or nobody knows. */
type Below = 'nothing' | 'directory' | 'unknown';

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

class OverlayWriter implements TreeWriter {
  readonly #upper: string;
  readonly #flavour: OverlayFlavour;
  readonly #lower: LayeredTree;
  /** Directories that are in `upper`, as far as it is known. */
  readonly #below = new Map<string, Below>();
  /** The time each of them shall have in the end. */
  readonly #times = new Map<string, number>();

  constructor({ upper, lowers, flavour }: TreeWriterOptions) {
    this.#upper = upper;
    this.#flavour = flavour;
    this.#lower = openCommittedTree(lowers === 'unknown' ? [] : lowers, flavour);
    this.#below.set('', lowers === 'unknown' ? 'unknown' : lowers.length === 0 ? 'nothing' : 'directory');
    this.#times.set('', lstatSync(upper).mtimeMs);
  }

  ensureDirectory(path: string, attributes: Attributes): void {
    if (path === '' || this.#below.has(path)) return;
    this.ensureDirectory(parentOf(path), attributes);
    const stats = this.#stat(path);
    if (stats === undefined) this.directory(path, attributes);
    else if (!stats.isDirectory()) throw notADirectory(path);
  }

  directory(path: string, attributes: Attributes): void {
    guard('make directory', path, () => {
      if (path === '' || this.#inUpper(path)?.isDirectory() === true) this.#enter(path);
      else this.#makeDirectory(path);
      applyAttributes(this.#location(path), attributes);
      this.#times.set(path, attributes.mtimeMs);
    });
  }

  file(path: string, attributes: Attributes, source: FileBytes): number {
    if ('location' in source) return runSync(this.copy(path, attributes, source.location));
    return guard('write file', path, () => {
      const fd = this.#create(path);
      try {
        const size = writeBytes(source, fd);
        applyFileAttributes(fd, this.#location(path), attributes);
        return size;
      } finally {
        closeSync(fd);
      }
    });
  }

  copy(path: string, attributes: Attributes, location: string): CooperativeTask<number> {
    return doingTask(`write file ${JSON.stringify(path)}`, this.#copy(path, attributes, location));
  }

  *#copy(path: string, attributes: Attributes, location: string): CooperativeTask<number> {
    const fd = this.#create(path);
    try {
      const size = yield* copyFileBytes(location, fd);
      applyFileAttributes(fd, this.#location(path), attributes);
      return size;
    } finally {
      closeSync(fd);
    }
  }

  open(path: string, attributes: Attributes): FileSink {
    const fd = guard('write file', path, () => this.#create(path));
    const file = createHoleWriter(fd);
    const finish = (): void => {
      try {
        file.finish();
        applyFileAttributes(fd, this.#location(path), attributes);
      } finally {
        closeSync(fd);
      }
    };
    return {
      write: (bytes) => guard('write file', path, () => file.write(bytes)),
      close: () => guard('write file', path, finish),
    };
  }

  symlink(path: string, attributes: Attributes, target: string): void {
    this.#replace('make link', path, (location) => {
      symlinkSync(target, location);
      applyLinkAttributes(location, attributes);
    });
  }

  special(path: string, attributes: Attributes, type: number, device: number): void {
    if (isWhiteout({ mode: type, rdev: device })) {
      throw new TbuildError('SNAPSHOT', `Device ${JSON.stringify(path)} has number 0:0, which marks deleted files`);
    }
    this.#replace('make device', path, (location) => {
      mknod(location, (type & FileType.mask) | 0o600, device);
      applyAttributes(location, attributes);
      setTime(location, attributes.mtimeMs);
    });
  }

  link(path: string, existing: string): void {
    if (path === existing) return;
    guard('link', path, () => {
      const stats = this.#inUpper(existing);
      if (stats === undefined) this.#copyUp(existing);
      else if (stats.isDirectory() || isWhiteout(stats)) throw missing(existing);
    });
    this.#replace('link', path, (location) => linkSync(this.#location(existing), location));
  }

  share(path: string, { location }: WrittenFile): boolean {
    return guard('link', path, () => {
      this.#enter(parentOf(path));
      if (linkUnlessRefused(location, this.#location(path))) return true;
      return this.#clear(path) && linkUnlessRefused(location, this.#location(path));
    });
  }

  remove(path: string): void {
    guard('remove', path, () => {
      if (!this.#parentExists(path)) return;
      const hidesBelow = this.#hasBelow(path);
      if (!hidesBelow && this.#inUpper(path) === undefined) return;
      this.#enter(parentOf(path));
      this.#clear(path);
      if (hidesBelow) makeWhiteout(this.#location(path));
    });
  }

  opaque(path: string): void {
    guard('empty', path, () => {
      if (this.#enter(path) === 'nothing') return;
      makeOpaque(this.#location(path), this.#flavour);
      for (const known of this.#below.keys()) {
        if (known === path || known.startsWith(`${path}/`)) this.#below.set(known, 'nothing');
      }
    });
  }

  finish(): void {
    for (const [path, time] of this.#times) setTime(this.#location(path), time);
  }

  #location(path: string): string {
    return path === '' ? this.#upper : `${this.#upper}/${path}`;
  }

  /** What the merged tree has at `path`, whose parent is known to be a directory there. */
  #stat(path: string): Stats | undefined {
    const stats = this.#inUpper(path);
    if (stats !== undefined) return isWhiteout(stats) ? undefined : stats;
    return this.#entryBelow(path)?.stats;
  }

  /** What `upper` itself has at `path`, a whiteout included. */
  #inUpper(path: string): Stats | undefined {
    const parent = parentOf(path);
    if (!this.#below.has(parent) && this.#inUpper(parent)?.isDirectory() !== true) return undefined;
    return lstatSync(this.#location(path), { throwIfNoEntry: false });
  }

  /** What lies below `path` in the lowers and would be seen if `upper` had nothing there. */
  #entryBelow(path: string): LayeredEntry | undefined {
    return this.#belowOf(parentOf(path)) === 'directory' ? this.#lower.stat(path) : undefined;
  }

  #hasBelow(path: string): boolean {
    return this.#belowOf(parentOf(path)) === 'unknown' || this.#entryBelow(path) !== undefined;
  }

  /** As `#enter`, but leaves `upper` alone. */
  #belowOf(path: string): Below {
    const known = this.#below.get(path);
    if (known !== undefined) return known;
    const parent = this.#belowOf(parentOf(path));
    if (parent === 'nothing') return 'nothing';
    const stats = this.#inUpper(path);
    if (stats !== undefined && (!stats.isDirectory() || isOpaque(this.#location(path), this.#flavour)))
      return 'nothing';
    if (parent === 'unknown') return 'unknown';
    return this.#lower.stat(path)?.stats.isDirectory() === true ? 'directory' : 'nothing';
  }

  #parentExists(path: string): boolean {
    const parent = parentOf(path);
    if (this.#below.has(parent)) return true;
    return this.#parentExists(parent) && this.#stat(parent)?.isDirectory() === true;
  }

  /** Makes sure that the directory `path` of the merged tree is in `upper`, copying it up if need be. */
  #enter(path: string): Below {
    const known = this.#below.get(path);
    if (known !== undefined) return known;
    this.#enter(parentOf(path));
    const below = this.#belowOf(path);
    const stats = this.#inUpper(path) ?? this.#copyUpDirectory(path);
    if (!stats.isDirectory()) throw notADirectory(path);
    this.#times.set(path, stats.mtimeMs);
    this.#below.set(path, below);
    return below;
  }

  #copyUpDirectory(path: string): Stats {
    const entry = this.#entryBelow(path);
    if (entry === undefined) throw missing(path);
    if (!entry.stats.isDirectory()) throw notADirectory(path);
    const location = this.#location(path);
    mkdirSync(location, 0o700);
    applyAttributes(location, readAttributes(entry.location, entry.stats));
    return entry.stats;
  }

  #makeDirectory(path: string): void {
    const parent = this.#enter(parentOf(path));
    const below = this.#entryBelow(path);
    const hidden = this.#clear(path);
    const location = this.#location(path);
    const merges = !hidden && (parent === 'unknown' || below?.stats.isDirectory() === true);
    mkdirSync(location, 0o700);
    if (hidden && (parent === 'unknown' || below !== undefined)) makeOpaque(location, this.#flavour);
    else if (merges && below !== undefined) applyAttributes(location, readAttributes(below.location, below.stats));
    this.#below.set(path, merges ? parent : 'nothing');
  }

  /** Opens a new file for writing; what was there is gone. */
  #create(path: string): number {
    this.#enter(parentOf(path));
    const location = this.#location(path);
    try {
      return openSync(location, NEW_FILE, 0o600);
    } catch (error) {
      if (errnoName(error) !== 'EEXIST') throw error;
    }
    this.#clear(path);
    return openSync(location, NEW_FILE, 0o600);
  }

  #replace(action: string, path: string, make: (location: string) => void): void {
    guard(action, path, () => {
      this.#enter(parentOf(path));
      const location = this.#location(path);
      try {
        return make(location);
      } catch (error) {
        if (errnoName(error) !== 'EEXIST') throw error;
      }
      this.#clear(path);
      make(location);
    });
  }

  /** Empties the place in `upper`. Returns whether something was there, which hid what lies below. */
  #clear(path: string): boolean {
    const location = this.#location(path);
    const stats = lstatSync(location, { throwIfNoEntry: false });
    if (stats === undefined) return false;
    if (!stats.isDirectory()) {
      unlinkSync(location);
      return true;
    }
    rmSync(location, { recursive: true });
    for (const known of this.#below.keys()) {
      if (known !== path && !known.startsWith(`${path}/`)) continue;
      this.#below.delete(known);
      this.#times.delete(known);
    }
    return true;
  }

  /** Brings what only the lowers have into `upper`, as it is. */
  #copyUp(path: string): void {
    const entry = this.#entryBelow(path);
    if (entry === undefined || entry.stats.isDirectory()) throw missing(path);
    const { location, stats } = entry;
    const attributes = readAttributes(location, stats);
    if (stats.isFile()) this.file(path, attributes, { location });
    else if (stats.isSymbolicLink()) this.symlink(path, attributes, readlinkSync(location));
    else this.special(path, attributes, stats.mode & FileType.mask, stats.rdev);
  }
}

function guard<T>(action: string, path: string, work: () => T): T {
  return doing(`${action} ${JSON.stringify(path)}`, work);
}

/** There may be too many links already, or the file may be gone. */
function linkUnlessRefused(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (['EEXIST', 'EMLINK', 'ENOENT', 'EPERM', 'EXDEV'].includes(errnoName(error) ?? '')) return false;
    throw error;
  }
}

function notADirectory(path: string): TbuildError {
  return new TbuildError('SNAPSHOT', `Path ${JSON.stringify(path)} is not a directory`);
}

function missing(path: string): TbuildError {
  return new TbuildError('SNAPSHOT', `Path ${JSON.stringify(path)} does not exist`);
}
