import { errnoName } from '@tbuild/errors';
import { lgetxattr, lsetxattr, mknod, FileType } from '@tbuild/linux';
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
 * device. A socket without permissions needs no privilege, and no archive can contain one. Such a tree is never
 * mounted, since an overlay cannot be the upper directory of another.
 */
const SUBSTITUTE = FileType.socket;

/** Returns whether the directory at `location` hides everything below it in other layers. */
export function isOpaque(location: string, flavour: OverlayFlavour): boolean {
  return lgetxattr(location, `${flavour}.overlay.opaque`)?.toString() === 'y';
}

/** Makes the directory at `location` hide everything below it in other layers. */
export function makeOpaque(location: string, flavour: OverlayFlavour): void {
  lsetxattr(location, `${flavour}.overlay.opaque`, Buffer.from('y'));
}

/** Marks a name as deleted. Nothing may exist at `location`. */
export function makeWhiteout(location: string): void {
  try {
    mknod(location, FileType.character, 0);
  } catch (error) {
    if (errnoName(error) !== 'EPERM') throw error;
    mknod(location, SUBSTITUTE, 0);
  }
}
