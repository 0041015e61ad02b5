import { chmodSync, chownSync, lstatSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isOpaque, type Mount, mountedLayers, type OverlayFlavour } from '@tbuild/snapshot';

/**
 * Returns those directories in a stack of layers (bottom first) whose overlay is the directory `path` of the tree. The
 * path contains no links.
 */
export function layersAt(path: string, directories: readonly string[], flavour: OverlayFlavour): readonly string[] {
  const found: string[] = [];
  for (const directory of directories.toReversed()) {
    const { location, hidesBelow } = lookUp(path, directory, flavour);
    if (location !== undefined) found.unshift(location);
    if (hidesBelow) break;
  }
  return found;
}

/** Returns whether a layer has something at the path, or hides what is there in the layers below. */
export function changesAt(path: string, directory: string, flavour: OverlayFlavour): boolean {
  const { location, hidesBelow } = lookUp(path, directory, flavour);
  return location !== undefined || hidesBelow;
}

/** Looks up a path in one layer, and whether the layer hides those below. */
function lookUp(
  path: string,
  directory: string,
  flavour: OverlayFlavour,
): { readonly location?: string; readonly hidesBelow: boolean } {
  let location = directory;
  let hidesBelow = false;
  for (const name of path.split('/').filter(Boolean)) {
    location = `${location}/${name}`;
    const stats = lstatSync(location, { throwIfNoEntry: false });
    if (stats === undefined) return { hidesBelow };
    if (!stats.isDirectory()) return { hidesBelow: true };
    hidesBelow ||= isOpaque(location, flavour);
  }
  return { location, hidesBelow };
}

export interface OverlayOptions {
  /** An empty directory for files that the mount needs besides the layers. */
  readonly place: string;
  /** Whether the mount is writable. Writes go to `place`. */
  readonly writable: boolean;
  readonly flavour: OverlayFlavour;
}

/** Returns an overlay of layer directories, bottom first, at least one. */
export function overlayOf(stack: readonly string[], { place, writable, flavour }: OverlayOptions): Mount {
  const layers = mountedLayers(stack).flatMap((index) => stack[index] ?? []);
  const top = layers.at(-1);
  if (top === undefined) throw new Error('Expected at least one layer for an overlay');
  // Without an upper directory the kernel requires two lower ones.
  const lowers = writable || layers.length > 1 ? layers : [makeDirectory(place, 'empty'), ...layers];
  const names = lowers.map((_, index) => String(index));
  lowers.forEach((lower, index) => symlinkSync(lower, join(place, names[index] ?? '')));
  const paths = [
    `lowerdir=${names.toReversed().join(':')}`,
    ...(writable ? ['upperdir=fs', 'workdir=work', 'volatile'] : ['ro']),
  ];
  if (writable) {
    makeDirectory(place, 'work');
    copyOwner(top, makeDirectory(place, 'fs'));
  }
  return { type: 'overlay', source: 'overlay', options: [...paths, ...FLAGS[flavour]], directory: place };
}

const FLAGS: Readonly<Record<OverlayFlavour, readonly string[]>> = {
  trusted: ['redirect_dir=off', 'metacopy=off', 'index=off'],
  user: ['userxattr'],
};

function makeDirectory(place: string, name: string): string {
  const path = join(place, name);
  mkdirSync(path, 0o755);
  return path;
}

/** Copies the owner. The root of an overlay has the attributes of its top directory. */
function copyOwner(from: string, to: string): void {
  const { uid, gid, mode } = lstatSync(from);
  chownSync(to, uid, gid);
  chmodSync(to, mode & 0o7777);
}
