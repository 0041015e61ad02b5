import { libraryCall, systemError } from './libc.ts';

const mount = libraryCall(
  'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
);
const umount = libraryCall('int umount2(const char *target, int flags)');

const MS_NOSUID = 2;
const MS_NODEV = 4;
const MS_NOEXEC = 8;
const MNT_DETACH = 2;

/** Mounts an empty tmpfs of mode 0700 on a directory. It allows neither devices nor programs. */
export function mountTmpfs(path: string): void {
  if (mount('tmpfs', path, 'tmpfs', MS_NOSUID | MS_NODEV | MS_NOEXEC, 'mode=700') < 0) throw systemError('mount', path);
}

/** Detaches a mount at once. The kernel unmounts it when the last process stops using it. */
export function detachMount(path: string): void {
  if (umount(path, MNT_DETACH) < 0) throw systemError('umount2', path);
}
