import { chmodSync, fchmodSync, fchownSync, futimesSync, lchownSync, lutimesSync, type Stats } from 'node:fs';
import { errnoName } from '@tbuild/errors';
import { lgetxattr, llistxattr, lsetxattr } from '@tbuild/linux';
import { isOverlayAttribute } from './overlay-format.ts';
import { readOwner, setOwner } from './owner.ts';
import type { Attributes } from './tree-writer.ts';

const PERMISSIONS = 0o7777;

/** The attributes of what is at `location`, extended ones included, overlay's own left out. */
export function readAttributes(location: string, stats: Stats): Attributes {
  const xattrs = new Map<string, Uint8Array>();
  for (const name of llistxattr(location)) {
    const value = isOverlayAttribute(name) ? undefined : lgetxattr(location, name);
    if (value !== undefined) xattrs.set(name, value);
  }
  const { uid, gid } = readOwner(location, stats);
  return { mode: stats.mode & PERMISSIONS, uid, gid, mtimeMs: stats.mtimeMs, xattrs };
}

/** Gives a directory, device or FIFO at `location` its attributes; the times of a directory come later. */
export function applyAttributes(location: string, attributes: Attributes): void {
  setOwner(location, attributes, () => lchownSync(location, attributes.uid, attributes.gid));
  chmodSync(location, attributes.mode & PERMISSIONS);
  applyXattrs(location, attributes);
}

/** Gives a symbolic link its owner and time; it has no mode. */
export function applyLinkAttributes(location: string, attributes: Attributes): void {
  setOwner(location, attributes, () => lchownSync(location, attributes.uid, attributes.gid));
  applyXattrs(location, attributes);
  setTime(location, attributes.mtimeMs);
}

/** Gives an open regular file its attributes. Owner first: changing it clears setuid and capabilities. */
export function applyFileAttributes(fd: number, location: string, attributes: Attributes): void {
  setOwner(location, attributes, () => fchownSync(fd, attributes.uid, attributes.gid));
  fchmodSync(fd, attributes.mode & PERMISSIONS);
  applyXattrs(location, attributes);
  const time = timeOf(attributes.mtimeMs);
  futimesSync(fd, time, time);
}

/** Sets access and modification time of the path itself. */
export function setTime(location: string, mtimeMs: number): void {
  lutimesSync(location, timeOf(mtimeMs), timeOf(mtimeMs));
}

/** libuv tells the kernel whole microseconds, since 1.52 what nanoseconds a number of seconds can hold. */
const NANOSECONDS = Number(process.versions.uv?.split('.')[1]) >= 52 ? 1 : 1000;

/** The time that is read where `mtimeMs` was set. */
export function storedTime(mtimeMs: number): number {
  const seconds = (mtimeMs < 0 ? Math.trunc(mtimeMs) : mtimeMs) / 1000;
  const whole = Math.trunc(seconds);
  const nanoseconds = Math.trunc((seconds - whole) * 1e9);
  return whole * 1000 + (nanoseconds - (nanoseconds % NANOSECONDS)) / 1e6;
}

/** Node takes a negative number for "now", but not a date. */
function timeOf(mtimeMs: number): number | Date {
  return mtimeMs < 0 ? new Date(mtimeMs) : mtimeMs / 1000;
}

/** Attributes that this process or file system may not carry are left out, except capabilities. */
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
