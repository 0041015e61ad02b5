import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { sameBytes } from '@tbuild/linux';
import {
  createTreeWriter,
  type LayeredTree,
  openLayeredTree,
  type OverlayFlavour,
  readAttributes,
  type TreeWriter,
} from '@tbuild/snapshot';
import { copyEntry } from './apply-layer.ts';
import { type IndexNode, isSameDirectory, compareFiles } from './tree-index.ts';

export interface ChangeTarget {
  /** Takes the changes, in overlay's format. */
  readonly upper: string;
  readonly lowers: readonly string[];
  readonly flavour: OverlayFlavour;
}

/**
 * Compares a directory with its earlier metadata and writes the changes to `upper`. Returns the current metadata for
 * the next comparison. Nobody may write to the directory meanwhile.
 */
export function writeChanges(root: string, before: IndexNode, target: ChangeTarget): IndexNode {
  return new ChangeWriter(root, target).run(before);
}

class ChangeWriter {
  readonly #root: string;
  readonly #writer: TreeWriter;
  readonly #before: LayeredTree;
  readonly #links = new Map<number, string>();

  constructor(root: string, { upper, lowers, flavour }: ChangeTarget) {
    this.#root = root;
    this.#writer = createTreeWriter({ upper, lowers, flavour });
    this.#before = openLayeredTree([...lowers, upper], flavour);
  }

  run(before: IndexNode): IndexNode {
    const after = this.#directory('', lstatSync(this.#root), before);
    this.#writer.finish();
    return after;
  }

  /** `before` is undefined for a new directory. */
  #directory(path: string, stats: Stats, before: IndexNode | undefined): IndexNode {
    if (before === undefined || !isSameDirectory(before.stats, stats))
      this.#writer.directory(path, readAttributes(this.#location(path), stats));
    const prefix = path === '' ? '' : `${path}/`;
    const children = new Map<string, IndexNode>();
    for (const name of readdirSync(this.#location(path))) {
      const child = prefix + name;
      children.set(name, this.#entry(child, lstatSync(this.#location(child)), before?.children?.get(name)));
    }
    for (const name of before?.children?.keys() ?? []) if (!children.has(name)) this.#writer.remove(prefix + name);
    return { stats, children };
  }

  #entry(path: string, stats: Stats, before: IndexNode | undefined): IndexNode {
    if (!stats.isDirectory()) {
      if (before === undefined || this.#hasChanged(path, before, stats))
        copyEntry({ path, location: this.#location(path), stats }, this.#writer, this.#links);
      else if (stats.nlink > 1 && !this.#links.has(stats.ino)) this.#links.set(stats.ino, path);
      return { stats, children: undefined };
    }
    if (before?.children !== undefined && before.stats.ino === stats.ino) return this.#directory(path, stats, before);
    // Removing first makes the new directory hide the old one.
    if (before !== undefined) this.#writer.remove(path);
    return this.#directory(path, stats, undefined);
  }

  #hasChanged(path: string, before: IndexNode, stats: Stats): boolean {
    const likeness = before.children === undefined ? compareFiles(before.stats, stats) : 'different';
    return likeness === 'different' || (likeness === 'touched' && !this.#isUnchanged(path, stats));
  }

  #isUnchanged(path: string, stats: Stats): boolean {
    const before = this.#before.stat(path);
    if (before === undefined || before.stats.size !== stats.size) return false;
    const location = this.#location(path);
    const [now, then] = [readAttributes(location, stats), readAttributes(before.location, before.stats)];
    if (!sameXattrs(now.xattrs, then.xattrs)) return false;
    if (stats.isFile()) return sameBytes(location, before.location);
    return !stats.isSymbolicLink() || readlinkSync(location) === readlinkSync(before.location);
  }

  #location(path: string): string {
    return path === '' ? this.#root : `${this.#root}/${path}`;
  }
}

function sameXattrs(
  one: ReadonlyMap<string, Uint8Array> = new Map(),
  other: ReadonlyMap<string, Uint8Array> = new Map(),
): boolean {
  return (
    one.size === other.size &&
    [...one].every(([name, value]) => other.has(name) && Buffer.compare(value, other.get(name) ?? value) === 0)
  );
}
