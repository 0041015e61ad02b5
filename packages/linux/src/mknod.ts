import { libraryCall, systemError } from './libc.ts';

/** The file type bits of `st_mode`. */
export const FileType = {
  mask: 0o170000,
  socket: 0o140000,
  link: 0o120000,
  regular: 0o100000,
  block: 0o060000,
  directory: 0o040000,
  character: 0o020000,
  fifo: 0o010000,
} as const;

const modern = libraryCall('int mknod(const char *path, unsigned int mode, uint64_t device)');
/** C libraries before glibc 2.33 export this instead; their `mknod` is an inline function. */
const versioned = libraryCall('int __xmknod(int version, const char *path, unsigned int mode, uint64_t *device)');

let call: ((path: string, mode: number, device: number) => number) | undefined;

/** Makes a device, FIFO or socket. `mode` includes the type bits (the umask applies); `device` is as in `st_rdev`. */
export function mknod(path: string, mode: number, device: number): void {
  call ??= choose();
  if (call(path, mode, device) < 0) throw systemError('mknod', path);
}

function choose(): NonNullable<typeof call> {
  try {
    modern('', 0, 0);
    return (path, mode, device) => modern(path, mode, device);
  } catch {
    return (path, mode, device) =>
      versioned(0, path, mode, new Uint8Array(new BigUint64Array([BigInt(device)]).buffer));
  }
}
