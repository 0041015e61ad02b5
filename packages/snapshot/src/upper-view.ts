import { lstatSync, type Stats } from 'node:fs';
import { openCommittedTree } from './committed-tree.ts';
import { nameOf, parentOf, statRoot, type LayeredEntry, type LayeredTree } from './layered-entry.ts';
import { isOpaque, isWhiteout } from './overlay-format.ts';
import { withOwner } from './owner.ts';
import type { OverlayFlavour } from './snapshotter.ts';

/** What a directory of `upper` lies on: nothing, directories of the lowers that may hold entries, or unknown layers. */
export type Below = 'nothing' | 'directory' | 'unknown';

export interface UpperViewOptions {
  /** Absolute path of the directory that takes the changes. */
  readonly upper: string;
  /** Bottom first. `unknown`: a layer that stands alone, in which every removal leaves a whiteout. */
  readonly lowers: readonly string[] | 'unknown';
  readonly flavour: OverlayFlavour;
}

/** Looks up paths in `upper`, in its lowers and in the merged tree, while a writer changes `upper`. */
export class UpperView {
  readonly upper: string;
  readonly #flavour: OverlayFlavour;
  readonly #lower: LayeredTree;
  /** The directories known to be in `upper`. */
  readonly #below = new Map<string, Below>();
  /** The same for directories that only the lowers have. Cleared when something else is made at one of these paths. */
  readonly #onlyInLowers = new Map<string, Below>();

  constructor({ upper, lowers, flavour }: UpperViewOptions) {
    this.upper = upper;
    this.#flavour = flavour;
    this.#lower = openCommittedTree(lowers === 'unknown' ? [] : lowers, flavour);
    this.#below.set('', lowers === 'unknown' ? 'unknown' : lowers.length === 0 ? 'nothing' : 'directory');
  }

  location(path: string): string {
    return path === '' ? this.upper : `${this.upper}/${path}`;
  }

  /** Returns what a directory of `upper` lies on, if the directory is known. */
  known(path: string): Below | undefined {
    return this.#below.get(path);
  }

  /** Remembers a directory of `upper`. */
  remember(path: string, below: Below): void {
    this.#below.set(path, below);
  }

  /** Remembers that nothing below the directory shows through any more. */
  hideBelow(path: string): void {
    this.#onlyInLowers.clear();
    for (const known of this.#below.keys()) if (isWithin(known, path)) this.#below.set(known, 'nothing');
  }

  /** Forgets the directories of the lowers if `path` is one that something else replaces. */
  willReplace(path: string): void {
    if (this.#onlyInLowers.has(path)) this.#onlyInLowers.clear();
  }

  /** Forgets the directory and those in it. Returns their paths. */
  forget(path: string): readonly string[] {
    this.#onlyInLowers.clear();
    const forgotten = [...this.#below.keys()].filter((known) => isWithin(known, path));
    for (const known of forgotten) this.#below.delete(known);
    return forgotten;
  }

  /** Returns what the merged tree has at `path`; undefined if a parent is not a directory there. */
  stat(path: string): LayeredEntry | undefined {
    if (path === '') return { name: '', path, location: this.upper, stats: statRoot(this.upper) };
    const stats = this.inUpper(path);
    if (stats === undefined) return this.entryBelow(path);
    const location = this.location(path);
    return isWhiteout(stats) ? undefined : { name: nameOf(path), path, location, stats: withOwner(location, stats) };
  }

  /** Returns what `upper` itself has at `path`, including a whiteout. */
  inUpper(path: string): Stats | undefined {
    const parent = parentOf(path);
    if (!this.#below.has(parent)) {
      if (this.#onlyInLowers.has(parent) || this.inUpper(parent)?.isDirectory() !== true) return undefined;
    }
    return lstatSync(this.location(path), { throwIfNoEntry: false });
  }

  /** Returns the entry of the lowers that would show at `path` if `upper` had nothing there. */
  entryBelow(path: string): LayeredEntry | undefined {
    return this.below(parentOf(path)) === 'directory' ? this.#lower.stat(path) : undefined;
  }

  hasBelow(path: string): boolean {
    return this.below(parentOf(path)) === 'unknown' || this.entryBelow(path) !== undefined;
  }

  /** Returns what the directory at `path` lies on, whether or not it is in `upper` yet. */
  below(path: string): Below {
    const known = this.#below.get(path) ?? this.#onlyInLowers.get(path);
    if (known !== undefined) return known;
    const parent = this.below(parentOf(path));
    if (parent === 'nothing') return 'nothing';
    const stats = this.inUpper(path);
    if (stats !== undefined && (!stats.isDirectory() || isOpaque(this.location(path), this.#flavour))) return 'nothing';
    const isBelow = parent === 'directory' && this.#lower.stat(path)?.stats.isDirectory() === true;
    const below = isBelow ? 'directory' : parent === 'unknown' ? 'unknown' : 'nothing';
    if (stats === undefined) this.#onlyInLowers.set(path, below);
    return below;
  }

  parentExists(path: string): boolean {
    const parent = parentOf(path);
    if (this.#below.has(parent)) return true;
    return this.parentExists(parent) && this.stat(parent)?.stats.isDirectory() === true;
  }
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}
