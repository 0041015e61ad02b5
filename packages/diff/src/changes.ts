import { readdirSync, type Stats } from 'node:fs';
import {
  compareNames,
  isOpaque,
  isWhiteout,
  type LayeredEntry,
  type LayeredTree,
  type OverlayFlavour,
  statListed,
} from '@tbuild/snapshot';
import { equalsLower, upperEntry } from './same-entry.ts';

/** A change of a layer to one path. */
export type Change =
  | { readonly kind: 'write'; readonly path: string; readonly location: string; readonly stats: Stats }
  | { readonly kind: 'delete'; readonly path: string };

export interface ChangesOptions {
  /** The directory that holds the changes, in overlay's format. */
  readonly upper: string;
  /** The tree below it. */
  readonly lower: LayeredTree;
  readonly flavour: OverlayFlavour;
}

/**
 * Yields the changes of `upper` in the order and selection of BuildKit: names sorted within each directory; nothing
 * for an entry that equals the lower one (ignoring the times of directories); a deletion for each lower entry that an
 * opaque directory no longer has.
 */
export function* changes(options: ChangesOptions): Generator<Change, void> {
  yield* walk('', options, true);
}

function* walk(path: string, options: ChangesOptions, hasLower: boolean): Generator<Change, void> {
  for (const entry of listUpper(path, options.upper)) {
    const base = hasLower ? options.lower.stat(entry.path) : undefined;
    if (isWhiteout(entry.stats)) {
      if (base !== undefined) yield { kind: 'delete', path: entry.path };
      continue;
    }
    if (base === undefined || !equalsLower(base, upperEntry(entry))) yield { kind: 'write', ...entry };
    if (entry.stats.isDirectory()) yield* descend(entry, base, options);
  }
}

function* descend(
  entry: LayeredEntry,
  base: LayeredEntry | undefined,
  options: ChangesOptions,
): Generator<Change, void> {
  if (base === undefined || !base.stats.isDirectory()) yield* walk(entry.path, options, false);
  else if (isOpaque(entry.location, options.flavour)) yield* compare(entry.path, options);
  else yield* walk(entry.path, options, true);
}

/** Compares a directory that hides the lower one with it. */
function* compare(path: string, options: ChangesOptions): Generator<Change, void> {
  const above = new Map(
    listUpper(path, options.upper).flatMap((entry) => (isWhiteout(entry.stats) ? [] : [[entry.name, entry]])),
  );
  const below = new Map(options.lower.list(path).map((entry) => [entry.name, entry]));
  for (const name of [...new Set([...above.keys(), ...below.keys()])].sort(compareNames)) {
    const [entry, base] = [above.get(name), below.get(name)];
    if (entry === undefined) {
      yield { kind: 'delete', path: path === '' ? name : `${path}/${name}` };
      continue;
    }
    if (base === undefined || !equalsLower(base, upperEntry(entry))) yield { kind: 'write', ...entry };
    if (!entry.stats.isDirectory()) continue;
    if (base?.stats.isDirectory() === true) yield* compare(entry.path, options);
    else yield* walk(entry.path, options, false);
  }
}

function listUpper(path: string, upper: string): LayeredEntry[] {
  const directory = path === '' ? upper : `${upper}/${path}`;
  const prefix = path === '' ? '' : `${path}/`;
  return readdirSync(directory)
    .sort(compareNames)
    .map((name) => {
      const location = `${directory}/${name}`;
      return { name, path: prefix + name, location, stats: statListed(location) };
    });
}
