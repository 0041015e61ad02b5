import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { CooperativeTask } from '@tbuild/concurrency';
import { makeDirectory } from '@tbuild/linux';
import type { Digest } from '@tbuild/oci';
import { writeAtomically } from '@tbuild/store';
import type { SelectedSource } from '../select/selection.ts';
import { changedFile } from '../tree/changed-file.ts';
import type { FileStat, TreeEntry } from '../tree/file-tree.ts';
import { digestSelection, type DigestOptions } from './digest-selection.ts';
import { createFileHash, type FileHasher, type HashedFile, isInOnePiece } from './file-hasher.ts';
import { fingerprintOf, openSelectionMemory, type SelectionMemory, SELECTIONS } from './selection-memory.ts';
import { createStatTable, decodeStatTable, encodeStatTable, type StatTable } from './stat-table.ts';

/** A hasher that does not read a file whose stats are those of an earlier build. */
export interface StatIndex extends FileHasher {
  /** Opens a selection, to digest it with this hasher. */
  openSelection(sources: readonly SelectedSource[], options: Omit<DigestOptions, 'hasher'>): OpenSelection;
  /**
   * Digests a small file with one name, and returns its bytes, which are valid until the next file is read. Returns undefined
   * for any other file and for one whose digest is known, mostly without reading it.
   */
  digestOnce(entry: TreeEntry): Uint8Array | undefined;
  /** Reports whether any change to a digested selection since then would show in its stats. */
  haveStableStats(sources: readonly SelectedSource[]): boolean;
  /** Writes the index for the next build. The last writer wins. */
  save(): void;
}

/** A selection whose files may not be read yet. */
export interface OpenSelection {
  /**
   * Whether files have to be read, and all stats are stable. A file that is read from now on, and has the stats of the selection
   * then, has the digested bytes if {@link StatIndex.haveStableStats} is true after `digest`.
   */
  readonly isNew: boolean;
  /** Looks up no file while everything in the selection has the stats of an earlier build. */
  digest(): CooperativeTask<Digest>;
}

/**
 * Opens the stat index of one context. A missing or damaged file is an empty index. Like git's index, it trusts inode, size, mtime
 * and ctime, except of a file that changed so shortly before it was hashed that a later change could leave the same times. Within one
 * build a file has one digest: `digest` throws CONTEXT when it differs from an earlier one, which may be part of a key.
 */
export function openStatIndex(file: string): StatIndex {
  return new FileStatIndex(file);
}

function readTable(file: string): StatTable {
  try {
    return decodeStatTable(readFileSync(file)) ?? createStatTable(0);
  } catch {
    return createStatTable(0);
  }
}

/** Milliseconds within which two changes may get the same time: a kernel's tick, or the two seconds of FAT. */
const FINE_TIMES = 20;
const COARSE_TIMES = 2000;
/** Keeps as many rows of files that this build did not look up as of those it did, plus these. */
const SPARE_ROWS = 10_000;
/** So many lookups out of order search the rows. Then a map is built. */
const SEARCHES = 16;

class FileStatIndex implements StatIndex {
  readonly #file: string;
  #loaded: StatTable | undefined;
  readonly #selections: SelectionMemory;
  /** The number of files in selections that were trusted as a whole. */
  #trusted = 0;
  readonly #stable = new WeakSet<readonly SelectedSource[]>();
  readonly #hash = createFileHash();
  /** The row of the next lookup, because trees are walked in the same order each time. */
  #cursor = 0;
  #searches = 0;
  #rows: Map<string, number> | undefined;
  readonly #visited: number[] = [];
  /** Rows whose digest this build has returned. */
  readonly #digested: boolean[] = [];
  #changed = false;
  /** Digests of files whose stats had changed since they were listed. */
  readonly #moved = new Map<string, Digest>();
  /** Stats of a file created before the first one was read: the time of the file system's clock. */
  #clock: FileStat | undefined;

  constructor(file: string) {
    this.#file = file;
    this.#selections = openSelectionMemory(file + SELECTIONS);
  }

  /** Read on first use: a build whose selections are all unchanged does not need it. */
  get #table(): StatTable {
    return (this.#loaded ??= readTable(this.#file));
  }

  openSelection(sources: readonly SelectedSource[], options: Omit<DigestOptions, 'hasher'>): OpenSelection {
    const fingerprint = fingerprintOf(sources, options);
    const known = this.#selections.get(fingerprint);
    if (known !== undefined) {
      this.#trusted += sources.reduce((sum, { files }) => sum + 1 + files.length, 0);
      this.#stable.add(sources);
    }
    const isNew = known === undefined && this.#areOld(sources);
    const digest = function* (this: FileStatIndex): CooperativeTask<Digest> {
      if (known !== undefined) return known;
      const found = yield* digestSelection(sources, { ...options, hasher: this });
      if (isNew && this.#moved.size === 0) {
        this.#selections.set(fingerprint, found);
        this.#stable.add(sources);
      }
      return found;
    };
    return { isNew, digest: digest.bind(this) };
  }

