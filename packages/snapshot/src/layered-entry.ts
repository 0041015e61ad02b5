import { lstatSync, type Stats } from 'node:fs';
import { TbuildError } from '@tbuild/errors';
import { withOwner } from './owner.ts';

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

const SURROGATE = /[\ud800-\udfff]/;

/** Order by UTF-8 bytes, in which UTF-16 order differs for surrogates only. */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  if (SURROGATE.test(a) || SURROGATE.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
}

/** Whether a walk comes to path `a` before it comes to `b`: what is in a directory follows it, before its next sibling. */
export function comesBefore(a: string, b: string): boolean {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  if (at === a.length || b[at] === '/') return at === a.length && at < b.length;
  if (a[at] === '/') return at < b.length;
  return compareNames(a.slice(at), b.slice(at)) < 0;
}

/** The attributes of what is at `location`, with the owner that the tree has for it. */
export function statEntry(location: string): Stats | undefined {
  const stats = lstatSync(location, { throwIfNoEntry: false });
  return stats && withOwner(location, stats);
}

/** The same for a directory of the stack, which exists. */
export function statRoot(location: string): Stats {
  return withOwner(location, lstatSync(location));
}

/**
 * The attributes of a name that its directory lists.
 * @throws TbuildError UNSUPPORTED for a name that is not UTF-8: Node replaces its bytes and finds no such file.
 */
export function statListed(location: string): Stats {
  const stats = statEntry(location);
  if (stats !== undefined) return stats;
  throw new TbuildError('UNSUPPORTED', `File name ${JSON.stringify(location)} is not UTF-8`);
}

/** The directory of a path inside a tree; the root's own is the root. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

/** The last name of a path inside a tree. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
