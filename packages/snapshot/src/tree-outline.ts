import { constants, Stats } from 'node:fs';
import { readAttributes } from './attributes.ts';
import { nameOf, parentOf, type LayeredEntry, type LayeredTree } from './layered-entry.ts';

/** What is known of a tree whose layers are elsewhere: some of its directories, and paths where it has nothing (null). */
export type TreeOutline = Readonly<Record<string, OutlinedDirectory | null>>;

export interface OutlinedDirectory {
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeMs: number;
  /** All names in the directory, if they are known. */
  readonly names?: readonly string[];
}

/** Thrown by a lookup that the outline does not answer. */
export class NotOutlined extends Error {}

/** Directories with more names are outlined without them. */
const MOST_NAMES = 256;

/**
 * Outlines a tree for copies to some destinations: each directory on the way, and the names in a destination that
 * exists. Leaves out what is no directory.
 */
export function outlineOf(tree: LayeredTree, destinations: Iterable<string>): TreeOutline {
  const outline: Record<string, OutlinedDirectory | null> = {};
  for (const destination of destinations) {
    let path = '';
    let directory = outlineDirectory(tree, path);
    for (const name of destination.split('/').filter((each) => each !== '')) {
      if (directory === undefined || directory === null) break;
      outline[path] ??= directory;
      path = path === '' ? name : `${path}/${name}`;
      directory = outlineDirectory(tree, path);
    }
    if (directory === null) outline[path] = null;
    else if (directory !== undefined) outline[path] = { ...directory, ...namesIn(tree, path) };
  }
  return outline;
}

/** Returns null where the tree has nothing, and undefined for what an outline cannot describe. */
function outlineDirectory(tree: LayeredTree, path: string): OutlinedDirectory | null | undefined {
  const entry = tree.stat(path);
  if (entry === undefined) return null;
  if (!entry.stats.isDirectory()) return undefined;
  const { xattrs, ...attributes } = readAttributes(entry.location, entry.stats);
  // Layers contain no other extended attribute, such as a label of SELinux.
  if (xattrs?.has('security.capability') === true) return undefined;
  // No layer contains the root, so its time differs from machine to machine.
  return path === '' ? { ...attributes, mtimeMs: 0 } : attributes;
}

function namesIn(tree: LayeredTree, path: string): Pick<OutlinedDirectory, 'names'> {
  const names = tree.list(path).map(({ name }) => name);
  return names.length > MOST_NAMES ? {} : { names };
}

/**
 * Opens an outline as a tree. Its entries have no location.
 * @throws NotOutlined from any lookup that it does not answer.
 */
export function openOutline(outline: TreeOutline): LayeredTree {
  const find = (path: string): OutlinedDirectory | undefined => {
    if (Object.hasOwn(outline, path)) return outline[path] ?? undefined;
    const parent = path === '' ? undefined : find(parentOf(path));
    if (path === '' || (parent !== undefined && parent.names?.includes(nameOf(path)) !== false))
      throw new NotOutlined();
    return undefined;
  };
  return {
    stat(path) {
      const directory = find(path);
      return directory && entryOf(path, directory);
    },
    list() {
      throw new NotOutlined();
    },
  };
}

function entryOf(path: string, { mode, uid, gid, mtimeMs }: OutlinedDirectory): LayeredEntry {
  const facts = { mode: constants.S_IFDIR | mode, uid, gid, mtimeMs, size: 0, rdev: 0, nlink: 1 };
  return { name: nameOf(path), path, location: '', stats: Object.assign(Object.create(Stats.prototype), facts) };
}
