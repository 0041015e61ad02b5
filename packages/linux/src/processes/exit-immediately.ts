import { libraryCall } from '../libc.ts';

const exit = libraryCall('void _exit(int code)');

/** Ends this process at once: Node neither waits for its threads nor flushes buffers. */
export function exitImmediately(code: number): void {
  exit(code);
}
