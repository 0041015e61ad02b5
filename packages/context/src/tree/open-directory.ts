import { lstatSync, readdirSync } from 'node:fs';
import { errnoName, TbuildError } from '@tbuild/errors';
import { compareBytes } from './compare-bytes.ts';
import type { FileStat, FileTree, TreeEntry } from './file-tree.ts';
import { slimStat } from './slim-stat.ts';
import { unreadable } from './unreadable.ts';

/** A plain directory. */
export interface Directory extends FileTree {
  /** Reads the attributes of the wanted entries only. */
  list(path: string, filter?: DirectoryFilter): readonly TreeEntry[];
}

/** Decides about the entries of a directory by their paths in the tree. */
interface DirectoryFilter {
  /** The names that wanted entries have, or undefined for any name. */
  readonly names?: ReadonlySet<string>;
  isWanted?(path: string): boolean;
  /** Decides about an entry that is not wanted, if it is a directory. */
  isWantedDirectory?(path: string): boolean;
}

/** Opens the directory `root` as a tree with everything in it. Reads nothing in advance. */
export function openDirectory(root: string): Directory {
  return {
    stat: (path) => statEntry(root, path),
    list: (path, filter) => listEntries(root, path, filter),
  };
}

function statEntry(root: string, path: string): TreeEntry | undefined {
  if (!parentsAreDirectories(root, path)) return undefined;
  // The root itself may be reached through a link.
  const location = path === '' ? `${root}/.` : `${root}/${path}`;
  const stats = statOrMissing(location);
  return stats && { name: path.slice(path.lastIndexOf('/') + 1), path, location, stats };
}

function parentsAreDirectories(root: string, path: string): boolean {
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
    const stats = lstatSync(`${root}/${path.slice(0, slash)}`, { throwIfNoEntry: false });
    if (stats === undefined || !stats.isDirectory()) return false;
  }
  return true;
}

function listEntries(root: string, path: string, filter?: DirectoryFilter): readonly TreeEntry[] {
  const prefix = path === '' ? '' : `${path}/`;
  const base = `${root}/${prefix}`;
  const entries: TreeEntry[] = [];
  for (const name of readNames(base, prefix, filter).sort(compareBytes)) {
    const location = base + name;
    const stats = statOrMissing(location);
    if (stats !== undefined) entries.push({ name, path: prefix + name, location, stats });
    else if (name.includes('\ufffd'))
      throw new TbuildError('UNSUPPORTED', `Name ${JSON.stringify(location)} is not UTF-8`);
  }
  return entries;
}

/** Reads types only where the filter depends on them: 100,000 of them take 30 ms. */
function readNames(directory: string, prefix: string, filter?: DirectoryFilter): string[] {
  const read = <T>(how: () => T): T => orUnreadable(`directory ${JSON.stringify(directory)}`, how);
  if (filter === undefined) return read(() => readdirSync(directory));
  const { names, isWanted, isWantedDirectory } = filter;
  const isNeeded = (name: string, isDirectory: () => boolean): boolean =>
    isWanted?.(prefix + name) === true ||
    (isWantedDirectory !== undefined && isDirectory() && isWantedDirectory(prefix + name));
  const found = names && read(() => lookUp(directory, names));
  if (found !== undefined) return found.filter((name) => isNeeded(name, () => isDirectory(directory + name)));
  if (isWantedDirectory === undefined)
    return read(() => readdirSync(directory)).filter((name) => isNeeded(name, () => false));
  const entries = read(() => readdirSync(directory, { withFileTypes: true }));
  return entries.flatMap((entry) => (isNeeded(entry.name, () => entry.isDirectory()) ? entry.name : []));
}

function orUnreadable<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw unreadable(what, error);
  }
}

const MOST_LOOKUPS = 8;

/**
 * Returns which of the names exist in a directory. Returns undefined where only a listing can tell: many names, and names that a
 * file system which ignores case or composition finds under another spelling.
 */
function lookUp(directory: string, names: ReadonlySet<string>): string[] | undefined {
  if (names.size > MOST_LOOKUPS) return undefined;
  const all = [...names];
  if (!all.every((name) => /^[ -~]{1,255}$/u.test(name))) return undefined;
  const exists = (name: string): boolean => lstatSync(directory + name, STAT_OPTIONS) !== undefined;
  const found = all.filter(exists);
  return found.some((name) => exists(inOtherCase(name))) ? undefined : found;
}

function inOtherCase(name: string): string {
  return name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase();
}

function isDirectory(location: string): boolean {
  return lstatSync(location, STAT_OPTIONS)?.isDirectory() === true;
}

/** Returns undefined for a file that is missing, or that vanished since its directory was read. */
function statOrMissing(location: string): FileStat | undefined {
  try {
    const stats = lstatSync(location, STAT_OPTIONS);
    return stats && slimStat(stats);
  } catch (error) {
    if (errnoName(error) === 'ENOTDIR') return undefined;
    throw unreadable(JSON.stringify(location), error);
  }
}

const STAT_OPTIONS = { throwIfNoEntry: false } as const;
