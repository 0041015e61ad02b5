import { TbuildError } from '@tbuild/errors';
import { isDigest, type Digest } from '@tbuild/oci';
import type { TreeOutline } from '@tbuild/snapshot';
import type { CachedOutlines } from './cached-step.ts';
import { sortedMembers } from './sorted-members.ts';

type Outlined = TreeOutline[string];

/** Returns the outlines with their members in one order. */
export function encodeOutlines(outlines: CachedOutlines): unknown {
  const sorted = Object.entries(outlines).map(([result, outline]) => [result, sortedMembers(outline)] as const);
  return sortedMembers(Object.fromEntries(sorted));
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
  if (typeof mtimeMs !== 'number' || !(Math.abs(mtimeMs) <= LAST_TIME)) throw invalid();
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
/** Any number would be written into layers, and archives do not take all. Milliseconds. */
const LAST_TIME = Date.UTC(9999, 11, 31);

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
