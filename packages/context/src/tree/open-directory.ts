import { lstatSync, readdirSync } from 'node:fs';
import { errnoName, TbuildError } from '@tbuild/errors';
import { compareBytes } from './compare-bytes.ts';
import type { FileStat, FileTree, TreeEntry } from './file-tree.ts';
import { slimStat } from './slim-stat.ts';
import { unreadable } from './unreadable.ts';

/** A plain directory. */
export interface Directory extends FileTree {
  /** Reads the attributes of the wanted entries only. */
  list(path: string, wanted?: (path: string) => boolean): readonly TreeEntry[];
}

/** Opens the directory `root` as a tree with everything in it. Reads nothing in advance. */
export function openDirectory(root: string): Directory {
  return {
    stat: (path) => statEntry(root, path),
    list: (path, wanted) => listEntries(root, path, wanted),
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

function listEntries(root: string, path: string, wanted?: (path: string) => boolean): readonly TreeEntry[] {
  const prefix = path === '' ? '' : `${path}/`;
  const base = `${root}/${prefix}`;
  const entries: TreeEntry[] = [];
  for (const name of readNames(base).sort(compareBytes)) {
    const child = prefix + name;
    if (wanted !== undefined && !wanted(child)) continue;
    const location = base + name;
    const stats = statOrMissing(location);
    if (stats !== undefined) entries.push({ name, path: child, location, stats });
    else if (name.includes('\ufffd'))
      throw new TbuildError('UNSUPPORTED', `Name ${JSON.stringify(location)} is not UTF-8`);
  }
  return entries;
}

function readNames(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    throw unreadable(`directory ${JSON.stringify(directory)}`, error);
  }
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
