import type { StepMemory } from '@tbuild/executor';

/** Returns a hint for a process that was killed although it reached no limit of the step. */
export function explainKill(args: readonly string[], memory: StepMemory): string {
  const { machineRanOut, largestProcess, machine } = memory;
  if (machineRanOut === false) {
    const usual = args.some((arg) => /\btimeout\b/.test(arg)) ? ', perhaps "timeout"' : '';
    return `Find out what sent SIGKILL${usual}: the kernel killed no process for lack of memory while this step ran`;
  }
  const why =
    machineRanOut === undefined
      ? 'a process was killed (SIGKILL), most often for lack of memory'
      : `the kernel killed a process for lack of memory while this step ran${used(largestProcess, machine)}`;
  return `Give this machine or container more memory, or run fewer steps at once with --jobs 1: ${why}`;
}

function used(largest: number | undefined, machine: number): string {
  return largest === undefined ? '' : `; the largest process had ${inMegabytes(largest)} of ${inMegabytes(machine)}`;
}

/** Formats a number of bytes. */
export function inMegabytes(bytes = 0): string {
  return `${Math.ceil(bytes / 1024 ** 2)} MiB`;
}
