import {
  chmodSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  futimesSync,
  lchownSync,
  lutimesSync,
  type Stats,
} from 'node:fs';
import { errnoName } from '@tbuild/errors';
import { lgetxattr, llistxattr, lsetxattr } from '@tbuild/linux';
import { isOverlayAttribute } from './overlay-format.ts';
import { readOwner, setOwner } from './owner.ts';
import type { Attributes } from './tree-writer.ts';

const PERMISSIONS = 0o7777;

/** Reads the attributes of the file at `location`, including extended attributes but not overlay's own. */
export function readAttributes(location: string, stats: Stats): Attributes {
  if (location === '')
    return { mode: stats.mode & PERMISSIONS, uid: stats.uid, gid: stats.gid, mtimeMs: stats.mtimeMs };
  const xattrs = new Map<string, Uint8Array>();
  for (const name of llistxattr(location)) {
    const value = isOverlayAttribute(name) ? undefined : lgetxattr(location, name);
    if (value !== undefined) xattrs.set(name, value);
  }
  const { uid, gid } = readOwner(location, stats);
  return { mode: stats.mode & PERMISSIONS, uid, gid, mtimeMs: stats.mtimeMs, xattrs };
}

/** Sets the attributes of a directory, device or FIFO; the caller sets its times later. */
export function applyAttributes(location: string, attributes: Attributes): void {
  setOwner(location, attributes, () => lchownSync(location, attributes.uid, attributes.gid));
  chmodSync(location, attributes.mode & PERMISSIONS);
  applyXattrs(location, attributes);
}

/** Sets the owner and time of a symbolic link, which has no mode. */
export function applyLinkAttributes(location: string, attributes: Attributes): void {
  setOwner(location, attributes, () => lchownSync(location, attributes.uid, attributes.gid));
  applyXattrs(location, attributes);
  setTime(location, attributes.mtimeMs);
}

/**
 * Sets the attributes of an open regular file that is new. Most files are made with the right owner and mode, and looking
 * costs less than setting. The owner comes first: changing it clears setuid bits and capabilities.
 */
export function applyFileAttributes(fd: number, location: string, attributes: Attributes): void {
  const { uid, gid, mode } = attributes;
  const made = fstatSync(fd);
  setOwner(location, attributes, () => {
    if (made.uid !== uid || made.gid !== gid) fchownSync(fd, uid, gid);
  });
  if ((made.mode & PERMISSIONS) !== (mode & PERMISSIONS)) fchmodSync(fd, mode & PERMISSIONS);
  applyXattrs(location, attributes);
  const time = timeOf(attributes.mtimeMs);
  futimesSync(fd, time, time);
}

/** Sets the access and modification times of the path itself. */
export function setTime(location: string, mtimeMs: number): void {
  lutimesSync(location, timeOf(mtimeMs), timeOf(mtimeMs));
}

/** libuv passes whole microseconds to the kernel, and since 1.52 the nanoseconds that a double can hold. */
const NANOSECONDS = Number(process.versions.uv?.split('.')[1]) >= 52 ? 1 : 1000;

/** Returns the time that lstat reports after `mtimeMs` was set. */
export function storedTime(mtimeMs: number): number {
  const seconds = (mtimeMs < 0 ? Math.trunc(mtimeMs) : mtimeMs) / 1000;
  const whole = Math.trunc(seconds);
  const nanoseconds = Math.trunc((seconds - whole) * 1e9);
  return whole * 1000 + (nanoseconds - (nanoseconds % NANOSECONDS)) / 1e6;
}

/** Node interprets a negative number as "now", but not a date. */
function timeOf(mtimeMs: number): number | Date {
  return mtimeMs < 0 ? new Date(mtimeMs) : mtimeMs / 1000;
}

/** Skips attributes that this process or the file system does not allow, except capabilities. */
function applyXattrs(location: string, attributes: Attributes): void {
  if (attributes.xattrs === undefined) return;
  for (const [name, value] of attributes.xattrs) {
    if (isOverlayAttribute(name)) continue;
    try {
      lsetxattr(location, name, value);
    } catch (error) {
      const refused = errnoName(error) === 'EPERM' || errnoName(error) === 'ENOTSUP';
      if (!refused || name === 'security.capability') throw error;
    }
  }
}
