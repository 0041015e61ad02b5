import { lstatSync, type Stats } from 'node:fs';
import { TbuildError } from '@tbuild/errors';
import { withOwner } from './owner.ts';

/** One entry of a tree with its attributes. Symbolic links are not followed. */
export interface LayeredEntry {
  readonly name: string;
  /** The path inside the tree, separated by `/`, without a leading slash; empty for the root. */
  readonly path: string;
  /** Its path on disk, in the topmost directory of the stack that has it. Empty for a directory of an outline. */
  readonly location: string;
  readonly stats: Stats;
}

/** A stack of layer directories, read as the one tree that an overlay mount would show. */
export interface LayeredTree {
  /** Returns the entry itself. Returns undefined if a parent is a symbolic link. */
  stat(path: string): LayeredEntry | undefined;
  /** Returns the entries of a directory, sorted by the bytes of their names; none if it is not a directory. */
  list(path: string): readonly LayeredEntry[];
}

const SURROGATE = /[\ud800-\udfff]/;

/** Compares names by their UTF-8 bytes. UTF-16 order differs for surrogates only. */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  if (SURROGATE.test(a) || SURROGATE.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
}

/** Returns whether a depth-first walk visits path `a` before `b`. */
export function comesBefore(a: string, b: string): boolean {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  if (at === a.length || b[at] === '/') return at === a.length && at < b.length;
  if (a[at] === '/') return at < b.length;
  return compareNames(a.slice(at), b.slice(at)) < 0;
}

/** Returns the attributes of the file at `location`, with its owner in the tree. */
export function statEntry(location: string): Stats | undefined {
  const stats = lstatSync(location, { throwIfNoEntry: false });
  return stats && withOwner(location, stats);
}

/** The same for a directory of the stack, which must exist. */
export function statRoot(location: string): Stats {
  return withOwner(location, lstatSync(location));
}

/**
 * Returns the attributes of a name that readdir returned.
 * @throws TbuildError UNSUPPORTED if the name is not UTF-8: Node replaces its bytes and then finds no such file.
 */
export function statListed(location: string): Stats {
  const stats = statEntry(location);
  if (stats !== undefined) return stats;
  throw new TbuildError('UNSUPPORTED', `File name ${JSON.stringify(location)} is not UTF-8`);
}

/** Returns the parent of a path inside a tree; the parent of the root is the root. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

/** Returns the last element of a path inside a tree. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
