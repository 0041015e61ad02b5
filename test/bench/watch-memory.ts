import { readFileSync } from 'node:fs';

/** Samples a process's peak resident memory (VmHWM) in bytes until it is stopped. */
export function watchMemory(pid: number | undefined): { stop(): number | undefined } {
  let peak: number | undefined;
  const timer = setInterval(() => {
    const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readStatus(pid))?.[1];
    if (kilobytes !== undefined) peak = Number(kilobytes) * 1024;
  }, 20);
  return {
    stop() {
      clearInterval(timer);
      return peak;
    },
  };
}

function readStatus(pid: number | undefined): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    // It has ended.
    return '';
  }
}