  #areOld(sources: readonly SelectedSource[]): boolean {
    const clock = this.#readClock();
    const isOld = (stats: FileStat): boolean => isOlder(stats, clock);
    return sources.every(({ entry, files }) => isOld(entry.stats) && files.every(isOld));
  }

  haveStableStats(sources: readonly SelectedSource[]): boolean {
    return this.#stable.has(sources);
  }

  digest(entry: TreeEntry): Digest {
    const found = this.#find(entry.path);
    const row =
      found !== undefined && this.#isCurrent(found, entry.stats, 'trusted')
        ? found
        : this.#record(entry, found, this.#hashFile(entry));
    this.#cursor = row + 1;
    this.#visited.push(row);
    this.#digested[row] = true;
    return this.#digestOf(row);
  }

  digestOnce(entry: TreeEntry): Uint8Array | undefined {
    if (entry.stats.nlink > 1 || !isInOnePiece(entry)) return undefined;
    const found = this.#find(entry.path);
    if (found !== undefined && this.#isCurrent(found, entry.stats, 'trusted')) return undefined;
    const hashed = this.#hashFile(entry);
    this.#cursor = this.#record(entry, found, hashed) + 1;
    return hashed.bytes;
  }

  *readLarge(entry: TreeEntry): CooperativeTask {
    const row = this.#find(entry.path);
    if (row !== undefined && this.#isCurrent(row, entry.stats, 'trusted')) return;
    this.#readClock();
    yield* this.#hash.readLarge(entry);
  }

  known(entry: TreeEntry): Digest | undefined {
    const row = this.#find(entry.path);
    if (row === undefined) return undefined;
    this.#cursor = row + 1;
    return this.#isCurrent(row, entry.stats, 'known') ? this.#digestOf(row) : this.#moved.get(entry.path);
  }

  hasStableStat(entry: TreeEntry): boolean {
    const row = this.#find(entry.path);
    if (row === undefined) return false;
    this.#cursor = row + 1;
    return this.#isCurrent(row, entry.stats, 'trusted');
  }

  save(): void {
    this.#selections.save();
    if (!this.#changed) return;
    writeAtomically(this.#file, encodeStatTable(this.#table, this.#rowsToKeep()));
    this.#changed = false;
  }

  /** A file that is older than this before it is read cannot change later without new times. */
  #readClock(): FileStat {
    return (this.#clock ??= readClock(this.#file));
  }

  #digestOf(row: number): Digest {
    return `sha256:${this.#table.digests.toString('hex', row * 32, row * 32 + 32)}`;
  }

  #find(path: string): number | undefined {
    const { paths } = this.#table;
    if (paths[this.#cursor] === path) return this.#cursor;
    if (paths[this.#cursor - 1] === path) return this.#cursor - 1;
    if (this.#rows === undefined && this.#searches++ < SEARCHES) {
      const row = paths.indexOf(path);
      return row === -1 ? undefined : row;
    }
    this.#rows ??= new Map(paths.map((name, row) => [name, row]));
    return this.#rows.get(path);
  }

  /** Reports whether a row has these stats: trusted in this and later builds, or known in this one only. */
  #isCurrent(row: number, stats: FileStat, as: 'trusted' | 'known'): boolean {
    const { inodes, changed, modified, sizes } = this.#table;
    const at = changed[row] ?? Number.NaN;
    return (
      (as === 'known' ? Math.abs(at) : at) === stats.ctimeMs &&
      modified[row] === stats.mtimeMs &&
      sizes[row] === stats.size &&
      inodes[row] === stats.ino
    );
  }

  #hashFile(entry: TreeEntry): HashedFile {
    this.#readClock();
    return this.#hash.of(entry);
  }

  /** Records what hashing a file gave, in the row that was found for it or in a new one. Returns the row. */
  #record(entry: TreeEntry, found: number | undefined, { digest, stats }: HashedFile): number {
    const clock = this.#readClock();
    if (found !== undefined && this.#digested[found] === true && digest !== this.#digestOf(found))
      throw changedFile(entry);
    const row = found ?? this.#append(entry.path);
    const { inodes, changed, modified, sizes, digests } = this.#table;
    [inodes[row], modified[row], sizes[row]] = [stats.ino, stats.mtimeMs, stats.size];
    const isListed = isSame(entry.stats, stats);
    changed[row] = isListed && isOlder(stats, clock) ? stats.ctimeMs : -stats.ctimeMs;
    if (!isListed) this.#moved.set(entry.path, digest);
    digests.write(digest.slice('sha256:'.length), row * 32, 'hex');
    this.#changed = true;
    return row;
  }

  #append(path: string): number {
    const row = this.#table.paths.push(path) - 1;
    this.#rows?.set(path, row);
    if (row >= this.#table.capacity) this.#loaded = createStatTable(Math.max(1024, row * 2), this.#table);
    return row;
  }

  /** Returns rows in the order of their last visit, then those not visited. */
  #rowsToKeep(): number[] {
    const seen = new Uint8Array(this.#table.paths.length);
    const rows: number[] = [];
    for (let at = this.#visited.length - 1; at >= 0; at--) {
      const row = this.#visited[at] ?? 0;
      if (seen[row] === 0) rows.push(row);
      seen[row] = 1;
    }
    rows.reverse();
    const limit = (rows.length + this.#trusted) * 2 + SPARE_ROWS;
    for (let row = 0; row < seen.length && rows.length < limit; row++) if (seen[row] === 0) rows.push(row);
    return rows;
  }
}

function readClock(file: string): FileStat {
  makeDirectory(dirname(file));
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  writeFileSync(temporary, '');
  const stats = statSync(temporary);
  rmSync(temporary);
  return stats;
}

/** Reports whether a file's stats after its last byte was read are those of its listing. */
function isSame(listed: FileStat, read: FileStat): boolean {
  return (
    listed.ctimeMs === read.ctimeMs &&
    listed.mtimeMs === read.mtimeMs &&
    listed.size === read.size &&
    listed.ino === read.ino
  );
}

/** Reports whether a file's last change is further back than the resolution of its times. */
function isOlder({ dev, ctimeMs }: FileStat, clock: FileStat): boolean {
  const isFine = dev === clock.dev && !Number.isInteger(ctimeMs / 1000);
  return ctimeMs + (isFine ? FINE_TIMES : COARSE_TIMES) < clock.ctimeMs;
}
