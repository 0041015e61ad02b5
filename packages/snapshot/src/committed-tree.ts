import { lstatSync, readdirSync } from 'node:fs';
import {
  compareNames,
  nameOf,
  parentOf,
  statEntry,
  statListed,
  statRoot,
  type LayeredEntry,
  type LayeredTree,
} from './layered-entry.ts';
import { isOpaque, isWhiteout } from './overlay-format.ts';
import type { OverlayFlavour } from './snapshotter.ts';

/**
 * The same as `openLayeredTree`, for directories that no longer change: it caches every lookup, which makes it
 * faster. A tree built on one of the most recently opened trees starts with the cache of that tree. Otherwise each of
 * hundreds of steps would look up the same few files in all steps before it.
 */
export function openCommittedTree(directories: readonly string[], flavour: OverlayFlavour): LayeredTree {
  const known = opened.findLast((tree) => tree.isBelow(directories, flavour));
  if (known !== undefined) opened.splice(opened.indexOf(known), 1);
  let tree = known ?? new CommittedTree(undefined, undefined, flavour);
  for (const directory of directories.slice(tree.directories.length))
    tree = new CommittedTree(tree, directory, flavour);
  opened.push(tree);
  if (opened.length > MAX_OPENED) opened.shift();
  return tree;
}

/** The most recently opened trees, the latest last. Several stages may be in progress at once. */
const opened: CommittedTree[] = [];
const MAX_OPENED = 8;
/** The number of paths that a tree caches. Walks over whole trees do not fit. */
const MAX_CACHED_PATHS = 200;

/** A merged directory: its own entry and the directories that contribute to it, top first. */
interface DirectoryNode {
  readonly entry: LayeredEntry;
  readonly places: readonly string[];
  /** Its path in the topmost directory of the stack, if it exists there. */
  readonly top?: string;
  /** Whether the layers below show through. */
  readonly isOpen: boolean;
}

class CommittedTree implements LayeredTree {
  /** Bottom first. */
  readonly directories: readonly string[];
  readonly #flavour: OverlayFlavour;
  readonly #below: CommittedTree | undefined;
  /** Distinguishes the topmost directory from another one created later at the same path. */
  readonly #stamp: string;
  readonly #nodes = new Map<string, DirectoryNode | undefined>();
  readonly #found = new Map<string, LayeredEntry | undefined>();

  constructor(below: CommittedTree | undefined, top: string | undefined, flavour: OverlayFlavour) {
    this.directories = [...(below?.directories ?? []), ...(top === undefined ? [] : [top])];
    this.#below = below;
    this.#flavour = flavour;
    this.#stamp = stampOf(top);
    this.#nodes.set('', top === undefined ? undefined : rootNode(top, below?.root));
  }

  get root(): DirectoryNode | undefined {
    return this.#nodes.get('');
  }

  /** Returns whether a stack of directories begins with those of this tree. */
  isBelow(directories: readonly string[], flavour: OverlayFlavour): boolean {
    const { length } = this.directories;
    if (length === 0 || length > directories.length || flavour !== this.#flavour) return false;
    const isPrefix = this.directories.every((directory, at) => directory === directories[at]);
    return isPrefix && this.#stamp === stampOf(this.directories.at(-1));
  }

  stat(path: string): LayeredEntry | undefined {
    const known = this.#nodes.get(path);
    if (known !== undefined) return known.entry;
    if (this.#found.has(path)) return this.#found.get(path);
    const parent = this.node(parentOf(path));
    const entry = parent && this.#find(parent, path);
    if (this.#found.size < MAX_CACHED_PATHS) this.#found.set(path, entry);
    return entry;
  }

  list(path: string): readonly LayeredEntry[] {
    const node = this.node(path);
    if (node === undefined) return [];
    const placeOf = new Map<string, string>();
    for (const place of node.places) {
      for (const name of readdirSync(place)) if (!placeOf.has(name)) placeOf.set(name, place);
    }
    const prefix = path === '' ? '' : `${path}/`;
    const entries: LayeredEntry[] = [];
    for (const [name, place] of [...placeOf].sort(([a], [b]) => compareNames(a, b))) {
      const location = `${place}/${name}`;
      const stats = statListed(location);
      if (!isWhiteout(stats)) entries.push({ name, path: prefix + name, location, stats });
    }
    return entries;
  }

  #find({ top, isOpen }: DirectoryNode, path: string): LayeredEntry | undefined {
    if (top !== undefined) {
      const name = nameOf(path);
      const location = `${top}/${name}`;
      const stats = statEntry(location);
      if (stats !== undefined) return isWhiteout(stats) ? undefined : { name, path, location, stats };
    }
    return isOpen ? this.#below?.stat(path) : undefined;
  }

  node(path: string): DirectoryNode | undefined {
    if (this.#nodes.has(path)) return this.#nodes.get(path);
    const parent = this.node(parentOf(path));
    const node = parent && this.#merge(parent, path);
    this.#nodes.set(path, node);
    return node;
  }

  #merge({ top, isOpen }: DirectoryNode, path: string): DirectoryNode | undefined {
    const below = isOpen ? this.#below?.node(path) : undefined;
    const name = nameOf(path);
    const location = `${top}/${name}`;
    const stats = top === undefined ? undefined : statEntry(location);
    if (stats === undefined) return below && { entry: below.entry, places: below.places, isOpen: true };
    if (!stats.isDirectory()) return undefined;
    const merges = below !== undefined && !isOpaque(location, this.#flavour);
    const places = merges ? [location, ...below.places] : [location];
    return { entry: { name, path, location, stats }, places, top: location, isOpen: merges };
  }
}

function rootNode(top: string, below: DirectoryNode | undefined): DirectoryNode {
  const entry = { name: '', path: '', location: top, stats: statRoot(top) };
  return { entry, places: [top, ...(below?.places ?? [])], top, isOpen: below !== undefined };
}

function stampOf(directory: string | undefined): string {
  const stats = directory === undefined ? undefined : lstatSync(directory, { throwIfNoEntry: false });
  return stats === undefined ? '' : `${stats.dev}:${stats.ino}:${stats.ctimeMs}`;
}
