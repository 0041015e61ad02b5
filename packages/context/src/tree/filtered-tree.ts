import type { DirectoryMatch, IgnoreRules } from '../patterns/ignore-rules.ts';
import { unionOf } from '../patterns/pattern-reach.ts';
import { EntryTable } from './entry-table.ts';
import type { FileTree, TreeEntry } from './file-tree.ts';
import { typeOf } from './file-type.ts';
import { openDirectory } from './open-directory.ts';

/**
 * Opens the directory `root` without the entries that the rules ignore. An ignored directory is listed only when an exception
 * keeps something below it. Listings are remembered: one build sees a directory as it was at the first look.
 */
export function openFilteredTree(root: string, rules: IgnoreRules, ignoreFile: string): FileTree {
  const plain = openDirectory(root);
  const matchOf = rememberMatches(rules);
  const listings = new Map<string, { readonly from: number; readonly to: number }>();
  const seen = new EntryTable();

  function isVisible({ path, stats }: TreeEntry): boolean {
    if (path === '' || !rules.ignores(matchOf(parentOf(path)), path)) return true;
    return typeOf(stats) === 'directory' && leadsToKept(path);
  }

  function leadsToKept(directory: string): boolean {
    return rules.mayKeepBelow(directory) && list(directory).length > 0;
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

  /** Definitely ignored entries cost no system call. */
  function readListing(path: string, match: DirectoryMatch): readonly TreeEntry[] {
    if (match.closed) return [];
    return plain.list(path, {
      names: unionOf([match.kept, match.keptBelow]),
      isWanted: match.kept?.size === 0 ? undefined : (child) => !rules.ignores(match, child),
      isWantedDirectory: match.keptBelow?.size === 0 ? undefined : leadsToKept,
    });
  }

  return {
    list,
    stat(path) {
      const entry = plain.stat(path);
      return entry !== undefined && isVisible(entry) ? entry : undefined;
    },
    explainMissing(path) {
      const entry = plain.stat(path);
      return entry === undefined || isVisible(entry) ? undefined : `Change ${ignoreFile}, which excludes it`;
    },
  };
}

/** Returns a function that matches each directory once. */
function rememberMatches(rules: IgnoreRules): (directory: string) => DirectoryMatch {
  const matches = new Map<string, DirectoryMatch>([['', rules.root]]);
  return function matchOf(directory) {
    const known = matches.get(directory);
    if (known !== undefined) return known;
    const match = rules.enter(matchOf(parentOf(directory)), directory);
    matches.set(directory, match);
    return match;
  };
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
