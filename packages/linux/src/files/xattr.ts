import { constants } from 'node:os';
import { lastError, libraryCall, systemError } from '../libc.ts';

const get = libraryCall('long lgetxattr(const char *path, const char *name, void *value, size_t size)');
const set = libraryCall('int lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags)');
const list = libraryCall('long llistxattr(const char *path, void *list, size_t size)');

const { ENODATA, EOPNOTSUPP, EPERM } = constants.errno;
/** The kernel's limits for a value and a list of names (XATTR_SIZE_MAX, XATTR_LIST_MAX). */
const LIMIT = 65536;
let scratch: Buffer | undefined;

/**
 * Reads an extended attribute of the path itself; it does not follow a symbolic link. Returns undefined if the
 * attribute is not set, the file system has none, or this process may not see it (`trusted.*` without privileges).
 */
export function lgetxattr(path: string, name: string): Buffer | undefined {
  scratch ??= Buffer.allocUnsafeSlow(LIMIT);
  const size = get(path, name, scratch, LIMIT);
  if (size >= 0) return Buffer.from(scratch.subarray(0, size));
  const errno = lastError();
  if (errno === ENODATA || errno === EOPNOTSUPP || errno === EPERM) return undefined;
  throw systemError('lgetxattr', path, errno);
}

/** Sets an extended attribute of the path itself. */
export function lsetxattr(path: string, name: string, value: Uint8Array): void {
  if (set(path, name, value, value.length, 0) < 0) throw systemError('lsetxattr', path);
}

/** Returns the names of the extended attributes of the path itself; none if the file system has none. */
export function llistxattr(path: string): string[] {
  scratch ??= Buffer.allocUnsafeSlow(LIMIT);
  const size = list(path, scratch, LIMIT);
  if (size === 0) return [];
  if (size > 0) return scratch.toString('utf8', 0, size - 1).split('\0');
  const errno = lastError();
  if (errno === EOPNOTSUPP) return [];
  throw systemError('llistxattr', path, errno);
}
