import type { TreeEntry } from './file-tree.ts';

const ROWS = 1024;
/** size, ino, mtimeMs, ctimeMs, dev, rdev */
const WIDE = 6;
/** mode, uid, gid, nlink, which place, and a number of the caller's */
const NARROW = 6;

/**
 * Names and attributes of many entries in columns: an eighth of the memory of as many objects, which are made
 * again when they are looked at.
 */
export class EntryTable {
  readonly #names: string[] = [];
  readonly #wide: Float64Array[] = [];
  readonly #narrow: Uint32Array[] = [];
  /** What locations begin with, up to the path inside the tree. */
  readonly #places: string[] = [];

  get length(): number {
    return this.#names.length;
  }

  /** Adds an entry, with a number below 2^32 that belongs to it. Returns its row. */
  push({ name, path, location, stats }: TreeEntry, note = 0): number {
    const row = this.#names.push(name) - 1;
    const [part, at] = [Math.floor(row / ROWS), row % ROWS];
    const wide = (this.#wide[part] ??= new Float64Array(ROWS * WIDE));
    const narrow = (this.#narrow[part] ??= new Uint32Array(ROWS * NARROW));
    wide.set([stats.size, stats.ino, stats.mtimeMs, stats.ctimeMs, stats.dev, stats.rdev], at * WIDE);
    narrow.set([stats.mode, stats.uid, stats.gid, stats.nlink, this.#placeOf(path, location), note], at * NARROW);
    return row;
  }

  /** Takes the last entry away. */
  pop(): void {
    this.#names.pop();
  }

  name(row: number): string {
    return this.#names[row] ?? '';
  }

  note(row: number): number {
    return this.#narrow[Math.floor(row / ROWS)]?.[(row % ROWS) * NARROW + 5] ?? 0;
  }

  /** The entry of a row, which the caller knows the path of. */
  entry(row: number, path: string): TreeEntry {
    const [wide, narrow] = [this.#wide[Math.floor(row / ROWS)], this.#narrow[Math.floor(row / ROWS)]];
    if (wide === undefined || narrow === undefined) throw new Error(`There is no row ${row}`);
    const [w, n] = [(row % ROWS) * WIDE, (row % ROWS) * NARROW];
    const number = (column: number): number => wide[w + column] ?? 0;
    const whole = (column: number): number => narrow[n + column] ?? 0;
    return {
      name: this.name(row),
      path,
      location: (this.#places[whole(4)] ?? '') + path,
      stats: {
        mode: whole(0),
        uid: whole(1),
        gid: whole(2),
        nlink: whole(3),
        size: number(0),
        ino: number(1),
        mtimeMs: number(2),
        ctimeMs: number(3),
        dev: number(4),
        rdev: number(5),
      },
    };
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
