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
import { errnoName, quotePath, TbuildError } from '@tbuild/errors';
import { copyFileBytes, createHoleWriter, FileType, mknod } from '@tbuild/linux';
import { applyAttributes, applyFileAttributes, applyLinkAttributes, readAttributes, setTime } from './attributes.ts';
import { parentOf, type LayeredEntry } from './layered-entry.ts';
import { isWhiteout, makeOpaque, makeWhiteout, whiteoutType } from './overlay-format.ts';
import { describeFailure, describeTaskFailure } from './snapshot-error.ts';
import type { OverlayFlavour } from './snapshotter.ts';
import type { Attributes, FileBytes, FileSink, ReadableTreeWriter, SpecialFile, WrittenFile } from './tree-writer.ts';
import { type Below, UpperView, type UpperViewOptions } from './upper-view.ts';
import { writeBytes } from './write-bytes.ts';

export type TreeWriterOptions = UpperViewOptions;

/**
 * Creates a {@link ReadableTreeWriter} for layer directories in overlay's format. Only one writer at a time may use an
 * `upper`.
 */
export function createTreeWriter(options: TreeWriterOptions): ReadableTreeWriter {
  return new OverlayWriter(options);
}

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

class OverlayWriter implements ReadableTreeWriter {
  readonly #flavour: OverlayFlavour;
  readonly #view: UpperView;
  /** The modification times that the directories in `upper` get at the end. */
  readonly #times = new Map<string, number>();
  #whiteoutType: number | undefined;

  constructor(options: TreeWriterOptions) {
    this.#flavour = options.flavour;
    this.#view = new UpperView(options);
    this.#times.set('', lstatSync(options.upper).mtimeMs);
  }

  stat(path: string): LayeredEntry | undefined {
    return this.#view.stat(path);
  }

