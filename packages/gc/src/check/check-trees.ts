import { lstatSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { errnoName } from '@tbuild/errors';
import { readLayerFile } from '@tbuild/layers';
import { isDigest } from '@tbuild/oci';
import { readStack } from '@tbuild/snapshot';
import { listDirectory } from '@tbuild/store';
import { withPauses } from '../pauses.ts';
import { type CheckedStore, type CheckOptions, isThere } from './checked-store.ts';
import type { Damage } from './damage.ts';

/** Yields the trees that are incomplete, and with `full` those that were changed. */
export async function* checkTrees(stores: CheckedStore, { full, signal }: CheckOptions): AsyncGenerator<Damage, void> {
  for await (const name of withPauses(await stores.snapshots.list(), signal)) {
    const message = lookAt(name, stores) ?? (full ? await pack(name, stores, signal) : undefined);
    // A prune may have removed it in the meantime.
    if (message !== undefined && isThere(stores.store.snapshot(name))) yield { kind: 'tree', message, name };
  }
}

function lookAt(name: string, { store }: CheckedStore): string | undefined {
  const directory = store.snapshot(name);
  const stack = readStack(directory);
  if (stack === undefined) return `The list of layers of tree ${name} cannot be read`;
  const missing = stack.map((each) => join(store.snapshot(each), 'fs')).find((path) => !isDirectory(path));
  if (missing !== undefined)
    return missing === join(directory, 'fs')
      ? `Tree ${name} has no files`
      : `Tree ${name} stands on ${JSON.stringify(missing)}, which is missing`;
  return hasRightLinks(join(directory, 'l'), stack)
    ? undefined
    : `The links of tree ${name} to the layers below are wrong`;
}

function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** A tree that stands on this one may have taken the links over. */
function hasRightLinks(directory: string, stack: readonly string[]): boolean {
  return listDirectory(directory).every((name) => {
    const below = stack[Number(name)];
    const link = below === undefined ? undefined : linkIn(join(directory, name));
    return link === undefined || link === `../../../${below}/fs`;
  });
}

/** Returns undefined for a link that a build has just taken over, and no target for what is no link. */
function linkIn(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (errnoName(error) === 'EINVAL') return '';
    if (errnoName(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Skips layers that came compressed: they were packed elsewhere, perhaps with other bytes for the same tree. */
async function pack(
  name: string,
  { differ, snapshots, store }: CheckedStore,
  signal: AbortSignal,
): Promise<string | undefined> {
  const result = `sha256:${name}`;
  const layer = isDigest(result) ? readLayerFile(store.layer(result)) : undefined;
  const directories = (await snapshots.stat(name))?.directories ?? [];
  const upper = directories.at(-1);
  const isOwn = upper === join(store.snapshot(name), 'fs');
  if (layer === undefined || upper === undefined || !isOwn || layer.descriptor.digest !== layer.diffId)
    return undefined;
  try {
    const { diffId } = await differ.pack(upper, directories.slice(0, -1), signal);
    return diffId === layer.diffId
      ? undefined
      : `Tree ${name} was changed: it packs to ${diffId}, expected ${layer.diffId}`;
  } catch (error) {
    if (isThere(upper)) throw error;
    return undefined;
  }
}
