import type { Hash } from 'node:crypto';
import type { FileStat, TreeEntry } from './file-tree.ts';

const ROWS = 1024;
/** size, ino, mtimeMs, ctimeMs, dev, rdev */
const WIDE = 6;
/** mode, uid, gid, nlink, the place's number, and a number of the caller's */
const NARROW = 6;

/** The contents of a table as data that can be sent to another thread. */
export interface EntryColumns {
  readonly names: readonly string[];
  readonly wide: readonly Float64Array[];
  readonly narrow: readonly Uint32Array[];
  readonly places: readonly string[];
}

/** Keeps names and attributes of many entries in columns, an eighth of the memory of objects. Entries are created on access. */
export class EntryTable {
  readonly #names: string[];
  readonly #wide: Float64Array[];
  readonly #narrow: Uint32Array[];
  /** The beginnings of locations, up to the path inside the tree. */
  readonly #places: string[];

  constructor({ names, wide, narrow, places }: EntryColumns = { names: [], wide: [], narrow: [], places: [] }) {
    this.#names = [...names];
    this.#wide = [...wide];
    this.#narrow = [...narrow];
    this.#places = [...places];
  }

  get length(): number {
    return this.#names.length;
  }

  /** Adds an entry with a number below 2^32 of the caller's. Returns its row. */
  push({ name, path, location, stats }: TreeEntry, note = 0): number {
    const row = this.#names.push(name) - 1;
    const part = Math.floor(row / ROWS);
    const wide = (this.#wide[part] ??= new Float64Array(ROWS * WIDE));
    const narrow = (this.#narrow[part] ??= new Uint32Array(ROWS * NARROW));
    const [w, n] = [(row % ROWS) * WIDE, (row % ROWS) * NARROW];
    wide[w] = stats.size;
    wide[w + 1] = stats.ino;
    wide[w + 2] = stats.mtimeMs;
    wide[w + 3] = stats.ctimeMs;
    wide[w + 4] = stats.dev;
    wide[w + 5] = stats.rdev;
    narrow[n] = stats.mode;
    narrow[n + 1] = stats.uid;
    narrow[n + 2] = stats.gid;
    narrow[n + 3] = stats.nlink;
    narrow[n + 4] = this.#placeOf(path, location);
    narrow[n + 5] = note;
    return row;
  }

  /** Removes the last entry. */
  pop(): void {
    this.#names.pop();
  }

  name(row: number): string {
    return this.#names[row] ?? '';
  }

  note(row: number): number {
    return this.#narrow[Math.floor(row / ROWS)]?.[(row % ROWS) * NARROW + 5] ?? 0;
  }

  columns(): EntryColumns {
    return { names: this.#names, wide: this.#wide, narrow: this.#narrow, places: this.#places };
  }

  /** Feeds everything in the table to a hash. */
  addTo(hash: Hash): void {
    hash.update(`${this.#names.join('\0')}\0${this.#places.join('\0')}`);
    for (let from = 0; from < this.length; from += ROWS) {
      const [wide, narrow] = [this.#wide[from / ROWS], this.#narrow[from / ROWS]];
      const rows = Math.min(ROWS, this.length - from);
      if (wide !== undefined) hash.update(wide.subarray(0, rows * WIDE));
      if (narrow !== undefined) hash.update(narrow.subarray(0, rows * NARROW));
    }
  }

  /** Returns the attributes of a row. */
  stat(row: number): RowStat {
    const [wide, narrow] = [this.#wide[Math.floor(row / ROWS)], this.#narrow[Math.floor(row / ROWS)]];
    if (wide === undefined || narrow === undefined) throw new Error(`There is no row ${row}`);
    return new RowStat(wide, narrow, row % ROWS);
  }

  /** Returns the entry of a row, whose path the caller knows. */
  entry(row: number, path: string): TreeEntry {
    return new RowEntry(this.stat(row), path, this.#places);
  }

  #placeOf(path: string, location: string): number {
    if (!location.endsWith(path)) throw new Error(`Location ${location} does not end in the path ${path}`);
    const length = location.length - path.length;
    const last = this.#places.length - 1;
    if (this.#places[last]?.length === length && location.startsWith(this.#places[last])) return last;
    const place = location.slice(0, length);
    const known = this.#places.indexOf(place);
    return known === -1 ? this.#places.push(place) - 1 : known;
  }
}

/** An entry whose attributes stay in their columns, because most of them are never read. */
class RowEntry implements TreeEntry {
  readonly #places: readonly string[];
  readonly path: string;
  readonly stats: RowStat;

  constructor(stats: RowStat, path: string, places: readonly string[]) {
    this.#places = places;
    this.path = path;
    this.stats = stats;
  }

  get name(): string {
    return this.path.slice(this.path.lastIndexOf('/') + 1);
  }

  get location(): string {
    return (this.#places[this.stats.place] ?? '') + this.path;
  }
}

class RowStat implements FileStat {
  readonly #wide: Float64Array;
  readonly #narrow: Uint32Array;
  readonly #w: number;
  readonly #n: number;

  constructor(wide: Float64Array, narrow: Uint32Array, at: number) {
    this.#wide = wide;
    this.#narrow = narrow;
    this.#w = at * WIDE;
    this.#n = at * NARROW;
  }

  get size(): number {
    return this.#wide[this.#w] ?? 0;
  }
  get ino(): number {
    return this.#wide[this.#w + 1] ?? 0;
  }
  get mtimeMs(): number {
    return this.#wide[this.#w + 2] ?? 0;
  }
  get ctimeMs(): number {
    return this.#wide[this.#w + 3] ?? 0;
  }
  get dev(): number {
    return this.#wide[this.#w + 4] ?? 0;
  }
  get rdev(): number {
    return this.#wide[this.#w + 5] ?? 0;
  }
  get mode(): number {
    return this.#narrow[this.#n] ?? 0;
  }
  get uid(): number {
    return this.#narrow[this.#n + 1] ?? 0;
  }
  get gid(): number {
    return this.#narrow[this.#n + 2] ?? 0;
  }
  get nlink(): number {
    return this.#narrow[this.#n + 3] ?? 0;
  }
  /** The number of the place that the location begins with. */
  get place(): number {
    return this.#narrow[this.#n + 4] ?? 0;
  }
}
