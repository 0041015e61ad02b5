import { readFileSync } from 'node:fs';
import { eventually } from '../support/eventually.ts';
import { mountsNaming, processesNaming } from '../support/leftovers.ts';
import { runProcess } from '../support/run-process.ts';
import type { FaultContext } from './fault-row.ts';

/** Every case checks that nothing it started is left: background work ends by itself. */
export async function requireNothingLeft({ directory, signal, fail }: FaultContext): Promise<void> {
  let found: readonly string[] = [];
  // A process that starts another one may be gone before that one has its name.
  const isGone = () => (found = leftovers(directory)).length === 0;
  await eventually(() => signal.aborted || (isGone() && isGone()));
  if (found.length > 0) fail('Processes or mounts are left', found.join('\n'));
}

/** Ends what a case that failed has left, so that it does not disturb the next one. */
export async function endLeftovers(directory: string): Promise<void> {
  for (const pid of processesNaming(directory)) sendKill(pid);
  await eventually(() => processesNaming(directory).length === 0);
  const places = ownMounts(directory).map((line) => line.split(' ')[4] ?? '');
  for (const place of places.toReversed()) await runProcess('umount', ['--lazy', place]);
}

/** Kills a process, or with a negative id a group, unless it has ended. */
export function sendKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** Every process with a mount namespace of its own has a copy of the disks that a case mounts for itself. */
function leftovers(directory: string): readonly string[] {
  return [
    ...processesNaming(directory).map((pid) => `process ${pid}`),
    ...ownMounts(directory),
    ...mountsNaming(directory).filter((line) => line.includes(' - overlay ')),
  ];
}

function ownMounts(directory: string): readonly string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(directory));
}
