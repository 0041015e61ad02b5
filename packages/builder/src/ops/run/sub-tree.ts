import { chmodSync, chownSync, lstatSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isOpaque, type Mount, mountedLayers, type OverlayFlavour } from '@tbuild/snapshot';

/**
 * Those directories of a stack of layers (bottom first) whose overlay is the directory `path` of the tree. The path has
 * no links in it.
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

/** What one layer has at a path, and whether nothing of the layers below can be seen there. */
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
  /** An empty directory for what the mount needs besides the layers. */
  readonly place: string;
  /** Whether it can be written to; what is written goes to `place`. */
  readonly writable: boolean;
  readonly flavour: OverlayFlavour;
}

/** An overlay of layer directories, bottom first; there is at least one. */
export function overlayOf(stack: readonly string[], { place, writable, flavour }: OverlayOptions): Mount {
  const layers = mountedLayers(stack).flatMap((index) => stack[index] ?? []);
  const top = layers.at(-1);
  if (top === undefined) throw new Error('An overlay of nothing');
  // Without an upper directory the kernel wants two lower ones.
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

/** The root of an overlay has the attributes of its leafSteps directory. */
function copyOwner(from: string, to: string): void {
  const { uid, gid, mode } = lstatSync(from);
  chownSync(to, uid, gid);
  chmodSync(to, mode & 0o7777);
}
