import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Digest } from '@tbuild/oci';
import { changedFile } from './changed-file.ts';
import { createLinkAwareHash, type FileHasher } from './file-hasher.ts';
import type { FileStat, TreeEntry } from './file-tree.ts';
import { createStatTable, decodeStatTable, encodeStatTable, type StatTable } from './stat-table.ts';

/** A hasher that believes a file unchanged, and does not read it, while its stats are those of an earlier build. */
export interface StatIndex extends FileHasher {
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
  return new FileStatIndex(file, readTable(file));
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
  #table: StatTable;
  readonly #hash = createLinkAwareHash();
  /** Row where the next lookup is expected: trees are walked in the same order each time. */
  #cursor = 0;
  #searches = 0;
  #rows: Map<string, number> | undefined;
  readonly #visited: number[] = [];
  /** 1 for a row of which this build was told the digest. */
  #told = new Uint8Array();
  #changed = false;
  /** Stats of a file made before the first one was read: the file system's own clock. */
  #clock: FileStat | undefined;

  constructor(file: string, table: StatTable) {
    this.#file = file;
    this.#table = table;
    this.#told = new Uint8Array(table.capacity);
  }

  digest(entry: TreeEntry): Digest {
    const found = this.#find(entry.path);
    const row = found !== undefined && this.#isCurrent(found, entry.stats) ? found : this.#rehash(entry, found);
    this.#cursor = row + 1;
    this.#visited.push(row);
    this.#told[row] = 1;
    return this.#digestOf(row);
  }

  known(entry: TreeEntry): Digest | undefined {
    const row = this.#find(entry.path);
    if (row === undefined) return undefined;
    this.#cursor = row + 1;
    return this.#digestOf(row);
  }

  isSettled(entry: TreeEntry): boolean {
    const row = this.#find(entry.path);
    return row !== undefined && !Number.isNaN(this.#table.changed[row]);
  }

  save(): void {
    if (!this.#changed) return;
    const temporary = temporaryOf(this.#file);
    try {
      writeFileSync(temporary, encodeStatTable(this.#table, this.#rowsToKeep()));
      renameSync(temporary, this.#file);
    } finally {
      rmSync(temporary, { force: true });
    }
    this.#changed = false;
  }

  #digestOf(row: number): Digest {
    return `sha256:${this.#table.digests.toString('hex', row * 32, row * 32 + 32)}`;
  }

  #find(path: string): number | undefined {
    const { paths } = this.#table;
    if (paths[this.#cursor] === path) return this.#cursor;
    if (this.#rows === undefined && this.#searches++ < SEARCHES) {
      const row = paths.indexOf(path);
      return row === -1 ? undefined : row;
    }
    this.#rows ??= new Map(paths.map((name, row) => [name, row]));
    return this.#rows.get(path);
  }

  #isCurrent(row: number, stats: FileStat): boolean {
    const { inodes, changed, modified, sizes } = this.#table;
    return (
      changed[row] === stats.ctimeMs &&
      modified[row] === stats.mtimeMs &&
      sizes[row] === stats.size &&
      inodes[row] === stats.ino
    );
  }

  #rehash(entry: TreeEntry, found: number | undefined): number {
    const clock = (this.#clock ??= readClock(this.#file));
    const { digest, stats } = this.#hash(entry);
    if (found !== undefined && this.#told[found] === 1 && digest !== this.#digestOf(found)) throw changedFile(entry);
    const row = found ?? this.#append(entry.path);
    const { inodes, changed, modified, sizes, digests } = this.#table;
    [inodes[row], modified[row], sizes[row]] = [stats.ino, stats.mtimeMs, stats.size];
    changed[row] = isSettled(entry.stats, stats, clock) ? stats.ctimeMs : Number.NaN;
    digests.write(digest.slice('sha256:'.length), row * 32, 'hex');
    this.#changed = true;
    return row;
  }

  #append(path: string): number {
    const row = this.#table.paths.push(path) - 1;
    this.#rows?.set(path, row);
    if (row >= this.#table.capacity) {
      this.#table = createStatTable(Math.max(1024, row * 2), this.#table);
      const told = this.#told;
      this.#told = new Uint8Array(this.#table.capacity);
      this.#told.set(told);
    }
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
    const limit = rows.length * 2 + SPARE_ROWS;
    for (let row = 0; row < seen.length && rows.length < limit; row++) if (seen[row] === 0) rows.push(row);
    return rows;
  }
}

function temporaryOf(file: string): string {
  return `${file}.${randomBytes(6).toString('hex')}`;
}

function readClock(file: string): FileStat {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = temporaryOf(file);
  writeFileSync(temporary, '');
  const stats = statSync(temporary);
  rmSync(temporary);
  return stats;
}

/** Whether the file was as listed when its last byte was read, and had been so for longer than its times resolve. */
function isSettled(listed: FileStat, read: FileStat, clock: FileStat): boolean {
  if (listed.ctimeMs !== read.ctimeMs || listed.mtimeMs !== read.mtimeMs || listed.size !== read.size) return false;
  const isFine = read.dev === clock.dev && !Number.isInteger(read.ctimeMs / 1000);
  return read.ctimeMs + (isFine ? FINE_TIMES : COARSE_TIMES) < clock.ctimeMs;
}