  ensureDirectory(path: string, attributes: Attributes): void {
    if (path === '' || this.#view.known(path) !== undefined) return;
    this.ensureDirectory(parentOf(path), attributes);
    const entry = this.#view.stat(path);
    if (entry === undefined) this.directory(path, attributes);
    else if (!entry.stats.isDirectory()) throw notADirectory(path);
  }

  directory(path: string, attributes: Attributes): void {
    guard('make directory', path, () => {
      if (path === '' || this.#view.inUpper(path)?.isDirectory() === true) this.#ensureInUpper(path);
      else this.#makeDirectory(path);
      applyAttributes(this.#view.location(path), attributes);
      this.#times.set(path, attributes.mtimeMs);
    });
  }

  file(path: string, attributes: Attributes, source: FileBytes): number {
    if ('location' in source) return runSync(this.copy(path, attributes, source.location));
    return guard('write file', path, () => {
      const fd = this.#create(path, attributes);
      try {
        const size = writeBytes(source, fd);
        applyFileAttributes(fd, this.#view.location(path), attributes);
        return size;
      } finally {
        closeSync(fd);
      }
    });
  }

  copy(path: string, attributes: Attributes, location: string): CooperativeTask<number> {
    return describeTaskFailure(() => `write file ${quotePath(path)}`, this.#copy(path, attributes, location));
  }

  *#copy(path: string, attributes: Attributes, location: string): CooperativeTask<number> {
    const fd = this.#create(path, attributes);
    try {
      const size = yield* copyFileBytes(location, fd);
      applyFileAttributes(fd, this.#view.location(path), attributes);
      return size;
    } finally {
      closeSync(fd);
    }
  }

  open(path: string, attributes: Attributes): FileSink {
    const fd = guard('write file', path, () => this.#create(path, attributes));
    const file = createHoleWriter(fd);
    const finish = (): void => {
      try {
        file.finish();
        applyFileAttributes(fd, this.#view.location(path), attributes);
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

  special(path: string, attributes: Attributes, { type, device }: SpecialFile): void {
    if (isWhiteout({ mode: type, rdev: device })) {
      throw new TbuildError(
        'SNAPSHOT',
        `Device ${quotePath(path)} has the number 0:0, which is reserved for whiteouts`,
      );
    }
    this.#replace('make device', path, (location) => {
      mknod(location, (type & FileType.mask) | 0o600, device);
      applyAttributes(location, attributes);
      setTime(location, attributes.mtimeMs);
    });
  }

  link(path: string, existing: string, attributes?: Attributes): void {
    if (path === existing) return;
    guard('link', path, () => {
      const stats = this.#view.inUpper(existing);
      if (stats === undefined) this.#copyUp(existing);
      else if (stats.isDirectory() || isWhiteout(stats)) throw missing(existing);
    });
    this.#replace('link', path, (location) => linkSync(this.#view.location(existing), location));
    if (attributes !== undefined) guard('link', path, () => changeAttributes(this.#view.location(path), attributes));
  }

  touch(path: string, mtimeMs: number): void {
    guard('set the time of', path, () => this.#ensureInUpper(path));
    this.#times.set(path, mtimeMs);
  }

  share(path: string, { location }: WrittenFile): boolean {
    return guard('link', path, () => {
      this.#prepare(path);
      if (linkUnlessRefused(location, this.#view.location(path))) return true;
      return this.#clear(path) && linkUnlessRefused(location, this.#view.location(path));
    });
  }

  remove(path: string): void {
    guard('remove', path, () => {
      if (!this.#view.parentExists(path)) return;
      const hidesBelow = this.#view.hasBelow(path);
      if (!hidesBelow && this.#view.inUpper(path) === undefined) return;
      this.#prepare(path);
      this.#clear(path);
      if (hidesBelow)
        makeWhiteout(this.#view.location(path), (this.#whiteoutType ??= whiteoutType(this.#view.location(''))));
    });
  }

  opaque(path: string): void {
    guard('hide the contents of', path, () => {
      if (this.#ensureInUpper(path) === 'nothing') return;
      makeOpaque(this.#view.location(path), this.#flavour);
      this.#view.hideBelow(path);
    });
  }

  finish(): void {
    for (const [path, time] of this.#times) setTime(this.#view.location(path), time);
  }

  /** Makes sure that the directory `path` of the merged tree is in `upper`; copies it up if necessary. */
  #ensureInUpper(path: string): Below {
    const known = this.#view.known(path);
    if (known !== undefined) return known;
    this.#ensureInUpper(parentOf(path));
    const below = this.#view.below(path);
    const stats = this.#view.inUpper(path) ?? this.#copyUpDirectory(path);
    if (!stats.isDirectory()) throw notADirectory(path);
    this.#times.set(path, stats.mtimeMs);
    this.#view.remember(path, below);
    return below;
  }

  /** Makes sure that the parent is in `upper`, before anything but a directory of the lowers is made at `path`. */
  #prepare(path: string): Below {
    this.#view.willReplace(path);
    return this.#ensureInUpper(parentOf(path));
  }

  #copyUpDirectory(path: string): Stats {
    const entry = this.#view.entryBelow(path);
    if (entry === undefined) throw missing(path);
    if (!entry.stats.isDirectory()) throw notADirectory(path);
    const location = this.#view.location(path);
    mkdirSync(location, 0o700);
    applyAttributes(location, readAttributes(entry.location, entry.stats));
    return entry.stats;
  }

  #makeDirectory(path: string): void {
    const parent = this.#prepare(path);
    const below = this.#view.entryBelow(path);
    const hidden = this.#clear(path);
    const location = this.#view.location(path);
    const merges = !hidden && (parent === 'unknown' || below?.stats.isDirectory() === true);
    mkdirSync(location, 0o700);
    if (hidden && (parent === 'unknown' || below !== undefined)) makeOpaque(location, this.#flavour);
    else if (merges && below !== undefined) applyAttributes(location, readAttributes(below.location, below.stats));
    this.#view.remember(path, merges ? parent : 'nothing');
  }

  /** Opens a new file for writing and removes what was there. An owner is recorded only in a file that may be written. */
  #create(path: string, attributes: Attributes): number {
    this.#prepare(path);
    const location = this.#view.location(path);
    const mode = (attributes.mode & 0o777) | 0o600;
    try {
      return openSync(location, NEW_FILE, mode);
    } catch (error) {
      if (errnoName(error) !== 'EEXIST') throw error;
    }
    this.#clear(path);
    return openSync(location, NEW_FILE, mode);
  }

  #replace(action: string, path: string, make: (location: string) => void): void {
    guard(action, path, () => {
      this.#prepare(path);
      const location = this.#view.location(path);
      try {
        return make(location);
      } catch (error) {
        if (errnoName(error) !== 'EEXIST') throw error;
      }
      this.#clear(path);
      make(location);
    });
  }

  /** Removes what `upper` has at the path. Returns whether there was something, which hid the entry below. */
  #clear(path: string): boolean {
    const location = this.#view.location(path);
    const stats = lstatSync(location, { throwIfNoEntry: false });
    if (stats === undefined) return false;
    if (!stats.isDirectory()) {
      unlinkSync(location);
      return true;
    }
    rmSync(location, { recursive: true });
    for (const forgotten of this.#view.forget(path)) this.#times.delete(forgotten);
    return true;
  }

  /** Copies an entry that only the lowers have into `upper`, unchanged. */
  #copyUp(path: string): void {
    const entry = this.#view.entryBelow(path);
    if (entry === undefined || entry.stats.isDirectory()) throw missing(path);
    const { location, stats } = entry;
    const attributes = readAttributes(location, stats);
    if (stats.isFile()) this.file(path, attributes, { location, size: stats.size });
    else if (stats.isSymbolicLink()) this.symlink(path, attributes, readlinkSync(location));
    else this.special(path, attributes, { type: stats.mode & FileType.mask, device: stats.rdev });
  }
}

/** Changes the attributes of a file or symbolic link that exists. */
function changeAttributes(location: string, attributes: Attributes): void {
  if (lstatSync(location).isSymbolicLink()) return applyLinkAttributes(location, attributes);
  applyAttributes(location, attributes);
  setTime(location, attributes.mtimeMs);
}

function guard<T>(action: string, path: string, work: () => T): T {
  return describeFailure(() => `${action} ${quotePath(path)}`, work);
}

/** Returns false if there are too many links already, or if the file is gone. */
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
  return new TbuildError('SNAPSHOT', `Path ${quotePath(path)} is not a directory`);
}

function missing(path: string): TbuildError {
  return new TbuildError('SNAPSHOT', `Path ${quotePath(path)} does not exist`);
}
