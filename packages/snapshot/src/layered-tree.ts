import { readdirSync } from 'node:fs';
import { openCommittedTree } from './committed-tree.ts';
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
 * Reads a stack of layer directories (bottom first) as one tree, without mounting it. The topmost directory may
 * change meanwhile and is read each time; lookups in the others are cached. With `isCommitted` it does not change, and
 * a deep path costs one lookup.
 */
export function openLayeredTree(
  directories: readonly string[],
  flavour: OverlayFlavour,
  { isCommitted = false } = {},
): LayeredTree {
  const top = directories.at(-1);
  const below = openCommittedTree(directories.slice(0, -1), flavour);
  if (top === undefined) return below;
  return new TopTree({ top, below, flavour, remembered: isCommitted ? new Map() : undefined });
}

interface TopTreeOptions {
  readonly top: string;
  readonly below: LayeredTree;
  readonly flavour: OverlayFlavour;
  /** Directories of a top that does not change, by path. */
  readonly remembered?: Map<string, TopDirectory>;
}

/** Enough for the deepest path, few enough for a walk over a large tree. */
const MOST_REMEMBERED = 4096;

/** The state of a directory in the topmost layer. */
interface TopDirectory {
  /** Its path in the topmost layer, if it exists there. */
  readonly location?: string;
  /** Whether the layers below show through. */
  readonly open: boolean;
}

class TopTree implements LayeredTree {
  readonly #top: string;
  readonly #below: LayeredTree;
  readonly #flavour: OverlayFlavour;
  readonly #remembered: Map<string, TopDirectory> | undefined;

  constructor({ top, below, flavour, remembered }: TopTreeOptions) {
    this.#top = top;
    this.#below = below;
    this.#flavour = flavour;
    this.#remembered = remembered;
  }

  stat(path: string): LayeredEntry | undefined {
    if (path === '') return { name: '', path, location: this.#top, stats: statRoot(this.#top) };
    const { location: parent, open } = this.#directory(parentOf(path));
    if (parent !== undefined) {
      const name = nameOf(path);
      const location = `${parent}/${name}`;
      const stats = statEntry(location);
      if (stats !== undefined) return isWhiteout(stats) ? undefined : { name, path, location, stats };
    }
    return open ? this.#below.stat(path) : undefined;
  }

  list(path: string): readonly LayeredEntry[] {
    const { location: place, open } = this.#directory(path);
    const below = open ? this.#below.list(path) : [];
    if (place === undefined) return below;
    const names = new Set(readdirSync(place));
    const entries = below.filter(({ name }) => !names.has(name));
    const prefix = path === '' ? '' : `${path}/`;
    for (const name of names) {
      const location = `${place}/${name}`;
      const stats = statListed(location);
      if (!isWhiteout(stats)) entries.push({ name, path: prefix + name, location, stats });
    }
    return entries.sort((a, b) => compareNames(a.name, b.name));
  }

  #directory(path: string): TopDirectory {
    if (path === '') return { location: this.#top, open: true };
    const known = this.#remembered?.get(path);
    if (known !== undefined) return known;
    const found = this.#findDirectory(path);
    if (this.#remembered?.size === MOST_REMEMBERED) this.#remembered.clear();
    this.#remembered?.set(path, found);
    return found;
  }

  #findDirectory(path: string): TopDirectory {
    const parent = this.#directory(parentOf(path));
    if (parent.location === undefined) return parent;
    const location = `${parent.location}/${nameOf(path)}`;
    const stats = statEntry(location);
    if (stats === undefined) return { open: parent.open };
    if (!stats.isDirectory()) return { open: false };
    const merges = parent.open && this.#below.stat(path)?.stats.isDirectory() === true;
    return { location, open: merges && !isOpaque(location, this.#flavour) };
  }
}
