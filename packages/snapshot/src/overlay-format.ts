import { readFileSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoName, TbuildError } from '@tbuild/errors';
import { FileType, lgetxattr, lsetxattr, majorOf, minorOf, mknod } from '@tbuild/linux';
import type { OverlayFlavour } from './snapshotter.ts';

/** The attributes of overlay and of tbuild, which describe a layer directory and are not part of the tree. */
const OVERLAY_ATTRIBUTE = /^((trusted|user)\.overlay|user\.tbuild)\./;

/**
 * Returns whether an extended attribute belongs to overlay or to tbuild. Such attributes must not be copied or taken
 * from an archive.
 */
export function isOverlayAttribute(name: string): boolean {
  return OVERLAY_ATTRIBUTE.test(name);
}

/** Returns whether an entry marks a deleted name: overlay's character device 0:0, or tbuild's {@link SUBSTITUTE}. */
export function isWhiteout(stats: { readonly mode: number; readonly rdev: number }): boolean {
  if (stats.mode === SUBSTITUTE) return true;
  return stats.rdev === 0 && (stats.mode & FileType.mask) === FileType.character;
}

/**
 * Replaces the whiteout device if the store itself lies on an overlay, as in a container: overlay refuses that
 * device, and fuse-overlayfs takes it for a whiteout of its own. A socket without permissions needs no privilege, and no
 * archive can contain one. Such a tree is never mounted, since neither can be the upper directory of an overlay.
 */
const SUBSTITUTE = FileType.socket;

/** Returns whether the directory at `location` hides everything below it in other layers. */
export function isOpaque(location: string, flavour: OverlayFlavour): boolean {
  return lgetxattr(location, `${flavour}.overlay.opaque`)?.toString() === 'y';
}

/**
 * Makes the directory at `location` hide everything below it in other layers.
 * @throws TbuildError SNAPSHOT where the file system keeps no such attribute.
 */
export function makeOpaque(location: string, flavour: OverlayFlavour): void {
  const name = `${flavour}.overlay.opaque`;
  try {
    lsetxattr(location, name, Buffer.from('y'));
  } catch (cause) {
    if (!['EPERM', 'ENOTSUP'].includes(errnoName(cause) ?? '')) throw cause;
    throw new TbuildError('SNAPSHOT', `The file system of ${JSON.stringify(location)} lacks the attribute ${name}`, {
      hint: 'Choose a place for the store on ext4, XFS or Btrfs, with --root',
      cause,
    });
  }
}

/** Marks a name as deleted. Nothing may exist at `location`. `type` is that of the file system there. */
export function makeWhiteout(location: string, type: number = whiteoutType(dirname(location))): void {
  try {
    mknod(location, type, 0);
  } catch (error) {
    if (errnoName(error) !== 'EPERM') throw error;
    mknod(location, SUBSTITUTE, 0);
  }
}

/** Returns the type of the files that mark deleted names in a file system, by a directory of it. */
export function whiteoutType(directory: string): number {
  return isOnFuseOverlay(directory) ? SUBSTITUTE : FileType.character;
}

const FUSE = 0x6573_5546;

/** Other file systems in user space keep the device, and an overlay may have its upper directory on some, as on virtiofs. */
function isOnFuseOverlay(directory: string): boolean {
  if (statfsSync(directory).type !== FUSE) return false;
  const { dev } = statSync(directory);
  const device = `${majorOf(dev)}:${minorOf(dev)}`;
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .some((line) => line.split(' ')[2] === device && line.includes(' - fuse.fuse-overlayfs '));
}
