import { libraryCall } from '../libc.ts';

/** How a process ended. It has a code or a signal. */
export interface ProcessEnd {
  readonly code?: number;
  /** The number of the signal that killed it. */
  readonly signal?: number;
  /**
   * The peak memory in bytes of the largest among the process and those below it that were waited for. The process
   * began as a copy of this one, so it is at least the memory that this one had then.
   */
  readonly peakMemory: number;
}

const wait = libraryCall('int wait4(int pid, int *status, int options, int64_t *usage)');
const WNOHANG = 1;

/** The callbacks of the awaited processes, by process id. */
const running = new Map<number, (end: ProcessEnd) => void>();
let watch: NodeJS.Timeout | undefined;

/** Keeps the event loop alive. SIGCHLD reports the end; this is the fallback. */
const WATCH_MS = 1000;

/**
 * Waits for a child that Node did not start. Calls `onEnd` once it has been reaped, when its process id may be
 * reused.
 */
export function awaitEnd(pid: number, onEnd: (end: ProcessEnd) => void): void {
  running.set(pid, onEnd);
  if (watch !== undefined) return;
  process.on('SIGCHLD', reap);
  watch = setInterval(reap, WATCH_MS);
  // The first child may have ended before the listener existed.
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
  const usage = new BigInt64Array(USAGE_FIELDS);
  const found = wait(pid, status, WNOHANG, usage);
  if (found === 0) return undefined;
  const [bits = 0] = status;
  const signal = bits & 0x7f;
  const peakMemory = Number(usage[MAX_RSS]) * 1024;
  return signal === 0 ? { code: (bits >> 8) & 0xff, peakMemory } : { signal, peakMemory };
}

/** The length of `struct rusage`, and the place of `ru_maxrss` behind its two times. */
const [USAGE_FIELDS, MAX_RSS] = [18, 4];
