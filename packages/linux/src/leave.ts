import { libraryCall } from './libc.ts';

const exit = libraryCall('void _exit(int code)');

/** Ends this process without what Node does at its end: it does not wait for its threads, and flushes nothing. */
export function leave(code: number): void {
  exit(code);
}
