import type { Hash } from 'node:crypto';
import { EntryTable } from '../tree/entry-table.ts';
import type { FileStat, TreeEntry } from '../tree/file-tree.ts';
import { typeOf } from '../tree/file-type.ts';
import type { SelectedColumns, SelectedFile, SelectedFiles } from './selection.ts';

const IMPLIED = 0x8000_0000;
const TOP = 0x7fff_ffff;

/** Collects the selected files of the directory `top` in the order of a walk: each directory before its entries. */
export class SelectionList implements SelectedFiles {
  /** The note of an entry is the row of its directory, and a bit for implied ones. */
  readonly #entries: EntryTable;
  readonly #top: string;
  /** All paths begin with it. */
  readonly #prefix: string;
  #bytes: number;

  constructor({ top, bytes, entries }: { readonly top: string } & Partial<SelectedColumns>) {
    this.#entries = new EntryTable(entries);
    this.#top = top;
    this.#prefix = top === '' ? '' : `${top}/`;
    this.#bytes = bytes ?? 0;
  }

  get length(): number {
    return this.#entries.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Adds an entry of the directory in row `parent`, or of the top directory. Returns its row. */
  push(entry: TreeEntry, parent = TOP, implied = false): number {
    if (typeOf(entry.stats) !== 'directory') this.#bytes += entry.stats.size;
    return this.#entries.push(entry, implied ? parent + IMPLIED : parent);
  }

  /** Removes the last entry, a directory. */
  pop(): void {
    this.#entries.pop();
  }

  addTo(hash: Hash): void {
    hash.update(this.#prefix);
    this.#entries.addTo(hash);
  }

  every(test: (stats: FileStat) => boolean): boolean {
    for (let row = 0; row < this.length; row++) if (!test(this.#entries.stat(row))) return false;
    return true;
  }

  columns(): SelectedColumns {
    return { top: this.#top, bytes: this.#bytes, entries: this.#entries.columns() };
  }

  *[Symbol.iterator](): Generator<SelectedFile, void> {
    const open: { readonly row: number; readonly path: string }[] = [];
    for (let row = 0; row < this.#entries.length; row++) {
      const note = this.#entries.note(row);
      const parent = note % IMPLIED;
      while (open.length > 0 && open.at(-1)?.row !== parent) open.pop();
      const path = (open.at(-1)?.path ?? this.#prefix) + this.#entries.name(row);
      const entry = this.#entries.entry(row, path);
      if (typeOf(entry.stats) === 'directory') open.push({ row, path: `${path}/` });
      const relative = path.slice(this.#prefix.length);
      yield note < IMPLIED ? { relative, entry } : { relative, entry, implied: true };
    }
  }
}

/** The files below an entry that is not a directory. */
export const NO_FILES: SelectedFiles = new SelectionList({ top: '' });
