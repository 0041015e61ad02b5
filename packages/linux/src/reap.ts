import { libraryCall } from './libc.ts';

/** One of both is undefined. */
export interface ProcessEnd {
  readonly code?: number;
  /** The number of the signal that ended it. */
  readonly signal?: number;
}

const wait = libraryCall('int waitpid(int pid, int *status, int options)');
const WNOHANG = 1;

/** Those that are waited for, by their number, and who wants to know. */
const running = new Map<number, (end: ProcessEnd) => void>();
let watch: NodeJS.Timeout | undefined;

/** Keeps the program alive; what ended is told by the signal. */
const WATCH_MS = 1000;

/** Waits for a child that Node does not know of: `onEnd` is called as soon as its number may be another's. */
export function awaitEnd(pid: number, onEnd: (end: ProcessEnd) => void): void {
  running.set(pid, onEnd);
  if (watch !== undefined) return;
  process.on('SIGCHLD', reap);
  watch = setInterval(reap, WATCH_MS);
  // The first one may have ended before anybody listened.
  setImmediate(reap);
}

function reap(): void {
  for (const [pid, onEnd] of running) {
    const end = endOf(pid);
    if (end === undefined) continue;
    running.delete(pid);
    onEnd(end);
  }
  if (running.size > 0) return;
  process.off('SIGCHLD', reap);
  clearInterval(watch);
  watch = undefined;
}

function endOf(pid: number): ProcessEnd | undefined {
  const status = new Int32Array(1);
  const found = wait(pid, status, WNOHANG);
  if (found === 0) return undefined;
  const [bits = 0] = status;
  const signal = bits & 0x7f;
  return signal === 0 ? { code: (bits >> 8) & 0xff } : { signal };
}
