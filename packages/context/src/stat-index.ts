import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectory } from '@tbuild/linux';
import type { CooperativeTask } from '@tbuild/concurrency';
import type { Digest } from '@tbuild/oci';
import { writeAtomically } from '@tbuild/store';
import { changedFile } from './changed-file.ts';
import { digestSelection, type DigestOptions } from './digest-selection.ts';
import { createFileHash, type FileHasher } from './file-hasher.ts';
import type { FileStat, TreeEntry } from './file-tree.ts';
import { fingerprintOf, openSelectionMemory, type SelectionMemory } from './selection-memory.ts';
import type { SelectedSource } from './selection.ts';
import { createStatTable, decodeStatTable, encodeStatTable, type StatTable } from './stat-table.ts';

/** A hasher that believes a file unchanged, and does not read it, while its stats are those of an earlier build. */
export interface StatIndex extends FileHasher {
  /**
   * `digestSelection` with this hasher; looks at nothing while everything in the selection has the stats of an earlier build.
   * Otherwise `onUnknown` is called before the first file is read, unless it is clear already that they will not be settled. Who reads
   * the files from then on, and finds one with the stats that it has in the selection, reads what is digested, provided that
   * {@link haveStableStats} says so in the end.
   */
  digestSelection(
    sources: readonly SelectedSource[],
    options: Omit<DigestOptions, 'hasher'>,
    onUnknown?: () => void,
  ): CooperativeTask<Digest>;
  /** Whether everything in a selection that was digested would show by its stats that it is not any more what it was then. */
  haveStableStats(sources: readonly SelectedSource[]): boolean;
  /** Writes what was learnt for the next build; whoever writes last wins. */
  save(): void;
}

/**
 * Opens the stat index of one context, kept in `file`; a missing or damaged file is an empty index.
 * Like git's, it trusts inode, size, mtime and ctime, but not where a file changed so shortly before it
 * was hashed that a later change could have left the same times. Within one build a file has one digest: it throws CONTEXT
 * for one that is another by then, since a key may have been made of the first.
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

/** Milliseconds within which two changes may get the same time: a kernel's tick, or FAT's two seconds. */
const FINE_TIMES = 20;
const COARSE_TIMES = 2000;
/** Rows of files that this build did not look at are kept up to as many as those it did, plus these. */
const SPARE_ROWS = 10_000;
/** So many lookups out of order are searched for; then a map pays. */
const SEARCHES = 16;

class FileStatIndex implements StatIndex {
  readonly #file: string;
  #loaded: StatTable | undefined;
  readonly #selections: SelectionMemory;
  /** In selections that were trusted whole, so that their rows were not looked at. */
  #trusted = 0;
  readonly #stable = new WeakSet<readonly SelectedSource[]>();
  readonly #hash = createFileHash();
  /** Row where the next lookup is expected, unless it is the last one again: trees are walked in the same order each time. */
  #cursor = 0;
  #searches = 0;
  #rows: Map<string, number> | undefined;
  readonly #visited: number[] = [];
  /** Rows of which this build was told the digest. */
  readonly #digested: boolean[] = [];
  #changed = false;
  /** Of files that were no longer as listed when they were read. */
  readonly #moved = new Map<string, Digest>();
  /** Stats of a file made before the first one was read: the file system's own clock. */
  #clock: FileStat | undefined;

  constructor(file: string) {
    this.#file = file;
    this.#selections = openSelectionMemory(`${file}.selections`);
  }

  /** Is not read by a build that finds all selections unchanged. */
  get #table(): StatTable {
    return (this.#loaded ??= readTable(this.#file));
  }

  *digestSelection(
    sources: readonly SelectedSource[],
    options: Omit<DigestOptions, 'hasher'>,
    onUnknown?: () => void,
  ): CooperativeTask<Digest> {
    const fingerprint = fingerprintOf(sources, options);
    const known = this.#selections.get(fingerprint);
    if (known !== undefined) {
      this.#trusted += sources.reduce((sum, { files }) => sum + 1 + files.length, 0);
      this.#stable.add(sources);
      return known;
    }
    const clock = this.#readClock();
    const isOld = (stats: FileStat): boolean => isOlder(stats, clock);
    const areOld = sources.every(({ entry, files }) => isOld(entry.stats) && files.every(isOld));
    if (areOld) onUnknown?.();
    const digest = yield* digestSelection(sources, { ...options, hasher: this });
    const asListed = this.#moved.size === 0;
    if (areOld && asListed) {
      this.#selections.set(fingerprint, digest);
      this.#stable.add(sources);
    }
    return digest;
  }

  haveStableStats(sources: readonly SelectedSource[]): boolean {
    return this.#stable.has(sources);
  }

  digest(entry: TreeEntry): Digest {
    const found = this.#find(entry.path);
    const row =
      found !== undefined && this.#isCurrent(found, entry.stats, 'trusted') ? found : this.#rehash(entry, found);
    this.#cursor = row + 1;
    this.#visited.push(row);
    this.#digested[row] = true;
    return this.#digestOf(row);
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

  /** What is found older than this before it is read cannot change later and keep its times. */
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

  /** Whether a row is about a file with these stats: trusted in this and later builds, or known in this one only. */
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

  #rehash(entry: TreeEntry, found: number | undefined): number {
    const clock = this.#readClock();
    const { digest, stats } = this.#hash.of(entry);
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

  /** In the order of their last visit, which is the walk of the largest selection; then those not visited. */
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

/** Whether a file was as listed when its last byte was read. */
function isSame(listed: FileStat, read: FileStat): boolean {
  return (
    listed.ctimeMs === read.ctimeMs &&
    listed.mtimeMs === read.mtimeMs &&
    listed.size === read.size &&
    listed.ino === read.ino
  );
}

/** Whether a file had been as it is for longer than its times resolve. */
function isOlder({ dev, ctimeMs }: FileStat, clock: FileStat): boolean {
  const isFine = dev === clock.dev && !Number.isInteger(ctimeMs / 1000);
  return ctimeMs + (isFine ? FINE_TIMES : COARSE_TIMES) < clock.ctimeMs;
}
