import { libraryCall } from './libc.ts';

/** One of both is undefined. */
export interface ProcessEnd {
  readonly code?: number;
  /** The number of the signal that ended it. */
  readonly signal?: number;
}

const wait = libraryCall('int waitpid(int pid, int *status, int options)');
const WNOHANG = 1;

/** Those that are waited for, by their number. */
const running = new Map<number, (end: ProcessEnd) => void>();
let watch: NodeJS.Timeout | undefined;

/** Keeps the program alive; what ended is told by the signal. */
const WATCH_MS = 1000;

/** Waits for a child that Node does not know of. */
export function reaped(pid: number): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    running.set(pid, resolve);
    if (watch !== undefined) return;
    process.on('SIGCHLD', reap);
    watch = setInterval(reap, WATCH_MS);
    // The first one may have ended before anybody listened.
    setImmediate(reap);
  });
}

function reap(): void {
  for (const [pid, resolve] of running) {
    const end = endOf(pid);
    if (end === undefined) continue;
    running.delete(pid);
    resolve(end);
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
