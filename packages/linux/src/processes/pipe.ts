import { libraryCall, systemError } from '../libc.ts';

const pipe = libraryCall('int pipe2(int *ends, int flags)');
const O_CLOEXEC = 0o2000000;

/** Makes a pipe. Programs do not inherit its ends unless they are passed to them. */
export function openPipe(): { readonly reader: number; readonly writer: number } {
  const ends = new Int32Array(2);
  if (pipe(ends, O_CLOEXEC) < 0) throw systemError('pipe2', '');
  const [reader = -1, writer = -1] = ends;
  return { reader, writer };
}
