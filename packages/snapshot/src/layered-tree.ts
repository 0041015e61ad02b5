import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { TbuildError } from '@tbuild/errors';
import { isOpaque, isWhiteout } from './overlay-format.ts';
import type { OverlayFlavour } from './snapshotter.ts';

/** One entry of a tree, its attributes read already (never following a link). */
export interface LayeredEntry {
  readonly name: string;
  /** Path inside the tree, `/`-separated, without leading slash; empty for the root. */
  readonly path: string;
  /** Where it is on disk, in the topmost directory of the stack that has it. */
  readonly location: string;
  readonly stats: Stats;
}

/** A stack of layer directories seen as the one tree that an overlay mount would show. */
export interface LayeredTree {
  /** The entry itself, or undefined; parents that are symbolic links are not followed and give undefined. */
  stat(path: string): LayeredEntry | undefined;
  /** What a directory holds, sorted by the bytes of the names; nothing when it is no directory. */
  list(path: string): readonly LayeredEntry[];
}

/** A merged directory: its own entry and the places that contribute to it, top first. */
interface DirectoryNode {
  readonly entry: LayeredEntry;
  readonly places: readonly string[];
}

/**
 * Reads a stack of layer directories (bottom first) without mounting it. Found directories are
 * remembered, so the stack must not change while the tree is in use.
 */
export function openLayeredTree(directories: readonly string[], flavour: OverlayFlavour): LayeredTree {
  return new Stack(directories, flavour);
}

/** Order by UTF-8 bytes, in which UTF-16 order differs for surrogates only. */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  if (SURROGATE.test(a) || SURROGATE.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
}

const SURROGATE = /[\ud800-\udfff]/;

class Stack implements LayeredTree {
  readonly #flavour: OverlayFlavour;
  readonly #nodes = new Map<string, DirectoryNode | undefined>();

  constructor(directories: readonly string[], flavour: OverlayFlavour) {
    this.#flavour = flavour;
    this.#nodes.set('', rootNode(directories));
  }

  stat(path: string): LayeredEntry | undefined {
    const known = this.#nodes.get(path);
    if (known !== undefined) return known.entry;
    const parent = this.#node(parentOf(path));
    return parent && this.#find(parent, path);
  }

  list(path: string): readonly LayeredEntry[] {
    const node = this.#node(path);
    if (node === undefined) return [];
    const placeOf = new Map<string, string>();
    for (const place of node.places) {
      for (const name of readdirSync(place)) if (!placeOf.has(name)) placeOf.set(name, place);
    }
    const prefix = path === '' ? '' : `${path}/`;
    const entries: LayeredEntry[] = [];
    for (const [name, place] of [...placeOf].sort(([a], [b]) => compareNames(a, b))) {
      const location = `${place}/${name}`;
      const stats = lstatSync(location, { throwIfNoEntry: false }) ?? refuseName(location);
      if (!isWhiteout(stats)) entries.push({ name, path: prefix + name, location, stats });
    }
    return entries;
  }

  #node(path: string): DirectoryNode | undefined {
    if (this.#nodes.has(path)) return this.#nodes.get(path);
    const parent = this.#node(parentOf(path));
    const entry = parent && this.#find(parent, path);
    const node = parent && entry?.stats.isDirectory() ? this.#merge(parent, entry) : undefined;
    this.#nodes.set(path, node);
    return node;
  }

  #find(parent: DirectoryNode, path: string): LayeredEntry | undefined {
    const name = nameOf(path);
    for (const place of parent.places) {
      const location = `${place}/${name}`;
      const stats = lstatSync(location, { throwIfNoEntry: false });
      if (stats === undefined) continue;
      return isWhiteout(stats) ? undefined : { name, path, location, stats };
    }
    return undefined;
  }

  #merge(parent: DirectoryNode, entry: LayeredEntry): DirectoryNode {
    const places: string[] = [];
    for (const place of parent.places) {
      const location = `${place}/${entry.name}`;
      const stats = lstatSync(location, { throwIfNoEntry: false });
      if (stats === undefined) continue;
      if (!stats.isDirectory()) break;
      places.push(location);
      if (this.#isLast(parent, place) || isOpaque(location, this.#flavour)) break;
    }
    return { entry, places };
  }

  /** Nothing lies below the last place, so whether it is opaque makes no difference. */
  #isLast(parent: DirectoryNode, place: string): boolean {
    return place === parent.places[parent.places.length - 1];
  }
}

function rootNode(directories: readonly string[]): DirectoryNode | undefined {
  const places = [...directories].reverse();
  const location = places[0];
  if (location === undefined) return undefined;
  return { entry: { name: '', path: '', location, stats: lstatSync(location) }, places };
}

/** Node replaces bytes that are not UTF-8 when it lists a directory, and then finds no such file. */
function refuseName(location: string): never {
  throw new TbuildError('UNSUPPORTED', `File name ${JSON.stringify(location)} is not UTF-8`);
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
