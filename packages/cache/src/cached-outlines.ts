import { TbuildError } from '@tbuild/errors';
import { isDigest, type Digest } from '@tbuild/oci';
import type { TreeOutline } from '@tbuild/snapshot';
import type { CachedOutlines } from './cached-step.ts';

type Outlined = TreeOutline[string];

/** Returns the outlines with their members in one order. */
export function encodeOutlines(outlines: CachedOutlines): unknown {
  return mapped(outlines, (outline) => mapped(outline, (directory) => directory));
}

function mapped<T, R>(members: Readonly<Record<string, T>>, map: (value: T) => R): Readonly<Record<string, R>> {
  const sorted = Object.entries(members).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([name, value]) => [name, map(value)]));
}

/** Parses the outlines of a cache. @throws TbuildError REGISTRY when they are not valid. */
export function parseOutlines(value: unknown): CachedOutlines {
  const outlines: Record<Digest, TreeOutline> = {};
  for (const [result, outline] of membersOf(value)) {
    if (!isDigest(result)) throw invalid();
    outlines[result] = Object.fromEntries(membersOf(outline).map(([path, each]) => [path, parseDirectory(each)]));
  }
  return outlines;
}

function parseDirectory(value: unknown): Outlined {
  if (value === null) return null;
  const { mode, uid, gid, mtimeMs, names } = Object.fromEntries(membersOf(value));
  if (typeof mtimeMs !== 'number' || !Number.isFinite(mtimeMs)) throw invalid();
  const attributes = {
    mode: integer(mode, 0o7777),
    uid: integer(uid, LARGEST_ID),
    gid: integer(gid, LARGEST_ID),
    mtimeMs,
  };
  if (names === undefined) return attributes;
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) throw invalid();
  return { ...attributes, names };
}

const LARGEST_ID = 2 ** 32 - 2;

function integer(value: unknown, largest: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= largest) return value;
  throw invalid();
}

function membersOf(value: unknown): readonly (readonly [string, unknown])[] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value);
  throw invalid();
}

function invalid(): TbuildError {
  return new TbuildError('REGISTRY', 'Cache document is not valid: an outline of a tree is damaged');
}
