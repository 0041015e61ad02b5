import { EntryTable } from './entry-table.ts';
import { typeOf } from './file-type.ts';
import type { FileTree, TreeEntry } from './file-tree.ts';
import type { DirectoryMatch, IgnoreRules } from './ignore-rules.ts';
import { openDirectory } from './open-directory.ts';

/**
 * The directory `root` without what the rules ignore. An ignored directory is there only when something
 * below it is taken back. Listings are remembered: one build sees a directory as it was at first sight.
 */
export function openFilteredTree(root: string, rules: IgnoreRules, ignoreFile: string): FileTree {
  const plain = openDirectory(root);
  const matches = new Map<string, DirectoryMatch>([['', rules.root]]);
  const listings = new Map<string, { readonly from: number; readonly to: number }>();
  const seen = new EntryTable();

  function matchOf(directory: string): DirectoryMatch {
    const known = matches.get(directory);
    if (known !== undefined) return known;
    const match = rules.enter(matchOf(parentOf(directory)), directory);
    matches.set(directory, match);
    return match;
  }

  function isVisible(entry: TreeEntry): boolean {
    if (entry.path === '' || !rules.ignores(matchOf(parentOf(entry.path)), entry.path)) return true;
    return typeOf(entry.stats) === 'directory' && list(entry.path).length > 0;
  }

  function list(path: string): readonly TreeEntry[] {
    const known = listings.get(path);
    if (known !== undefined) return recall(path, known);
    const entries = readListing(path, matchOf(path));
    const from = seen.length;
    for (const entry of entries) seen.push(entry);
    listings.set(path, { from, to: seen.length });
    return entries;
  }

  function recall(path: string, { from, to }: { readonly from: number; readonly to: number }): TreeEntry[] {
    const prefix = path === '' ? '' : `${path}/`;
    return Array.from({ length: to - from }, (_, at) => seen.entry(from + at, prefix + seen.name(from + at)));
  }

  function readListing(path: string, match: DirectoryMatch): readonly TreeEntry[] {
    if (match.closed) return [];
    const ignored = new Set<string>();
    const entries = plain.list(path, (child) => {
      if (!rules.ignores(match, child)) return true;
      // What is surely ignored costs no system call.
      if (!rules.mayKeepBelow(child)) return false;
      ignored.add(child);
      return true;
    });
    return ignored.size === 0 ? entries : entries.filter((entry) => !ignored.has(entry.path) || isVisible(entry));
  }

  return {
    list,
    stat(path) {
      const entry = plain.stat(path);
      return entry !== undefined && isVisible(entry) ? entry : undefined;
    },
    explainMissing(path) {
      const entry = plain.stat(path);
      return entry === undefined || isVisible(entry) ? undefined : `It is left out by ${ignoreFile}`;
    },
  };
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
